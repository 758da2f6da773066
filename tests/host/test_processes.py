"""is_process_alive on real processes: the rule is kill(pid, 0)'s."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from children import MODES, run

import skywasm
from host_shims import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
NOBODY = 65534


def wait_until(true: Callable[[], bool]) -> None:
    """Waits for what a process is about to do; the test's own time limit ends it otherwise."""
    while not true():
        time.sleep(0.002)


def test_itself_and_its_parent(backend: str) -> None:
    """This process and the one that started it are alive."""
    assert skywasm.is_process_alive(os.getpid()) is True
    assert skywasm.is_process_alive(os.getppid()) is True


@posix
def test_init(backend: str) -> None:
    """Process 1 is alive, whoever asks."""
    assert skywasm.is_process_alive(1) is True


def test_running_then_gone(backend: str) -> None:
    """A child is alive while it runs; once it has been waited for it is not."""
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert skywasm.is_process_alive(child.pid) is True
    child.communicate()
    assert skywasm.is_process_alive(child.pid) is False


@posix
def test_a_zombie_is_alive(backend: str) -> None:
    """A child that has ended is in the table until somebody waits for it."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert skywasm.is_process_alive(child.pid) is True
    child.wait()
    assert skywasm.is_process_alive(child.pid) is False


@posix
def test_a_stopped_process_is_alive(backend: str) -> None:
    """A stopped process is alive, and asking does not disturb it."""
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        assert skywasm.is_process_alive(child.pid) is True
        assert child.poll() is None
    finally:
        os.kill(child.pid, signal.SIGCONT)
        child.communicate()


@linux
def test_a_thread_is_alive(backend: str) -> None:
    """The number of a thread answers like a process's, as kill does, until the thread has ended."""
    numbers: list[int] = []
    started, end = threading.Event(), threading.Event()

    def work() -> None:
        numbers.append(threading.get_native_id())
        started.set()
        end.wait()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    assert numbers[0] != os.getpid()
    assert skywasm.is_process_alive(numbers[0]) is True
    end.set()
    thread.join()
    # The kernel takes a moment more than join() to forget the thread.
    wait_until(lambda: not os.path.exists(f"/proc/self/task/{numbers[0]}"))
    assert skywasm.is_process_alive(numbers[0]) is False


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become somebody else")
def test_another_users_process_is_alive() -> None:
    """A process that may not be signalled is alive: the refusal proves that it is there."""
    found = run(
        """
        import os, sys, skywasm
        from host_shims import facts
        for mode in MODES:
            with skywasm.use_backend(mode):
                skywasm.is_process_alive(1)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        refused = False
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            refused = True
        answers = {}
        for mode in MODES:
            with skywasm.use_backend(mode):
                answers[mode] = skywasm.is_process_alive(os.getppid()), skywasm.is_process_alive(2**31 - 1)
        report(refused=refused, errno=facts.process_signal(os.getppid()), answers=answers)
        """
    )
    assert found["refused"]
    assert found["errno"] == 1
    assert found["answers"] == {mode: [True, False] for mode in MODES}


@linux
def test_agrees_with_kill_over_the_whole_table(backend: str) -> None:
    """For each number around the running processes the answer is kill's."""
    running = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    for pid in {number + step for number in running for step in (-1, 0, 1)} - {0}:
        before = facts.process_signal(pid)
        answer = skywasm.is_process_alive(pid)
        # A process may come or go in between; then nothing can be said.
        if before == facts.process_signal(pid):
            assert answer is (before in (0, 1)), pid


def test_asking_sends_nothing(backend: str) -> None:
    """No signal reaches the process that is asked about."""
    received: list[int] = []
    numbers = [signal.SIGTERM, signal.SIGINT]
    before = {number: signal.signal(number, lambda number, frame: received.append(number)) for number in numbers}
    try:
        for _ in range(100):
            assert skywasm.is_process_alive(os.getpid())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert received == []


def test_booleans_and_subclasses(backend: str) -> None:
    """True is process 1, as it is for kill; a subclass of int is its number."""

    class Pid(int):
        pass

    assert skywasm.is_process_alive(Pid(os.getpid())) is True
    assert skywasm.is_process_alive(False) is False
