"""Numbers as text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["base36_encode", "format_float"]

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
_pairs: list[str] = []


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


def _padded_digits(number: int, width: int) -> str:
    """Exactly ``width`` digits of a number below ``36**width``, by halving it."""
    if width <= _PLAIN_DIGITS:
        return _plain_digits(number)[-width:].rjust(width, "0")
    half = width // 2
    high, low = divmod(number, 36**half)
    return _padded_digits(high, width - half) + _padded_digits(low, half)


def checked_hex(hex_str: Any) -> int:
    """``int(hex_str, 16)``, refusing the negative numbers on which SkyPilot's loop never ends."""
    number = int(hex_str, 16)
    if number < 0:
        raise ValueError(f"cannot encode a negative number in base 36: {hex_str!r}; pass a non-negative hex number")
    return number


def base36_encode(hex_str: str) -> str:
    number = checked_hex(hex_str)
    if number < _PLAIN:
        return _plain_digits(number).lstrip("0") or "0"
    blocks = []
    while number >= _BLOCK:
        number, block = divmod(number, _BLOCK)
        blocks.append(_padded_digits(block, _BLOCK_DIGITS))
    blocks.append(_padded_digits(number, int(number.bit_length() / _BITS_PER_DIGIT) + 1))
    return "".join(reversed(blocks)).lstrip("0")


def format_float(num: float | int, precision: int = 1) -> str:
    if isinstance(num, int):
        return str(num)
    if num.is_integer():
        return f"{num:.0f}"
    return f"{num:.{precision}f}"
