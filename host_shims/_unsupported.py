"""Any other system: what the standard library and psutil can tell, and plain refusals for the rest."""

from __future__ import annotations

import errno
import os

from host_shims._common import (
    cpu_count,
    entry_count,
    no_cgroup_text,
    port_bind,
    port_socket,
    psutil_cpu_online,
    psutil_meminfo,
)

__all__ = [
    "cgroup_text",
    "cgroup_version",
    "cpu_affinity",
    "cpu_count",
    "cpu_online",
    "entry_count",
    "meminfo",
    "open_files_limit",
    "port_bind",
    "port_socket",
    "process_signal",
]

meminfo = psutil_meminfo
cgroup_text = no_cgroup_text


def cpu_online() -> int | None:
    try:
        return psutil_cpu_online()
    except ImportError:
        return os.cpu_count()


def process_signal(pid: int) -> int:
    # Signal 0 may mean anything on an unknown system: never send it.
    import psutil

    return 0 if psutil.pid_exists(pid) else errno.ESRCH


def cpu_affinity() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def cgroup_version() -> int:
    return 0


def open_files_limit() -> int:
    try:
        import resource
    except ImportError:
        raise OSError(errno.ENOSYS, "this system does not tell its limit of open files") from None
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
