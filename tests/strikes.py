"""An exception of the program's own at one chosen moment of a call, where a signal handler's could strike.

CPython looks for signals where a Python function begins and behind the call of a function in C. A profiler sees both,
and what it raises comes out there. So every moment of a call can be tried, one after the other.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


# So many moments further on nothing comes any more.
_THROUGH = 60


class Moment:
    """What was struck: where, what came of it, and what was raised."""

    def __init__(self, mine: BaseException) -> None:
        self.mine = mine
        self.place = ""
        self.result: Any = None

    @property
    def came_out(self) -> bool:
        """Whether the very exception came out."""
        return self.result is self.mine


def strike(work: Callable[[], Any], number: int, mine: BaseException) -> Moment:
    """Calls ``work`` and raises ``mine`` at its n-th moment; without a ``place`` it has fewer."""
    moment, seen = Moment(mine), 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal seen
        if event in ("call", "c_return"):
            seen += 1
            if seen == number:
                sys.setprofile(None)
                code = frame.f_code
                what = getattr(argument, "__name__", "")
                moment.place = f"{event} {what} {code.co_filename}:{frame.f_lineno} {code.co_name}"
                raise mine

    sys.setprofile(profile)
    try:
        moment.result = work()
    except BaseException as error:
        moment.result = error
    finally:
        sys.setprofile(None)
    return moment


def moments(
    work: Callable[[], Any],
    make: Callable[[], BaseException],
    step: int = 1,
    first: int = 1,
    before: Callable[[], Any] | None = None,
) -> Iterator[Moment]:
    """Strikes at each moment of a call in turn, or at each n-th from the first on, until it has come through for good.

    A call that finds what the one before has left, an instance for example, has fewer moments than one that does not;
    ``before`` is called before each, and makes all find the same.
    """
    number, through = first, 0
    while through < _THROUGH:
        if before is not None:
            before()
        moment = strike(work, number, make())
        if moment.place:
            through = 0
            # What an exception's traceback holds is let go before the next.
            yield moment
            moment.mine.__traceback__ = None
        else:
            through += step
        number += step
