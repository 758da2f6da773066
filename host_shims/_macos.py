"""macOS. Not run by the project's own machines: held to the contract with recorded facts."""

from __future__ import annotations

from host_shims._common import (
    cpu_count,
    entry_count,
    no_cgroup_text,
    port_bind,
    port_socket,
    psutil_cpu_online,
    psutil_meminfo,
)
from host_shims.posix import open_files_limit, process_signal

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

cpu_online = psutil_cpu_online
meminfo = psutil_meminfo
cgroup_text = no_cgroup_text


def cpu_affinity() -> int | None:
    # The system has no call that pins a process to CPUs.
    return None


def cgroup_version() -> int:
    return 0
