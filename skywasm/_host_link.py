"""The other side of ``sky_host.*``: reads parameters, asks ``host_shims``, writes results back.

A host function never raises into the engine. What it raises is kept in its context and comes out after the
call. A signal or asynchronous exception may strike before the first line here, where no ``try`` reaches; then
nothing is written, and the guest finds the NO_ANSWER that it sent as the first parameter.
"""

from __future__ import annotations

from host_shims import facts
from skywasm import _abi, _policy
from skywasm.errors import NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    import socket
    from collections.abc import Callable, Sequence
    from typing import Any


class Context:
    """What one instance's host functions work on during a call. Holds no reference to the instance."""

    __slots__ = ("error", "file", "memory", "paths", "probe")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.file: io.FileIO | None = None
        self.paths: Sequence[Any] = ()
        self.probe: socket.SocketType | None = None
        self.memory: memoryview = memoryview(b"")

    def clear(self) -> None:
        """Ends a call: nothing of it stays reachable from the instance."""
        self.error = self.file = None
        self.paths = ()
        if self.probe is not None:
            probe, self.probe = self.probe, None
            probe.close()

    def room(self, pointer: int, size: int) -> memoryview:
        """The guest's buffer, once it is known to lie inside its memory."""
        if pointer < 0 or size < 0 or pointer + size > len(self.memory):
            raise TrapError("the artifact named a buffer outside its memory")
        return self.memory[pointer : pointer + size]


def _put(context: Context, text: bytes, pointer: int, size: int) -> int:
    text = text[:size]
    context.room(pointer, size)[: len(text)] = text
    return len(text)


def _missing(value: int | None) -> int:
    return -1 if value is None else value


def _process_signal(context: Context, pid: int, b: int, c: int) -> int:
    return -facts.process_signal(pid)


def _cpu_online(context: Context, a: int, b: int, c: int) -> int:
    return _missing(facts.cpu_online())


def _cpu_affinity(context: Context, a: int, b: int, c: int) -> int:
    return _missing(facts.cpu_affinity())


def _cpu_count(context: Context, a: int, b: int, c: int) -> int:
    return _missing(facts.cpu_count())


def _cgroup_version(context: Context, a: int, b: int, c: int) -> int:
    return facts.cgroup_version()


def _text(context: Context, fact: int, pointer: int, size: int) -> int:
    if fact == _abi.FACT_MEMINFO:
        return _put(context, facts.meminfo(), pointer, size)
    try:
        text = facts.cgroup_text(_abi.CGROUP_FILES[fact])
    except OSError as error:
        return -(error.errno or 1)
    return _put(context, text, pointer, size)


def _port_bind(context: Context, port: int, b: int, c: int) -> int:
    if context.probe is None:
        context.probe = facts.port_socket()
    return -facts.port_bind(context.probe, port)


def _file_read(context: Context, handle: int, pointer: int, size: int) -> int:
    if context.file is None or handle != 0:
        raise TrapError("the artifact named a file that it was not given")
    return context.file.readinto(context.room(pointer, size)) or 0


def _dir_entries(context: Context, handle: int, must: int, c: int) -> int:
    from skywasm import reference

    if not 0 <= handle < len(context.paths):
        raise TrapError("the artifact named a path that it was not given")
    path = context.paths[handle]
    return facts.entry_count(path) if must else _missing(reference.system.mount_entries(path))


def _limits_open_files(context: Context, a: int, pointer: int, size: int) -> int:
    from skywasm import reference

    limit = facts.open_files_limit()
    reference.system.warn_low_fd_limit(limit)
    # A limit may be a float where a program has replaced getrlimit; the rules floor it as Python does.
    return _put(context, b"%d" % limit, pointer, size)


HOST_FUNCTIONS: dict[str, Callable[[Context, int, int, int], int]] = {
    "process_signal": _process_signal,
    "cpu_online": _cpu_online,
    "cpu_affinity": _cpu_affinity,
    "cpu_count": _cpu_count,
    "cpu_cgroup_version": _cgroup_version,
    "cpu_text": _text,
    "memory_cgroup_version": _cgroup_version,
    "memory_text": _text,
    "port_bind": _port_bind,
    "file_read": _file_read,
    "dir_entries": _dir_entries,
    "limits_open_files": _limits_open_files,
}


def _in_range(result: int) -> int:
    """A fact that 64 bits cannot carry, such as a replaced ``os.cpu_count`` may give, is for the reference."""
    if not _abi.HOST_FAILED < result <= _abi.I64_MAX:
        raise NeedsReference
    return result


def _allowed(name: str) -> None:
    """The sandbox's own look at what is denied: whatever export runs, the artifact gets nothing from the machine."""
    _policy.check(f"{_abi.IMPORT_MODULE}.{name}", (_abi.IMPORTS[name],))


def answer(name: str, context: Context, a: int, b: int, c: int) -> int:
    """Runs a host function; its exception is kept and becomes HOST_FAILED."""
    function = HOST_FUNCTIONS[name]
    try:
        if _policy.armed:
            _allowed(name)
        return _in_range(function(context, a, b, c))
    except BaseException as error:
        context.error = error
        return _abi.HOST_FAILED


def raw_callback(made: Callable[[Any], Any], name: str, context: Context) -> Any:
    """A callback in the engine's raw convention: parameters and result share the array at ``raw``."""
    function = HOST_FUNCTIONS[name]

    def callback(environment: Any, caller: Any, raw: Any, count: int) -> None:
        try:
            if _policy.armed:
                _allowed(name)
            # Written last: until here the guest's NO_ANSWER stands.
            raw[0] = _in_range(function(context, raw[2], raw[4], raw[6]))
        except BaseException as error:
            context.error = error
            raw[0] = _abi.HOST_FAILED

    return made(callback)
