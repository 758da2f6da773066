"""Tells an exception of an operation from one that a signal handler raised while it ran."""

from __future__ import annotations


def let_out(error: BaseException, *files: str) -> None:
    """Raises ``error`` again when it did not come out of the operation itself. Call it first in the ``except``.

    What a C function raises has the frame that called it as its last one; what a signal handler raises in the middle of
    it has the handler's frame below that. So the last frame must be that of the ``try`` itself, or lie in one of
    ``files`` where the operation is a function of ours.
    """
    trace = error.__traceback__
    if trace is None or trace.tb_next is None:
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    if trace.tb_frame.f_code.co_filename not in files:
        raise error
