"""What skywasm is compared with: SkyPilot's functions, and where it has none what a program would write."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

import psutil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.functions.declare import Row


class Originals:
    """SkyPilot's functions where it is installed, else the fallback's."""

    def __init__(self) -> None:
        from skywasm import skypilot

        self.modules: dict[str, Any] = {}
        # Where the drop-in is at work, skywasm would be timed against itself.
        skypilot.uninstall()
        try:
            from importlib import import_module

            for name in skypilot.MODULES:
                self.modules[name] = import_module(name)
            self.label: str = f"SkyPilot {sys.modules['sky'].__version__}"
        except ImportError:
            self.modules = {}
            self.label = "skywasm's own Python fallback (SkyPilot is not installed)"

    def function(self, row: Row) -> Callable[..., Any]:
        """What is compared with skywasm's function of this row."""
        module = self.modules.get(row.replaces or "")
        if module is not None:
            return getattr(module, row.name)  # type: ignore[no-any-return]
        return ADDITIONS[row.name].function if row.name in ADDITIONS else row.reference


class Other(NamedTuple):
    """Something else than SkyPilot's function that does the same, and what it is."""

    function: Callable[..., Any]
    what: str


def kill_0(pid: int) -> bool:
    """is_process_alive's rules over os.kill, as a program without skywasm would write them."""
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    if not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def entries_times_five(path: str) -> int:
    """estimate_fd_for_directory's rule, as a program without skywasm would write it."""
    return len(os.listdir(path)) * 5


# What is not here is compared with skywasm's own Python.
ADDITIONS: dict[str, Other] = {
    "is_process_alive": Other(kill_0, "os.kill with the same rules"),
    "estimate_fd_for_directory": Other(entries_times_five, "os.listdir with the same rule"),
}

# Compared once more with these, by function, and the word for it.
OTHERS: dict[str, tuple[str, Other]] = {
    "is_process_alive": ("psutil", Other(psutil.pid_exists, "psutil.pid_exists, whose rule for thread ids is another")),
}


def against(row: Row) -> str:
    """What a function that SkyPilot has not is compared with; empty for all others."""
    if row.replaces is not None:
        return ""
    return ADDITIONS[row.name].what if row.name in ADDITIONS else "skywasm's own Python"
