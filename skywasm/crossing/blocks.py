"""``with`` blocks of rules that no exception of a signal handler's cuts in half.

CPython looks for signals where a Python function begins, so what begins or ends a block is taken in C where it can be.
"""

from __future__ import annotations

import sys

from skywasm.loading import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.crossing.rules import Rule


class _Method:
    """A method of rules that is a step in C where a ``with`` block looks it up, and the plain one elsewhere."""

    def __init__(self, plainly: Callable[..., None]) -> None:
        self._plainly = plainly

    def __get__(self, rule: Rule | None, owner: object) -> Callable[..., Any]:
        if rule is None:
            return self._plainly
        if not _begins_block(sys._getframe(1)):
            return self._plainly.__get__(rule)  # type: ignore[no-any-return]
        return self.taken(rule)

    def taken(self, rule: Rule) -> Callable[..., Any]:
        """The step."""
        raise NotImplementedError


class Exiting(_Method):
    """Rules' ``__exit__``, which would not have begun and not have ended where a signal strikes at its entrance.

    What it ends is prepared when the block looks its methods up, before it begins; ending it is one step in C.
    """

    def taken(self, rule: Rule) -> Callable[..., Any]:
        # Under the lock that a fork waits for.
        defaultdict, partial = late("collections").defaultdict, late("functools").partial
        entry = rule.fresh() or rule.prepared()
        # Takes the three arguments of an end, looks into the dictionary, which is empty, and gives a text without
        # characters: nothing is swallowed.
        exiting: Callable[..., Any] = partial("{0[0]!s:.0}".format, defaultdict(partial(setattr, entry, "ended", True)))
        return exiting


class Entering(_Method):
    """Rules' ``__enter__`` up to Python 3.10, which looks for signals between all steps, even behind the last."""

    def taken(self, rule: Rule) -> Callable[..., Any]:
        states = map(setattr, (rule.prepared(), rule), ("ended", "everybodys"), (False, False))
        nowhere: list[None] = []
        entering: Callable[..., Any] = late("functools").partial(nowhere.extend, states)
        return entering


def _begins_block(frame: Any) -> bool:
    """Whether a frame is in the instruction that looks up the methods of a ``with`` block, whatever its Python."""
    return _name_at(frame, 0) in ("SETUP_WITH", "BEFORE_WITH", "LOAD_SPECIAL")


def _name_at(frame: Any, beyond: int) -> str:
    """The name of the instruction that a frame is in, or of one so many bytes beyond it."""
    opname = late("opcode").opname
    code = frame.f_code.co_code
    at = frame.f_lasti + beyond
    return opname[code[at]] if at < len(code) else ""


def enters_next(frame: Any) -> bool:
    """Whether a frame goes on with the beginning of a ``with`` block after the call that it is in."""
    names: list[str] = []
    beyond = 2
    while len(names) < 2:  # noqa: PLR2004 - see below
        name = _name_at(frame, beyond)
        if name not in ("CACHE", "EXTENDED_ARG"):
            names.append(name)
        beyond += 2
    # Python 3.8 to 3.10; 3.11 to 3.13; 3.14 and later, which look the methods up in steps of their own.
    return names[:1] in (["SETUP_WITH"], ["BEFORE_WITH"]) or names == ["COPY", "LOAD_SPECIAL"]
