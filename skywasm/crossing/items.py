"""Lists of items, and a function of one applied to all. Needs nothing of the engine."""

from __future__ import annotations

import array
from itertools import repeat
from operator import length_hint

from host_shims.struck import let_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    Result = TypeVar("Result")


def as_list(items: Iterable[Any]) -> Sequence[Any]:
    """The items as something that has a length."""
    return items if isinstance(items, (list, tuple)) else list(items)


def numbers(nums: Iterable[Any]) -> Sequence[Any]:
    """The numbers as a sequence; a buffer of doubles stays one."""
    if isinstance(nums, (list, tuple)):
        return nums
    try:
        view = memoryview(nums)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        let_out(error)
        # No buffer, or one of values that have no format, such as numpy's dates.
        return list(nums)
    if view.ndim != 1:
        raise ValueError(f"the numbers have {view.ndim} dimensions; pass one, for example with .ravel()")
    if view.format in ("d", "<d", "@d"):
        # Cast, because Python itself cannot read the formats that name a byte order.
        return view.cast("B").cast("d") if view.contiguous else array.array("d", view.tolist())
    return list(nums)


def at_index(error: Exception, index: int) -> Exception:
    """The error with the index of its item."""
    error.batch_index = index  # type: ignore[attr-defined]
    return error


def one_by_one(function: Callable[..., Result], items: Sequence[Any], first: int = 0, *rest: Any) -> list[Result]:
    """The function for each item, and ``rest``; an error gets the item's index, counted from ``first``."""
    items = as_list(items)
    # map() runs the loop in C; how much of the list its iterator has left tells where an error struck.
    left = iter(items)
    try:
        return list(map(function, left, *map(repeat, rest)))
    except Exception as error:
        at_index(error, first + len(items) - length_hint(left) - 1)
        raise
