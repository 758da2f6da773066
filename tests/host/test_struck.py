"""Whose exception it is: an operation's own, or a signal handler's in the middle of it."""

from __future__ import annotations

import functools
import signal

import pytest

from host_shims.struck import let_out

posix = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal of its own")


class Handler:
    """Handlers of every kind, none of which keeps the frame that it is given."""

    def method(self, *given: object) -> None:
        del given
        raise TimeoutError("the program's own")

    def __call__(self, number: int, frame: object) -> None:
        del number, frame
        raise TimeoutError("the program's own")


def plain(number: int, frame: object) -> None:
    del number, frame
    raise TimeoutError("the program's own")


KINDS = {
    "function": plain,
    "method": Handler().method,
    "object": Handler(),
    "partial": functools.partial(plain),
}


def operation() -> str:
    """An operation of the package's, struck in the middle, which answers for what is an error of the file."""
    try:
        signal.raise_signal(signal.SIGUSR1)
    except OSError as error:
        let_out(error)
    return "answered"


@posix
@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_that_lets_go_of_its_frame(kind: str) -> None:
    """What it raises comes out, whatever it is and whatever it did with the frame."""
    before = signal.signal(signal.SIGUSR1, KINDS[kind])
    try:
        with pytest.raises(TimeoutError, match="the program's own"):
            operation()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_what_stands_in_a_functions_place() -> None:
    """A mock that raises is the operation itself."""

    def stat(path: str) -> None:
        raise FileNotFoundError(path)

    def asked() -> str:
        try:
            stat("x")
        except OSError as error:
            let_out(error)
        return "answered"

    assert asked() == "answered"
