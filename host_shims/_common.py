"""What the platforms have in common."""

from __future__ import annotations

import errno
import os

from host_shims.struck import let_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from host_shims.contract import PathOrFd

# The same on every system that has sockets.
_AF_INET = 2
_SOCK_STREAM = 1
# PyPy 3.9 takes an annotated global only above the function that assigns it.
_socket_type: type[socket.SocketType] | None = None


def cpu_count() -> int | None:
    # Looked up at each call: -X cpu_count, PYTHON_CPU_COUNT and tests replace it.
    return os.cpu_count()


def entry_count(path: PathOrFd) -> int:
    # listdir takes None and -1 for the current folder; stat refuses both.
    if path is None or path == -1:
        os.stat(path)
    return len(os.listdir(path))


def port_socket() -> socket.SocketType:
    global _socket_type
    if _socket_type is None:
        # Imported late: importing socket takes longer than all of skywasm. The plain type leaves out what
        # socket.socket adds in Python; its numbers are the same constants.
        import socket

        _socket_type = socket.SocketType
    return _socket_type(_AF_INET, _SOCK_STREAM)


def port_bind(probe: socket.SocketType, port: int) -> int:
    # A socket whose bind failed has no address yet and can be tried with the next port. The address in digits
    # needs no resolver, which "" does.
    try:
        probe.bind(("0.0.0.0", port))  # noqa: S104 - a port is free when it is free on all addresses
    except OSError as error:
        let_out(error)
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
