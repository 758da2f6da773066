"""How much memory this process may still have, where a limit is set: the engine aborts where its allocations fail."""

from __future__ import annotations

import os
import sys

from skywasm.errors import CoreUnavailableError

_MIB = 2**20
# The library takes 32 MiB, an instance 64; allocations that abort need some besides.
LIBRARY_MIB = 40
INSTANCE_MIB = 68
# Fields of /proc/self/statm in pages: all addresses, and those that can be written to.
_ADDRESSES, _DATA = 0, 5


def left_mib() -> int | None:
    """MiB of addresses left under ``ulimit -v`` and ``ulimit -d``; None where neither is set or can be known."""
    if not sys.platform.startswith("linux"):
        return None
    import resource

    limits = ((resource.RLIMIT_AS, _ADDRESSES), (resource.RLIMIT_DATA, _DATA))
    found = [(resource.getrlimit(which)[0], field) for which, field in limits]
    if all(limit == resource.RLIM_INFINITY for limit, _ in found):
        return None
    try:
        descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        used = os.read(descriptor, 256).split()
    finally:
        os.close(descriptor)
    page = os.sysconf("SC_PAGE_SIZE")
    return min((limit - int(used[field]) * page) // _MIB for limit, field in found if limit != resource.RLIM_INFINITY)


def require(needed_mib: int, what: str) -> bool:
    """Raises where a limit leaves less than is needed; whether there is a limit at all.

    Raises:
        CoreUnavailableError: it does.
    """
    left = left_mib()
    if left is not None and left < needed_mib:
        raise CoreUnavailableError(f"{what} takes {needed_mib} MiB of addresses, and a limit leaves {max(left, 0)}")
    return left is not None
