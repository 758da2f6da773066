"""A file that a report goes to: in the end it is whole, or as it was before."""

from __future__ import annotations

import contextlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Unwritable(Exception):
    """The file cannot be written; the message names it and says why."""


class File:
    """A file to be written at the end of long work, found to be writable at its beginning.

    The content goes into a new file beside it, which takes its place in one step. Whatever ends the work before
    leaves the old file as it was, and no new one. A device or a pipe is written as it is.

    Raises (on entering and on writing):
        Unwritable: it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._name = path
        # Through links: the file they lead to is the one to replace.
        self._path = os.path.realpath(path)
        self._beside = ""
        self._mode = 0

    def __enter__(self) -> File:
        try:
            if self._is_replaced():
                self._make()
        except OSError as error:
            raise self._refusal(error) from None
        return self

    def _make(self) -> None:
        """Makes the new file. Its name is known before it is there, so that Ctrl-C in between leaves none behind."""
        folder, name = os.path.split(self._path)
        beside = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}")
        try:
            os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._beside = beside
        except OSError:
            # It was not made.
            raise
        except BaseException:
            _forget(beside)
            raise

    def _is_replaced(self) -> bool:
        """Whether a new file takes its place; sets the mode that one gets."""
        try:
            state = os.stat(self._path)
        except FileNotFoundError:
            # What any new file would get. The mask cannot be read without setting it.
            mask = os.umask(0o077)
            os.umask(mask)
            self._mode = 0o666 & ~mask
            return True
        if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):
            # A folder is refused here, and a file that must not be written must not be replaced either.
            with open(self._path, "ab"):
                self._mode = stat.S_IMODE(state.st_mode)
            return True
        return False

    def _refusal(self, error: OSError) -> Unwritable:
        reason = error.strerror or str(error)
        folder = os.path.dirname(self._path)
        if isinstance(error, FileNotFoundError) and not os.path.isdir(folder):
            reason = f"the folder {folder} does not exist; make it first"
        elif isinstance(error, IsADirectoryError):
            reason = "it is a folder; name a file in it"
        return Unwritable(f"cannot write {self._name}: {reason}")

    def write(self, content: str) -> None:
        """Puts the content into place, as UTF-8."""
        try:
            # Surrogates, which names of files may smuggle in, are escaped.
            with open(self._beside or self._path, "wb") as file:
                file.write(content.encode("utf-8", "backslashreplace"))
                if not self._beside:
                    return
                file.flush()
                os.fsync(file.fileno())
            os.chmod(self._beside, self._mode)
            os.replace(self._beside, self._path)
        except OSError as error:
            raise self._refusal(error) from None
        self._beside = ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._beside:
            _forget(self._beside)


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
