"""``skywasm hash``: digests in the format of sha256sum and its kin."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from skywasm.cli import _files, _output
from skywasm.cli._command import FINE, WRONG, Command, Failure, UsageError, add_json, require_known_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import Any, Union

    from skywasm.cli._files import Found

    # A name, and its digest or why there is none.
    Row = tuple[str, Union[str, OSError]]

_PROGRAM = "skywasm hash"
_DEFAULT = "sha256"
# The most bytes that a digest of free length is asked for; a program that needs more has the library.
_LENGTH_LIMIT = 1024 * 1024
# Files hashed at a time: enough for all lanes and threads, and output about twice a second.
_LEAST_FILES, _FIRST_FILES, _MOST_FILES = 32, 128, 8192
_PAUSE_SECONDS = 0.5
# MD5 in the sandbox saves a millisecond a MiB, so this much pays for loading the engine, compilation excepted.
_BYTES_FOR_ENGINE = 128 * 1024 * 1024


class _Algorithm:
    """The algorithm that was asked for: its name, and its length in bytes where it has none of its own."""

    def __init__(self, asked: str, length: int | None) -> None:
        self.name, size = _known(asked)
        self._length = length
        self._warm = False
        if size == 0 and length is None:
            raise UsageError(f"{self.name} has no length of its own: add --length BYTES, for example --length 32")
        if size and length is not None:
            raise UsageError(f"a digest of {self.name} always has {size} bytes: leave out --length")
        if length is not None and not 0 < length <= _LENGTH_LIMIT:
            raise UsageError(f"--length is {length}; it must be 1 to {_LENGTH_LIMIT}")

    def digests(self, names: Sequence[str]) -> list[str | OSError]:
        """The digests of files in hexadecimal, many at once where that can be; ``-`` is standard input."""
        import skywasm
        from skywasm import batch

        if len(names) == 1 or "-" in names or self._length is not None:
            return [self._digest(name) for name in names]
        if self.name == "md5" and not self._warm and _size(names) >= _BYTES_FOR_ENGINE:
            # The library reckons with small files.
            skywasm.warm_up()
            self._warm = True
        results = batch.hash_files(names, self.name, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result
        return results

    def _digest(self, name: str) -> str | OSError:
        from skywasm.functions import hashing

        try:
            # A copy of the descriptor: hash_file closes what it has read.
            result: Any = hashing.hash_file(os.dup(0) if name == "-" else name, self.name)
        except OSError as error:
            return error
        text: str = result.hexdigest() if self._length is None else result.hexdigest(self._length)
        return text

    def refusal(self, error: ValueError) -> str:
        """Why an algorithm that is known cannot be had: it is the sandbox's alone, hashlib's alone, or forbidden."""
        import hashlib

        if _works(self.name) or self.name in hashlib.algorithms_available:
            return str(error)
        return (
            f"{self.name} is computed by the sandbox only, which is switched off or does not run; "
            "`skywasm check` tells more"
        )


def _size(names: Sequence[str]) -> int:
    """The bytes in some files, as far as can be told."""
    total = 0
    for name in names:
        with contextlib.suppress(OSError):
            total += os.stat(name).st_size
    return total


def _known(asked: str) -> tuple[str, int]:
    """An algorithm's proper name and digest size; 0 where the length is free."""
    import hashlib

    from skywasm.functions import hashing

    inside = hashing.find(asked)
    if inside is not None:
        return inside.name, inside.digest_size
    try:
        return asked, hashlib.new(asked).digest_size
    except ValueError:
        raise UsageError(f"unknown algorithm {asked!r}; known are {', '.join(_all_names())}") from None


def _all_names() -> list[str]:
    import hashlib

    from skywasm.functions import hashing

    others = [name for name in hashlib.algorithms_available if hashing.find(name) is None and _works(name)]
    return [*(algorithm.name for algorithm in hashing.ALGORITHMS), *sorted(others)]


def _works(name: str) -> bool:
    import hashlib

    try:
        hashlib.new(name)
    except ValueError:
        # OpenSSL lists what it knows of, also what it has been built or told not to do.
        return False
    return True


