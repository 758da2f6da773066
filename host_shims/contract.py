"""What every platform module offers. Plain values come back; what cannot be had is None or an OSError.

Tests hold each platform module against this protocol, so a name added here is added everywhere.
"""

from __future__ import annotations

import os
import socket
from typing import Protocol, Union

PathOrFd = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]", int]


class Platform(Protocol):
    """The facts of one operating system."""

    def process_signal(self, pid: int) -> int:
        """What sending signal 0 to ``pid`` (1 to 2**31 - 1) gives: 0, EPERM or ESRCH; OSError for anything else."""

    def cpu_online(self) -> int | None:
        """CPUs that are online, as psutil counts them; None when the system does not tell."""

    def cpu_affinity(self) -> int | None:
        """CPUs this process may run on; None where the system has no affinity."""

    def cpu_count(self) -> int | None:
        """``os.cpu_count()``, looked up at each call so that a replaced one counts."""

    def cgroup_version(self) -> int:
        """2 or 1 for the cgroup hierarchy whose files hold the limits, 0 where there are no cgroups."""

    def cgroup_text(self, name: str) -> bytes:
        """Content of the cgroup file ``name``, a path below the hierarchy; OSError when it cannot be read."""

    def meminfo(self) -> bytes:
        """Text with ``MemTotal:`` and ``MemFree:`` lines in kB, in the form of Linux's /proc/meminfo."""

    def open_files_limit(self) -> int:
        """Soft limit of open file descriptors; -1 or a huge number where there is none."""

    def entry_count(self, path: PathOrFd) -> int:
        """Number of entries in a directory; OSError when it cannot be listed."""

    def port_socket(self) -> socket.SocketType:
        """A new IPv4 TCP socket to try ports with."""

    def port_bind(self, probe: socket.SocketType, port: int) -> int:
        """Error number of binding ``probe`` to ``port`` on all addresses; 0 when it is free."""
