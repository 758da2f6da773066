"""Windows. The project's own machines run it under Wine, and hold it to the contract with recorded facts besides."""

from __future__ import annotations

import errno

from host_shims import _common
from host_shims._common import (
    cpu_count,
    entry_count,
    no_cgroup_text,
    port_bind,
    psutil_cpu_online,
    psutil_meminfo,
)
from host_shims.struck import let_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

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


# The right to wait for a process, which most may have; what Windows answers who may not; its numbers' step.
_SYNCHRONIZE = 0x100000
_ACCESS_DENIED = 5
_PID_STEP = 4
_STILL_RUNNING = 0x102
# SOL_SOCKET and SO_EXCLUSIVEADDRUSE, of which Python has the second on Windows only.
_EXCLUSIVE = (0xFFFF, ~4)


def process_signal(pid: int) -> int:
    # os.kill(pid, 0) ends the process here: signal 0 is taken for an exit code or CTRL_C_EVENT. psutil would take a
    # tenth of a second to import. Windows leaves out the two lowest bits of a number, which no process has.
    if pid % _PID_STEP:
        return errno.ESRCH
    import _winapi

    windows: Any = _winapi
    opened: list[int] = []
    try:
        # Into the list and out of it in C, so that no signal handler's exception can lose a handle.
        opened += map(windows.OpenProcess, (_SYNCHRONIZE,), (False,), (pid,))
        # One that has ended is there for as long as somebody holds a handle.
        return 0 if windows.WaitForSingleObject(opened[0], 0) == _STILL_RUNNING else errno.ESRCH
    except OSError as error:
        let_out(error)
        return errno.EPERM if getattr(error, "winerror", None) == _ACCESS_DENIED else errno.ESRCH
    finally:
        any(map(windows.CloseHandle, map(opened.pop, (0,) * len(opened))))


def port_socket() -> socket.SocketType:
    # Otherwise all addresses can be bound on a port that another program has on one of them.
    probe = _common.port_socket()
    try:
        probe.setsockopt(*_EXCLUSIVE, 1)
    except BaseException:
        # A signal handler's, whose traceback would hold the socket open.
        probe.close()
        raise
    return probe


def cpu_affinity() -> int | None:
    # SkyPilot asks for affinity only where os.sched_getaffinity exists, and it does not here.
    return None


def cgroup_version() -> int:
    return 0


def open_files_limit() -> int:
    return _C_RUNTIME_FILES