def _line(digest: str, name: str) -> bytes:
    """A line as coreutils prints it: a name that would break the line is escaped, and a backslash in front says so.

    On Windows no name holds a backslash. It separates there, as a slash does, and with slashes the line needs no
    escaping and can be checked on every system, which is why b3sum and the coreutils in Rust write them too.
    """
    if os.name == "nt":
        name = name.replace("\\", "/")
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return os.fsencode(f"{mark}{digest}  {escaped}\n")


def _problem(error: OSError, name: str) -> str:
    # To open a folder is "Permission denied" on Windows.
    if isinstance(error, IsADirectoryError) or (os.name == "nt" and os.path.isdir(name)):
        return "Is a directory; add -r to hash all files in it"
    return error.strerror or str(error)


def _pieces(found: Sequence[Found]) -> Iterator[Sequence[Found]]:
    """Cuts the work into pieces, each as large as can be done until the next output is due."""
    first, count = 0, _FIRST_FILES
    while first < len(found):
        start = time.monotonic()
        yield found[first : first + count]
        first += count
        fitting = count * _PAUSE_SECONDS / max(time.monotonic() - start, _PAUSE_SECONDS / _MOST_FILES)
        count = min(max(int(fitting), _LEAST_FILES), _MOST_FILES)


def _rows(algorithm: _Algorithm, piece: Sequence[Found]) -> list[Row]:
    """The names of a piece, each with its digest or its error."""
    digests = iter(algorithm.digests([name for name in piece if isinstance(name, str)]))
    return [(name, next(digests)) if isinstance(name, str) else name for name in piece]


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    algorithm = _Algorithm(options.alg, options.length)
    with _output.progress("looking for files"):
        found = list(_files.found(options.files, options.recursive))
    status = FINE
    told: list[dict[str, str]] = []
    # Lines that scroll by on a terminal show progress themselves.
    with _output.progress("hashing", len(found), options.json or not sys.stdout.isatty()) as advance:
        try:
            for piece in _pieces(found):
                rows = _rows(algorithm, piece)
                told += _tell(rows, options.json)
                if any(isinstance(result, OSError) for _, result in rows):
                    status = WRONG
                advance(len(piece))
        except ValueError as error:
            raise Failure(algorithm.refusal(error)) from None
    if options.json:
        _output.write_json({"algorithm": algorithm.name, "ok": status == FINE, "files": told})
    return status


def _tell(rows: Sequence[Row], as_json: bool) -> list[dict[str, str]]:
    """Prints lines and complaints in their order; gives what ``--json`` prints at the end."""
    lines: list[bytes] = []
    told = []
    for name, result in rows:
        if isinstance(result, OSError):
            _output.write_bytes(b"".join(lines))
            lines.clear()
            _output.complain(_PROGRAM, f"{name or repr('')}: {_problem(result, name)}")
            told.append({"file": name, "error": _problem(result, name)})
        else:
            lines.append(b"" if as_json else _line(result, name))
            told.append({"file": name, "digest": result})
    _output.write_bytes(b"".join(lines))
    return told if as_json else []


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file to hash; - is standard input")
    parser.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="hash all files in each FILE that is a folder, in the order of their names as bytes; links and special "
        "files in it are left out, as by `find FOLDER -type f`",
    )
    parser.add_argument(
        "--alg",
        default=_DEFAULT,
        metavar="NAME",
        help="md5, sha1, sha256 (default), sha512, sha3_256, blake2b, blake3 and more; "
        "an unknown name gets the whole list",
    )
    parser.add_argument(
        "--length",
        type=int,
        metavar="BYTES",
        help="length of the digest, for shake_128 and shake_256, which have none of their own",
    )
    add_json(parser)


COMMAND = Command(
    name="hash",
    summary="print digests of files, in the format of sha256sum",
    description="Print a digest of each file, in the format of sha256sum and md5sum, which can check it with -c. "
    "Many files are hashed at once.",
    example="  skywasm hash --alg md5 task.yaml setup.sh\n"
    "  skywasm hash -r wheels > SHA256SUMS && sha256sum -c SHA256SUMS\n"
    "  tar -c src | skywasm hash --alg blake3 -",
    fine="every file was hashed",
    wrong="a file or folder could not be read (the others are still hashed), or the algorithm cannot be had here",
    add_arguments=_add_arguments,
    run=_run,
)
