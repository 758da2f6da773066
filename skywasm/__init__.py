"""SkyPilot's utility functions as one WebAssembly artifact, with a pure-Python fallback."""

from __future__ import annotations

from skywasm import errors
from skywasm.functions import ROWS as _ROWS
from skywasm.loading import late as _late
from skywasm.routes.backend import set_backend, use_backend, warm_up
from skywasm.routes.bind import bind as _bind
from skywasm.routes.info import get_backend_info

__version__ = "0.1.0"

_MODULES = ("batch", "reference", "sandbox", "skypilot")
__all__ = ["batch", "errors", "get_backend_info", "sandbox", "set_backend", "skypilot", "use_backend", "warm_up"]
__all__ += [row.name for row in _ROWS]

globals().update((row.name, row.function) for row in _ROWS)
_bind()


def __getattr__(name: str) -> object:
    # Modules that most programs never use are imported when one does.
    if name in _MODULES:
        return _late(f"skywasm.{name}")
    raise AttributeError(f"module 'skywasm' has no attribute {name!r}")
