"""The hash algorithms inside the artifact: the numbers they cross as, and the names hashlib knows them by."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Algorithm:
    """One row: number, canonical name, digest and block size in bytes (digest size 0: free length)."""

    __slots__ = ("block_size", "digest_size", "name", "number")

    def __init__(self, number: int, name: str, digest_size: int, block_size: int) -> None:
        self.number = number
        self.name = name
        self.digest_size = digest_size
        self.block_size = block_size


ALGORITHMS = tuple(
    Algorithm(number, *row)
    for number, row in enumerate(
        (
            ("md5", 16, 64),
            ("sha1", 20, 64),
            ("sha224", 28, 64),
            ("sha256", 32, 64),
            ("sha384", 48, 128),
            ("sha512", 64, 128),
            ("sha512_224", 28, 128),
            ("sha512_256", 32, 128),
            ("sha3_224", 28, 144),
            ("sha3_256", 32, 136),
            ("sha3_384", 48, 104),
            ("sha3_512", 64, 72),
            ("shake_128", 0, 168),
            ("shake_256", 0, 136),
            ("blake2b", 64, 128),
            ("blake2s", 32, 64),
            ("blake3", 32, 64),
        )
    )
)

_BY_NAME = {algorithm.name: algorithm for algorithm in ALGORITHMS}


def find(name: str) -> Algorithm | None:
    """The artifact's algorithm for a name as hashlib takes it; None for any other.

    Other spellings than the canonical one (OpenSSL has many, and each release its own) are hashlib's to resolve.
    """
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if name.lower() == "blake3":
        return _BY_NAME["blake3"]
    import hashlib

    try:
        return _BY_NAME.get(hashlib.new(name).name)
    except (TypeError, ValueError):
        return None


def require(name: Any) -> Algorithm:
    """The artifact's algorithm of this name.

    Raises:
        ValueError, TypeError: hashlib's own for a name that nobody knows; ValueError for one that only hashlib knows.
    """
    algorithm = find(name) if isinstance(name, str) else None
    if algorithm is not None:
        return algorithm
    import hashlib

    known = hashlib.new(name).name
    raise ValueError(
        f"hash algorithm {known!r} is hashlib's, not the artifact's; use the backend 'auto' or 'python' for it"
    )


def refuse_free_length(name: str, digest_size: int) -> None:
    """Raises for the shake family, whose digests have no length of their own."""
    if digest_size == 0:
        raise TypeError(f"digests of {name} have a free length; use hash_file(...).hexdigest(length)")


def blake3_unavailable(problem: Exception) -> ValueError:
    """What becomes of blake3 where the artifact cannot run."""
    return ValueError(f"hash algorithm 'blake3' is the artifact's, which cannot be used: {problem}")
