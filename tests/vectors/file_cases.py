"""Cases of the functions that read a file. Its content stands in the case, as a recipe."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile

import forms
from oracle import common_utils, hash_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

XOF_LENGTH = 32


class _File:
    """A file that gets one content after another."""

    def __enter__(self) -> _File:
        descriptor, self.path = tempfile.mkstemp()
        os.close(descriptor)
        return self

    def __exit__(self, *_: object) -> None:
        os.unlink(self.path)

    def holding(self, recipe: Any) -> str:
        with open(self.path, "wb") as file:
            file.write(forms.content(recipe))
        return self.path


# --- hash_file

_LENGTHS = (0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 4096, 262143, 262144, 262145)
_RECIPES = (
    {"hex": "616263"},
    {"repeat": "61", "times": 1_000},
    [{"repeat": "00", "times": 64}, {"ramp": 64}],
    {"repeat": "ff0a", "times": 40_000},
)
_UNKNOWN = ("", "nope", "SHA-257", "md5!", "crc32")
# BLAKE3 hashes chunks of 1,024 bytes in a tree: 2, 3, 16 and 17 chunks, and one byte more.
_BLAKE3_LENGTHS = (2047, 2048, 2049, 3072, 3073, 16384, 16385, 31744)


def _hash_case(file: _File, recipe: Any, algorithm: tuple[int, str, int, int]) -> Case:
    number, name, digest_size, _ = algorithm
    case: Case = {"content": recipe, "algorithm": name, "number": number}
    if digest_size == 0:
        case["length"] = XOF_LENGTH
    case["expect"] = hash_digest(file.holding(recipe), name, XOF_LENGTH)
    if name not in hashlib.algorithms_available:
        case["artifact_only"] = True
    return case


def hash_file(algorithms: list[tuple[int, str, int, int]]) -> list[Case]:
    """Every algorithm at the lengths where padding and blocks begin and end. Rows: number, name, sizes."""
    cases = []
    with _File() as file:
        for algorithm in algorithms:
            block = algorithm[3]
            lengths = {*_LENGTHS, block - 1, block, block + 1, 2 * block}
            if algorithm[1] == "blake3":
                lengths.update(_BLAKE3_LENGTHS)
            recipes: list[Any] = [{"ramp": length} for length in sorted(lengths)]
            cases += [_hash_case(file, recipe, algorithm) for recipe in (*recipes, *_RECIPES)]
        for name in (*_UNKNOWN, None, 5, b"md5"):
            path = file.holding({"hex": ""})
            failed = forms.outcome(common_utils.hash_file, path, name)
            cases.append({"content": {"hex": ""}, "algorithm": forms.encode(name), **failed, "python_only": True})
    return cases


# --- read_last_n_lines

_PIECES = (
    *("", "a", "line", "\r", "\r\r", "x\ry", "\f", "\v", "\x1c", "\x85", "\u2028", "\u2029", " ", "\t", "\x00"),
    *("\u00e9", "\u65e5\u672c\u8a9e", "\U0001f680", "\ufeff", "e\u0301", "2024-01-01 00:00:00 INFO ok"),
)
_BROKEN = ("ff", "e697", "f09f9a", "eda080", "c080", "f4908080", "e697e697a5", "80", "c3", "fe", "f8888080", "e9")
_FIXED = (
    *(b"", b"\n", b"\n\n", b"\n\n\n", b"\r\n", b"\r", b"a", b"a\n", b"a\n\n", b"a\nb", b"a\nb\n", b"x\n\n\n", b"\nx"),
    *(b"a\r\nb\r\nc\r\n", b"a\rb\rc\r", b"a\r\r\nb\r\r", b"a\n\rb\n\r", b"a\x00b\nc\n", b"\xef\xbb\xbfbom\nx\n"),
    *(
        "a\u2028b\nc\x85d\u2029\n".encode(),
        b"a\x0bb\x0cc\nd\x1ce\x1df\x1e\n",
        b"caf\xe9\nx\n",
        b"\xff\n\xfe\n",
        b"x\xe6\n",
    ),
)
_ENCODINGS = ("utf-8", "ascii", "latin-1", "utf-16", "utf-16-le", "utf-8-sig", "cp1252", "shift_jis", "UTF_8", "U8")
_HANDLERS = ("replace", "ignore", "strict", "surrogateescape", "backslashreplace")


def tail_start(data: bytes, n: int) -> int:
    """Where the last ``n`` lines begin. Written as plainly as can be: it is checked against SkyPilot's lines."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
        return len(data) - sum(len(line) + 1 for line in lines[-n:])
    return len(data) - len(b"\n".join(lines[-n:]))


