"""Hashing many short texts."""

from __future__ import annotations

from host_shims.struck import let_out
from skywasm.crossing import convention
from skywasm.crossing import items as lists_of
from skywasm.errors import CoreUnavailableError, TrapError
from skywasm.functions import hashing
from skywasm.loading import late
from skywasm.routes import bind, core
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from skywasm.functions.hashing import Algorithm, HashObject

# Microseconds that crossing saves an item against hashlib.
_SAVED_US = 0.4
# What hashing in one call takes half the time for.
_AT_ONCE = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))
# Names of algorithms that the host's policy has been asked about.
_allowed: set[str] = set()


def may_cross(alg: Any, items: int) -> bool:
    """Whether strings are hashed in the artifact.

    In ``wasm`` mode always. In ``auto`` blake3, which hashlib does not know, and md5 when it pays: the artifact takes
    eight messages at a time where hashlib takes one.
    """
    mode = modes.mode()
    if mode != "auto":
        return mode == "wasm"
    lower = alg.lower() if isinstance(alg, str) else ""
    return lower == "blake3" or (lower == "md5" and bind.batch_may_cross(items * _SAVED_US))


def bytes_of(item: Any) -> bytes:
    """What is hashed of an item: text as strict UTF-8, bytes as they are."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return item
    if not isinstance(item, (bytearray, memoryview)):
        raise TypeError(f"an item to hash must be str or bytes, not {type(item).__name__}")
    return bytes(item)


def in_python(items: Sequence[Any], alg: str) -> list[str]:
    """By hashlib, one item after the other."""
    hashlib = late("hashlib")

    if alg in _AT_ONCE:
        at_once: Any = getattr(hashlib, alg)
        try:
            at_once()
        except ValueError as error:
            # OpenSSL refuses; hashlib.new() asks Python itself next.
            let_out(error)
        else:
            return lists_of.one_by_one(lambda item: at_once(bytes_of(item)).hexdigest(), items)
    fresh = hashlib.new(alg)
    hashing.refuse_free_length(fresh.name, fresh.digest_size)

    def digest(item: Any) -> str:
        one = fresh.copy()
        one.update(bytes_of(item))
        result: str = one.hexdigest()
        return result

    return lists_of.one_by_one(digest, items)


def crossing(items: Sequence[Any], alg: str) -> list[str]:
    """Through the artifact.

    Raises:
        ValueError: an algorithm that it does not know, or that the host's policy refuses.
    """
    algorithm = hashing.require(alg)
    hashing.refuse_free_length(algorithm.name, algorithm.digest_size)
    forced = modes.mode() == "wasm"
    if alg not in _allowed and algorithm.name != "blake3" and not forced:
        # A host whose policy refuses an algorithm refuses it here too.
        hashing.python_hash(alg)
        _allowed.add(alg)
    if not items:
        return []
    try:
        core.load()
    except CoreUnavailableError as error:
        if forced:
            raise
        bind.fell_back("batch.hash_strings", error)
        return _all_in_python(alg, items, 0, error)
    from skywasm.crossing import lists

    def one(item: Any, _number: int) -> str:
        try:
            return _digest(algorithm, bytes_of(item))
        except (TrapError, CoreUnavailableError) as error:
            if forced:
                raise
            _fell_back("", error)
            return _all_in_python(alg, (item,), 0, error)[0]

    def fallback(piece: Sequence[Any], first: int, _number: int) -> list[str]:
        return _all_in_python(alg, piece, first, TrapError("it failed"))

    many = lists.Many(core.core(), "hash_string", one, fallback, forced, _fell_back, _joined)
    return many.general(items, algorithm.number)


def _digest(algorithm: Algorithm, data: bytes) -> str:
    """One digest by the artifact."""
    if len(data) > convention.TEXT_LIMIT:
        # Too long to cross at once.
        long: HashObject = late("skywasm.functions.wasm_hash").new_hash(core.core(), algorithm)
        long.update(data)
        return long.hexdigest()
    return core.core().call("hash_string", data, algorithm.number)  # type: ignore[no-any-return]


def _joined(separator: str, items: Sequence[Any]) -> bytes:
    """Text as strict UTF-8, bytes as they are; also a mixture of both."""
    from skywasm.crossing import lists

    if type(items[0]) is str:
        try:
            return lists.join_str(separator, items)
        except lists.OddItems:
            pass
    try:
        return lists.join_bytes(separator, [bytes_of(item) for item in items])
    except (TypeError, UnicodeEncodeError) as error:
        let_out(error)
        # The scalar way finds the one that is to blame.
        raise lists.Unjoinable from None


def _fell_back(_name: str, error: Exception) -> None:
    bind.fell_back("batch.hash_strings", error)


def _all_in_python(alg: str, items: Sequence[Any], first: int, problem: Exception) -> list[str]:
    """By hashlib, for the artifact that failed; it does not know blake3."""
    hashlib = late("hashlib")

    def digest(item: Any) -> str:
        data = bytes_of(item)
        if alg.lower() == "blake3":
            raise hashing.blake3_unavailable(problem) from problem
        result: str = hashlib.new(alg, data).hexdigest()
        return result

    return lists_of.one_by_one(digest, items, first)
