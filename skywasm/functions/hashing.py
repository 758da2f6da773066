"""Hashing files, and the names of algorithms."""

from __future__ import annotations

import os
import stat

from host_shims.descriptors import close_all
from host_shims.struck import let_out
from skywasm.errors import TrapError
from skywasm.functions.declare import BY_NAME, COMMON, MIXED, crossing, function
from skywasm.loading import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from typing import Any, Protocol

    from host_shims.contract import PathOrFd

    class HashObject(Protocol):
        """The interface of hashlib's objects, as far as all algorithms share it."""

        @property
        def name(self) -> str: ...
        @property
        def digest_size(self) -> int: ...
        @property
        def block_size(self) -> int: ...
        def update(self, data: Any, /) -> None: ...
        def digest(self) -> bytes: ...
        def hexdigest(self) -> str: ...
        def copy(self) -> HashObject: ...


class Algorithm:
    """An algorithm of the artifact: the number it crosses as, hashlib's name, digest and block size in bytes.

    A digest size of 0 means a free length.
    """

    __slots__ = ("block_size", "digest_size", "name", "number")

    def __init__(self, number: int, name: str, digest_size: int, block_size: int) -> None:
        self.number: int = number
        self.name: str = name
        self.digest_size: int = digest_size
        self.block_size: int = block_size


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

_ALGORITHM = {algorithm.name: algorithm for algorithm in ALGORITHMS}


def find(name: str) -> Algorithm | None:
    """The artifact's algorithm for a name as hashlib takes it; None for any other.

    Other spellings than the canonical one (OpenSSL has many, and each release its own) are hashlib's to resolve.
    """
    known = _ALGORITHM.get(name)
    if known is not None:
        return known
    if name.lower() == "blake3":
        return _ALGORITHM["blake3"]
    hashlib = late("hashlib")

    try:
        return _ALGORITHM.get(hashlib.new(name).name)
    except (TypeError, ValueError) as error:
        let_out(error, "hashlib")
        return None


def require(name: Any) -> Algorithm:
    """The artifact's algorithm of this name.

    Raises:
        ValueError, TypeError: hashlib's own for a name that nobody knows; ValueError for one that only hashlib knows.
    """
    algorithm = find(name) if isinstance(name, str) else None
    if algorithm is not None:
        return algorithm
    hashlib = late("hashlib")

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


# hashlib.new() asks OpenSSL by way of one more Python call, a hundredth of the time for a small file.
# PyPy 3.9 takes annotated globals only above the function that assigns them.
_hashlib_new: Callable[[str], HashObject] | None = None
_openssl_new: Callable[[str], HashObject] | None = None
_OPENSSL_NAMES = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))


def _find_hashes() -> Callable[[str], HashObject]:
    """Binds ``_hashlib_new``, and ``_openssl_new`` where hashlib rests on OpenSSL."""
    global _hashlib_new, _openssl_new
    hashlib = late("hashlib")

    _hashlib_new = hashlib.new
    try:
        from _hashlib import new as _openssl_new
    except ImportError as error:
        let_out(error)
        _openssl_new = None
    return _hashlib_new


def python_hash(hash_alg: str) -> HashObject:
    """A hash of no bytes yet, made as ``hashlib.new`` does: by OpenSSL, or where that refuses by Python itself."""
    if hash_alg in _OPENSSL_NAMES and _openssl_new is not None:
        try:
            return _openssl_new(hash_alg)
        except ValueError as error:
            let_out(error)
    return (_hashlib_new or _find_hashes())(hash_alg)


# The first block is small enough for Python's allocator to have at hand, and holds most files that are hashed.
_FIRST_BLOCK = 32 * 1024
_READ_BLOCK = 128 * 1024
_READ_FLAGS = (os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0),)


def update_from(descriptor: int, digest: HashObject) -> None:
    """Takes in a file from where it stands to its end."""
    block = os.read(descriptor, _FIRST_BLOCK)
    while block:
        digest.update(block)
        block = os.read(descriptor, _READ_BLOCK)


