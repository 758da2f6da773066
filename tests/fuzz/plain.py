"""Targets that are derived from declarations, for functions that need nothing but their arguments."""

from __future__ import annotations

from fuzz.dice import EDGE_CHARACTERS
from fuzz.outcomes import outcome
from fuzz.target import Target
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzz.dice import Dice
    from fuzz.outcomes import Outcome
    from fuzz.target import Case
    from skywasm.functions.declare import Row

# Around what crosses as 64 bits. Larger than small and smaller than these, they may stand for gigabytes.
EDGES = (2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**30)


class Plain(Target):
    """Examples, examples with something changed, and arguments of the annotated types and of others."""

    oracle = "its body in Python"
    row: Row

    def open(self, folder: str) -> None:
        code = self.row.reference.__code__
        self._kinds = [
            str(self.row.reference.__annotations__.get(name, "")) for name in code.co_varnames[: code.co_argcount]
        ]
        self._least = code.co_argcount - len(self.row.reference.__defaults__ or ())
        self._examples = [example for example in self.row.examples.values() if not callable(example)]

    def case(self, dice: Dice) -> Case:
        example: Case = dice.pick(self._examples) if self._examples and dice.chance(2) else ()
        if example and dice.chance(4):
            return example
        count = max(self._least, dice.below(len(self._kinds) + 1))
        return tuple(
            _near(example[at], dice) if at < len(example) else _of(self._kinds[at], dice) for at in range(count)
        )

    def theirs(self, case: Case) -> Outcome:
        return outcome(self.row.reference, *case)


def _near(value: Any, dice: Dice) -> Any:
    """A value of an example, changed or as it is, now and then of another type."""
    if dice.chance(30):
        return dice.junk()
    if isinstance(value, str):
        return dice.derived(dice.changed(value, value + EDGE_CHARACTERS) if dice.chance(2) else value)
    if isinstance(value, bytes):
        return dice.changed(value, value + b"\0\n\xff") if dice.chance(2) else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return value + dice.below(5) - 2


def _of(kind: str, dice: Dice) -> Any:
    """A value of an annotated type, now and then of another one."""
    makers: dict[str, Any] = {
        "str": lambda: dice.derived(dice.text(60, 40_000)),
        "bytes": lambda: dice.data(90),
        "float": lambda: dice.derived(dice.double()),
        "int": lambda: dice.pick(EDGES) if dice.chance(20) else dice.below(70) - 5,
        "bool": lambda: dice.chance(2),
        "None": lambda: None,
    }
    known = [one.strip() for one in kind.split("|") if one.strip() in makers]
    return makers[dice.pick(known)]() if known and not dice.chance(20) else dice.junk()


def of(row: Row) -> type[Plain]:
    """The target of a function."""
    return type(row.name, (Plain,), {"name": row.name, "row": row, "shared_machine": bool(row.asks)})


TARGETS = {row.name: of(row) for row in ROWS}
