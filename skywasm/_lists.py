"""What batches do without the artifact. Imports nothing of it, so that it works where the engine's modules do not."""

from __future__ import annotations

import array
from itertools import repeat
from operator import length_hint

from skywasm import _dispatch, _hashes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    Result = TypeVar("Result")


# What hashing in one call takes half the time for.
_AT_ONCE = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))


def as_list(items: Iterable[Any]) -> Sequence[Any]:
    """The items as something that has a length."""
    return items if isinstance(items, (list, tuple)) else list(items)


def one_by_one(function: Callable[..., Result], items: Sequence[Any], first: int = 0, *rest: Any) -> list[Result]:
    """The scalar function for each item, and ``rest``; an error gets the item's index, counted from ``first``."""
    items = as_list(items)
    # map() runs the loop in C; how much of the list its iterator has left tells where an error struck.
    left = iter(items)
    try:
        return list(map(function, left, *map(repeat, rest)))
    except Exception as error:
        error.batch_index = first + len(items) - length_hint(left) - 1  # type: ignore[attr-defined]
        raise


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
        # Cast, because Python itself cannot read the formats that name a byte order.
        return view.cast("B").cast("d") if view.contiguous else array.array("d", view.tolist())
    return list(nums)


def may_cross(alg: Any, saved_us: float) -> bool:
    """Whether strings are hashed in the artifact.

    In ``wasm`` mode always. In ``auto`` blake3, which hashlib does not know, and md5 when it pays: the artifact takes
    eight messages at a time where hashlib takes one.
    """
    mode = _dispatch.mode()
    if mode == "auto":
        if alg == "md5":
            return _dispatch.batch_may_cross(saved_us)
        lower = alg.lower() if isinstance(alg, str) else ""
        return lower == "blake3" or (lower == "md5" and _dispatch.batch_may_cross(saved_us))
    return mode == "wasm"


def bytes_of(item: Any) -> bytes:
    """What is hashed of an item: text as strict UTF-8, bytes as they are."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return item
    if not isinstance(item, (bytearray, memoryview)):
        raise TypeError(f"an item to hash must be str or bytes, not {type(item).__name__}")
    return bytes(item)


def hash_strings(items: Sequence[Any], alg: str) -> list[str]:
    """By hashlib, one item after the other."""
    import hashlib

    if alg in _AT_ONCE:
        at_once: Any = getattr(hashlib, alg)
        try:
            at_once()
        except ValueError:
            # OpenSSL refuses; hashlib.new() asks Python itself next.
            pass
        else:
            return one_by_one(lambda item: at_once(bytes_of(item)).hexdigest(), items)
    fresh = hashlib.new(alg)
    _hashes.refuse_free_length(fresh.name, fresh.digest_size)

    def digest(item: Any) -> str:
        one = fresh.copy()
        one.update(bytes_of(item))
        return one.hexdigest()

    return one_by_one(digest, items)
