"""How lists cross: joined by a separator that no item holds, one call, split.

Whatever cannot cross as a whole (an item of another type, one that the artifact leaves to the reference) sends its
piece of the list through the scalar functions, which give the same results and the right errors.
"""

from __future__ import annotations

import array

from skywasm import _abi, _dispatch, _hashes, _sandboxed, reference
from skywasm import _runtime as runtime
from skywasm._lists import bytes_of, one_by_one
from skywasm.errors import CoreUnavailableError, NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# Few enough that a piece takes milliseconds, so many that the crossing does not count.
_PIECE_ITEMS = 8192
_PIECE_BYTES = 1024 * 1024
# Characters that texts rarely hold. Counting them in the joined text shows whether any item does.
_SEPARATORS = "\n\0\x1e\x1f\x01\x02"
_MIDDLE = 256
# Numbers with many places take so long that fewer of them make a piece.
_LONG_PRECISION = 50
_FEW = 64
# Names of algorithms that the host's policy has been asked about.
_allowed: set[str] = set()


class _Unjoinable(Exception):
    """Internal: these items cannot be joined."""


def _crossed(
    items: Sequence[Any],
    encode: Callable[[str, Sequence[Any]], bytes],
    call: Callable[[bytes, int], bytes],
    out: str,
    counted: bool = False,
) -> list[str]:
    """One result an item, by the first separator that gives so many: an item that holds it would make more.

    ``out`` separates the results; empty, they have the items' separator. ``counted``: items that may well hold the
    first separator, so that it is looked for before the crossing too.
    """
    for attempt, separator in enumerate(_SEPARATORS):
        data = encode(separator, items)
        # Text without newlines is the rule, and the number of results tells anyway. Where the rule was wrong once,
        # counting costs less than another crossing for nothing.
        if (attempt or counted) and data.count(separator.encode()) != len(items) - 1:
            continue
        if len(data) > _PIECE_BYTES and len(items) > 1:
            half = len(items) // 2
            halves = (items[:half], items[half:])
            return [result for part in halves for result in _crossed(part, encode, call, out, counted)]
        if len(data) > _abi.TEXT_LIMIT:
            break
        results = _sandboxed.text(call(data, ord(separator))).split(out or separator)
        if len(results) == len(items):
            return results
    raise _Unjoinable


def _join_text(separator: str, items: Sequence[Any]) -> bytes:
    try:
        return separator.join(items).encode("utf-8", "surrogatepass")
    except TypeError:
        raise _Unjoinable from None


def in_pieces(
    items: Sequence[Any],
    cross: Callable[[Sequence[Any]], list[str]],
    scalar: Callable[[Any], str],
    python: Callable[[Any], str],
    name: str,
) -> list[str]:
    """Applies ``cross`` to pieces of the list, and a scalar function to the pieces that it does not take.

    In ``wasm`` mode that is ``scalar``, through the sandbox too; in ``auto`` it is ``python``, which also answers what
    the artifact failed at.
    """
    forced = _dispatch.mode() == "wasm"
    results: list[str] = []
    for first in range(0, len(items), _PIECE_ITEMS):
        piece = items if len(items) <= _PIECE_ITEMS else items[first : first + _PIECE_ITEMS]
        try:
            crossed = cross(piece)
            if piece is items:
                return crossed
            results += crossed
        except (NeedsReference, _Unjoinable):
            results += one_by_one(scalar if forced else python, piece, first)
        except (TrapError, CoreUnavailableError) as error:
            if forced:
                raise
            _dispatch.fell_back(name, error)
            results += one_by_one(python, piece, first)
    return results


def base36_encode(items: Sequence[Any]) -> list[str]:
    def call(data: bytes, separator: int) -> bytes:
        return runtime.output("sky_batch_base36_encode", 0, separator, data=data, release=True)

    return in_pieces(
        items,
        lambda piece: _crossed(piece, _join_text, call, ""),
        _sandboxed.base36_encode,
        reference.base36_encode,
        "batch.base36_encode",
    )


