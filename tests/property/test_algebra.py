"""Facts that hold for all inputs, whatever SkyPilot does."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import skywasm
from property import strategies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@given(text=strategies.HEX)
def test_base36_keeps_the_number(backend: str, text: str) -> None:
    """The digits in base 36 make the number that the digits in base 16 made, without leading zeros or capitals."""
    encoded = skywasm.base36_encode(text)
    assert int(encoded, 36) == int(text, 16)
    assert encoded == encoded.lower()
    assert encoded == "0" or not encoded.startswith("0")


@given(number=st.integers(0, 2**300))
def test_base36_of_the_successor_differs(backend: str, number: int) -> None:
    """No two numbers share their digits, and longer digits are larger numbers."""
    one, two = skywasm.base36_encode(f"{number:x}"), skywasm.base36_encode(f"{number + 1:x}")
    assert (len(one), one) < (len(two), two)


@given(number=strategies.FLOATS, precision=st.integers(0, 30))
def test_format_float_has_no_exponent(backend: str, number: float, precision: int) -> None:
    """A finite number is written in digits, as many behind the point as asked for, or none for a whole number."""
    text = skywasm.format_float(number, precision)
    if not math.isfinite(number):
        assert text in ("nan", "inf", "-inf")
        return
    whole, point, places = text.partition(".")
    assert whole.lstrip("-").isdigit()
    assert len(places) == (0 if number.is_integer() else precision)
    assert bool(point) == bool(places)
    if number.is_integer():
        assert int(text) == number


@given(number=st.floats(-1e15, 1e15), precision=st.integers(0, 15))
def test_format_float_is_near(backend: str, number: float, precision: int) -> None:
    """What is written differs from the number by half of the last place at most."""
    written = float(skywasm.format_float(number, precision))
    assert abs(written - number) <= 0.5 * 10**-precision + math.ulp(number)


@given(text=strategies.TEXTS, more=st.integers(0, 2**40), middle=st.booleans())
def test_truncate_never_changes_short_text(backend: str, text: str, more: int, middle: bool) -> None:
    """A text that is no longer than the length comes back itself."""
    assert skywasm.truncate_long_string(text, len(text) + more, middle) is text


@given(text=strategies.TEXTS, length=st.integers(0, 70))
def test_truncate_at_the_end_is_a_beginning(backend: str, text: str, length: int) -> None:
    """A text cut at its end is its beginning, at least as long as asked for, and three dots."""
    cut = skywasm.truncate_long_string(text, length)
    if len(text) > length:
        assert cut.endswith("...")
        assert text.startswith(cut[:-3])
        assert len(cut) >= min(length, len(text)) + 3


@given(text=strategies.TEXTS, length=st.integers(0, 70))
def test_truncate_in_the_middle_keeps_the_length(backend: str, text: str, length: int) -> None:
    """A text cut in its middle has the length asked for, at least that of the dots, and both its ends."""
    cut = skywasm.truncate_long_string(text, length, truncate_middle=True)
    if len(text) > length:
        assert len(cut) == max(length, 3)
        head, _, tail = cut.rpartition("...")
        assert text.startswith(head)
        assert text.endswith(tail)


@given(content=strategies.CONTENTS, n=st.integers(1, 30), chunk_size=strategies.CHUNK_SIZES)
def test_tail_is_the_end_of_the_content(backend: str, tmp_path: Path, content: bytes, n: int, chunk_size: int) -> None:
    """The lines joined are the content's end, less carriage returns before line ends and the last newline."""
    path = tmp_path / "file"
    path.write_bytes(content)
    lines = skywasm.read_last_n_lines(str(path), n, chunk_size, "latin-1")
    rows = content.decode("latin-1").split("\n")
    if rows[-1] == "":
        rows.pop()
    assert len(lines) == min(n, len(rows))
    assert "".join(lines) == "\n".join(row.rstrip("\r") for row in rows[-n:])


@given(content=strategies.CONTENTS, n=st.integers(1, 12), more=st.integers(0, 12))
def test_tails_end_alike(backend: str, tmp_path: Path, content: bytes, n: int, more: int) -> None:
    """Fewer lines are the end of more lines."""
    path = tmp_path / "file"
    path.write_bytes(content)
    fewer, longer = skywasm.read_last_n_lines(str(path), n), skywasm.read_last_n_lines(str(path), n + more)
    assert longer[-n:] == fewer


@given(content=strategies.CONTENTS, n=strategies.LINE_COUNTS, sizes=st.tuples(*[strategies.CHUNK_SIZES] * 2))
def test_chunk_size_does_not_matter(
    backend: str, tmp_path: Path, content: bytes, n: int, sizes: tuple[int, int]
) -> None:
    """The size of the chunks has no influence on the lines."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert skywasm.read_last_n_lines(str(path), n, sizes[0]) == skywasm.read_last_n_lines(str(path), n, sizes[1])


@given(
    head=strategies.BLOCKS,
    rest=strategies.BLOCKS,
    name=st.sampled_from(("md5", "sha1", "sha256", "sha512", "sha3_256", "shake_128", "blake2b", "blake2s", "blake3")),
)
def test_hash_goes_on(backend: str, tmp_path: Path, head: bytes, rest: bytes, name: str) -> None:
    """A hash of a file's first part, updated with the rest, is the hash of the whole; its copy is not changed."""
    if name == "blake3" and backend == "python":
        # hashlib has no BLAKE3.
        return
    size: tuple[Any, ...] = (20,) if name.startswith("shake") else ()
    path = tmp_path / "file"
    path.write_bytes(head)
    first = skywasm.hash_file(str(path), name)
    copy, before = first.copy(), first.hexdigest(*size)
    first.update(rest)
    path.write_bytes(head + rest)
    whole = skywasm.hash_file(str(path), name)
    assert first.hexdigest(*size) == whole.hexdigest(*size) == whole.digest(*size).hex()
    assert copy.hexdigest(*size) == before


@given(start=st.integers(20_000, 30_000))
def test_free_port_is_not_before_the_start(backend: str, start: int) -> None:
    """The port is the start or lies behind it."""
    assert start <= skywasm.find_free_port(start) < 65_535
