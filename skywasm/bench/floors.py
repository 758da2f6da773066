"""What the system takes by itself: the calls that no implementation can do without, and nothing around them.

Whoever gives the same answer makes at least these. Their time is the floor that a ratio is to be judged by.
"""

from __future__ import annotations

import hashlib
import os
import sys

from skywasm import _abi
from skywasm.bench.measure import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CGROUP = "/sys/fs/cgroup/"
_LOOK = _CGROUP + "cgroup.controllers"


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    data = os.read(descriptor, 32 * 1024)
    os.close(descriptor)
    return data


def _cpu_count(limit: str) -> None:
    os.sysconf("SC_NPROCESSORS_ONLN")
    os.sched_getaffinity(0)
    os.access(_LOOK, os.F_OK)
    _read(limit)


def _mem_size(limit: str) -> None:
    _read("/proc/meminfo")
    os.access(_LOOK, os.F_OK)
    _read(limit)


def _mounts(folders: Sequence[str]) -> None:
    os.cpu_count()
    for folder in folders:
        os.listdir(folder)


def _md5(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    data = os.read(descriptor, 32 * 1024)
    os.read(descriptor, 32 * 1024)
    os.close(descriptor)
    hashlib.md5(data).hexdigest()


def _tail(path: str, size: int) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, -size, os.SEEK_END)
    data = os.read(descriptor, size)
    os.close(descriptor)
    data.decode("utf-8", "replace").splitlines(True)


def _limit_file(version_2: int, version_1: int) -> str | None:
    """The cgroup file that has to be read on this machine; None where there is none."""
    path = _CGROUP + _abi.CGROUP_FILES[version_2 if os.path.isfile(_LOOK) else version_1]
    return path if os.path.isfile(path) else None


def cpu_count() -> Call | None:
    """For ``get_cpu_count``: two looks, the affinity mask, one file."""
    limit = _limit_file(_abi.FACT_CPU_MAX, _abi.FACT_CPU_QUOTA)
    return Call(_cpu_count, (limit,)) if sys.platform == "linux" and limit else None


def mem_size() -> Call | None:
    """For ``get_mem_size_gb``: two files and a look."""
    limit = _limit_file(_abi.FACT_MEMORY_MAX, _abi.FACT_MEMORY_LIMIT)
    return Call(_mem_size, (limit,)) if sys.platform == "linux" and limit else None


def parallel_threads() -> Call:
    """For ``get_parallel_threads``: Python's own count."""
    return Call(os.cpu_count, ())


def mounts(folders: Sequence[str]) -> Call:
    """For ``get_max_workers_for_file_mounts``: each folder listed."""
    return Call(_mounts, (folders,))


def md5(path: str) -> Call:
    """For ``hash_file`` of a small file: opened, read to its end, closed, hashed in one call."""
    return Call(_md5, (path,))


def tail(path: str, size: int) -> Call:
    """For ``read_last_n_lines``: ``size`` bytes read and made lines of, when it is known where they begin."""
    return Call(_tail, (path, size))
