"""Makes a failing case smaller, for as long as it fails."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MOST_TRIES = 3000


def _shorter(value: Any) -> Iterator[Any]:
    """Sequences with a piece missing, large pieces first."""
    size = len(value)
    while size:
        for at in range(0, len(value), size):
            yield value[:at] + value[at + size :]
        size //= 2


def _simpler(value: Any) -> Iterator[Any]:
    if isinstance(value, (str, bytes)):
        yield from _shorter(value)
        plain = "a" if isinstance(value, str) else b"a"
        for at in range(len(value)):
            if value[at : at + 1] != plain:
                yield value[:at] + plain + value[at + 1 :]
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        yield from (number for number in (0, 1, value // 2, value - 1) if abs(number) < abs(value))
    elif isinstance(value, float):
        yield from (number for number in (0.5, 1.5, value / 2) if repr(number) != repr(value))
    elif isinstance(value, list):
        yield from _shorter(value)
    elif isinstance(value, tuple):
        yield from _shorter(value)
        yield from _in_place(value)


def _in_place(case: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for at, value in enumerate(case):
        for other in _simpler(value):
            yield (*case[:at], other, *case[at + 1 :])


def shrunk(case: tuple[Any, ...], fails: Callable[[tuple[Any, ...]], bool]) -> tuple[Any, ...]:
    """The smallest case found that still fails; the number of its elements stays the same."""
    tries, going = 0, True
    while going:
        going = False
        for other in _in_place(case):
            tries += 1
            if tries > MOST_TRIES:
                return case
            try:
                failing = fails(other)
            except Exception:
                continue
            if failing:
                case, going = other, True
                break
    return case
