"""Blocks of ``deny`` and ``limits`` that end out of turn, are shared, or meet signals, and the clock behind them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import importlib.util
import signal
import threading

import pytest
from children import MODES, run

import skywasm
from skywasm import sandbox
from skywasm.crossing import rules
from skywasm.errors import CapabilityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

engine = pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")


def allowed(capability: str) -> bool:
    """Whether a call that needs the capability is answered here and now."""
    calls = {"process": lambda: skywasm.is_process_alive(1), "cpu": skywasm.get_parallel_threads}
    try:
        calls[capability]()
    except CapabilityError:
        return False
    return True


def test_a_generator_that_ends_in_anothers_block(backend: str) -> None:
    """A generator's denial goes with the generator, whatever block that ends in, and takes no other with it."""

    def generator() -> Iterator[int]:
        with sandbox.deny("cpu"):
            yield 1

    one = generator()
    next(one)
    assert (allowed("process"), allowed("cpu")) == (True, False)
    with sandbox.deny("process"):
        one.close()
        assert (allowed("process"), allowed("cpu")) == (False, True)
    assert (allowed("process"), allowed("cpu")) == (True, True)


def test_blocks_that_end_out_of_turn(backend: str) -> None:
    """Of two rules the one that is left first ends, and the other goes on."""
    one, other = sandbox.deny("process"), sandbox.deny("cpu")
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert (allowed("process"), allowed("cpu")) == (True, False)
    other.__exit__(None, None, None)
    assert (allowed("process"), allowed("cpu")) == (True, True)


def test_a_rule_within_itself(backend: str) -> None:
    """A rule that is entered twice holds until it has been left twice."""
    rule = sandbox.deny("process")
    with rule:
        with rule:
            assert not allowed("process")
        assert not allowed("process")
    assert allowed("process")


