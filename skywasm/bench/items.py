"""Lists for batches. Those that are asked for by name are made for it; any other batch gets its examples in turn."""

from __future__ import annotations

import array
import hashlib
import itertools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from skywasm.bench.workplace import Workplace
    from skywasm.functions.declare import Row

    Lists = Iterator[tuple[str, Sequence[Any]]]

_LINE = "Launching a cluster named train with 8 nodes on the first cloud that has them " * 3


def md5s(count: int) -> list[str]:
    """Hexadecimal MD5s."""
    return [hashlib.md5(str(number).encode()).hexdigest() for number in range(count)]


def _numbers(_place: Workplace, count: int) -> Lists:
    yield "MD5s", md5s(count)


def _floats(place: Workplace, count: int) -> Lists:
    floats = [place.random.random() * 1000 for _ in range(count)]
    yield "floats", floats
    yield "doubles in an array", array.array("d", floats)


def _texts(_place: Workplace, count: int) -> Lists:
    yield "texts of 200", [_LINE[number % 30 : number % 30 + 200] for number in range(count)]


def _pids(place: Workplace, count: int) -> Lists:
    ended = place.ended_pid()
    yield "pids, a third dead", [ended if number % 3 == 0 else os.getpid() for number in range(count)]


_MADE: dict[str, Callable[[Workplace, int], Lists]] = {
    "base36_encode": _numbers,
    "format_float": _floats,
    "truncate_long_string": _texts,
    "is_process_alive": _pids,
}


def lists(row: Row, place: Workplace, count: int) -> Lists:
    """Lists of so many items for the batch of a function, each with a word for what they are."""
    if row.name in _MADE:
        yield from _MADE[row.name](place, count)
        return
    from skywasm.bench.workplace import arguments

    firsts = [arguments(example, place)[0] for example in row.examples.values()]
    if firsts:
        yield "of its examples", list(itertools.islice(itertools.cycle(firsts), count))
