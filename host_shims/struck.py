"""Tells an exception of an operation from one that a signal handler raised while it ran."""

from __future__ import annotations

_OURS = ("host_shims", "skywasm", "road to ")


def let_out(error: BaseException, *modules: str) -> None:
    """Raises ``error`` again when it did not come out of the operation itself. Call it first in the ``except``.

    An exception of a C function has the frame that called it as its last one, and that is a frame of this package.
    What a signal handler raises in the middle of it, a TimeoutError for example, which is an OSError too, has the
    handler's frame below that. ``modules`` are others whose exceptions are answers, such as ``hashlib``.
    """
    trace = error.__traceback__
    if trace is None:
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    name = str(trace.tb_frame.f_globals.get("__name__"))
    if not name.startswith(_OURS) and name.partition(".")[0] not in modules:
        raise error
