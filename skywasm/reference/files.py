"""Hashes and last lines of files."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from typing import Any

    from host_shims._contract import PathOrFd
    from skywasm.api import HashObject

__all__ = ["hash_file", "read_last_n_lines"]

# The first block is small enough for Python's allocator to have at hand, and holds most files that are hashed.
_FIRST_BLOCK = 32 * 1024
_READ_BLOCK = 128 * 1024
_READ_FLAGS = (os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0),)
# hashlib.new() asks OpenSSL by way of one more Python call, a hundredth of the time for a small file.
# PyPy 3.9 takes annotated globals only above the function that assigns them.
_new_hash: Callable[[str], HashObject] | None = None
_openssl_new: Callable[[str], HashObject] | None = None
_OPENSSL_NAMES = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))


def update_from(descriptor: int, digest: HashObject) -> None:
    """Takes in a file from where it stands to its end."""
    block = os.read(descriptor, _FIRST_BLOCK)
    while block:
        digest.update(block)
        block = os.read(descriptor, _READ_BLOCK)


def _find_hashes() -> Callable[[str], HashObject]:
    """Binds ``_new_hash``, and ``_openssl_new`` where hashlib rests on OpenSSL."""
    global _new_hash, _openssl_new
    import hashlib

    _new_hash = hashlib.new
    try:
        from _hashlib import new as _openssl_new
    except ImportError:
        _openssl_new = None
    return _new_hash


def new_hash(hash_alg: str) -> HashObject:
    """A hash of no bytes yet, made as ``hashlib.new`` does: by OpenSSL, or where that refuses by Python itself."""
    if hash_alg in _OPENSSL_NAMES and _openssl_new is not None:
        try:
            return _openssl_new(hash_alg)
        except ValueError:
            pass
    return (_new_hash or _find_hashes())(hash_alg)


def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    # Opened first: a missing file counts for more than an unknown algorithm.
    if type(path) is not str:
        with open(path, "rb", 0) as file:
            digest = new_hash(hash_alg)
            update_from(file.fileno(), digest)
        return digest
    # A file object costs as much as hashing a small file. From os.open to the list all is done in C, so that no
    # signal can strike in between and lose the descriptor.
    opened: list[int] = []
    try:
        opened += map(os.open, (path,), _READ_FLAGS)
        digest = new_hash(hash_alg)
        descriptor = opened[0]
        block = os.read(descriptor, _FIRST_BLOCK)
        while block:
            digest.update(block)
            block = os.read(descriptor, _READ_BLOCK)
    except (OSError, TypeError, ValueError):
        # open() words some errors in another way, and refuses a directory before anything else.
        if not opened or stat.S_ISDIR(os.fstat(opened[0]).st_mode):
            open(path, "rb", 0).close()
        raise
    finally:
        if opened:
            os.close(opened[0])
    return digest


_WINDOW_LIMIT = 1024 * 1024
_SLACK = 512
_FEW_LINES = 50


def checked_tail_arguments(n: int, chunk_size: int) -> None:
    """SkyPilot asserts these; the error stays the same when Python runs with -O."""
    if not n >= 0:
        raise AssertionError(f"n must be non-negative. Got {n}")
    if not chunk_size > 0:
        raise AssertionError(f"chunk_size must be positive. Got {chunk_size}")


def check_exists(file_path: Any) -> None:
    """As the checks above, for the file."""
    if not os.path.exists(file_path):
        raise AssertionError(f"File not found: {file_path}")


def opened_tail(file_path: Any, n: int, read: Callable[[io.FileIO], bytes]) -> bytes:
    """What ``read`` makes of the open file. Errors of the file system become SkyPilot's."""
    try:
        file = open(file_path, "rb", 0)  # noqa: SIM115 - closed below; only what opening raises is to be caught here
    except (OSError, TypeError, ValueError) as error:
        # A file that is not there is found out by opening it; that is one system call less when it is.
        check_exists(file_path)
        if not isinstance(error, OSError):
            raise
        raise _cannot_read(file_path, n, error) from error
    with file:
        try:
            return read(file)
        except OSError as error:
            raise _cannot_read(file_path, n, error) from error


def _cannot_read(file_path: Any, n: int, error: OSError) -> RuntimeError:
    return RuntimeError(f"Failed to read last {n} lines from {file_path}: {error}")


