"""Rules over the machine's facts: ports, CPUs, memory, threads, descriptors, processes."""

from __future__ import annotations

import os

from host_shims import facts
from skywasm import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from host_shims._contract import PathOrFd

__all__ = [
    "estimate_fd_for_directory",
    "find_free_port",
    "get_cpu_count",
    "get_max_workers_for_file_mounts",
    "get_mem_size_gb",
    "get_parallel_threads",
    "is_process_alive",
]

_PORT_END = 65535


def no_free_port() -> OSError:
    """SkyPilot's error for a search that came to the end."""
    return OSError("No free ports available.")


def find_free_port(start_port: int) -> int:
    ports = range(start_port, _PORT_END)
    if not ports:
        raise no_free_port()
    probe = facts.port_socket()
    try:
        bind = facts.port_bind
        for port in ports:
            if bind(probe, port) == 0:
                return port
    finally:
        probe.close()
    raise no_free_port()


CPU_LIMIT_VARIABLE = "SKYPILOT_POD_CPU_CORE_LIMIT"
MEMORY_GB_VARIABLE = "SKYPILOT_POD_MEMORY_GB_LIMIT"
MEMORY_BYTES_VARIABLE = "SKYPILOT_POD_MEMORY_BYTES_LIMIT"
_GB = 1024**3


def cpu_override() -> int | None:
    """CPUs as the pod's environment sets them, None when it does not."""
    limit = os.environ.get(CPU_LIMIT_VARIABLE)
    if limit is None:
        return None
    try:
        return int(float(limit))
    except ValueError as error:
        raise ValueError(f"Failed to parse the number of CPUs from {limit}") from error


def memory_override() -> float | None:
    """Memory in GB (2**30 bytes) as the pod's environment sets it, None when it does not."""
    for variable, unit, divisor in ((MEMORY_GB_VARIABLE, "GB", 1), (MEMORY_BYTES_VARIABLE, "bytes", _GB)):
        limit = os.environ.get(variable)
        if limit is not None:
            try:
                return float(limit) / divisor
            except ValueError as error:
                raise ValueError(f"Failed to parse the memory size from {limit} ({unit})") from error
    return None


def _cgroup_number(fact: int, parse: Callable[[str], Any]) -> Any:
    """A number out of a cgroup file; None for a file that cannot be read or holds none, as for "max"."""
    try:
        return parse(facts.cgroup_text(_abi.CGROUP_FILES[fact]).decode().strip())
    except (OSError, ValueError):
        return None


def _two_floats(text: str) -> tuple[float, float] | None:
    quota, period = text.split()
    return None if quota == "max" else (float(quota), float(period))


def _quota_cpus() -> int | None:
    """Whole CPUs of the cgroup's quota; 0 for less than one."""
    if facts.cgroup_version() == _abi.CGROUP_V2:
        limits = _cgroup_number(_abi.FACT_CPU_MAX, _two_floats)
        if limits is None or not limits[0] > 0:
            return None
        return int(limits[0] / limits[1])
    # Mostly -1, for no limit; then the period need not be read.
    quota = _cgroup_number(_abi.FACT_CPU_QUOTA, float)
    if quota is None or not quota > 0:
        return None
    period = _cgroup_number(_abi.FACT_CPU_PERIOD, float)
    if period is None or not period > 0:
        return None
    return int(quota / period)


def get_cpu_count() -> int:
    override = cpu_override()
    if override is not None:
        return override
    count: Any = facts.cpu_online()
    for limit in (facts.cpu_affinity(), _quota_cpus()):
        if limit is not None:
            count = min(count, limit)
    return count  # type: ignore[no-any-return]


def _memory_total() -> int:
    """Bytes of memory as psutil reads them, which wants the free memory to be told as well."""
    text = facts.meminfo()
    start = text.find(b"MemTotal:")
    if start >= 0 and b"MemFree:" in text:
        try:
            return int(text[start + 9 : text.index(b"kB", start)]) * 1024
        except ValueError:
            pass
    import psutil

    return psutil.virtual_memory().total


def get_mem_size_gb() -> float:
    override = memory_override()
    if override is not None:
        return override
    total = _memory_total()
    fact = _abi.FACT_MEMORY_MAX if facts.cgroup_version() == _abi.CGROUP_V2 else _abi.FACT_MEMORY_LIMIT
    limit = _cgroup_number(fact, int)
    if limit is not None and limit > 0:
        total = min(total, limit)
    return total / _GB


def get_parallel_threads(cloud_str: str | None = None) -> int:
    threads = max(4, (facts.cpu_count() or 1) - 1)
    return threads * 4 if cloud_str and cloud_str.lower() == "kubernetes" else threads


_LOW_FD_LIMIT = 1024
_RESERVED_FDS = 100
_FDS_PER_ENTRY = 5
_warned_low_limit = False


def warn_low_fd_limit(limit: float) -> None:
    """Says once a process that file mounts will be slow, as SkyPilot does."""
    global _warned_low_limit
    if limit < _LOW_FD_LIMIT and not _warned_low_limit:
        _warned_low_limit = True
        from skywasm import _log

        _log.logger().warning(
            "Open file descriptor limit (%s) is low. File sync to remote clusters may be slow. Consider increasing "
            "the limit using `ulimit -n <number>` or modifying system limits.",
            limit,
        )


def mount_entries(source: Any) -> int | None:
    """Entries of a file mount's source when it is a directory, else None."""
    # listdir takes None and -1 for the current folder.
    if source is not None and not isinstance(source, int):
        # Listing alone tells a directory from the rest; only a refusal needs a second look.
        try:
            return facts.entry_count(source)
        except (OSError, ValueError):
            if not os.path.isdir(source):
                return None
            raise
        except TypeError:
            pass
    return facts.entry_count(source) if os.path.isdir(source) else None


def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    limit = facts.open_files_limit()
    warn_low_fd_limit(limit)
    most = 1
    for source in common_file_mounts.values():
        entries = mount_entries(source)
        if entries is not None and entries > most:
            most = entries
    workers = max((limit - _RESERVED_FDS) // (most * _FDS_PER_ENTRY), 1)
    return min(workers, get_parallel_threads(cloud_str))


LAST_PID = 2**31 - 1
_EPERM = 1


def checked_pid(pid: Any) -> bool:
    """Whether a process of this number can exist at all; TypeError for what is no number."""
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    return 0 < pid <= LAST_PID


def is_process_alive(pid: int) -> bool:
    # A refusal (EPERM) proves that there is somebody to be protected.
    return checked_pid(pid) and facts.process_signal(pid) in (0, _EPERM)


def estimate_fd_for_directory(path: PathOrFd) -> int:
    return facts.entry_count(path) * _FDS_PER_ENTRY
