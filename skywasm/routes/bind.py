"""The road that each function takes in the mode in force, and the code that sends it there.

While Python answers, a public function is its body. Where calls cross, are counted or guarded, its code is exchanged
for a forwarder to its road, a module variable beside it. A function's road is laid at its first call in a state of
things, so that nothing is made for functions that nobody calls.
"""

from __future__ import annotations

import _thread
import os

from skywasm.crossing import rules
from skywasm.errors import BeingLoaded, CoreUnavailableError, TrapError
from skywasm.functions import declare
from skywasm.functions.declare import MIXED, PYTHON
from skywasm.loading import under
from skywasm.routes import core, failures, paying
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.functions.declare import Row

    Road = Callable[..., Any]

on_undecided: list[Callable[[], None]] = []
"""Called when roads are to be found out anew: whoever keeps roads of its own forgets them."""

# What a batch's crossing takes more than beginning in Python.
_CROSSING_US = 3
_ADVICE = "use the backend 'auto' or 'python' for it"
# Held for a few assignments only.
_binding = _thread.RLock()


def _after_fork_in_child() -> None:
    global _binding
    _binding = _thread.RLock()
    if modes.decided() == "auto":
        # The parent's engine is not the child's: roads that would load one begin anew.
        undecide()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _state() -> tuple[object, ...]:
    """All that roads depend on."""
    return modes.mode(), rules.armed, rules.timed, is_warm(), failures.reason


def is_warm() -> bool:
    """Whether calls may go to the artifact without loading it first."""
    return core.if_loaded() is not None


def undecide() -> None:
    """Lets the next call of each function find out its road. Right in every state of things."""
    declare.undecide(lay)
    for forget in on_undecided:
        forget()


def bind() -> None:
    """Lets every function take the road of the state of things from its next call on.

    Threads may do this at the same time. Roads that were laid for another state never replace those of the last one: a
    denial that has been said would not hold.
    """
    undecide()


def rebind() -> None:
    """As ``bind``, where roads have been laid already."""
    if modes.decided() is not None:
        bind()


rules.listeners.append(rebind)


def lay(row: Row) -> None:
    """Lays the road of one function, for the state of things."""

    def point(road: Road | None) -> None:
        if road is None:
            row.function.__code__ = row.reference.__code__
        else:
            declare.point(row, road)

    in_this_state(lambda: _road(row), point)


def in_this_state(make: Callable[[], Any], point: Callable[[Any], None]) -> None:
    """Makes something for the state of things, and points calls to it unless that has changed by then."""
    while True:
        state = _state()
        made = make()
        under(_binding, lambda: point(made) if _state() == state else None)  # noqa: B023 - called at once
        # A signal handler may have come in between.
        if _state() == state:
            return


def _road(row: Row) -> Road | None:
    """The road of a function; None where its body answers."""
    road = _unguarded(row)
    if rules.timed or (rules.armed and row.asks):
        return rules.guarded(row.name, row.asks, road or row.reference)
    return road


def _unguarded(row: Row) -> Road | None:
    mode = modes.mode()
    if mode == "python":
        return None
    if mode == "wasm":
        return crossing(row, forced=True)
    if row.auto == MIXED:
        return _mixed(row)
    if row.auto == PYTHON or failures.reason is not None:
        return None
    return crossing(row, forced=False) if is_warm() else _counted(row)


def crossing(row: Row, *, forced: bool) -> Road:
    """The road of a function through the artifact; ``forced``: failures are errors, never Python's to answer.

    Raises:
        CoreUnavailableError: where forced, the artifact cannot be used.
    """
    module = core.core()
    from skywasm.crossing.calls import Way

    way = Way(module, row.exports[0], row.reference, forced, fell_back, row.fallback, _ADVICE)
    if row.crossing is not None:
        return way.by(row.crossing(module))
    if rules.timed:
        # A generated road keeps the GIL, and while others cannot run no deadline can be kept.
        return way.general
    from skywasm.crossing import roads

    return roads.road(way, defaults(row), None if forced else row.shorter)


def defaults(row: Row) -> dict[str, Any]:
    """The defaults of a function's parameters by name."""
    code, values = row.reference.__code__, row.reference.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    return dict(zip(names[len(names) - len(values) :], values))


def _mixed(row: Row) -> Road:
    """The artifact for the arguments that it is faster or alone with, the body for all others."""
    when, python = row.when, row.reference
    through: Road | None = None

    def road(*args: Any) -> Any:
        nonlocal through
        if when(*args) and (row.loads or is_warm()):  # type: ignore[misc]
            if through is None:
                try:
                    through = crossing(row, forced=False)
                except CoreUnavailableError as error:
                    return _in_its_place(row, error, args)
            return through(*args)
        return python(*args)

    return road


def _in_its_place(row: Row, error: Exception, args: Any) -> Any:
    """Python's answer where the artifact cannot even be reached."""
    fell_back(row.name, error)
    return row.fallback(error, *args) if row.fallback is not None else row.reference(*args)


def _counted(row: Row) -> Road:
    """The body, which loads the engine once so many calls have been made that it would have paid."""
    left, python = paying.WARM_AFTER_CALLS, row.reference

    def road(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left <= 0:
            left = paying.WARM_AFTER_CALLS
            load_when_paid(paying.LOADING_US)
        return python(*args)

    return road


def fell_back(name: str, error: Exception) -> None:
    """Takes note that Python answers a call of ``name`` for the artifact, which failed with ``error``."""
    failures.count(name)
    if isinstance(error, CoreUnavailableError) and not isinstance(error, BeingLoaded) and not is_warm():
        # Not one call but the engine failed to load, after a fork for example.
        failures.give_up(error)
        bind()
    else:
        failures.tell(name, error)


def load() -> None:
    """Loads the engine and takes the roads that need it.

    Raises:
        CoreUnavailableError: in ``wasm`` mode, it cannot be loaded.
    """
    try:
        core.load()
    except BeingLoaded:
        return
    except (CoreUnavailableError, TrapError) as error:
        if modes.mode() == "wasm":
            raise
        failures.give_up(error)
    bind()


def load_where_forced() -> None:
    """Loads the engine in ``wasm`` mode, where the next call would."""
    if modes.mode() == "wasm" and not is_warm():
        core.load()


rules.before_clock.append(load_where_forced)


def load_when_paid(saved_us: float) -> None:
    """Adds to what the engine would have saved, and loads it when that is as much as loading costs."""
    if paying.now(saved_us):
        load()


def batch_may_cross(saved_us: float) -> bool:
    """Whether a batch goes to the artifact in ``auto``, where crossing saves ``saved_us`` microseconds against Python.

    Before the engine is loaded, batches add up what they would have saved; when that would have paid for loading, it is
    loaded.
    """
    if saved_us < _CROSSING_US or failures.reason is not None:
        return False
    if not is_warm():
        load_when_paid(saved_us)
    return is_warm()
