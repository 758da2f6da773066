"""The functions of nothing but their arguments."""

from __future__ import annotations

import decimal
import fractions

from property.strategies import negative

from fuzz.dice import EDGE_CHARACTERS, HEX
from fuzz.outcomes import raised
from fuzz.target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fuzz.dice import Dice
    from fuzz.outcomes import Outcome
    from fuzz.target import Case

BLANKS = " \t\n\r\v\f\x1c\x1f\x85\xa0\u2003"
# SkyPilot's own loop takes quadratic time.
LONGEST = 20_000
NEGATIVE = ("raises", "negative")


class Base36(Target):
    """Digits of every length and spelling, and what is nearly digits."""

    name = "base36_encode"

    def case(self, dice: Dice) -> Case:
        kind = dice.below(10)
        if kind == 0:
            return (dice.junk() if dice.chance(4) else dice.text(20, 200),)
        if kind < 3:
            text = f"{36 ** dice.below(60) + dice.below(3) - 1:x}"
        else:
            text = "".join(dice.choices(HEX, k=dice.size(90, 3000) + 1))
        if kind < 6:
            return (dice.derived(text),)
        text = dice.pick(("", "", "+", "0x", "0X", "+0x", "0x_", "0" * dice.below(9))) + text
        if kind == 6:
            text = dice.pick(BLANKS) + text + dice.pick(BLANKS)
        if kind > 7:
            text = dice.changed(text, HEX + "_xX+- g" + EDGE_CHARACTERS)
        if kind == 9:
            data = text.encode("utf-8", "surrogatepass")
            return (data if dice.chance(2) else bytearray(data),)
        return (text,)

    def theirs(self, case: Case) -> Outcome:
        # SkyPilot never returns for a negative number; ours is a ValueError.
        return NEGATIVE if negative(case[0]) else super().theirs(case)

    def same(self, case: Case, want: Outcome, got: Outcome, backend: str) -> bool:
        return want is NEGATIVE and raised(got) and got[1] == "ValueError" and "negative" in got[2]


class FormatFloat(Target):
    """Numbers of every kind at every precision."""

    name = "format_float"

    def case(self, dice: Dice) -> Case:
        kind = dice.below(20)
        number: object = dice.derived(dice.double())
        if kind == 0:
            number = dice.junk()
        elif kind == 1:
            number = dice.number()
        elif kind == 2:
            number = decimal.Decimal(dice.number()) / 8 if dice.chance(2) else fractions.Fraction(dice.number(), 8)
        if dice.chance(8):
            return (number,)
        if dice.chance(12):
            # Between these and 2**31, where Python refuses them, they make megabytes of zeros.
            return (number, dice.junk() if dice.chance(2) else dice.pick((1095, 1100, 1101, 1105, 2**31, 2**64, -1)))
        return (number, dice.below(24) if dice.random() < 0.97 else dice.below(1100))


class Truncate(Target):
    """Texts over all of Unicode, cut at any length in both ways."""

    name = "truncate_long_string"

    def case(self, dice: Dice) -> Case:
        text: object = dice.derived(dice.text())
        if dice.chance(10):
            return (text,)
        if dice.chance(20):
            others = (dice.junk(), dice.number(), dice.double(), dice.below(70))
            return (dice.junk() if dice.chance(2) else text, dice.pick(others), dice.junk())
        length = dice.below(75) - 4 if dice.random() < 0.95 else dice.number()
        if isinstance(text, str) and len(text) > 200:
            length = dice.below(len(text) + 2)
        return (text, length) if dice.chance(3) else (text, length, dice.chance(2))