def _is_blake3(path: PathOrFd, hash_alg: str) -> bool:  # noqa: ARG001 - the parameters are hash_file's
    return isinstance(hash_alg, str) and hash_alg != "md5" and hash_alg.lower() == "blake3"


def _without_the_artifact(problem: Exception, path: PathOrFd, hash_alg: str) -> HashObject:
    """What Python says of blake3: that a file is missing, else that it does not know the name."""
    try:
        return BY_NAME["hash_file"].reference(path, hash_alg)  # type: ignore[no-any-return]
    except ValueError as error:
        let_out(error, "hashlib")
        raise blake3_unavailable(problem) from problem


@function(
    replaces=COMMON,
    auto=MIXED,
    why="hashlib uses the processor's own instructions; blake3 it does not know",
    when=_is_blake3,
    loads=True,
    fallback=_without_the_artifact,
    asks=("files",),
    exports=("hash_file", "hash_update", "hash_digest", "hash_string", "md5_parts"),
    examples={
        "md5 of 4 KiB": lambda place: (place.file(4096), "md5"),
        "md5 of 1 MiB": lambda place: (place.file(1 << 20), "md5"),
        "sha256 of 1 MiB": lambda place: (place.file(1 << 20), "sha256"),
    },
)
def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    """Hash a file's content.

    Args:
        path: the file. A named pipe blocks until somebody writes to it and closes it.
        hash_alg: any name that ``hashlib.new`` takes, or ``"blake3"``, which needs the artifact and so is unknown in
            ``python`` mode. In ``wasm`` mode md5, sha1, the sha2, sha3 and blake2 families and blake3.

    Returns:
        A hash object with hashlib's interface.

    Raises:
        OSError: the file cannot be opened or read; checked before the algorithm.
        ValueError: an unknown algorithm, or one that the host's policy refuses.
        TypeError: the algorithm is not text.

    Cost: about 10 us to open, read and close a file, and hashlib's time for its bytes: 1.4 ms a MiB of MD5. Memory: at
    most 256 KiB.

    Source: ``sky.utils.common_utils.hash_file``.
    """
    # Opened first: a missing file counts for more than an unknown algorithm.
    if type(path) is not str:
        with open(path, "rb", 0) as file:
            digest = python_hash(hash_alg)
            update_from(file.fileno(), digest)
        return digest
    # A file object costs as much as hashing a small file. From os.open to the list all is done in C, so that no
    # signal can strike in between and lose the descriptor.
    opened: list[int] = []
    try:
        opened += map(os.open, (path,), _READ_FLAGS)
        digest = python_hash(hash_alg)
        # No loop stands in a try with an end: Python 3.13.0 passes by that end where a signal strikes at the jump back.
        update_from(opened[0], digest)
    except (OSError, TypeError, ValueError) as error:
        let_out(error, "hashlib")
        # open() words some errors in another way, and refuses a directory before anything else.
        if not opened or stat.S_ISDIR(os.fstat(opened[0]).st_mode):
            open(path, "rb", 0).close()
        raise
    finally:
        try:
            close_all(opened)
        finally:
            if opened:
                # The first time has been struck.
                close_all(opened)
    return digest


def reads(file: io.FileIO) -> Callable[[int, memoryview], int]:
    """What answers ``file_read`` from this file, whose handle is 0."""

    def file_read(handle: int, room: memoryview) -> int:
        if handle != 0:
            raise TrapError("the artifact named a file that it was not given")
        return file.readinto(room) or 0

    return file_read


@crossing(hash_file)
def _through_the_artifact(core: Any) -> Callable[..., HashObject]:
    made: Callable[..., HashObject] = late("skywasm.functions.wasm_hash").WasmHash

    def road(path: PathOrFd, hash_alg: str) -> HashObject:
        # Opened first, as above.
        with open(path, "rb", 0) as file:
            algorithm = require(hash_alg)
            state = core.call("hash_file", 0, algorithm.number, given={"file_read": reads(file)}, release=True)
        return made(core, algorithm, state)

    return road
