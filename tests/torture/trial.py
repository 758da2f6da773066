"""What a trial is, and what comes of one."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Found(NamedTuple):
    """What came of a trial: how much was really done, what went wrong, what else is worth telling."""

    done: int
    problems: list[str]
    note: str = ""


class Trial(NamedTuple):
    """A trial with the counts of its two forms. ``run`` takes a count and a seed."""

    name: str
    unit: str
    quick: int
    long: int
    run: Callable[[int, int], Found]


def expect(problems: list[str], good: bool, words: object) -> None:
    """Adds to the problems what is not as it should be."""
    if not good:
        problems.append(str(words))


def time_s(count: int, each_s: float) -> float:
    """A child's time limit: a minute, and ten times what the rounds should take."""
    return 60 + 10 * count * each_s
