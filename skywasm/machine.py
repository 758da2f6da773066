"""What the artifact may ask of this machine: a declaration each, under the capability that can be denied.

Facts come from ``host_shims``. Texts are written into the room that the guest gives, as far as they fit; what cannot be
had is a negative error number, or -1.
"""

from __future__ import annotations

import errno
import os

from host_shims import facts
from host_shims.posix import process_signal as posix_signal
from host_shims.struck import let_out
from skywasm.crossing.host import HostFunction, host
from skywasm.errors import TrapError
from skywasm.functions.machine import CGROUP_FILES, FACT_MEMINFO
from skywasm.functions.mounts import warn_low_fd_limit


def _put(content: bytes, text: memoryview) -> int:
    content = content[: len(text)]
    text[: len(content)] = content
    return len(content)


def _known(value: int | None) -> int:
    return -1 if value is None else value


def _fact(fact: int, text: memoryview) -> int:
    if fact == FACT_MEMINFO:
        return _put(facts.meminfo(), text)
    if fact not in CGROUP_FILES:
        raise TrapError(f"the artifact asked for text {fact}, which there is not")
    try:
        content = facts.cgroup_text(CGROUP_FILES[fact])
    except OSError as error:
        let_out(error)
        return -(error.errno or 1)
    return _put(content, text)


@host("process")
def process_signal(pid: int) -> int:
    """The error number of sending signal 0, negated."""
    if facts.process_signal is not posix_signal:
        return -facts.process_signal(pid)
    # What that function does, without the call: this is the fastest round trip that there is.
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError) as error:
        let_out(error)
        return -(errno.ESRCH if isinstance(error, ProcessLookupError) else errno.EPERM)
    return 0


@host("cpu")
def cpu_online() -> int:
    """CPUs that are online; -1 when the system does not tell."""
    return _known(facts.cpu_online())


@host("cpu")
def cpu_affinity() -> int:
    """CPUs this process may run on; -1 where the system has no affinity."""
    return _known(facts.cpu_affinity())


@host("cpu")
def cpu_count() -> int:
    """``os.cpu_count()``; -1 for None."""
    return _known(facts.cpu_count())


@host("cpu")
def cpu_cgroup_version() -> int:
    """2 or 1 for the cgroup hierarchy, 0 where there is none."""
    return facts.cgroup_version()


@host("cpu")
def cpu_text(fact: int, text: memoryview) -> int:
    """Writes a kernel file about CPUs; its length, or a negative error number."""
    return _fact(fact, text)


@host("memory")
def memory_cgroup_version() -> int:
    """As ``cpu_cgroup_version``."""
    return facts.cgroup_version()


@host("memory")
def memory_text(fact: int, text: memoryview) -> int:
    """As ``cpu_text``, for files about memory."""
    return _fact(fact, text)


@host("ports")
def port_bind(port: int) -> int:
    """The error number of binding the call's socket to a port, negated. Answered by the call that searches."""
    raise TrapError(f"the artifact asked for port {port} outside a search")


@host("files")
def file_read(handle: int, room: memoryview) -> int:
    """Reads on in a file that the call has opened: the number of bytes, 0 at the end."""
    raise TrapError(f"the artifact asked for a file that it was not given: {handle}, {len(room)} bytes")


@host("files")
def dir_entries(handle: int, must: bool) -> int:
    """Entries of a directory that was named in the call; -1 for what is none, unless it ``must`` be one."""
    raise TrapError(f"the artifact asked for a path that it was not given: {handle}, {must}")


@host("limits")
def limits_open_files(text: memoryview) -> int:
    """Writes the limit of open files in digits, for it may exceed 64 bits."""
    limit = facts.open_files_limit()
    warn_low_fd_limit(limit)
    # A limit may be a float where a program has replaced getrlimit; the rules floor it as Python does.
    return _put(b"%d" % limit, text)


HOST: tuple[HostFunction, ...] = (
    process_signal,
    cpu_online,
    cpu_affinity,
    cpu_count,
    cpu_cgroup_version,
    cpu_text,
    memory_cgroup_version,
    memory_text,
    port_bind,
    file_read,
    dir_entries,
    limits_open_files,
)

CAPABILITIES = tuple(dict.fromkeys(function.capability for function in HOST))
