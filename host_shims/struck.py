"""Tells an exception of an operation from one that a signal handler raised while it ran."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_OURS = ("host_shims", "skywasm", "road to ")


def let_out(error: BaseException, *modules: str) -> None:
    """Raises ``error`` again when it did not come out of the operation itself. Call it first in the ``except``.

    An exception of a C function has the frame that called it as its last one, and that is a frame of this package.
    What a signal handler raises in the middle of it, a TimeoutError for example, which is an OSError too, has the
    handler's frame below that. So has what a program has put in a system function's place, a mock or a file system of
    a test's, but only a handler is given a frame. ``modules`` are others whose exceptions are answers, as ``hashlib``.
    """
    trace = error.__traceback__
    if trace is None:
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    name = str(trace.tb_frame.f_globals.get("__name__"))
    if not name.startswith(_OURS) and name.partition(".")[0] not in modules and _holds_a_handler(error.__traceback__):
        raise error


def _codes_of_handlers() -> set[object]:
    """The code of the signal handlers there are: one may have let go of the frame that it was given."""
    # In the interpreter itself: the files of the standard library may be out of reach.
    from _signal import getsignal, valid_signals  # type: ignore[import-not-found]

    found = set()
    for number in valid_signals():
        handler = getsignal(number)
        # A function, a method, or an object that can be called.
        handler = getattr(handler, "func", handler)
        for one in (handler, type(handler).__call__ if callable(handler) else None):
            found.add(getattr(getattr(one, "__func__", one), "__code__", None))
    return found


def _holds_a_handler(trace: TracebackType | None) -> bool:
    """Whether one of the calls is a signal handler's, or was given a frame, as they and trace functions are."""
    codes = _codes_of_handlers()
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code in codes:
            return True
        for value in frame.f_locals.values():
            # A handler's parameters, or its ``*args``.
            if any(type(one) is type(frame) for one in (value if type(value) is tuple else (value,))):
                return True
        trace = trace.tb_next
    return False
