"""The hash algorithms inside the artifact: the numbers they cross as, and the names hashlib knows them by."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


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

# OpenSSL takes names without regard to case and has spellings of its own; hashlib.new() passes them on.
_OPENSSL = {
    "sha-1": "sha1",
    "ssl3-md5": "md5",
    "ssl3-sha1": "sha1",
    "sha-224": "sha224",
    "sha2-224": "sha224",
    "sha-256": "sha256",
    "sha2-256": "sha256",
    "sha-384": "sha384",
    "sha2-384": "sha384",
    "sha-512": "sha512",
    "sha2-512": "sha512",
    "sha512-224": "sha512_224",
    "sha-512/224": "sha512_224",
    "sha2-512/224": "sha512_224",
    "sha512-256": "sha512_256",
    "sha-512/256": "sha512_256",
    "sha2-512/256": "sha512_256",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
    "shake128": "shake_128",
    "shake-128": "shake_128",
    "shake256": "shake_256",
    "shake-256": "shake_256",
    "blake2b512": "blake2b",
    "blake2b-512": "blake2b",
    "blake2s256": "blake2s",
    "blake2s-256": "blake2s",
}


# hashlib takes these in any case, because OpenSSL does; the names with an underscore, blake2b and blake2s are
# Python's own and taken as they are.
_ANY_CASE = {
    name: name for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512_224", "sha512_256", "blake3")
}
_ANY_CASE.update(_OPENSSL)


def find(name: str) -> Algorithm | None:
    """The artifact's algorithm for a name as hashlib takes it; None for any other."""
    return _BY_NAME.get(name) or _BY_NAME.get(_ANY_CASE.get(name.lower(), ""))
