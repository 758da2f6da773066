"""What stands in for a SkyPilot function where skywasm's own would differ inside SkyPilot's own code.

skywasm's functions ask the machine. SkyPilot's ask through helpers and modules that a program or a test may have
replaced, write to SkyPilot's log and steer how its command line shows an error. Where any of that matters,
SkyPilot's own function answers.
"""

from __future__ import annotations

import sys

from skywasm.functions import BY_NAME
from skywasm.functions import machine as variables
from skywasm.functions.hashing import hash_file as our_hash_file
from skywasm.functions.mounts import get_max_workers_for_file_mounts as our_workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

FUNCTION: Any = type(lambda: None)
"""The type of plain functions."""

# Variables of these types SkyPilot changes itself.
_PLAIN = (bool, bytes, float, int, str, type(None))
# What SkyPilot takes for few open files, and warns about.
_LOW_FD_LIMIT = 1024

# Environment variables that skywasm follows. A release of SkyPilot that does not know one answers otherwise.
VARIABLES: dict[str, tuple[str, ...]] = {
    "get_cpu_count": (variables.CPU_LIMIT_VARIABLE,),
    "get_mem_size_gb": (variables.MEMORY_GB_VARIABLE, variables.MEMORY_BYTES_VARIABLE),
}


STAND_INS: dict[str, Callable[..., Any]] = {}
"""The stand-ins by the name of the function; whatever is not here is replaced by skywasm's own."""


def _stand_in(function: Function) -> Function:
    STAND_INS[function.__name__] = function
    return function


class Original:
    """A SkyPilot function that has been replaced, and what it rests on in its module."""

    __slots__ = ("_names", "_rests_on", "function")

    def __init__(self, module: ModuleType, function: Any) -> None:
        self.function = function
        self._names = vars(module)
        self._rests_on: dict[str, Any] = {}
        ahead = [function]
        while ahead:
            for name in ahead.pop().__code__.co_names:
                value = self._names.get(name)
                if name not in self._rests_on and type(value) not in _PLAIN:
                    self._rests_on[name] = value
                    if type(value) is FUNCTION:
                        ahead.append(value)

    def is_touched(self) -> bool:
        """Whether somebody has replaced a function or module that this one uses."""
        names = self._names
        for name, value in self._rests_on.items():
            now = names.get(name)
            if now is not value and not _is_ours(name, now):
                return True
        return False


def _is_ours(name: str, thing: Any) -> bool:
    """Whether it is what skywasm puts in the place of a function of that name."""
    row = BY_NAME.get(name)
    return row is not None and (thing is row.function or thing is STAND_INS.get(name))


# By function; what skypilot.install() has replaced. It stays after uninstall(): somebody may hold a stand-in.
ORIGINALS: dict[str, Original] = {}


def _is_replaced(module: str, name: str) -> bool:
    """Whether a program has put a function of its own into a module, if that is loaded at all."""
    function = getattr(sys.modules.get(module), name, None)
    return function is not None and getattr(function, "__module__", None) != module


def _answered(name: str, psutil_name: str) -> Any:
    """A fact of the machine from skywasm, or from SkyPilot's function where that would say something else."""
    ours: Callable[[], Any] = BY_NAME[name].function
    original = ORIGINALS.get(name)
    if original is None:
        return ours()
    if not original.is_touched() and not _is_replaced("psutil", psutil_name):
        try:
            return ours()
        except (ValueError, OverflowError):
            # The same error, which SkyPilot raises so that its command line shows no traceback.
            pass
    return original.function()


@_stand_in
def get_cpu_count() -> int:
    """As ``skywasm.get_cpu_count``; SkyPilot's own function where what that rests on has been replaced."""
    count: int = _answered("get_cpu_count", "cpu_count")
    return count


@_stand_in
def get_mem_size_gb() -> float:
    """As ``skywasm.get_mem_size_gb``; SkyPilot's own function where what that rests on has been replaced."""
    size: float = _answered("get_mem_size_gb", "virtual_memory")
    return size


@_stand_in
def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    """As ``skywasm.get_max_workers_for_file_mounts``.

    SkyPilot's own function answers where what that rests on has been replaced, and where the limit of open files is
    so low that it says so in its log.
    """
    original = ORIGINALS.get("get_max_workers_for_file_mounts")
    if original is not None:
        import resource

        if original.is_touched() or resource.getrlimit(resource.RLIMIT_NOFILE)[0] < _LOW_FD_LIMIT:
            workers: int = original.function(common_file_mounts, cloud_str)
            return workers
    return our_workers(common_file_mounts, cloud_str)


@_stand_in
def hash_file(path: Any, hash_alg: str) -> Any:
    """As ``skywasm.hash_file``, less ``"blake3"``, for which hashlib's error comes out, as in SkyPilot."""
    if type(hash_alg) is str and hash_alg.lower() == "blake3":
        return BY_NAME["hash_file"].reference(path, hash_alg)
    return our_hash_file(path, hash_alg)
