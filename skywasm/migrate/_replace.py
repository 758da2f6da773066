"""New content for a file that keeps its mode, owner, access lists, extended attributes and other names.

Mostly a new file takes its place in one step. Where that would lose something, or cannot be known not to, the content
is written into the file itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def replace(path: str, before: bytes, after: bytes, status: os.stat_result) -> None:
    """Puts ``after`` in place of ``before``; ``path`` is no link.

    Raises:
        OSError: it cannot be written; then it is as it was.
    """
    try:
        with _beside(path) as (temporary, descriptor):
            _fill(descriptor, after)
            if status.st_nlink == 1 and _dressed(descriptor, path, status):
                os.replace(temporary, path)
                return
    except PermissionError:
        # No new file may be made beside it.
        pass
    _write_into(path, before, after, status)


@contextlib.contextmanager
def _beside(path: str) -> Iterator[tuple[str, int]]:
    """A new file that only its owner may read; it is gone at the end unless it has been moved."""
    # The name is known before the file is there, so that Ctrl-C in between leaves none behind.
    temporary = os.path.join(os.path.dirname(path), f".skywasm-{os.urandom(8).hex()}.tmp")
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600), "wb", buffering=0) as file:
            yield temporary, file.fileno()
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _dressed(descriptor: int, path: str, status: os.stat_result) -> bool:
    """Gives a new file all that the old one has; False where something would be lost.

    The mode comes last: before the access list is there it would give to all what that keeps from some.
    """
    if not hasattr(os, "listxattr"):
        # Windows and macOS have access lists that Python does not tell of.
        return False
    try:
        if _owner(os.fstat(descriptor)) != _owner(status):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        _copy_attributes(path, descriptor)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        made = os.fstat(descriptor)
    except OSError:
        return False
    same_mode = stat.S_IMODE(made.st_mode) == stat.S_IMODE(status.st_mode)
    return same_mode and _owner(made) == _owner(status) and _attributes(descriptor) == _attributes(path)


def _owner(status: os.stat_result) -> tuple[int, int]:
    return status.st_uid, status.st_gid


def _copy_attributes(path: str, descriptor: int) -> None:
    """Access lists are among the extended attributes, and a folder gives some of its own to new files."""
    wanted, there = _attributes(path), _attributes(descriptor)
    for name in there.keys() - wanted.keys():
        os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if there.get(name) != value:
            os.setxattr(descriptor, name, value)


def _attributes(file: str | int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise


def _write_into(path: str, before: bytes, after: bytes, status: os.stat_result) -> None:
    """Writes into the file itself, and the old content again where that fails."""
    with open(path, "r+b", buffering=0) as file:
        if file.read() != before:
            raise OSError("changed while it was looked at; run again")
        try:
            _fill(file.fileno(), after)
        except BaseException:
            _fill(file.fileno(), before)
            raise
    if stat.S_IMODE(os.stat(path).st_mode) != stat.S_IMODE(status.st_mode):
        # Writing takes away the bits that lend the owner's rights. Only the owner may put them back.
        with contextlib.suppress(PermissionError):
            os.chmod(path, stat.S_IMODE(status.st_mode))


def _fill(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)
