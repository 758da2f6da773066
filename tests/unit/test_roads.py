"""The generated roads stay right whatever their instance did before."""

from __future__ import annotations

import hashlib
import os

import pytest

pytest.importorskip("wasmtime")

import skywasm
from skywasm import batch, reference
from skywasm.crossing import convention as c
from skywasm.crossing import instance as places
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

    from skywasm.crossing.module import Module

NUMBERS = [hashlib.md5(str(i).encode()).hexdigest() for i in range(50)]
ANSWERS = [reference.base36_encode(number) for number in NUMBERS]


@pytest.fixture(autouse=True)
def module() -> Iterator[Module]:
    """The artifact loaded anew: every call takes the same new instance, for the pool is last in, first out."""
    core.unload()
    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        yield core.core()


def instance_of(module: Module) -> Any:
    return module.pool[-1][places.INSTANCE]


def test_the_generated_road_is_taken(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short number is encoded by the road alone, not by the general way."""
    from skywasm.crossing import calls

    general: list[Any] = []
    original = calls.call

    def noted(*args: Any) -> Any:
        general.append(args)
        return original(*args)

    monkeypatch.setattr(calls, "call", noted)
    assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS
    assert skywasm.is_process_alive(os.getpid())
    assert general == []
    # One that the road leaves to the general way, so that the above is known to be seen.
    skywasm.base36_encode("f" * 40_000)
    assert len(general) == 1


def test_right_after_a_large_input(module: Module) -> None:
    """An input outside the window is forgotten by the next call, which goes through the window again."""
    skywasm.truncate_long_string("x" * 1_000_000, 5)
    assert instance_of(module).reserved >= 1_000_000, "nothing was reserved: this test shows nothing"
    assert instance_of(module).slots[2 * c.SLOT_INPUT] == 0
    assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS


def test_right_after_a_large_output(module: Module) -> None:
    """An answer beyond the output window lies elsewhere; the next ones are read from the window."""
    text = "word " * 100_000
    assert skywasm.truncate_long_string(text, 400_000) == reference.truncate_long_string(text, 400_000)
    assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS


def test_the_same_instance_serves_them(module: Module) -> None:
    """Large inputs and outputs cost no instance as long as memory does not grow too far."""
    before = instance_of(module)
    skywasm.truncate_long_string("word " * 100_000, 400_000)
    skywasm.base36_encode("f" * 20_000)
    assert instance_of(module) is before


def test_right_between_all_other_calls(tmp_path: pathlib.Path) -> None:
    """Calls that are continued, batches and files leave nothing behind that changes an answer."""
    path = tmp_path / "file"
    path.write_bytes(os.urandom(600_000))
    others = [
        lambda: skywasm.base36_encode("f" * 20_000),
        lambda: skywasm.hash_file(path, "sha256").hexdigest(),
        lambda: batch.base36_encode(NUMBERS * 100),
        lambda: batch.hash_files([path] * 20, "md5", threads=1),
        lambda: skywasm.read_last_n_lines(path, 1000),
        lambda: skywasm.find_free_port(20_000),
        lambda: skywasm.format_float(2.5),
    ]
    for other in others:
        other()
        assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS


@pytest.mark.parametrize(("odd", "answer"), [(" ff ", "73"), ("0xFF", "73"), ("f_f", "73"), ("\uff11\uff10", "g")])
def test_other_spellings_are_answered(module: Module, odd: str, answer: str) -> None:
    """What int() reads besides plain digits is answered too, and the instance goes back."""
    before = len(module.pool)
    assert skywasm.base36_encode(odd) == answer
    assert len(module.pool) == before


def test_bad_digits_put_the_instance_back(module: Module) -> None:
    """An error of the arguments costs no instance."""
    before = len(module.pool)
    for bad in ("xyz", "", "-1", "\ud800", "é"):
        with pytest.raises(ValueError, match=r"(invalid literal|negative)"):
            skywasm.base36_encode(bad)
    assert len(module.pool) == before


def test_arguments_that_do_not_fit_put_the_instance_back(module: Module) -> None:
    """Numbers beyond 64 bits, other types and unpaired surrogates go by the general way and cost no instance."""
    before = instance_of(module)
    with pytest.raises(ValueError, match="precision"):
        skywasm.format_float(1.5, True)
    assert skywasm.truncate_long_string("some words", 2**64) == "some words"
    assert skywasm.truncate_long_string("\ud800" * 9, 3) == "\ud800\ud800\ud800..."
    assert skywasm.truncate_long_string("some words", -(2**200)) == "..."
    assert skywasm.is_process_alive(2**200) is False
    assert len(module.pool) == 1
    assert instance_of(module) is before


def test_a_process_is_asked_for_by_the_road(module: Module) -> None:
    """The round trip to the host gives both answers, and errors of the argument cost no instance."""
    before = len(module.pool)
    assert skywasm.is_process_alive(os.getpid()) is True
    assert skywasm.is_process_alive(2**31 - 1) is False
    assert skywasm.is_process_alive(2**40) is False
    with pytest.raises(TypeError):
        skywasm.is_process_alive("1")  # type: ignore[arg-type]
    assert len(module.pool) == before


def test_a_host_function_that_fails_comes_out_of_the_road(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the host function raised is raised, once, and the next call is served."""
    from host_shims import facts

    asked = []

    def fail(pid: int) -> int:
        asked.append(pid)
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(facts, "process_signal", fail)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        skywasm.is_process_alive(5)
    assert asked == [5]
    monkeypatch.undo()
    assert skywasm.is_process_alive(os.getpid())


@pytest.mark.parametrize(
    "raised", [ValueError("of the host's own"), KeyError(1), UnicodeDecodeError("x", b"", 0, 1, "y")]
)
def test_the_roads_own_guards_do_not_swallow_it(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValueError of a host function is not taken for an argument that did not fit."""
    from host_shims import facts

    asked = []

    def fail(pid: int) -> int:
        asked.append(pid)
        raise raised

    monkeypatch.setattr(facts, "process_signal", fail)
    with pytest.raises(type(raised)) as caught:
        skywasm.is_process_alive(5)
    assert caught.value is raised
    # Not again by the general way.
    assert asked == [5]


@pytest.mark.parametrize("signal", [2**63, -(2**63), 2**200])
@pytest.mark.parametrize("general", [False, True])
def test_a_fact_that_64_bits_do_not_hold(signal: int, general: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a fact, which a program's own replacement may give, is the reference's to judge, by either road."""
    from host_shims import facts
    from skywasm.crossing.calls import Way

    monkeypatch.setattr(facts, "process_signal", lambda pid: signal)
    want = reference.is_process_alive(os.getpid())
    if general:
        assert Way(core.core(), "is_process_alive", reference.is_process_alive, True).general(os.getpid()) is want
    else:
        assert skywasm.is_process_alive(os.getpid()) is want
