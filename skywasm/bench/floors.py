"""What the system takes by itself: the calls that no implementation can do without, and nothing around them.

Whoever gives the same answer makes at least these. Their time is the floor that a ratio is to be judged by.
"""

from __future__ import annotations

import hashlib
import os
import sys

from skywasm.bench.measure import Call
from skywasm.functions import BY_NAME, machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_CGROUP = "/sys/fs/cgroup/"
_LOOK = _CGROUP + "cgroup.controllers"
_BLOCK = 32 * 1024


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    data = os.read(descriptor, _BLOCK)
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
    data = os.read(descriptor, _BLOCK)
    os.read(descriptor, _BLOCK)
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
    path = _CGROUP + machine.CGROUP_FILES[version_2 if os.path.isfile(_LOOK) else version_1]
    return path if os.path.isfile(path) else None


def _of_cpu_count() -> Call | None:
    """Two looks, the affinity mask, one file."""
    limit = _limit_file(machine.FACT_CPU_MAX, machine.FACT_CPU_QUOTA)
    return Call(_cpu_count, (limit,)) if sys.platform == "linux" and limit else None


def _of_mem_size() -> Call | None:
    """Two files and a look."""
    limit = _limit_file(machine.FACT_MEMORY_MAX, machine.FACT_MEMORY_LIMIT)
    return Call(_mem_size, (limit,)) if sys.platform == "linux" and limit else None


def _of_threads(_cloud: str) -> Call:
    """Python's own count."""
    return Call(os.cpu_count, ())


def _of_mounts(mounts: dict[str, str], *_: Any) -> Call:
    """Each folder listed."""
    return Call(_mounts, ([path for path in mounts.values() if os.path.isdir(path)],))


def _of_hash(path: str, alg: str) -> Call | None:
    """A small file opened, read to its end, closed, hashed in one call."""
    return Call(_md5, (path,)) if alg == "md5" and os.stat(path).st_size < _BLOCK else None


def _of_tail(path: str, n: int) -> Call:
    """As many bytes read and made lines of, when it is known where they begin."""
    lines = BY_NAME["read_last_n_lines"].reference(path, n, errors="surrogateescape")
    size = sum(len(line.encode("utf-8", "surrogateescape")) for line in lines) + 1
    return Call(_tail, (path, min(size, os.stat(path).st_size)))


# By function. Where the system has nothing to do there is no floor.
_FLOORS: dict[str, Callable[..., Call | None]] = {
    "get_cpu_count": _of_cpu_count,
    "get_mem_size_gb": _of_mem_size,
    "get_parallel_threads": _of_threads,
    "get_max_workers_for_file_mounts": _of_mounts,
    "hash_file": _of_hash,
    "read_last_n_lines": _of_tail,
}


def of(name: str, arguments: Sequence[Any]) -> Call | None:
    """What the system takes for a call of a function with these arguments; None where that is not known."""
    return _FLOORS[name](*arguments) if name in _FLOORS else None
