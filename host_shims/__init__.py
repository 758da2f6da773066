"""What skywasm may ask of the machine: one contract, one module a platform.

``facts`` is the module for the platform this runs on; ``contract.Platform`` says what it offers. Nothing
here knows of skywasm or WebAssembly, nothing is cached, and no descriptor outlives a call.
"""

from __future__ import annotations

import sys

if sys.platform in ("linux", "android"):
    from host_shims import _linux as facts
elif sys.platform == "darwin":
    from host_shims import _macos as facts
elif sys.platform == "win32":
    from host_shims import _windows as facts
else:
    from host_shims import _unsupported as facts

__all__ = ["facts"]
