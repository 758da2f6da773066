"""What the platforms have in common."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from host_shims._contract import PathOrFd


def cpu_count() -> int | None:
    # Looked up at each call: -X cpu_count, PYTHON_CPU_COUNT and tests replace it.
    return os.cpu_count()


def entry_count(path: PathOrFd) -> int:
    return len(os.listdir(path))


def port_socket() -> socket.socket:
    # Imported late: importing socket takes longer than all of skywasm.
    import socket

    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def port_bind(probe: socket.socket, port: int) -> int:
    # A socket whose bind failed has no address yet and can be tried with the next port.
    try:
        probe.bind(("", port))
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return 0


def psutil_cpu_online() -> int | None:
    import psutil

    return psutil.cpu_count()


def psutil_meminfo() -> bytes:
    import psutil

    memory = psutil.virtual_memory()
    return b"MemTotal: %d kB\nMemFree: %d kB\n" % (memory.total // 1024, memory.free // 1024)


def no_cgroup_text(name: str) -> bytes:
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
