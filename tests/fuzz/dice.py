"""A seeded source of arguments: ordinary ones, broken ones, and interesting ones with something changed in them."""

from __future__ import annotations

import decimal
import fractions
import math
import random
import struct

from property.strategies import Number, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

HEX = "0123456789abcdefABCDEF"
# Where UTF-8 and UTF-16 change their lengths, what counts as blank or as a line's end, and lone surrogates.
EDGE_CHARACTERS = (
    "\0\x01\t\n\v\f\r\x1c\x1d\x1e\x1f \x7f\x80\x85\xa0\u07ff\u0800\u2003\u2028\u2029\u3000\ud7ff\ud800\udbff"
    "\udc00\udfff\ue000\ufeff\ufffd\uffff\U00010000\U0001f680\U0010ffff\u0301\u0663\uff11\u0130\u017f\u212a\u00df"
)
HUGE = (2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 10**400)
FLOATS = (0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 0.05, 0.25, 0.45, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308)
FLOATS += (math.inf, -math.inf, math.nan, 1e15, 1e16, 1e22, 1e23, 9007199254740993.0, 0.1, 999.95, 9.995, 1e-7)
JUNK: tuple[Any, ...] = (None, True, False, 0, 3, -1, 2.5, math.nan, "", "x", b"", b"ff", bytearray(b"7"), (), [1], {})
JUNK += (1j, decimal.Decimal("2.5"), fractions.Fraction(5, 2), object, Ellipsis, range(3), memoryview(b"ab"))


class Dice:
    """Randomness for one block of cases; the same seed throws the same."""

    def __init__(self, seed: str) -> None:
        # From a text it is seeded by SHA-512, the same in every version of Python.
        self._source = random.Random(seed)
        self.random = self._source.random
        self.bits = self._source.getrandbits
        self.choices = self._source.choices

    def below(self, end: int) -> int:
        """An int from 0 on, below ``end``."""
        return int(self.random() * end)

    def pick(self, options: Sequence[Any]) -> Any:
        """One of them."""
        return options[int(self.random() * len(options))]

    def chance(self, one_in: int) -> bool:
        """True once in so many throws."""
        return self.random() * one_in < 1

    def junk(self) -> Any:
        """A value of some other type."""
        return self.pick(JUNK)

    def size(self, usual: int, rare: int) -> int:
        """A length: mostly up to ``usual``, one in 5,000 up to ``rare``."""
        return self.below(rare) if self.chance(5000) else self.below(self.below(usual) + 1)

    def number(self) -> int:
        """An int: small, of any number of bits, or one near which something overflows."""
        kind = self.below(4)
        if kind == 0:
            return self.pick(HUGE) + self.below(3) - 1
        value = self.below(60) if kind < 3 else self.bits(self.below(200) + 1)
        return -value if self.chance(4) else value

    def double(self) -> float:
        """A float: any bit pattern, a tie, a whole number, a subnormal, or the neighbour of an interesting one."""
        kind = self.below(6)
        if kind == 0:
            return struct.unpack("<d", self.bits(64).to_bytes(8, "little"))[0]  # type: ignore[no-any-return]
        if kind == 1:
            return (self.below(20_000_001) - 10_000_000 + 0.5) / 10 ** self.below(10)
        if kind == 2:
            return float(self.bits(self.below(70) + 1)) * self.pick((1, -1))
        if kind == 3:
            return struct.unpack("<d", self.bits(self.below(52) + 1).to_bytes(8, "little"))[0]  # type: ignore[no-any-return]
        value: float = self.pick(FLOATS)
        if kind == 4:
            bits = int.from_bytes(struct.pack("<d", value), "little") + self.below(7) - 3
            return struct.unpack("<d", (bits % 2**64).to_bytes(8, "little"))[0]  # type: ignore[no-any-return]
        return value if self.chance(2) else round((self.random() - 0.5) * 10 ** self.below(8), self.below(6))

    def text(self, usual: int = 60, rare: int = 70_000) -> str:
        """A text over all of Unicode, lone surrogates included."""
        kind, length = self.below(5), self.size(usual, rare)
        if kind == 0:
            return "".join(map(chr, [int(self.random() * 0x110000) for _ in range(min(length, 500))]))
        if kind == 1:
            return "".join(self.choices(EDGE_CHARACTERS, k=length))
        if kind == 2:
            return "".join(self.choices("ab \u00e9\u4e2d\U0001f680\ud83d", k=length))
        words = ["".join(self.choices("skylaunch-", k=self.below(9))) for _ in range(length // 5)]
        return " ".join(words) if kind == 3 else self.changed(" ".join(words))

    def changed(self, text: Any, letters: Any = EDGE_CHARACTERS) -> Any:
        """Text or bytes with a piece lost, doubled, moved or replaced; ``letters`` are of the same type."""
        for _ in range(self.below(3) + 1):
            at = self.below(len(text) + 1)
            end = at + self.below(4)
            new = self.below(len(letters))
            how = self.below(4)
            if how == 0:
                text = text[:at] + text[end:]
            elif how == 1:
                text = text[:end] + text[at:]
            elif how == 2:
                text = text[:at] + letters[new : new + 1] + text[at:]
            else:
                text = text[:at] + letters[new : new + 1] + text[end:]
        return text

    def derived(self, value: Any) -> Any:
        """Now and then an instance of a derived type, as configuration libraries hand them out."""
        if self.chance(50):
            return Text(value) if isinstance(value, str) else Number(value) if isinstance(value, float) else value
        return value

    def data(self, most: int) -> bytes:
        """Bytes of any value."""
        length = self.below(most + 1)
        return self.bits(8 * length).to_bytes(length, "little") if length else b""
