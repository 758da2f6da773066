"""What is denied, and how long a call may take: for the process, and for the context that a call is made in.

Nothing here costs a call anything before the first rule: ``armed`` and ``timed`` are False until then, and calls take
roads without a guard. Whoever lays roads listens for the first rule of each kind.
"""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar, copy_context

from host_shims.struck import let_out
from skywasm.crossing import blocks
from skywasm.errors import CapabilityError, LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

armed: bool = False
"""Whether anything has ever been denied or limited in this process."""

timed: bool = False
"""Whether a deadline has ever been set in this process."""

listeners: list[Callable[[], None]] = []
"""Called when the first rule of either kind is made: roads are to be laid anew."""

before_clock: list[Callable[[], None]] = []
"""Called before a call's time begins to count: loading the engine is no part of a call."""

# Which of the two all roads have been laid for: 1 is armed, 2 also timed.
_laid = 0
_process: list[Rule] = []
_here: ContextVar[tuple[_Entry, ...]] = ContextVar("skywasm rules", default=())
_until: ContextVar[float | None] = ContextVar("skywasm deadline", default=None)


class _Entry:
    """One time that a rule is entered. It holds until the block ends, whatever context that happens in."""

    __slots__ = ("ended", "fresh", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule: Rule = rule
        # What holds nowhere yet may be left behind anywhere.
        self.ended: bool = True
        # Prepared by one of the methods that a block looks up before it begins, for the other one to take.
        self.fresh: bool = True


class Rule:
    """A denial or a deadline: the context's within a ``with`` block, else the process's."""

    __slots__ = ("_entries", "deadline_s", "denied", "everybodys")

    def __init__(self, denied: Iterable[str] = (), deadline_s: float | None = None) -> None:
        self.denied: frozenset[str] = frozenset(denied)
        self.deadline_s: float | None = deadline_s
        self.everybodys: bool = False
        self._entries: list[_Entry] = []

    def everywhere(self) -> Rule:
        """Makes it the process's, until somebody enters it."""
        _arm(self.deadline_s is not None)
        for rule in [one for one in _process if not one.everybodys]:
            # Somebody has entered it since.
            try:
                _process.remove(rule)
            except ValueError as error:  # noqa: PERF203 - another thread was faster, which is rare
                let_out(error)
        _process.append(self)
        self.everybodys = True
        return self

    def prepared(self) -> _Entry:
        """What holds once its ``ended`` is False and the rule is not everybody's."""
        _arm(self.deadline_s is not None)
        entry = _Entry(self)
        _here.set((*(one for one in _here.get() if not one.ended), entry))
        return entry

    def kept(self) -> _Entry:
        """As ``prepared``, for an end that has to look for it."""
        entry = self.prepared()
        entry.fresh = False
        self._entries.append(entry)
        return entry

    def fresh(self) -> _Entry | None:
        """What the block that is about to begin here has prepared for its other method."""
        for entry in _here.get()[-1:]:
            if entry.rule is self and entry.fresh:
                entry.fresh = False
                return entry
        return None

    def __enter__(self) -> None:
        entry = self.fresh() or self.kept()
        # The last step: what a signal handler raises before it finds nothing begun, and what comes after it, the block.
        entry.ended = self.everybodys = False

    def __exit__(self, *exception: object) -> None:
        chosen: list[_Entry] = []
        try:
            self._end(chosen)
        finally:
            # Whatever has struck the first time.
            self._end(chosen)
        self._entries[:] = [one for one in self._entries if not one.ended]
        if self in _process and not self.everybodys:
            _process.remove(self)
        _here.set(tuple(one for one in _here.get() if not one.ended))

    def _end(self, chosen: list[_Entry]) -> None:
        """Ends the innermost entry; once it is chosen, no other."""
        chosen += () if chosen else filter(None, (self._innermost(),))
        for entry in chosen:
            entry.ended = True

    def _innermost(self) -> _Entry | None:
        # A generator may be closed in another context than it was begun in, and rules need not end in turn.
        here = [entry for entry in _here.get() if entry.rule is self and not entry.ended]
        return here[-1] if here else next((one for one in reversed(self._entries) if not one.ended), None)


Rule.__exit__ = blocks.Exiting(Rule.__exit__)  # type: ignore[method-assign, assignment]
if sys.version_info < (3, 11):
    Rule.__enter__ = blocks.Entering(Rule.__enter__)  # type: ignore[method-assign, assignment]


def made(rule: Rule, caller: Any) -> Rule:
    """The rule that a function makes for its caller, whose frame is given.

    Where the caller's very next step is to enter it, as in ``with deny("ports"):``, it is the context's from the
    beginning; else it is the process's from now on.
    """
    return rule if blocks.enters_next(caller) else rule.everywhere()


def _arm(deadline: bool) -> None:
    """Sees to it that rules hold from here on. Several threads may be the first at the same time."""
    global armed, timed, _laid
    wanted = 2 if deadline else 1
    if _laid >= wanted:
        return
    if deadline:
        timed = True
    armed = True
    # Not before here: whoever finds it said relies on roads with guards.
    for listener in listeners:
        listener()
    _laid = max(_laid, wanted)


def _rules() -> list[Rule]:
    everybodys = [rule for rule in _process if rule.everybodys]
    return [*everybodys, *(entry.rule for entry in _here.get() if not entry.ended)] if armed else []


def denied() -> frozenset[str]:
    """The capabilities that are denied to a call made here and now."""
    return frozenset().union(*(rule.denied for rule in _rules()))


def deadline_s() -> float | None:
    """Seconds that a call made here and now may take; None without a limit."""
    return min((rule.deadline_s for rule in _rules() if rule.deadline_s is not None), default=None)


def check(name: str, capabilities: Iterable[str]) -> None:
    """Raises CapabilityError when ``name`` needs one that is denied here."""
    refused = denied().intersection(capabilities)
    if refused:
        which = " and ".join(repr(one) for one in sorted(refused))
        raise CapabilityError(f"{name} needs the capability {which}, which skywasm.sandbox.deny() has denied")


def remaining_s() -> float | None:
    """Seconds left to the call that is under way here; None without a limit.

    Raises:
        LimitError: none are left.
    """
    until = _until.get() if timed else None
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise passed()
    return left


def passed() -> LimitError:
    """What a call raises whose time is up."""
    return LimitError(f"the call took longer than the deadline of {deadline_s()} s set by skywasm.sandbox.limits()")


def run(name: str, capabilities: Iterable[str], road: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A public call under the rules of here and now: refuses it, or sets its clock going where there is a deadline."""
    check(name, capabilities)
    seconds = deadline_s()
    if seconds is None:
        return road(*args, **kwargs)
    for prepare in before_clock:
        prepare()
    # In a context of its own, which ends with the call however that ends.
    return copy_context().run(_timed, time.monotonic() + seconds, road, args, kwargs)


def _timed(until: float, road: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    outer = _until.get()
    _until.set(until if outer is None else min(until, outer))
    return road(*args, **kwargs)


def guarded(name: str, capabilities: tuple[str, ...], road: Callable[..., Any]) -> Callable[..., Any]:
    """A road that asks first."""

    def guard(*args: Any, **kwargs: Any) -> Any:
        return run(name, capabilities, road, args, kwargs)

    return guard


def needs(*capabilities: str) -> Callable[[Function], Function]:
    """Marks a function that has no road of its own, one of ``skywasm.batch``, as needing these capabilities."""

    def mark(function: Function) -> Function:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

        def road(*args: Any, **kwargs: Any) -> Any:
            return run(name, capabilities, function, args, kwargs) if armed else function(*args, **kwargs)

        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(road, attribute, getattr(function, attribute))
        road.__wrapped__ = function  # type: ignore[attr-defined]
        return road  # type: ignore[return-value]

    return mark


def carried() -> tuple[frozenset[str], float | None] | None:
    """What holds here, in a form that another thread or process can take over; None when nothing does."""
    if not armed:
        return None
    what = denied(), remaining_s()
    return what if what != (frozenset(), None) else None


def taken_over(what: tuple[frozenset[str], float | None] | None, work: Callable[[], Any]) -> Any:
    """Runs ``work`` under what was carried here from the context that asked for it."""
    if what is None:
        return work()
    with Rule(*what):
        return run("a batch", (), work, (), {})


def caller_frame(depth: int = 2) -> Any:
    """The frame that called the function which calls this."""
    return sys._getframe(depth)
