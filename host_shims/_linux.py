"""Linux: the kernel's files, read with as few system calls as they take."""

from __future__ import annotations

import os
import stat

from host_shims._common import cpu_count, entry_count, port_bind, port_socket, psutil_cpu_online
from host_shims.descriptors import read_small
from host_shims.posix import open_files_limit, process_signal
from host_shims.struck import let_out

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

_CGROUP = "/sys/fs/cgroup/"
_MEMINFO = "/proc/meminfo"


def cpu_online() -> int | None:
    # glibc reads /sys/devices/system/cpu/online for this, as psutil does, and lxcfs replaces that file.
    try:
        count = os.sysconf("SC_NPROCESSORS_ONLN")
    except ValueError as error:
        let_out(error)
        return psutil_cpu_online()
    return count if count > 0 else None


def cpu_affinity() -> int | None:
    # Absent from Pythons built against a C library without it, and on Android before 5.
    if not hasattr(os, "sched_getaffinity"):
        return None
    return len(os.sched_getaffinity(0))


def cgroup_version() -> int:
    # The file is at the top of the unified hierarchy only; a hybrid one keeps its limits in the v1 files.
    try:
        mode = os.stat(_CGROUP + "cgroup.controllers").st_mode
    except OSError as error:
        let_out(error)
        return 1
    return 2 if stat.S_ISREG(mode) else 1


def cgroup_text(name: str) -> bytes:
    return read_small(_CGROUP + name)


def meminfo() -> bytes:
    # sysconf's page count is the machine's even in containers whose /proc/meminfo lxcfs has replaced.
    return read_small(_MEMINFO)
