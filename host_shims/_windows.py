"""Windows. Not run by the project's own machines: held to the contract with recorded facts."""

from __future__ import annotations

import errno

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

# The most descriptors the C runtime can hold, the documented bound of _setmaxstdio. No limit can be asked for.
_C_RUNTIME_FILES = 8192

cpu_online = psutil_cpu_online
meminfo = psutil_meminfo
cgroup_text = no_cgroup_text


def process_signal(pid: int) -> int:
    # os.kill(pid, 0) ends the process here: signal 0 is taken for an exit code or CTRL_C_EVENT.
    import psutil

    return 0 if psutil.pid_exists(pid) else errno.ESRCH


def cpu_affinity() -> int | None:
    # SkyPilot asks for affinity only where os.sched_getaffinity exists, and it does not here.
    return None


def cgroup_version() -> int:
    return 0


def open_files_limit() -> int:
    return _C_RUNTIME_FILES
