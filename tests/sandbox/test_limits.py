"""skywasm.sandbox.limits: a call that takes too long in the sandbox ends, and nothing else comes of it."""

from __future__ import annotations

import pathlib
import threading
import time

import artifacts
import pytest
from children import copy_packages, run

import skywasm
from skywasm import batch, sandbox
from skywasm.crossing import clock, rules
from skywasm.errors import LimitError
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

pytest.importorskip("wasmtime")

# Takes the artifact seconds, in steps of some milliseconds.
LONG = "f" * 4_000_000
SHORT = "ff" * 16
ENDLESS = "(loop $again (br $again)) unreachable"
# What a shared machine may add to a deadline.
GRACE_S = 5.0


@pytest.fixture(autouse=True)
def in_wasm() -> Iterator[None]:
    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        yield


def test_a_long_call_ends() -> None:
    """The error names the deadline; the instance is gone; the next call, under the same limit, is right."""
    skywasm.base36_encode(SHORT)
    before = len(core.core().pool)
    with sandbox.limits(deadline_s=0.05):
        start = time.monotonic()
        with pytest.raises(LimitError, match=r"deadline of 0\.05 s set by skywasm\.sandbox\.limits"):
            skywasm.base36_encode(LONG)
        assert 0.05 <= time.monotonic() - start < 0.05 + GRACE_S
        assert len(core.core().pool) == before - 1
    # On a busy machine a short call may take long too.
    with sandbox.limits(deadline_s=60):
        assert int(skywasm.base36_encode(SHORT), 36) == int(SHORT, 16)


def test_short_calls_are_not_concerned() -> None:
    """Calls within their time give what they give without a limit, through every road."""
    calls = [
        lambda: skywasm.base36_encode(SHORT),
        lambda: skywasm.format_float(0.25),
        lambda: skywasm.truncate_long_string("a text " * 50),
        lambda: skywasm.hash_file(__file__, "sha3_256").hexdigest(),
        lambda: skywasm.read_last_n_lines(__file__, 20),
        skywasm.get_cpu_count,
        lambda: skywasm.is_process_alive(1),
        lambda: batch.base36_encode([SHORT] * 5000),
        lambda: batch.hash_files([__file__] * 40, "md5", threads=2),
    ]
    free = [call() for call in calls]
    with sandbox.limits(deadline_s=60):
        assert [call() for call in calls] == free
    assert [call() for call in calls] == free


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_counts_as_one_call(threads: int, tmp_path: pathlib.Path) -> None:
    """The clock runs over all crossings of a batch, in its threads too."""
    paths = []
    for number in range(64):
        path = tmp_path / str(number)
        path.write_bytes(b"x" * 2**20)
        paths.append(str(path))
    with sandbox.limits(deadline_s=0.004), pytest.raises(LimitError, match="deadline"):
        batch.hash_files(paths, "md5", threads=threads)
    with sandbox.limits(deadline_s=0.004), pytest.raises(LimitError, match="deadline"):
        batch.base36_encode(["f" * 2000] * 10_000)
    assert len(set(batch.hash_files(paths, "md5", threads=threads))) == 1


def test_the_shortest_counts() -> None:
    """Of nested limits the shortest holds, inside and out."""
    with sandbox.limits(deadline_s=60):
        with sandbox.limits(deadline_s=0.02), sandbox.limits(deadline_s=30), pytest.raises(
            LimitError, match=r"0\.02 s"
        ):
            skywasm.base36_encode(LONG)
        assert skywasm.get_backend_info()["deadline_s"] == 60
    assert skywasm.get_backend_info()["deadline_s"] is None


def test_other_threads_have_their_own() -> None:
    """A limit in one thread leaves a long call of another alone, though both run in one engine."""
    answers: list[str] = []
    text = "f" * 400_000
    other = threading.Thread(target=lambda: answers.append(skywasm.base36_encode(text)))
    with sandbox.limits(deadline_s=0.02):
        other.start()
        for _ in range(5):
            with pytest.raises(LimitError):
                skywasm.base36_encode(LONG)
    other.join()
    assert int(answers[0], 36) == int(text, 16) if len(answers[0]) < 4000 else len(answers[0]) > 300_000


@pytest.mark.parametrize("mode", ["auto", "python"])
def test_other_modes(mode: str) -> None:
    """In auto what crosses is bounded and not answered by Python instead; in python nothing is, and nothing breaks."""
    with skywasm.use_backend(mode):
        skywasm.warm_up()
        if mode == "auto":
            with sandbox.limits(deadline_s=0.02), pytest.raises(LimitError):
                skywasm.base36_encode(LONG)
        with sandbox.limits(deadline_s=60):
            assert skywasm.format_float(0.25) == "0.2"
            assert skywasm.base36_encode(SHORT)
        assert skywasm.get_backend_info()["fallbacks"].get("base36_encode", 0) == 0


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), 0.0])
def test_what_is_no_time(wrong: float) -> None:
    """Only a positive, finite number of seconds is a deadline."""
    with pytest.raises(ValueError, match="must be a positive, finite number of seconds"):
        sandbox.limits(deadline_s=wrong)
    assert not rules.timed