def in_threads(work: Callable[[int], None], numbers: Iterable[int]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("what", ["deny", "limits"])
def test_one_rule_for_many_threads(backend: str, what: str) -> None:
    """One rule may be entered by many threads at once: it holds in each as long as that is inside."""
    rule = rules.Rule(denied=("process",)) if what == "deny" else rules.Rule(deadline_s=30.0)
    here, wrong = threading.Barrier(4), []

    def holds() -> bool:
        return not allowed("process") if what == "deny" else rules.deadline_s() == 30

    def wait_if_odd(number: int) -> None:
        if number % 2:
            here.wait(30)

    def enter(number: int) -> None:
        with rule:
            here.wait(30)
            if not holds():
                wrong.append("inside")
            wait_if_odd(number)
        # The others are still inside, or this one's turn to leave first has come.
        wait_if_odd(number + 1)

    def work(number: int) -> None:
        try:
            for _ in range(50):
                enter(number)
                if holds():
                    wrong.append("outside")
        except BaseException as error:
            wrong.append(repr(error))

    in_threads(work, range(4))
    assert wrong == []
    assert not holds()


def test_one_rule_for_many_tasks(backend: str) -> None:
    """Tasks that share a rule have it while each is inside, and nothing of it afterwards."""
    rule = rules.Rule(denied=("process",))

    async def task(delay_s: float) -> tuple[bool, bool]:
        with rule:
            await asyncio.sleep(delay_s)
            inside = allowed("process")
        return inside, allowed("process")

    async def both() -> list[tuple[bool, bool]]:
        return list(await asyncio.gather(*(task(number / 500) for number in range(5))))

    assert asyncio.run(both()) == [(False, True)] * 5


def test_an_asynchronous_generator_that_the_loop_closes(backend: str) -> None:
    """A denial in a generator that is closed in another context ends all the same."""

    async def generator() -> AsyncIterator[int]:
        with sandbox.deny("process"):
            yield 1
            yield 2

    async def main() -> bool:
        async for _ in generator():
            break
        gc.collect()
        await asyncio.sleep(0.01)
        return allowed("process")

    assert asyncio.run(main())
    assert allowed("process")


@engine
@posix
def test_deadlines_and_a_handler_that_calls() -> None:
    """Calls with a deadline, and a handler that calls with and without one in the midst of them, all come to an end."""
    found = run(
        """
        import random, signal, time
        import skywasm
        from skywasm import errors, sandbox
        skywasm.set_backend("wasm")
        skywasm.warm_up()
        digits, dice = "ff" * 16, random.Random(3)
        want = skywasm.base36_encode(digits)
        handled, wrong, calls = 0, [], 0
        def handler(*_):
            global handled
            handled += 1
            if skywasm.base36_encode(digits) != want:
                wrong.append("handler")
            with sandbox.limits(deadline_s=30):
                if skywasm.base36_encode(digits) != want:
                    wrong.append("handler's deadline")
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(0.0002, 0.001))
        signal.signal(signal.SIGALRM, handler)
        with sandbox.limits(deadline_s=30):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                if skywasm.base36_encode(digits) != want:
                    wrong.append("call")
                calls += 1
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
        report(handled=handled, calls=calls, wrong=wrong[:5])
        """,
        timeout_s=40,
    )
    assert found["wrong"] == []
    assert found["handled"] > 50
    assert found["calls"] > 50


@engine
def test_the_ticking_thread_is_struck() -> None:
    """Whatever is thrown into the thread that counts the time, and were it gone, deadlines are kept."""
    found = run(
        """
        import ctypes, sys, time
        import skywasm
        from skywasm import errors, sandbox
        skywasm.set_backend("wasm")
        skywasm.warm_up()
        long = "f" * 4_000_000
        def ended():
            start = time.monotonic()
            try:
                with sandbox.limits(deadline_s=0.05):
                    skywasm.base36_encode(long)
            except errors.LimitError:
                return time.monotonic() - start < 5
            return False
        kept, struck = [ended()], 0
        for _ in range(20):
            for thread, frame in list(sys._current_frames().items()):
                while frame is not None:
                    if frame.f_code.co_name == "_tick":
                        struck += ctypes.pythonapi.PyThreadState_SetAsyncExc(
                            ctypes.c_ulong(thread), ctypes.py_object(SystemExit))
                    frame = frame.f_back
            time.sleep(0.01)
            kept.append(ended())
        report(kept=kept, struck=struck)
        """
    )
    assert found["kept"] == [True] * 21
    assert found["struck"] > 0


@engine
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_deadlines_under_green_threads(library: str) -> None:
    """Where threads have been replaced by greenlets, deadlines are kept all the same."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    patch = "gevent.monkey; gevent.monkey.patch_all()" if library == "gevent" else "eventlet; eventlet.monkey_patch()"
    found = run(
        f"""
        import warnings
        warnings.simplefilter("ignore")
        import {patch}
        """
        + """
        import time
        import skywasm
        from skywasm import errors, sandbox
        skywasm.set_backend("wasm")
        skywasm.base36_encode("ff")
        start, kind = time.monotonic(), ""
        try:
            with sandbox.limits(deadline_s=0.3):
                skywasm.base36_encode("f" * 4_000_000)
        except errors.LimitError as error:
            kind = "LimitError"
        report(kind=kind, took=time.monotonic() - start)
        """,
        timeout_s=120,
    )
    assert found["kind"] == "LimitError"
    assert found["took"] < 5


@engine
def test_kept_errors_hold_no_instances() -> None:
    """Hundreds of LimitErrors that a program keeps hold none of the instances that were ended."""
    found = run(
        """
        import skywasm
        from skywasm import errors, sandbox
        skywasm.set_backend("wasm")
        skywasm.warm_up()
        def mib():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[0]) * 4096 >> 20
        kept, before = [], None
        with sandbox.limits(deadline_s=0.003):
            while len(kept) < 150:
                try:
                    skywasm.base36_encode("f" * 3_000_000)
                except errors.LimitError as error:
                    kept.append(error)
                before = before or mib()
        report(kept=len(kept), grown=mib() - before)
        """
    )
    assert found["kept"] == 150
    # An instance holds 64 MiB of addresses.
    assert found["grown"] < 20 * 64


def test_a_rule_is_used_in_every_way_again() -> None:
    """One rule, in blocks within each other, in a stack, by hand, and peeked at: it holds while one of them does."""
    rule = sandbox.rules.Rule(["ports"])

    def denied() -> bool:
        return "ports" in sandbox.rules.denied()

    seen = []
    with rule:
        with rule:
            seen.append(denied())
        seen.append(denied())
        assert hasattr(rule, "__exit__")
        with contextlib.ExitStack() as stack:
            stack.enter_context(rule)
            seen.append(denied())
        seen.append(denied())
        rule.__enter__()
        rule.__exit__(None, None, None)
        seen.append(denied())
    assert seen == [True] * 5
    assert not denied()
    rule.__enter__()
    with rule:
        pass
    assert denied()
    rule.__exit__(None, None, None)
    assert not denied()
    with pytest.raises(ZeroDivisionError), rule:
        raise ZeroDivisionError
    assert not denied()


def test_a_copied_context_does_not_share_the_next_block() -> None:
    """What a context copied after a block has ended is not in force again with the next one."""
    rule = sandbox.rules.Rule(["ports"])
    with rule:
        pass
    copied = contextvars.copy_context()
    with rule:
        assert copied.run(sandbox.rules.denied) == frozenset()
        assert sandbox.rules.denied() == {"ports"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(rule)
        assert copied.run(sandbox.rules.denied) == frozenset()
