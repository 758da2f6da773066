"""What is denied, and how long a call may take: for the process, and for the context that a call is made in.

Nothing here costs a call anything before ``skywasm.sandbox`` is used for the first time: ``armed`` and ``timed`` are
False until then, and ``_dispatch`` binds roads without a guard.
"""

from __future__ import annotations

import _thread
import time
from contextvars import ContextVar

from skywasm import _abi
from skywasm.errors import CapabilityError, LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Token
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

CAPABILITIES = tuple(dict.fromkeys(_abi.IMPORTS.values()))

armed = False
"""Whether anything has ever been denied or limited in this process."""

timed = False
"""Whether a deadline has ever been set in this process."""

# Which of the two all roads have been bound for: 1 is armed, 2 also timed.
_bound = 0
_process: list[Rule] = []
# Made here and not when first needed: of two threads that make one at the same time, one would set what nobody reads.
_here: ContextVar[tuple[Rule, ...]] = ContextVar("skywasm rules", default=())
_until: ContextVar[float | None] = ContextVar("skywasm deadline", default=None)
# Between `deny(...)` and the `with` that makes it the context's, a rule is the process's for a moment. Before a
# young rule refuses a call, its own thread gets the time to say which of the two it is.
_YOUNG_S = 0.05
_PATIENCE_S = 0.001


class Rule:
    """A denial or a deadline: the context's within a ``with`` block, or the process's by ``everywhere``."""

    __slots__ = ("_tokens", "deadline_s", "denied", "made", "maker")

    def __init__(self, denied: Iterable[str] = (), deadline_s: float | None = None) -> None:
        self.denied: frozenset[str] = frozenset(denied)
        self.deadline_s: float | None = deadline_s
        self.made: float = time.monotonic()
        self.maker: int = _thread.get_ident()
        self._tokens: list[Token[tuple[Rule, ...]]] = []

    def everywhere(self) -> Rule:
        """Makes it the process's, until somebody enters it."""
        _arm(self.deadline_s is not None)
        _process.append(self)
        return self

    def __enter__(self) -> None:
        _arm(self.deadline_s is not None)
        self._tokens.append(_here.set((*_here.get(), self)))
        if self in _process:
            _process.remove(self)

    def __exit__(self, *exception: object) -> None:
        _here.reset(self._tokens.pop())


def _arm(deadline: bool) -> None:
    """Sees to it that rules hold from here on. Several threads may be the first at the same time."""
    global armed, timed, _bound
    wanted = 2 if deadline else 1
    if _bound >= wanted:
        return
    from skywasm import _dispatch

    if deadline:
        timed = True
    armed = True
    # Not before here: whoever finds it said relies on roads with guards.
    _dispatch.rebind()
    _bound = max(_bound, wanted)


def _rules() -> tuple[Rule, ...]:
    return (*_process, *_here.get()) if armed else ()


def denied() -> frozenset[str]:
    """The capabilities that are denied to a call made here and now."""
    return _denied_by(_rules())


def _denied_by(rules: tuple[Rule, ...]) -> frozenset[str]:
    return frozenset().union(*(rule.denied for rule in rules))


def deadline_s() -> float | None:
    """Seconds that a call made here and now may take; None without a limit."""
    return min((rule.deadline_s for rule in _rules() if rule.deadline_s is not None), default=None)


def _may_be_entered(rule: Rule) -> bool:
    """Whether a rule of the process is another thread's, and so young that it may be about to become a context's."""
    return rule.maker != _thread.get_ident() and time.monotonic() - rule.made < _YOUNG_S


def check(name: str, capabilities: Iterable[str]) -> None:
    """Raises CapabilityError when ``name`` needs one that is denied here."""
    while True:
        # Of one moment: without a global lock, rules come and go while this runs.
        process, here = tuple(_process), _here.get()
        if not _denied_by((*process, *here)).intersection(capabilities):
            return
        settled = (rule for rule in process if not _may_be_entered(rule))
        refused = _denied_by((*settled, *here)).intersection(capabilities)
        if refused:
            break
        time.sleep(_PATIENCE_S)
    which = " and ".join(repr(one) for one in sorted(refused))
    raise CapabilityError(f"{name} needs the capability {which}, which skywasm.sandbox.deny() has denied")


def begin(name: str, capabilities: Iterable[str]) -> Token[float | None] | None:
    """Begins a public call: refuses it, or sets its clock going where there is a deadline. ``end`` takes the result."""
    check(name, capabilities)
    seconds = deadline_s()
    if seconds is None:
        return None
    from skywasm import _dispatch

    # Loading the engine is no part of the call.
    _dispatch.load_where_forced()
    until = time.monotonic() + seconds
    outer = _until.get()
    return _until.set(until if outer is None else min(until, outer))


def end(begun: Token[float | None] | None) -> None:
    """Ends what ``begin`` began."""
    if begun is not None:
        _until.reset(begun)


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


def guarded(name: str, capabilities: tuple[str, ...], road: Callable[..., Any]) -> Callable[..., Any]:
    """A road that asks first."""

    def guard(*args: Any, **kwargs: Any) -> Any:
        begun = begin(name, capabilities)
        try:
            return road(*args, **kwargs)
        finally:
            end(begun)

    return guard


def batch(*capabilities: str) -> Callable[[Function], Function]:
    """Marks a function of ``skywasm.batch``, which has no road of its own, as needing these capabilities."""

    def mark(function: Function) -> Function:
        guard = guarded(f"batch.{function.__name__}", capabilities, function)

        def road(*args: Any, **kwargs: Any) -> Any:
            return guard(*args, **kwargs) if armed else function(*args, **kwargs)

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
        return guarded("a batch", (), work)()