@pytest.mark.parametrize("wrong", ["1", None, True, [1]])
def test_what_is_no_number(wrong: Any) -> None:
    """Anything else is a TypeError that says what it was."""
    with pytest.raises(TypeError, match=type(wrong).__name__):
        sandbox.limits(deadline_s=wrong)
    with pytest.raises(TypeError):
        sandbox.limits(1)  # type: ignore[call-arg, misc]


def test_the_ticker_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread without a deadline; one for many calls; none again when there has been no deadline for a while."""

    monkeypatch.setattr(clock, "_IDLE_TICKS", 5)
    until = time.monotonic() + GRACE_S
    while clock._ticked is not None and time.monotonic() < until:
        time.sleep(0.01)
    running: list[object] = []
    whole = clock._tick

    def ticking(me: object) -> None:
        running.append(me)
        whole(me)
        running.remove(me)

    monkeypatch.setattr(clock, "_tick", ticking)
    skywasm.base36_encode(SHORT)
    assert running == []
    with sandbox.limits(deadline_s=5):
        until = time.monotonic() + GRACE_S
        calls = 0
        while (calls < 50 or not running) and time.monotonic() < until:
            skywasm.base36_encode(SHORT)
            calls += 1
        assert len(running) == 1
    until = time.monotonic() + GRACE_S
    while running and time.monotonic() < until:
        time.sleep(0.01)
    assert running == []
    with sandbox.limits(deadline_s=0.02), pytest.raises(LimitError):
        skywasm.base36_encode(LONG)


def test_a_plain_call_and_a_fork() -> None:
    """Said without a block it is the process's, for its threads too, and it holds in a forked child."""
    found = run(
        f"""
        import os, threading, time
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend("wasm")
        skywasm.base36_encode("ff")
        sandbox.limits(deadline_s=0.03)
        def ended():
            start = time.monotonic()
            try:
                skywasm.base36_encode("f" * {len(LONG)})
            except skywasm.errors.LimitError:
                return 7 if time.monotonic() - start < {GRACE_S} else 8
            return 0
        answers = [ended()]
        thread = threading.Thread(target=lambda: answers.append(ended()))
        thread.start()
        thread.join()
        child = os.fork()
        if child == 0:
            os._exit(ended())
        answers.append(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
        # On a busy machine a short call may take long too.
        for _ in range(200):
            try:
                right = skywasm.base36_encode("ff")
                break
            except skywasm.errors.LimitError:
                right = None
        report(answers=answers, right=right)
        """
    )
    assert found["answers"] == [7, 7, 7]
    assert found["right"] == "73"


def test_an_endless_loop(tmp_path: pathlib.Path) -> None:
    """A hostile artifact that never returns is ended at the deadline; others run meanwhile, and the process goes on."""
    how = copy_packages(tmp_path)
    artifacts.install(tmp_path, artifacts.text({"truncate_long_string": ENDLESS}))
    found = run(
        """
        import threading, time
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend("wasm")
        ticks = []
        stop = threading.Event()
        def others():
            while not stop.is_set():
                ticks.append(time.monotonic())
                time.sleep(0.001)
        thread = threading.Thread(target=others)
        thread.start()
        kinds = []
        for _ in range(3):
            with sandbox.limits(deadline_s=0.1):
                start = len(ticks)
                try:
                    skywasm.truncate_long_string("a text " * 50)
                except Exception as error:
                    kinds.append(f"{type(error).__name__}: {error}")
                ran = len(ticks) - start
        stop.set()
        thread.join()
        report(kinds=kinds, ran=ran, right=skywasm.base36_encode("f" * 16))
        """,
        **how,
    )
    assert len(found["kinds"]) == 3
    assert all(
        kind.startswith("LimitError: the call took longer than the deadline of 0.1 s") for kind in found["kinds"]
    )
    assert found["ran"] > 3
    assert found["right"] == "3w5e11264sgsf"


def test_a_memory_bomb(tmp_path: pathlib.Path) -> None:
    """An artifact that grows its memory for ever gets 64 MiB and no more; the next call has a small instance."""
    how = copy_packages(tmp_path)
    bomb = """(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (return (i64.const -2))"""
    artifacts.install(tmp_path, artifacts.text({"truncate_long_string": bomb}))
    found = run(
        """
        import resource, skywasm
        from skywasm.routes import core
        skywasm.set_backend("wasm")
        skywasm.base36_encode("f" * 16)
        kinds = set()
        # A child begins with its parent's highest mark.
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(20):
            try:
                skywasm.truncate_long_string("a text " * 50)
            except Exception as error:
                kinds.add(f"{type(error).__name__}: {error}")
        sizes = []
        for *_, instance in core.core().pool:
            instance.measure()
            sizes.append(instance.size)
        report(kinds=sorted(kinds), sizes=sizes, right=skywasm.base36_encode("f" * 16),
               mib=(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
        """,
        **how,
    )
    assert len(found["kinds"]) == 1
    assert found["kinds"][0].startswith("LimitError")
    assert "memory" in found["kinds"][0]
    assert found["right"] == "3w5e11264sgsf"
    assert found["mib"] < 200
    assert all(size <= 8 * 2**20 for size in found["sizes"])
