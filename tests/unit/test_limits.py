"""Sizes and numbers at and beyond what may cross: the right answer or a clear error, never a cut or wrapped number."""

from __future__ import annotations

import os
import random
import re

import pytest

import skywasm
from skywasm import errors, reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

LIMIT = 16 * 1024 * 1024
HUGE = [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**63 - 1, 2**63, 2**64, 2**64 + 1, 2**200]


def number_of(digits: str) -> int:
    """A base-36 number; int() refuses more than 4,300 digits of a base that is no power of two."""
    value = 0
    for start in range(0, len(digits), 500):
        part = digits[start : start + 500]
        value = value * 36 ** len(part) + int(part, 36)
    return value


@pytest.mark.parametrize("size", [64, 65, 4096, 4097, 10_000, 100_000])
def test_long_numbers_are_exact(backend: str, size: int) -> None:
    """base36 of numbers far beyond a machine word is exact in every backend, in one call or many."""
    digits = (
        random.Random(size).choice("123456789abcdef")
        + f"{random.Random(size).getrandbits(4 * (size - 1)):0{size - 1}x}"
    )
    found = skywasm.base36_encode(digits)
    assert number_of(found) == int(digits, 16)
    assert found[0] != "0"


@pytest.mark.parametrize("size", [65_537, 70_000, 100_000, 131_072, 1_000_000])
def test_a_long_call_leaves_short_ones_right(backend: str, size: int) -> None:
    """A call whose input needs a larger buffer changes no later answer: buffers may have moved in between."""
    for long in (
        lambda: skywasm.base36_encode("7" * min(size, 140_000)),
        lambda: skywasm.truncate_long_string("7" * size),
    ):
        long()
        for digits, answer in (("ff", "73"), ("0", "0"), ("f" * 32, "f5lxx1zz5pnorynqglhzmsp33"), ("1" * 64, None)):
            found = skywasm.base36_encode(digits)
            assert found == (answer or reference.base36_encode(digits)), digits
        assert number_of(skywasm.base36_encode("abc" * 1000)) == int("abc" * 1000, 16)


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_longest_number(backend: str, size: int) -> None:
    """A hex string of 16 MiB crosses; a longer one is a LimitError in wasm mode and Python's to answer in auto."""
    digits = "0" * (size - 2) + "ff"
    if backend == "wasm" and size > LIMIT:
        with pytest.raises(errors.LimitError, match=f"{size} .*{LIMIT}"):
            skywasm.base36_encode(digits)
    else:
        assert skywasm.base36_encode(digits) == "73"
    assert skywasm.base36_encode("ff") == "73"


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
@pytest.mark.parametrize("middle", [False, True])
def test_longest_text(backend: str, size: int, middle: bool) -> None:
    """Text of 16 MiB is shortened in every backend; a longer one is a LimitError in wasm mode."""
    text = "a" * (size - 4) + "tail"
    for length in (40, size - 1):
        if backend == "wasm" and size > LIMIT:
            with pytest.raises(errors.LimitError, match=f"{size} .*{LIMIT}"):
                skywasm.truncate_long_string(text, length, middle)
        else:
            found = skywasm.truncate_long_string(text, length, middle)
            assert found == reference.truncate_long_string(text, length, middle)
            assert len(found) == (length if middle else length + 3)


