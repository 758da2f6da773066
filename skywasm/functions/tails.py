"""The last lines of files."""

from __future__ import annotations

import os

from host_shims.paths import exists
from host_shims.struck import let_out
from skywasm.errors import NeedsReference, TrapError
from skywasm.functions.declare import COMMON, MIXED, crossing, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from typing import Any

    from host_shims.contract import PathOrFd

_WINDOW_LIMIT = 1024 * 1024
_SLACK = 512
_FEW_LINES = 50
# From about here on, finding the first line in the artifact saves more than the crossing costs.
_MANY_LINES = 200


def _has_many_lines(file_path: PathOrFd, n: int, *rest: object, **named: object) -> bool:  # noqa: ARG001 - see below
    # The parameters are read_last_n_lines's, as they are given.
    return isinstance(n, int) and n >= _MANY_LINES


@function(
    replaces=COMMON,
    auto=MIXED,
    why="making the lines costs most; for many lines the artifact finds the first one faster",
    when=_has_many_lines,
    asks=("files",),
    examples={
        "10 lines": lambda place: (place.log(), 10),
        "100 lines": lambda place: (place.log(), 100),
        "1000 lines": lambda place: (place.log(), 1000),
        "10000 lines": lambda place: (place.log(), 10_000),
        "3 lines, broken UTF-8": lambda place: (place.broken_log(), 3),
    },
)
def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    r"""Read the last lines of a file, from its end.

    Args:
        file_path: the file. A named pipe blocks.
        n: how many lines, at least 0.
        chunk_size: bytes of the first read, at least 1; later ones are larger. The result does not depend on it.
        encoding: any Python encoding. Lines are split at newline bytes first and decoded after.
        errors: any Python error handler.

    Returns:
        The lines, each with ``"\n"`` but for the last, which never has one: add it when you print. Carriage
        returns before a newline are dropped.

    Raises:
        AssertionError: n is negative, chunk_size is not positive, or there is no such file.
        RuntimeError: the file cannot be read; its cause is the OSError.
        UnicodeDecodeError, LookupError: as decoding raises them.

    Cost: about 12 us and 0.1 to 0.3 us a line; how long the file is does not matter. Memory: the lines and their bytes.

    Source: ``sky.utils.common_utils.read_last_n_lines``.
    """
    _check_arguments(n, chunk_size)
    if n == 0:
        _check_exists(file_path)
        return []
    data = _opened(file_path, n, lambda file: _read_tail(file, n, chunk_size))
    return _last_lines(data, n, encoding, errors)


def _check_arguments(n: int, chunk_size: int) -> None:
    """SkyPilot asserts these; the error stays the same when Python runs with -O."""
    if not n >= 0:
        raise AssertionError(f"n must be non-negative. Got {n}")
    if not chunk_size > 0:
        raise AssertionError(f"chunk_size must be positive. Got {chunk_size}")


def _check_exists(file_path: Any) -> None:
    """As the checks above, for the file."""
    if not exists(file_path):
        raise AssertionError(f"File not found: {file_path}")


def _opened(file_path: Any, n: int, read: Callable[[io.FileIO], bytes]) -> bytes:
    """What ``read`` makes of the open file. Errors of the file system become SkyPilot's."""
    try:
        file = open(file_path, "rb", 0)  # noqa: SIM115 - closed below; only what opening raises is to be caught here
    except (OSError, TypeError, ValueError) as error:
        let_out(error)
        # A file that is not there is found out by opening it; that is one system call less when it is.
        _check_exists(file_path)
        if not isinstance(error, OSError):
            raise
        raise _cannot_read(file_path, n, error) from error
    with file:
        try:
            return read(file)
        except OSError as error:
            let_out(error)
            raise _cannot_read(file_path, n, error) from error


def _cannot_read(file_path: Any, n: int, error: OSError) -> RuntimeError:
    return RuntimeError(f"Failed to read last {n} lines from {file_path}: {error}")


def _read_exactly(file: io.FileIO, offset: int, size: int) -> bytes:
    """``size`` bytes from ``offset``, fewer only where the file has become shorter."""
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _next_window(size: int, taken: int, found: int, wanted: int) -> int:
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
        window = _read_exactly(file, position, size)
        windows.append(window)
        newlines += window.count(b"\n")
        size = _next_window(size, end - position, newlines, n + 1 - newlines)
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


def _last_lines(data: bytes, n: int, encoding: str, errors: str) -> list[str]:
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


# What is read first, where more than a chunk is: one crossing less where lines are of a common length.
_COMMON_LINE = 96
# A number of lines that crosses as 64 bits; no file comes near.
_MOST_LINES = 2**62
_TWO_NUMBERS = 16


@crossing(read_last_n_lines)
def _through_the_artifact(core: Any) -> Callable[..., list[str]]:
    def road(
        file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
    ) -> list[str]:
        # Before the file is opened: a descriptor is used up by that.
        if type(n) is not int or not isinstance(chunk_size, int):
            raise NeedsReference
        _check_arguments(n, chunk_size)
        if n == 0:
            _check_exists(file_path)
            return []
        data = _opened(file_path, n, lambda file: _scan_tail(core, file, n, chunk_size))
        return _last_lines(data, n, encoding, errors)

    return road


def _scan_tail(core: Any, file: io.FileIO, n: int, chunk_size: int) -> bytes:
    """The bytes of the last ``n`` lines, found by the artifact."""
    end = position = file.seek(0, os.SEEK_END)
    wanted = min(n, _MOST_LINES)
    windows: list[bytes] = []
    size = min(max(chunk_size, wanted * _COMMON_LINE), _WINDOW_LIMIT)
    while position > 0 and wanted > 0:
        size = min(size, position)
        position -= size
        window = _read_exactly(file, position, size)
        if not windows and window.endswith(b"\n"):
            # The newline that ends the last line does not begin another.
            wanted += 1
        found, start = _two_numbers(core.call("read_last_n_lines", window, wanted))
        wanted -= found
        windows.append(window[start:] if wanted == 0 else window)
        size = _next_window(size, end - position, n + 1 - wanted, wanted)
    windows.reverse()
    return b"".join(windows)


def _two_numbers(out: bytes) -> tuple[int, int]:
    """The two unsigned numbers of 64 bits in an answer."""
    if len(out) != _TWO_NUMBERS:
        raise TrapError(f"the artifact gave {len(out)} bytes for two numbers")
    return int.from_bytes(out[:8], "little"), int.from_bytes(out[8:], "little")
