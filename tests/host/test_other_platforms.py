"""macOS, Windows and systems nobody has heard of, held to recorded facts: their calls cannot be made here."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import sys
import types

import psutil
import pytest

from host_shims import _macos, _unsupported, _windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

ALL = [_macos, _windows, _unsupported]
# A machine of each kind as psutil tells it: 8 CPUs, 16 GiB and a little that no whole kB holds.
TOTAL, FREE = 17_179_869_184 + 512, 1_234_567_890


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(total=TOTAL, free=FREE))


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int]]]:
    """Every signal that is sent; none leaves this process."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_cpus_and_memory_are_psutils(module: Any) -> None:
    """Online CPUs and memory come from psutil; the memory as text in the form of /proc/meminfo."""
    assert module.cpu_online() == 8
    assert module.meminfo() == b"MemTotal: 16777216 kB\nMemFree: 1205632 kB\n"
    assert module.cpu_count() == os.cpu_count()


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_there_are_no_cgroups(module: Any) -> None:
    """No cgroup hierarchy exists: version 0, and each file is missing under its name."""
    assert module.cgroup_version() == 0
    with pytest.raises(FileNotFoundError) as caught:
        module.cgroup_text("cpu.max")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "cpu.max")


@pytest.mark.parametrize("module", [_macos, _windows], ids=lambda module: module.__name__)
def test_affinity_is_unknown(module: Any) -> None:
    """Neither system has what SkyPilot asks for, even where this Python happens to have it."""
    assert module.cpu_affinity() is None


@pytest.mark.parametrize(("exists", "number"), [(True, 0), (False, errno.ESRCH)])
def test_no_signal_is_sent_where_it_could_kill(
    exists: bool, number: int, monkeypatch: pytest.MonkeyPatch, signals: list[tuple[int, int]]
) -> None:
    """Unknown systems might end a process that gets signal 0: psutil is asked instead."""
    asked: list[int] = []
    monkeypatch.setattr(psutil, "pid_exists", lambda pid: asked.append(pid) or exists)
    assert _unsupported.process_signal(4711) == number
    assert asked == [4711]
    assert signals == []


class Processes:
    """``_winapi`` of a Windows with a running process, one that has ended and is still held, and one of the system."""

    RUNNING, ENDED, PROTECTED = 4712, 4716, 4

    def __init__(self) -> None:
        self.open: list[int] = []
        self.OpenProcess, self.WaitForSingleObject, self.CloseHandle = self.begin, self.wait, self.open.remove

    def begin(self, right: int, inherited: bool, pid: int) -> int:
        assert (right, inherited) == (0x100000, False)
        if pid not in (self.RUNNING, self.ENDED):
            error = io.RawIOBase().truncate
            # Out of C, as the real one's: what Python code raises there is a signal handler's.
            with pytest.raises(OSError, match="truncate") as caught:
                error()
            caught.value.winerror = 5 if pid == self.PROTECTED else 87  # type: ignore[misc]
            raise caught.value
        self.open.append(pid)
        return pid

    def wait(self, handle: int, patience: int) -> int:
        assert patience == 0
        return 0x102 if handle == self.RUNNING else 0


def test_windows_asks_for_a_handle(monkeypatch: pytest.MonkeyPatch, signals: list[tuple[int, int]]) -> None:
    """Windows ends a process that gets signal 0, so a handle is asked for and given back. No number lies in between."""
    processes = Processes()
    monkeypatch.setitem(sys.modules, "_winapi", processes)
    asked = {pid: _windows.process_signal(pid) for pid in (4712, 4713, 4714, 4715, 4716, 4720, 4)}
    gone = errno.ESRCH
    assert asked == {4712: 0, 4713: gone, 4714: gone, 4715: gone, 4716: gone, 4720: gone, 4: errno.EPERM}
    assert (processes.open, signals) == ([], [])


def test_macos_sends_signal_zero(signals: list[tuple[int, int]]) -> None:
    """macOS has kill's rule, so kill is asked."""
    assert _macos.process_signal(4711) == 0
    assert signals == [(4711, 0)]


@pytest.mark.parametrize(("error", "number"), [(PermissionError(1, "no"), 1), (ProcessLookupError(3, "no"), 3)])
def test_macos_gives_kills_error_numbers(error: OSError, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal and a missing process are told apart by their numbers."""

    def kill(pid: int, signal: int) -> None:
        raise error

    monkeypatch.setattr(os, "kill", kill)
    assert _macos.process_signal(4711) == number


def test_windows_files() -> None:
    """Windows has no limit to ask for; the C runtime's documented most is given, without the resource module."""
    assert _windows.open_files_limit() == 8192


@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_macos_files() -> None:
    """macOS gives its soft limit."""
    import resource

    assert _macos.open_files_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_unknown_systems_without_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells the limit it is a plain OSError, not an ImportError."""
    monkeypatch.setitem(sys.modules, "resource", None)
    with pytest.raises(OSError, match="open files") as caught:
        _unsupported.open_files_limit()
    assert caught.value.errno == errno.ENOSYS


def test_unknown_systems_without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psutil cannot be had, ``os.cpu_count`` stands in for the online CPUs."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert _unsupported.cpu_online() == os.cpu_count()


def test_unknown_systems_with_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Affinity is told where Python has it and unknown elsewhere."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert _unsupported.cpu_affinity() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert _unsupported.cpu_affinity() is None


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_ports_and_folders_are_the_same_everywhere(module: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the standard library does on every system is done by the same code."""
    if module is _windows and sys.platform != "win32":
        # Windows' own option is unknown here.
        monkeypatch.setattr(_windows, "_EXCLUSIVE", (socket.SOL_SOCKET, socket.SO_KEEPALIVE))
    (tmp_path / "entry").touch()
    assert module.entry_count(tmp_path) == 1
    with contextlib.closing(module.port_socket()) as probe, contextlib.closing(module.port_socket()) as other:
        assert (probe.family, probe.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert module.port_bind(probe, 0) == 0
        # Who wants a port alone is denied it on Windows, where another holds it.
        taken = {errno.EADDRINUSE, *([errno.EACCES] if sys.platform == "win32" else [])}
        assert module.port_bind(other, probe.getsockname()[1]) in taken


def test_an_error_without_a_number() -> None:
    """A bind error that carries no number still counts as a taken port, never as a free one."""

    # A function of C's that raises such an OSError: what Python code raises there is a signal handler's.
    bind = io.RawIOBase().truncate
    with pytest.raises(OSError, match="truncate") as caught:
        bind(("", 8000))  # type: ignore[arg-type]
    assert caught.value.errno is None
    assert _windows.port_bind(types.SimpleNamespace(bind=bind), 8000) != 0  # type: ignore[arg-type]
