"""The functions of nothing but their arguments, against SkyPilot's."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

import skywasm
from property import strategies
from property.oracle import assert_same, common_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@given(text=strategies.HEX_ARGUMENTS)
@example(text="0" * 4097)
@example(text="f" * 4097)
@example(text="9" * 20_000)
def test_same_as_reference_base36_encode(backend: str, text: Any) -> None:
    """Numbers of every length, in every spelling, and what is no number come to the same as in SkyPilot."""
    # SkyPilot never returns for a negative number; ours is a ValueError.
    assume(not strategies.negative(text))
    assert_same(lambda: skywasm.base36_encode(text), lambda: common_utils.base36_encode(text))


@given(number=strategies.NUMBERS, precision=strategies.PRECISIONS)
def test_same_as_reference_format_float(backend: str, number: Any, precision: Any) -> None:
    """Numbers of every kind with any precision come to the same as in SkyPilot."""
    assert_same(lambda: skywasm.format_float(number, precision), lambda: common_utils.format_float(number, precision))


@given(number=strategies.FLOATS, precision=st.integers(0, 1100))
def test_same_as_reference_format_float_places(backend: str, number: float, precision: int) -> None:
    """All doubles with all precisions that cross are written with SkyPilot's digits."""
    assert_same(lambda: skywasm.format_float(number, precision), lambda: common_utils.format_float(number, precision))


@given(number=strategies.NUMBERS)
def test_same_as_reference_format_float_default(backend: str, number: Any) -> None:
    """The default precision is SkyPilot's."""
    assert_same(lambda: skywasm.format_float(number), lambda: common_utils.format_float(number))


@given(text=strategies.TEXTS, length=strategies.LENGTHS, middle=st.booleans())
def test_same_as_reference_truncate_long_string(backend: str, text: str, length: int, middle: bool) -> None:
    """Texts of all of Unicode are cut where SkyPilot cuts them."""
    assert_same(
        lambda: skywasm.truncate_long_string(text, length, middle),
        lambda: common_utils.truncate_long_string(text, length, middle),
    )


@given(
    text=st.one_of(strategies.TEXTS, strategies.TEXTS.map(strategies.Text), strategies.JUNK),
    length=strategies.ODD_LENGTHS,
    middle=strategies.JUNK,
)
@example(text="  ", length=1.0, middle=False)
@example(text="0123456789", length=5.0, middle=True)
@example(text="sky launch", length=float("nan"), middle=False)
def test_same_as_reference_truncate_odd_arguments(backend: str, text: Any, length: Any, middle: Any) -> None:
    """Arguments of other types come to the same as in SkyPilot."""
    assert_same(
        lambda: skywasm.truncate_long_string(text, length, middle),
        lambda: common_utils.truncate_long_string(text, length, middle),
    )


@given(text=strategies.TEXTS.map(lambda text: text * 3))
def test_same_as_reference_truncate_defaults(backend: str, text: str) -> None:
    """The default length and the default cut are SkyPilot's."""
    assert_same(lambda: skywasm.truncate_long_string(text), lambda: common_utils.truncate_long_string(text))
    assert_same(
        lambda: skywasm.truncate_long_string(text, truncate_middle=True),
        lambda: common_utils.truncate_long_string(text, truncate_middle=True),
    )