def _tail_case(
    file: _File, recipe: Any, n: Any, chunk_size: Any = 8192, encoding: Any = "utf-8", errors: Any = "replace"
) -> Case:
    options = {"n": n, "chunk_size": chunk_size, "encoding": encoding, "errors": errors}
    case: Case = {"content": recipe, **{key: forms.encode(value) for key, value in options.items()}}
    case.update(forms.outcome(common_utils.read_last_n_lines, file.holding(recipe), **options))
    crosses = type(n) is int and 0 < n <= forms.SAFE_INTEGER and "expect" in case
    if crosses:
        data = forms.content(recipe)
        case["start"] = tail_start(data, n)
        lines = data[case["start"] :].count(b"\n") + (data != b"" and not data.endswith(b"\n"))
        if lines != len(case["expect"]):
            raise AssertionError(f"the start of {case} does not fit its lines")
    else:
        case["python_only"] = True
    return case


def _random_content(rng: random.Random) -> bytes:
    parts = []
    for _ in range(rng.randrange(0, 12)):
        parts.append("".join(rng.choices(_PIECES, k=rng.randrange(0, 4))).encode())
        if rng.random() < 0.2:
            parts.append(bytes.fromhex(rng.choice(_BROKEN)))
        parts.append(rng.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"")))
    return b"".join(parts)


def _hexed(data: bytes) -> Any:
    return {"hex": data.hex()}


def _large(file: _File) -> list[Case]:
    """Files of more than one chunk, with characters that lie across the edges of chunks."""
    japanese = {"repeat": "e697a5e69cac0a", "times": 3_000}
    cases = [_tail_case(file, japanese, n) for n in (1, 2, 20)]
    for ahead in (8_188, 8_189, 8_190, 8_191, 8_192):
        recipe = [
            {"repeat": "0a", "times": 9},
            {"hex": "e697a5f09f9a80"},
            {"repeat": "78", "times": ahead},
            {"hex": "0a79"},
        ]
        cases.append(_tail_case(file, recipe, 1))
        recipe = [{"ramp": 9}, {"repeat": "c3a9", "times": 20_000}, {"hex": "0a"}, {"repeat": "0a", "times": ahead}]
        cases.append(_tail_case(file, recipe, 3))
    cases.append(_tail_case(file, [{"repeat": "78", "times": 70_000}, {"hex": "0a656e64"}], 1, 7))
    cases.append(_tail_case(file, [{"repeat": "78", "times": 2_000_000}, {"hex": "0a656e640a0a"}], 2))
    return cases


def _odd(file: _File) -> list[Case]:
    two = _hexed(b"a\nb\n")
    cases = [_tail_case(file, two, n) for n in (0, -1, True, False, 2**53, 2**70, 10**30, 1.0, 0.0, -1.0, None, "1")]
    cases += [_tail_case(file, two, 1, size) for size in (0, -1, 2**70, True, 1.0, None, "1")]
    cases += [_tail_case(file, two, 1, 8192, encoding) for encoding in ("nope", "", None, "hex", "rot13", "utf-7")]
    cases += [
        _tail_case(file, _hexed(b"\xff\n"), 1, 8192, "utf-8", handler) for handler in ("nope", "", None, "namereplace")
    ]
    return cases


def read_last_n_lines(rng: random.Random) -> list[Case]:
    """Files of every kind of line end, broken text, other encodings, chunks that cut characters."""
    with _File() as file:
        cases = [_tail_case(file, _hexed(data), n) for data in _FIXED for n in (1, 2, 3, 10)]
        for broken in _BROKEN:
            cases += [_tail_case(file, _hexed(bytes.fromhex(broken) + b"x\n"), 1, 1, "utf-8", how) for how in _HANDLERS]
        for _ in range(120):
            data, n, size = (
                _random_content(rng),
                rng.choice((1, 2, 3, 5, 8, 100)),
                rng.choice((1, 2, 3, 5, 7, 64, 8192)),
            )
            cases.append(_tail_case(file, _hexed(data), n, size))
        for encoding in _ENCODINGS:
            for handler in _HANDLERS:
                data = "\u00e9t\u00e9\n\u65e5\r\n\u00fcx\n".encode(rng.choice((encoding, "utf-8")), "replace")
                cases.append(_tail_case(file, _hexed(data), rng.choice((1, 2, 3)), 8192, encoding, handler))
        return cases + _large(file) + _odd(file)
