"""Numbers as text."""

from __future__ import annotations

from skywasm.functions.declare import COMMON, PYTHON, WASM, Batch, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIR = 36**2
# Up to here one division a digit pair is fastest; an MD5 and a SHA-256 are far below.
_PLAIN_DIGITS = 64
_PLAIN = 36**_PLAIN_DIGITS
# One division by this is small enough that Ctrl-C gets in between, however long the number.
_BLOCK_DIGITS = 1536
_BLOCK = 36**_BLOCK_DIGITS
# log2(36), a little less.
_BITS_PER_DIGIT = 5.1699
# From about here on the crossing takes less time than the conversion in Python.
_PAYING_DIGITS = 20
_pairs: list[str] = []

# The SHA-512 of b"skywasm", repeated.
_HEX = (
    "f4f80092dddc201eecfc2895b414c36c6011bdb98a3cb8b5bbd7c8fbbe7e0502"
    "458679ca49b7352d2e0a2ac70a2da6954847dec5ebc79998abb7cc99d335e865"
) * 8

_MANY_NUMBERS = """Encode hexadecimal numbers in base 36, as ``skywasm.base36_encode`` does each.

Args:
    hex_strs: the numbers, as text.

Returns:
    Their digits, in order.

Raises:
    ValueError, TypeError: as for one number; ``batch_index`` says which.

>>> base36_encode(["ff", "0"])
['73', '0']
"""

_MANY_FLOATS = """Format numbers without exponents, as ``skywasm.format_float`` does each.

Args:
    nums: floats or ints; ``array.array``, numpy arrays and anything else with the buffer protocol are read
        without making Python numbers where they hold doubles.
    precision: decimal places.

Returns:
    Their texts, in order.

Raises:
    AttributeError, ValueError: as for one number; ``batch_index`` says which.

>>> format_float([0.25, 2.0])
['0.2', '2']
"""


def checked_hex(hex_str: Any) -> int:
    """``int(hex_str, 16)``, refusing the negative numbers on which SkyPilot's loop never ends."""
    number = int(hex_str, 16)
    if number < 0:
        raise ValueError(f"cannot encode a negative number in base 36: {hex_str!r}; pass a non-negative hex number")
    return number


@function(
    replaces=COMMON,
    auto=WASM,
    why="the crossing costs less than the conversion in Python",
    shorter=_PAYING_DIGITS,
    batch=Batch("hex_strs", _MANY_NUMBERS, "about 0.2 us an MD5 once the engine is loaded.", saves_us=1.2),
    examples={
        "2 digits": (_HEX[:2],),
        "32 digits": (_HEX[:32],),
        "64 digits": (_HEX[:64],),
        "1000 digits": (_HEX[:1000],),
    },
)
def base36_encode(hex_str: str) -> str:
    """Encode a hexadecimal number in base 36, in lower case and without leading zeros.

    Args:
        hex_str: the number, as ``int(hex_str, 16)`` takes it: any length, ``0x``, blanks around it and single
            underscores allowed.

    Returns:
        The digits; ``"0"`` for zero.

    Raises:
        ValueError: not a hexadecimal number, or a negative one (SkyPilot never returns for those).
        TypeError: not text or bytes.

    Cost: about 1 us for 32 digits in the artifact, 1.4 us in Python; for thousands of digits it grows with their
    square.

    Source: ``sky.utils.common_utils.base36_encode``.

    >>> base36_encode("ff")
    '73'
    """
    number = checked_hex(hex_str)
    return _plain_digits(number).lstrip("0") or "0" if number < _PLAIN else _many_digits(number)


def _pair_texts() -> list[str]:
    if not _pairs:
        _pairs[:] = [a + b for a in _DIGITS for b in _DIGITS]
    return _pairs


def _plain_digits(number: int) -> str:
    texts = _pairs or _pair_texts()
    out: list[str] = []
    while number >= _PAIR:
        number, pair = divmod(number, _PAIR)
        out.append(texts[pair])
    out.append(texts[number])
    out.reverse()
    return "".join(out)


def _many_digits(number: int) -> str:
    """The digits of a number that is not small."""
    blocks = []
    while number >= _BLOCK:
        number, block = divmod(number, _BLOCK)
        blocks.append(_padded_digits(block, _BLOCK_DIGITS))
    blocks.append(_padded_digits(number, int(number.bit_length() / _BITS_PER_DIGIT) + 1))
    return "".join(reversed(blocks)).lstrip("0")


def _padded_digits(number: int, width: int) -> str:
    """Exactly ``width`` digits of a number below ``36**width``, by halving it."""
    if width <= _PLAIN_DIGITS:
        return _plain_digits(number)[-width:].rjust(width, "0")
    half = width // 2
    high, low = divmod(number, 36**half)
    return _padded_digits(high, width - half) + _padded_digits(low, half)


@function(
    replaces=COMMON,
    auto=PYTHON,
    why="the work takes less time than the crossing",
    batch=Batch(
        "nums",
        _MANY_FLOATS,
        "about 0.08 us a float once the engine is loaded, 0.05 us from an array of doubles.",
        saves_us=0.28,
    ),
    examples={"3.14159": (3.14159,), "16.0": (16.0,), "1e300": (1e300,)},
)
def format_float(num: float | int, precision: int = 1) -> str:
    """Format a number without an exponent; integral values get no decimal places.

    Args:
        num: a float, or an int, which is written as it is.
        precision: decimal places. The exact binary value is rounded, halves to the even digit.

    Returns:
        The text; ``nan``, ``inf`` and ``-inf`` for what has no digits.

    Raises:
        AttributeError: not a number.
        ValueError: a precision that Python's format does not take.

    Cost: 0.3 us; more for numbers or precisions of many digits, 11 us for ``1e300``.

    Source: ``sky.utils.common_utils.format_float``.

    >>> format_float(0.25), format_float(2.0), format_float(1e16)
    ('0.2', '2', '10000000000000000')
    """
    if isinstance(num, int):
        return str(num)
    if num.is_integer():
        return f"{num:.0f}"
    return f"{num:.{precision}f}"
