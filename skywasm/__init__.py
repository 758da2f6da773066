"""SkyPilot's utility functions as one WebAssembly artifact, with a pure-Python fallback."""

from __future__ import annotations

from skywasm import api, errors
from skywasm._backend_info import get_backend_info
from skywasm._dispatch import set_backend, use_backend, warm_up
from skywasm.api import *  # noqa: F403 - its __all__ is the list of public functions

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from skywasm import batch as batch
    from skywasm import sandbox as sandbox
    from skywasm import skypilot as skypilot

__all__ = ["batch", "errors", "get_backend_info", "sandbox", "set_backend", "skypilot", "use_backend", "warm_up"]
__all__ += api.__all__


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any misspelt name for a module otherwise.
    def __getattr__(name: str) -> ModuleType:
        # Submodules that most programs never use are imported when one does.
        if name in ("batch", "sandbox", "skypilot"):
            from importlib import import_module

            return import_module(f"skywasm.{name}")
        raise AttributeError(f"module 'skywasm' has no attribute {name!r}")