def test_the_limit_counts_bytes() -> None:
    """What counts is the text in UTF-8: a third as many characters of three bytes each."""
    pytest.importorskip("wasmtime")
    text = "長" * (LIMIT // 3 + 1)
    with skywasm.use_backend("wasm"):
        with pytest.raises(errors.LimitError, match="or 'python'"):
            skywasm.truncate_long_string(text)
        assert skywasm.truncate_long_string(text[:-1], 3) == "長長長..."


def test_an_instance_that_has_grown_is_dropped() -> None:
    """Memory never shrinks, so an instance with more than 8 MiB is not kept for the next call."""
    pytest.importorskip("wasmtime")
    from skywasm.crossing import convention as c
    from skywasm.crossing import instance as places
    from skywasm.routes import core

    with skywasm.use_backend("wasm"):
        skywasm.truncate_long_string("a" * LIMIT)
        skywasm.base36_encode("f" * 64)
        instances = [seat[places.INSTANCE] for seat in core.core().pool]
        for instance in instances:
            instance.measure()
        assert instances
        assert all(instance.size <= c.KEEP_LIMIT for instance in instances)


@pytest.mark.parametrize("port", [65535, 65536, 2**32 + 8000, 2**63 - 1, 2**63, 2**64, 2**64 + 8000])
def test_ports_beyond_the_last_are_no_ports(backend: str, port: int) -> None:
    """A start beyond the last port finds none; it is never cut to 16, 32 or 64 bits."""
    with pytest.raises(OSError, match=r"^No free ports available\.$"):
        skywasm.find_free_port(port)


@pytest.mark.parametrize("port", [-1, -(2**31), -(2**63), -(2**64) + 8000])
def test_negative_ports_are_an_overflow(backend: str, port: int) -> None:
    """A negative port is the socket module's OverflowError."""
    with pytest.raises(OverflowError):
        skywasm.find_free_port(port)


@pytest.mark.parametrize("bad", [1.5, "8000", None, [8000]])
def test_ports_are_integers(backend: str, bad: object) -> None:
    """What is no integer is a TypeError."""
    with pytest.raises(TypeError):
        skywasm.find_free_port(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("pid", [*HUGE, 0, -1, -(2**31), -(2**63), -(2**64) + 1])
def test_impossible_pids_are_dead(backend: str, pid: int) -> None:
    """A pid that no process can have is not alive; it is never cut to that of init or of this process."""
    assert skywasm.is_process_alive(pid) is False
    for width in (2**16, 2**32, 2**64):
        assert skywasm.is_process_alive(pid // width * width - width + os.getpid() - 2**80) is False
        assert skywasm.is_process_alive(abs(pid) // width * width + 2**40 + os.getpid()) is False


@pytest.mark.parametrize("bad", ["1", 1.0, None, b"1"])
def test_pids_are_integers(backend: str, bad: object) -> None:
    """What is no int is a TypeError."""
    with pytest.raises(TypeError):
        skywasm.is_process_alive(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [-(2**31) - 1, -(2**63), -(2**63) - 1, -(2**200), 2**63, 2**200])
@pytest.mark.parametrize("middle", [False, True])
def test_lengths_of_any_size(backend: str, length: int, middle: bool) -> None:
    """A length beyond 64 bits means what it says: longer than any text, or shorter than none."""
    text = "some words to be cut"
    assert skywasm.truncate_long_string(text, length, middle) == (text if length > 0 else "...")


@pytest.mark.parametrize("number", HUGE)
def test_numbers_of_lines_of_any_size(backend: str, number: int, tmp_path: pathlib.Path) -> None:
    """More lines than a file can have means all of it, and a chunk may be larger than any file."""
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthree\n")
    assert skywasm.read_last_n_lines(path, number) == ["one\n", "two\n", "three"]
    assert skywasm.read_last_n_lines(path, 2, chunk_size=number) == ["two\n", "three"]
    with pytest.raises(AssertionError):
        skywasm.read_last_n_lines(path, -number)
    with pytest.raises(AssertionError):
        skywasm.read_last_n_lines(path, 2, chunk_size=-number)


@pytest.mark.parametrize("precision", [1100, 1101, 5000])
def test_precisions_beyond_what_crosses(backend: str, precision: int) -> None:
    """A precision beyond the artifact's range is answered by Python, with all its digits."""
    assert skywasm.format_float(0.1, precision) == f"{0.1:.{precision}f}"


@pytest.mark.parametrize("precision", [-1, 2**31, 2**32 + 1, 2**63, 2**64 + 1])
def test_impossible_precisions(backend: str, precision: int) -> None:
    """A precision that Python does not take is Python's own ValueError; it is never cut to a smaller one."""
    try:
        format(0.1, f".{precision}f")
    except ValueError as error:
        expected = str(error)
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        skywasm.format_float(0.1, precision)


def test_whole_numbers_are_written_in_full(backend: str) -> None:
    """The largest double and an int of any size have no exponent."""
    assert skywasm.format_float(1.7976931348623157e308) == str(int(1.7976931348623157e308))
    assert skywasm.format_float(10**200) == str(10**200)
