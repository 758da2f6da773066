"""SkyPilot's utility functions as one WebAssembly artifact, with a pure-Python fallback."""

from __future__ import annotations

from skywasm import errors
from skywasm.functions import declare as _declare
from skywasm.loading import late as _late

__version__ = "0.1.0"

_MODULES = ("batch", "reference", "sandbox", "skypilot")
_STEERING = {
    "get_backend_info": "skywasm.routes.info",
    "set_backend": "skywasm.routes.backend",
    "use_backend": "skywasm.routes.backend",
    "warm_up": "skywasm.routes.backend",
}
__all__ = ["batch", "errors", "get_backend_info", "sandbox", "set_backend", "skypilot", "use_backend", "warm_up"]
__all__ += [row.name for row in _declare.ROWS]

globals().update((row.name, row.function) for row in _declare.ROWS)
# The first call of a function decides which way it goes, and brings in what that needs.
_declare.undecide(lambda row: _late("skywasm.routes.bind").lay(row))


def __getattr__(name: str) -> object:
    # What a first call does not need is imported when a program asks for it.
    if name in _MODULES:
        return _late(f"skywasm.{name}")
    if name in _STEERING:
        found = globals()[name] = getattr(_late(_STEERING[name]), name)
        return found
    raise AttributeError(f"module 'skywasm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
