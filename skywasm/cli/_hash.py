"""``skywasm hash``: digests in the format of sha256sum and its kin."""

from __future__ import annotations

import os

from skywasm.cli import _output
from skywasm.cli._command import FINE, Command, Failure, UsageError, add_json, require_known_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

_PROGRAM = "skywasm hash"
_DEFAULT = "sha256"
# The most bytes that a digest of free length is asked for; a program that needs more has the library.
_LENGTH_LIMIT = 1024 * 1024


class _Algorithm:
    """The algorithm that was asked for: its name, and its length in bytes where it has none of its own."""

    def __init__(self, asked: str, length: int | None) -> None:
        self.name, size = _known(asked)
        self._length = length
        if size == 0 and length is None:
            raise UsageError(f"{self.name} has no length of its own: add --length BYTES, for example --length 32")
        if size and length is not None:
            raise UsageError(f"a digest of {self.name} always has {size} bytes: leave out --length")
        if length is not None and not 0 < length <= _LENGTH_LIMIT:
            raise UsageError(f"--length is {length}; it must be 1 to {_LENGTH_LIMIT}")

    def digest(self, name: str) -> str:
        """The digest of a file in hexadecimal; ``-`` is standard input."""
        import skywasm

        # A copy of the descriptor: hash_file closes what it has read.
        result: Any = skywasm.hash_file(os.dup(0) if name == "-" else name, self.name)
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


def _known(asked: str) -> tuple[str, int]:
    """An algorithm's proper name and digest size; 0 where the length is free."""
    import hashlib

    from skywasm import _hashes

    inside = _hashes.find(asked)
    if inside is not None:
        return inside.name, inside.digest_size
    try:
        return asked, hashlib.new(asked).digest_size
    except ValueError:
        raise UsageError(f"unknown algorithm {asked!r}; known are {', '.join(_all_names())}") from None


def _all_names() -> list[str]:
    import hashlib

    from skywasm import _hashes

    others = [name for name in hashlib.algorithms_available if _hashes.find(name) is None and _works(name)]
    return [*(algorithm.name for algorithm in _hashes.ALGORITHMS), *sorted(others)]


def _works(name: str) -> bool:
    import hashlib

    try:
        hashlib.new(name)
    except ValueError:
        # OpenSSL lists what it knows of, also what it has been built or told not to do.
        return False
    return True


def _line(digest: str, name: str) -> bytes:
    """A line as coreutils prints it: a name that would break the line is escaped, and a backslash in front says so."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return os.fsencode(f"{mark}{digest}  {escaped}\n")


def _problem(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "Is a directory; name the files in it"
    return error.strerror or str(error)


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    algorithm = _Algorithm(options.alg, options.length)
    status = FINE
    rows: list[dict[str, str]] = []
    for name in options.files:
        try:
            row = {"file": name, "digest": algorithm.digest(name)}
        except OSError as error:
            row = {"file": name, "error": _problem(error)}
            status = _output.complain(_PROGRAM, f"{name}: {row['error']}")
        except ValueError as error:
            raise Failure(algorithm.refusal(error)) from None
        if options.json:
            rows.append(row)
        elif "digest" in row:
            _output.write_bytes(_line(row["digest"], name))
    if options.json:
        _output.write_json({"algorithm": algorithm.name, "ok": status == FINE, "files": rows})
    return status


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file to hash; - is standard input")
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
    description="Print a digest of each file, in the format of sha256sum and md5sum, which can check it with -c.",
    example="  skywasm hash --alg md5 task.yaml setup.sh\n"
    "  skywasm hash wheels/*.whl > SHA256SUMS && sha256sum -c SHA256SUMS",
    fine="every file was hashed",
    wrong="a file could not be read (the others are still hashed), or the algorithm cannot be had here",
    add_arguments=_add_arguments,
    run=_run,
)
