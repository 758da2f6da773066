"""How much memory this process may still have, where a limit is set: the engine aborts where its allocations fail."""

from __future__ import annotations

import os
import sys

from host_shims.descriptors import read_small
from host_shims.struck import let_out
from skywasm.errors import CoreUnavailableError

_MIB = 2**20
# The library takes 32 MiB, an instance 64; allocations that abort need some besides.
LIBRARY_MIB = 40
INSTANCE_MIB = 68
# Lines of /proc/self/limits, and the fields of /proc/self/statm, in pages, that they bound.
_LIMITS = ((b"Max address space", 0), (b"Max data size", 5))


def left_mib() -> int | None:
    """MiB of addresses left under ``ulimit -v`` and ``ulimit -d``; None where neither is set or can be known."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # Not by getrlimit: programs and their tests put their own in its place, for the limit of open files.
        lines = read_small("/proc/self/limits").splitlines()
        soft = {name: line[len(name) :].split()[0] for line in lines for name, _ in _LIMITS if line.startswith(name)}
        found = [(int(soft[name]), field) for name, field in _LIMITS if soft.get(name, b"unlimited") != b"unlimited"]
        used = read_small("/proc/self/statm").split() if found else []
    except OSError as error:
        let_out(error)
        return None
    page = os.sysconf("SC_PAGE_SIZE") if found else 0
    return min(((limit - int(used[field]) * page) // _MIB for limit, field in found), default=None)


def require(needed_mib: int, what: str) -> bool:
    """Raises where a limit leaves less than is needed; whether there is a limit at all.

    Raises:
        CoreUnavailableError: it does.
    """
    left = left_mib()
    if left is not None and left < needed_mib:
        raise CoreUnavailableError(f"{what} takes {needed_mib} MiB of addresses, and a limit leaves {max(left, 0)}")
    return left is not None
