"""The functions in pure Python: the fallback, and what the sandbox's answers are compared with.

Written from the behaviour of SkyPilot 0.14.1, warts included; where it differs the function says so. Needs
neither wasmtime nor the artifact. Facts of the machine come from ``host_shims``. Each room's ``__all__`` names its
functions.
"""

from __future__ import annotations

from skywasm.reference import files, numbers, system, text
from skywasm.reference.files import *  # noqa: F403 - see above
from skywasm.reference.numbers import *  # noqa: F403
from skywasm.reference.system import *  # noqa: F403
from skywasm.reference.text import *  # noqa: F403

__all__: list[str] = []
__all__ += files.__all__
__all__ += numbers.__all__
__all__ += system.__all__
__all__ += text.__all__