def read_exactly(file: io.FileIO, offset: int, size: int) -> bytes:
    """``size`` bytes from ``offset``, fewer only where the file has become shorter."""
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def next_window(size: int, taken: int, found: int, wanted: int) -> int:
    """How much to read next, after ``found`` newlines in ``taken`` bytes, to find ``wanted`` more."""
    if not found:
        return min(size * 2, _WINDOW_LIMIT)
    # A little more than the lines so far make likely: reading and decoding too much costs most.
    return min(max(wanted * taken // found * 9 // 8 + _SLACK, _SLACK), _WINDOW_LIMIT)


def _without_earlier_lines(data: bytes, n: int) -> bytes:
    """The last ``n`` lines' bytes, for a small ``n``: finding them costs less than decoding those before."""
    at = len(data) - data.endswith(b"\n")
    for _ in range(n):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return data
    return data[at + 1 :]


def _read_tail(file: io.FileIO, n: int, chunk_size: int) -> bytes:
    """The end of the file with ``n`` lines in it, or all of it; for a large ``n`` a few lines more."""
    end = position = file.seek(0, os.SEEK_END)
    windows: list[bytes] = []
    newlines = 0
    size = chunk_size
    while position > 0 and newlines <= n:
        size = min(size, position)
        position -= size
        window = read_exactly(file, position, size)
        windows.append(window)
        newlines += window.count(b"\n")
        size = next_window(size, end - position, newlines, n + 1 - newlines)
    windows.reverse()
    data = windows[0] if len(windows) == 1 else b"".join(windows)
    return _without_earlier_lines(data, n) if n <= _FEW_LINES and isinstance(n, int) else data


# Decoding a whole block gives the same as decoding each line for these: a newline byte is a newline, no
# character spans it, and the handlers neither raise nor look beyond the broken bytes.
_WHOLE_BLOCK_ENCODINGS = frozenset(("utf-8", "utf8", "UTF-8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"))
_WHOLE_BLOCK_ERRORS = frozenset(("replace", "ignore", "surrogateescape", "backslashreplace"))


def _breaks_elsewhere(data: bytes, text: str) -> bool:
    """Whether splitlines() would break the text at more than newlines. Written out: a loop takes twice as long.

    Control characters are looked for in the bytes, where that is faster than in a text of wide characters.
    """
    if b"\r" in data or b"\v" in data or b"\f" in data or b"\x1c" in data or b"\x1d" in data or b"\x1e" in data:
        return True
    return not text.isascii() and ("\x85" in text or "\u2028" in text or "\u2029" in text)


def _whole_lines(data: bytes, text: str, n: int) -> list[str]:
    """The last ``n`` lines of a block and what it was decoded to."""
    ends = data.endswith(b"\n")
    # The ignore handler may have dropped all that stood behind the last newline.
    if text and text.endswith("\n") is ends and not _breaks_elsewhere(data, text):
        lines = text.splitlines(True)
        if type(n) is not int or len(lines) > n:
            lines = lines[-n:]
        if ends:
            lines[-1] = lines[-1][:-1]
        return lines
    lines = text.split("\n")
    # The text and the list as it was are not needed beside the new lines: for large files memory counts.
    del text
    if ends:
        lines.pop()
    lines = lines[-n:]
    for index, line in enumerate(lines):
        lines[index] = line.rstrip("\r") + "\n"
    lines[-1] = lines[-1][:-1]
    return lines


def last_lines(data: bytes, n: int, encoding: str, errors: str) -> list[str]:
    """The last ``n`` lines of ``data``, decoded; all but the last get a newline, carriage returns before it go."""
    if not data:
        return []
    known = type(encoding) is str and type(errors) is str
    if known and encoding in _WHOLE_BLOCK_ENCODINGS and errors in _WHOLE_BLOCK_ERRORS:
        return _whole_lines(data, data.decode(encoding, errors), n)
    rows = data.split(b"\n")
    if not rows[-1]:
        rows.pop()
    lines = [row.decode(encoding, errors).rstrip("\r") + "\n" for row in rows[-n:]]
    lines[-1] = lines[-1][:-1]
    return lines


def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    checked_tail_arguments(n, chunk_size)
    if n == 0:
        check_exists(file_path)
        return []
    data = opened_tail(file_path, n, lambda file: _read_tail(file, n, chunk_size))
    return last_lines(data, n, encoding, errors)
