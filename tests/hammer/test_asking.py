"""Traps, and host functions that raise: exactly that comes out, the seat is not used again, the next call is right."""

from __future__ import annotations

import sys
import threading
from typing import Any

import artifacts
import pytest

import skywasm
from skywasm.crossing import convention as c
from skywasm.crossing.module import Module
from skywasm.errors import CapabilityError, TrapError
from skywasm.machine import HOST
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("wasmtime")

# What a program's own handler, host function or mock may raise, and what the package itself knows.
KINDS: list[type[BaseException]] = [
    Exception,
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
    MemoryError,
    RecursionError,
    TimeoutError,
    FileNotFoundError,
    ValueError,
    IndexError,
    TypeError,
    RuntimeError,
    TrapError,
    CapabilityError,
    StopIteration,
]
# Arguments that make each function that asks do so.
ARGUMENTS: dict[str, Any] = {
    "int": 1,
    "size": 1,
    "text": "kubernetes",
    "str": "",
    "bytes": b"",
    "float": 0.5,
    "bool": True,
}
ASKING = [one for one in artifacts.INTERFACE.functions.values() if one.asks]


@pytest.fixture
def module() -> Iterator[Module]:
    """The real artifact, apart from the one that the public functions use."""
    content, digest = core.artifact()
    made = Module(content, "core.wasm", HOST, digest=digest)
    made.call("format_float", 0.25, 1)
    yield made
    made.unload()


def granted(answer: Callable[[str], int]) -> dict[str, Callable[..., int]]:
    """Host functions for all requests, which are told the request's name."""
    return {name: lambda *_, name=name: answer(name) for name in artifacts.REQUESTS}  # type: ignore[misc]


def ask(module: Module, function: Any, answer: Callable[[str], int]) -> Any:
    arguments = [ARGUMENTS[kind] for _, kind in function.parameters]
    return module.call(function.name, *arguments, given=granted(answer))


def assert_alive(module: Module) -> None:
    """The pool works, and its answers are right."""
    assert module.call("base36_encode", "f" * 16) == "3w5e11264sgsf"
    assert module.call("format_float", 0.25, 1) == "0.2"
    assert len(module.pool) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("function", ASKING, ids=lambda function: function.name)
def test_what_a_host_function_raises(function: Any, kind: type[BaseException], module: Module) -> None:
    """At whichever of a call's requests it is raised, the very exception comes out, and the seat is closed."""
    for number in range(1, 100):
        mine, asked = kind("the program's own"), []

        def answer(name: str, number: int = number, mine: BaseException = mine, asked: list[str] = asked) -> int:
            asked.append(name)
            if len(asked) == number:
                raise mine
            return 0

        seat = module.pool[-1]
        caught: BaseException | None = None
        try:
            ask(module, function, answer)
        except BaseException as error:
            caught = error
        if len(asked) < number:
            assert number > 1
            break
        assert caught is mine
        assert seat not in module.pool
        assert seat[-1].store is None
        assert_alive(module)


@pytest.mark.parametrize("function", ASKING, ids=lambda function: function.name)
def test_an_answer_that_is_no_number(function: Any, module: Module) -> None:
    """An answer of another type is a TrapError that names the request, and costs the seat only."""
    for wrong in (None, "1", 1.5, b"\0"):
        with pytest.raises(TrapError, match="answered with"):
            ask(module, function, lambda _, wrong=wrong: wrong)  # type: ignore[misc]
        assert_alive(module)


def test_a_request_within_a_request(module: Module) -> None:
    """A host function may call the same function of the same module again, which then has a seat of its own."""
    depth = 0

    def answer(_name: str) -> int:
        nonlocal depth
        depth += 1
        if depth < 20:
            return -int(not module.call("is_process_alive", 1, given=granted(answer)))
        return 0

    assert module.call("is_process_alive", 1, given=granted(answer)) is True
    assert depth == 20
    assert module.call("base36_encode", "f" * 16) == "3w5e11264sgsf"


def test_other_threads_go_on_while_one_is_asked(module: Module) -> None:
    """While a host function waits, other threads call; its exception comes out of its own call only."""
    waiting, go = threading.Event(), threading.Event()
    caught: list[BaseException] = []

    def answer(_name: str) -> int:
        waiting.set()
        go.wait(30)
        raise KeyError("mine")

    def call() -> None:
        try:
            module.call("is_process_alive", 1, given=granted(answer))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    waiting.wait(30)
    answers = {module.call("base36_encode", "f" * 16) for _ in range(100)}
    go.set()
    thread.join()
    assert answers == {"3w5e11264sgsf"}
    assert [type(error) for error in caught] == [KeyError]


# --- traps

TRAPS = {
    "unreachable": "unreachable",
    "no status": "(i64.const -77)",
    "no request": f"{artifacts.cell(c.CELL_REQUEST, '(i64.const 99)')} (i64.const {c.ASK})",
    "nothing to resume": f"(i64.const {c.AGAIN})",
    "beyond memory": artifacts.packed(2**31 - 1, 9),
    "a length that is none": "(i64.const 7)",
}


@pytest.mark.parametrize("fault", TRAPS)
def test_a_seat_is_never_given_back_after_a_trap(fault: str) -> None:
    """Of a hundred traps each has a seat of its own, which is closed; answers between them are right."""
    module = artifacts.module(artifacts.text({"base36_encode": TRAPS[fault]}))
    assert module.call("base36_encode", artifacts.QUESTION) == artifacts.ANSWER.decode()
    for _ in range(100):
        (seat,) = module.pool
        with pytest.raises(TrapError):
            module.call("base36_encode", "f" * 17)
        assert module.pool == []
        assert seat[-1].store is None
        assert module.call("base36_encode", artifacts.QUESTION) == artifacts.ANSWER.decode()


def test_roads_and_batches_give_no_seat_back_after_a_trap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The public roads, made to measure, close the seat of a trap too."""
    stand_in = artifacts.module(artifacts.text({"base36_encode[]": "unreachable"}))
    monkeypatch.setattr(core, "_core", stand_in)
    with skywasm.use_backend("wasm"):
        assert skywasm.base36_encode(artifacts.QUESTION) == artifacts.ANSWER.decode()
        for call in (lambda: skywasm.base36_encode("f" * 17), lambda: skywasm.batch.base36_encode(["f" * 17] * 3)):
            for _ in range(20):
                seats = list(stand_in.pool)
                with pytest.raises(TrapError):
                    call()
                assert [seat for seat in seats if seat in stand_in.pool] == []
                assert all(seat[-1].store is None for seat in seats)
                assert skywasm.base36_encode(artifacts.QUESTION) == artifacts.ANSWER.decode()


def test_kept_errors_keep_no_instance(module: Module) -> None:
    """Hundreds of errors that a program keeps, with their tracebacks, hold no instance among them."""
    kept: list[BaseException] = []

    def answer(_name: str) -> int:
        raise OSError("no")

    before = None
    for number in range(300):
        seat = module.pool[-1]
        try:
            module.call("is_process_alive", 1, given=granted(answer))
        except OSError as error:
            kept.append(error)
        assert seat[-1].store is None
        module.call("format_float", 0.25, 1)
        if sys.platform == "linux":
            with open("/proc/self/statm") as file:
                pages = int(file.read().split()[0])
            before = before or pages
            # An instance holds 64 MiB of addresses.
            assert (pages - before) * 4096 < 40 * 64 * 2**20, number
    assert len(kept) == 300
