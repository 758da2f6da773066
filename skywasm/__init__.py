"""SkyPilot's utility functions as one WebAssembly artifact, with a pure-Python fallback."""

from __future__ import annotations

from skywasm import api, errors
from skywasm._dispatch import get_backend_info, set_backend, use_backend, warm_up
from skywasm.api import *  # noqa: F403 - its __all__ is the list of public functions

__version__ = "0.1.0"

__all__ = ["errors", "get_backend_info", "set_backend", "use_backend", "warm_up"]
__all__ += api.__all__
