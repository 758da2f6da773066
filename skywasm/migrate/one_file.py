"""From a file to what would become of it; and the writing of it."""

from __future__ import annotations

import os
from typing import NamedTuple

from skywasm.migrate import _names, _replace, _walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from skywasm.migrate._findings import Note


_LARGEST = 1 << 30
# How much of an exception's text is shown.
_LONGEST = 200


class Outcome(NamedTuple):
    """What would become of one file.

    ``after`` is ``before`` where nothing changes. ``problem`` is why the file is left alone, empty when it is not.
    ``state`` tells whether the file is still the one that was read.
    """

    path: str
    before: bytes = b""
    after: bytes = b""
    uses: int = 0
    imported: int = 0
    removed: int = 0
    notes: tuple[Note, ...] = ()
    problem: str = ""
    state: tuple[int, int, int] = (0, 0, 0)
    encoding: str = "utf-8"

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != self.before


def read(path: str) -> tuple[bytes, tuple[int, int, int]]:
    """A file's bytes and state.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    # Opened, a pipe would wake whoever writes to it, and some devices do things.
    _require_regular(os.stat(path))
    # It may be another thing by now: without O_NONBLOCK a named pipe would wait for somebody to write to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _require_regular(status)
        if status.st_size > _LARGEST:
            raise OSError("too large for a program")
        return file.read(), _state(status)


def _require_regular(status: os.stat_result) -> None:
    kind = _walk.kind(status.st_mode)
    if kind:
        raise OSError(f"not a regular file but {kind}")


def migrate(path: str, reached: Collection[_names.Reached] = (), keep_imports: bool = False) -> Outcome:
    """Works out what becomes of a file; writes nothing.

    Args:
        path: the file.
        reached: what other files take from modules that merely import it, by ``_names.reached_through_others``.
        keep_imports: leave imports that nothing needs any more.

    Returns:
        The outcome. A file that cannot be read or understood is one with a ``problem``.
    """
    from skywasm.migrate import _findings, _plan, _source, _survey

    try:
        data, state = read(path)
    except OSError as error:
        return Outcome(path, problem=error.strerror or str(error))
    outcome = Outcome(path, data, data, state=state)
    if not _names.is_worth_parsing(data):
        return outcome
    module, is_package = _names.module_name(path)
    file = _findings.File(module, os.path.splitext(os.path.basename(path))[0], is_package)
    try:
        with _source.hard_work():
            source = _source.Source(data)
            survey = _survey.Survey(source.tree, module, is_package)
            plan = _plan.Plan(source, survey, file, reached, keep_imports)
            after = source.edited(plan.edits)
    except _source.Unreadable as error:
        return outcome._replace(problem=str(error))
    except BaseException as error:
        if not _is_of_the_file(error):
            raise
        return outcome._replace(problem=f"libcst cannot work on this file ({_told(error)}); a newer libcst may")
    notes = tuple(sorted(set(plan.findings.notes)))
    return outcome._replace(after=after, notes=notes, encoding=source.encoding, **plan.counts._asdict())


def _is_of_the_file(error: BaseException) -> bool:
    """Whether it is libcst that does not get along with a file: there is no telling what it raises then.

    A panic of its native part is no Exception.
    """
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _told(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_LONGEST]}" if text else type(error).__name__


def write(outcome: Outcome) -> None:
    """Puts the new content in place of the old, with all that the file has besides: see ``_replace``.

    Raises:
        OSError: it cannot be written, or is no longer the file that was read.
    """
    # Of a link the file that it points to is replaced.
    path = os.path.realpath(outcome.path)
    status = os.stat(path)
    if _state(status) != outcome.state:
        raise OSError("changed while it was looked at; run again")
    if not os.access(path, os.W_OK):
        raise PermissionError("is write-protected")
    _replace.replace(path, outcome.before, outcome.after, status)


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
