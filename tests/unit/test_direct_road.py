"""The short road of base36_encode stays right whatever its instance did before."""

from __future__ import annotations

import hashlib
import os

import pytest

pytest.importorskip("wasmtime")

import skywasm
from skywasm import _runtime, batch, reference

NUMBERS = [hashlib.md5(str(i).encode()).hexdigest() for i in range(50)]
ANSWERS = [reference.base36_encode(number) for number in NUMBERS]


@pytest.fixture(autouse=True)
def _one_instance():
    """Every call takes the same new instance: the pool is last in, first out."""
    _runtime.unload()
    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        yield


def _instance_in_use():
    return _runtime.pool[-1]


def test_the_short_road_is_taken():
    """A short number is encoded through the prebuilt arguments, not by the general way."""
    assert _instance_in_use().direct is not None
    calls = []
    instance = _instance_in_use()
    original = instance.call
    instance.call = lambda *args, **kwargs: calls.append(args) or original(*args, **kwargs)
    try:
        assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS
    finally:
        del instance.call
    assert calls == []


def test_right_after_the_input_buffer_moved():
    """A large input makes the guest move its buffer; the next short number still goes where it is read from."""
    before = _instance_in_use().input
    skywasm.truncate_long_string("x" * 1_000_000, 5)
    assert _instance_in_use().input != before, "the buffer did not move: this test shows nothing"
    assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS


def test_right_after_the_output_buffer_moved():
    """A large output moves the other buffer; answers are read from where it is now, by the short road again."""
    instance = _instance_in_use()
    before = instance.direct[-1]
    skywasm.truncate_long_string("word " * 100_000, 400_000)
    assert [skywasm.base36_encode(number) for number in NUMBERS] == ANSWERS
    assert _instance_in_use() is instance
    assert instance.direct[-1] != before, "the buffer did not move: this test shows nothing"


def test_right_between_all_other_calls(tmp_path):
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
def test_other_spellings_take_the_general_road(odd, answer):
    """What int() reads besides plain digits is answered too, and the instance goes back."""
    before = len(_runtime.pool)
    assert skywasm.base36_encode(odd) == answer
    assert len(_runtime.pool) == before


def test_bad_digits_put_the_instance_back():
    """An error of the arguments costs no instance."""
    before = len(_runtime.pool)
    for bad in ("xyz", "", "-1", "\ud800", "é"):
        with pytest.raises(ValueError, match=r"(invalid literal|negative)"):
            skywasm.base36_encode(bad)
    assert len(_runtime.pool) == before


def test_a_process_is_asked_for_by_the_short_road():
    """The round trip to the host gives both answers, and errors of the argument cost no instance."""
    before = len(_runtime.pool)
    assert skywasm.is_process_alive(os.getpid()) is True
    assert skywasm.is_process_alive(2**31 - 1) is False
    assert skywasm.is_process_alive(2**40) is False
    with pytest.raises(TypeError):
        skywasm.is_process_alive("1")
    assert len(_runtime.pool) == before


def test_a_host_function_that_fails_comes_out_of_the_short_road(monkeypatch):
    """What the host function raised is raised, once, and the instance serves the next call."""
    from host_shims import facts

    asked = []

    def fail(pid):
        asked.append(pid)
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(facts, "process_signal", fail)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        skywasm.is_process_alive(5)
    assert asked == [5]
    monkeypatch.undo()
    assert skywasm.is_process_alive(os.getpid())


@pytest.mark.parametrize("signal", [2**63, -(2**63), 2**200])
def test_a_fact_that_64_bits_do_not_hold(signal, monkeypatch):
    """Such a fact, which a program's own replacement may give, is the reference's to judge, by either road."""
    from host_shims import facts

    monkeypatch.setattr(facts, "process_signal", lambda pid: signal)
    want = reference.is_process_alive(os.getpid())
    assert skywasm.is_process_alive(os.getpid()) is want
    _runtime.pool[-1].direct = None
    assert skywasm.is_process_alive(os.getpid()) is want
