"""How lists cross: joined by a separator that no item holds, one call, split.

Whatever cannot cross as a whole (an item of another type, one that the artifact leaves to the reference) sends its
piece of the list through the scalar functions, which give the same results and the right errors.
"""

from __future__ import annotations

import array

from skywasm import _abi, _dispatch, _hashes, _sandboxed, reference
from skywasm import _runtime as runtime
from skywasm.batch import one_by_one
from skywasm.errors import CoreUnavailableError, NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

# Few enough that a piece takes milliseconds, so many that the crossing does not count.
_PIECE_ITEMS = 2048
_PIECE_BYTES = 1024 * 1024
# Characters that texts rarely hold. Counting them in the joined text shows whether any item does.
_SEPARATORS = "\n\0\x1e\x1f\x01\x02"
_DOUBLE = 8
_MIDDLE = 256


class _Unjoinable(Exception):
    """Internal: these items cannot be joined."""


def _crossed(
    items: Sequence[Any], encode: Callable[[str, Sequence[Any]], bytes], call: Callable[[bytes, int], bytes], out: str
) -> list[str]:
    """One result an item, by the first separator that gives so many: an item that holds it would make more.

    ``out`` separates the results; empty, they have the items' separator.
    """
    for separator in _SEPARATORS:
        data = encode(separator, items)
        if len(data) > _PIECE_BYTES and len(items) > 1:
            half = len(items) // 2
            return _crossed(items[:half], encode, call, out) + _crossed(items[half:], encode, call, out)
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
    """Applies ``cross`` to pieces of the list, the scalar function to those that it does not take.

    ``scalar`` answers what the artifact leaves to others, ``python`` what the artifact failed at in ``auto``.
    """
    results: list[str] = []
    for first in range(0, len(items), _PIECE_ITEMS):
        piece = items[first : first + _PIECE_ITEMS]
        try:
            results += cross(piece)
        except (NeedsReference, _Unjoinable):
            results += one_by_one(scalar, piece, first)
        except (TrapError, CoreUnavailableError) as error:
            if _dispatch.mode() == "wasm":
                raise
            _dispatch.fell_back(name, error)
            results += one_by_one(python, piece, first)
    return results


def base36_encode(items: Sequence[Any]) -> list[str]:
    def call(data: bytes, separator: int) -> bytes:
        return runtime.output("sky_batch_base36_encode", 0, separator, data=data)

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
        return runtime.output("sky_batch_truncate_long_string", 0, _sandboxed.clamped(max_length), how, data=data)

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


def numbers(nums: Iterable[Any]) -> Sequence[Any]:
    """The numbers as a sequence; a buffer of doubles stays one."""
    if isinstance(nums, (list, tuple)):
        return nums
    try:
        view = memoryview(nums)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        # No buffer, or one of values that have no format, such as numpy's dates.
        return list(nums)
    if view.ndim != 1:
        raise ValueError(f"the numbers have {view.ndim} dimensions; pass one, for example with .ravel()")
    if view.format in ("d", "<d", "@d"):
        return view if view.contiguous else array.array("d", view.tolist())
    return list(nums)


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
        out = runtime.output("sky_batch_format_float", 0, precision, data=_doubles(piece))
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


def may_cross(alg: Any, saved_us: float) -> bool:
    """Whether strings are hashed in the artifact.

    In ``wasm`` mode always. In ``auto`` blake3, which hashlib does not know, and md5 when it pays: the artifact takes
    eight messages at a time where hashlib takes one.
    """
    mode = _dispatch.mode()
    lower = alg.lower() if isinstance(alg, str) else ""
    if mode == "auto":
        return lower == "blake3" or (lower == "md5" and _dispatch.batch_may_cross(saved_us))
    return mode == "wasm"


def refuse_free_length(name: str, digest_size: int) -> None:
    """Raises for the shake family, whose digests have no length of their own."""
    if digest_size == 0:
        raise TypeError(f"digests of {name} have a free length; use hash_file(...).hexdigest(length)")


def _bytes_of(item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return item
    if not isinstance(item, (bytearray, memoryview)):
        raise TypeError(f"an item to hash must be str or bytes, not {type(item).__name__}")
    return bytes(item)


def hash_strings_in_python(items: Sequence[Any], alg: str) -> list[str]:
    """By hashlib, one item after the other."""
    import hashlib

    fresh = hashlib.new(alg)
    refuse_free_length(fresh.name, fresh.digest_size)

    def digest(item: Any) -> str:
        one = fresh.copy()
        one.update(_bytes_of(item))
        return one.hexdigest()

    return one_by_one(digest, items)


def hash_strings(items: Sequence[Any], alg: str) -> list[str]:
    algorithm = _sandboxed.algorithm_for(alg)
    refuse_free_length(algorithm.name, algorithm.digest_size)
    if _dispatch.mode() == "auto" and algorithm.name != "blake3":
        import hashlib

        # A host whose policy refuses an algorithm refuses it here too.
        hashlib.new(alg)

    def call(data: bytes, separator: int) -> bytes:
        return runtime.output("sky_batch_hash_strings", 0, algorithm.number, separator, data=data)

    return in_pieces(
        items,
        lambda piece: _crossed(piece, _join_bytes, call, "\n"),
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
        return separator.encode().join(map(_bytes_of, items))
    except (TypeError, UnicodeEncodeError):
        raise _Unjoinable from None


def _digest(algorithm: _hashes.Algorithm, item: Any) -> str:
    one = _sandboxed.new_hash(algorithm)
    one.update(_bytes_of(item))
    return one.hexdigest()


def _python_digest(alg: str, item: Any) -> str:
    import hashlib

    return hashlib.new(alg, _bytes_of(item)).hexdigest()