def truncate_long_string(items: Sequence[Any], max_length: int, truncate_middle: bool) -> list[str]:
    def call(data: bytes, separator: int) -> bytes:
        how = separator | (_MIDDLE if truncate_middle else 0)
        return runtime.output(
            "sky_batch_truncate_long_string", 0, _sandboxed.clamped(max_length), how, data=data, release=True
        )

    def cross(piece: Sequence[Any]) -> list[str]:
        if not isinstance(max_length, int):
            raise NeedsReference
        return _crossed(piece, _join_text, call, "")

    return in_pieces(
        items,
        cross,
        lambda s: _sandboxed.truncate_long_string(s, max_length, truncate_middle),
        lambda s: reference.truncate_long_string(s, max_length, truncate_middle),
        "batch.truncate_long_string",
    )


def _doubles(piece: Sequence[Any]) -> bytes:
    """The numbers' bytes; ints and others are formatted by rules of their own and do not cross."""
    if isinstance(piece, memoryview):
        return piece.tobytes()
    if not isinstance(piece, array.array) and set(map(type, piece)) != {float}:
        raise NeedsReference
    return array.array("d", piece).tobytes()


def format_float(items: Sequence[Any], precision: int) -> list[str]:
    def cross(piece: Sequence[Any]) -> list[str]:
        if type(precision) is not int or not 0 <= precision <= _sandboxed.PRECISION_LIMIT:
            raise NeedsReference
        if precision > _LONG_PRECISION and len(piece) > _FEW:
            return [text for at in range(0, len(piece), _FEW) for text in cross(piece[at : at + _FEW])]
        out = runtime.output("sky_batch_format_float", 0, precision, data=_doubles(piece), release=True)
        results = _sandboxed.text(out).split("\n")
        if len(results) != len(piece):
            raise TrapError(f"sky_batch_format_float: {len(results)} results for {len(piece)} numbers")
        return results

    return in_pieces(
        items,
        cross,
        lambda num: _sandboxed.format_float(num, precision),
        lambda num: reference.format_float(num, precision),
        "batch.format_float",
    )


def hash_strings(items: Sequence[Any], alg: str) -> list[str]:
    algorithm = _hashes.require(alg)
    if algorithm.digest_size == 0:
        _hashes.refuse_free_length(algorithm.name, 0)
    if alg not in _allowed and algorithm.name != "blake3" and _dispatch.mode() == "auto":
        # A host whose policy refuses an algorithm refuses it here too.
        reference.files.new_hash(alg)
        _allowed.add(alg)

    def call(data: bytes, separator: int) -> bytes:
        return runtime.output("sky_batch_hash_strings", 0, algorithm.number, separator, data=data, release=True)

    def cross(piece: Sequence[Any]) -> list[str]:
        return _crossed(piece, _join_bytes, call, "\n", counted=isinstance(piece[0], bytes))

    return in_pieces(
        items,
        cross,
        lambda item: _digest(algorithm, item),
        lambda item: _python_digest(alg, item),
        "batch.hash_strings",
    )


def _join_bytes(separator: str, items: Sequence[Any]) -> bytes:
    """Text as strict UTF-8, bytes as they are; also a mixture of both."""
    try:
        return separator.join(items).encode()
    except UnicodeEncodeError:
        # The scalar way finds the text that is to blame.
        raise _Unjoinable from None
    except TypeError:
        pass
    try:
        return separator.encode().join(map(bytes_of, items))
    except (TypeError, UnicodeEncodeError):
        raise _Unjoinable from None


def _digest(algorithm: _hashes.Algorithm, item: Any) -> str:
    one = _sandboxed.new_hash(algorithm)
    one.update(bytes_of(item))
    return one.hexdigest()


def _python_digest(alg: str, item: Any) -> str:
    import hashlib

    data = bytes_of(item)
    try:
        return hashlib.new(alg, data).hexdigest()
    except ValueError as error:
        if alg.lower() != "blake3":
            raise
        try:
            return _digest(_hashes.require(alg), item)
        except (TrapError, CoreUnavailableError) as problem:
            raise _hashes.blake3_unavailable(problem) from error
