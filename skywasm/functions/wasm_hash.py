"""Hash objects that the artifact computes. Imported when the first file is hashed there."""

from __future__ import annotations

import _thread
import operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.functions.hashing import Algorithm

_PIECE = 1024 * 1024
_I64_MAX = 2**63 - 1


class WasmHash:
    """A hash computed by the artifact, with the interface of hashlib's objects.

    It holds its state as bytes and borrows an instance for each update, so it may be copied, kept and used from
    any thread like a hashlib object; one update costs a few microseconds and the hashing.
    """

    __slots__ = ("_algorithm", "_core", "_interrupted", "_lock", "_state")

    def __init__(self, core: Any, algorithm: Algorithm, state: bytes) -> None:
        self._core = core
        self._algorithm = algorithm
        self._state = state
        # As in hashlib, updates from several threads come one after the other.
        self._lock = _thread.RLock()
        self._interrupted: list[bytes] | None = None

    @property
    def name(self) -> str:
        """The algorithm's name, as hashlib spells it."""
        return self._algorithm.name

    @property
    def digest_size(self) -> int:
        """Bytes in a digest; 0 where the length is free."""
        return self._algorithm.digest_size

    @property
    def block_size(self) -> int:
        """Bytes the algorithm works on at a time."""
        return self._algorithm.block_size

    def update(self, data: Any, /) -> None:
        """Takes in more bytes: any object with the buffer protocol."""
        if isinstance(data, str):
            raise TypeError("Strings must be encoded before hashing")
        view = memoryview(data)
        if not view.c_contiguous:
            raise BufferError("the data to hash must be contiguous")
        view = view.cast("B") if view.nbytes else memoryview(b"")
        with self._lock:
            if self._interrupted is not None:
                # A signal handler in the middle of an update of this very hash: what it sees has its bytes at once,
                # and the update under way takes them in at its end.
                self._interrupted.append(bytes(view))
                self._state = self._after(self._state, view)
                return
            self._interrupted = []
            try:
                self._state = self._caught_up(self._after(self._state, view), self._interrupted)
            finally:
                self._interrupted = None

    def _caught_up(self, state: bytes, interrupted: list[bytes]) -> bytes:
        # A function of its own: see hash_file.
        while interrupted:
            state = self._after(state, memoryview(interrupted.pop(0)))
        return state

    def _after(self, state: bytes, view: memoryview) -> bytes:
        """The state after more bytes."""
        for start in range(0, len(view), _PIECE):
            piece = state + view[start : start + _PIECE]
            state = self._core.call("hash_update", piece, self._algorithm.number, True)
        return state

    def digest(self, length: int | None = None) -> bytes:
        """The digest of all bytes so far; shake_128 and shake_256 need its length in bytes."""
        if self._algorithm.digest_size == 0:
            if length is None:
                raise TypeError(f"digest() of {self.name} needs a length")
            if operator.index(length) < 0:
                raise ValueError(f"a digest cannot have {length} bytes")
        elif length is not None:
            raise TypeError(f"digest() of {self.name} takes no length")
        size = min(operator.index(length or 0), _I64_MAX)
        return self._core.call("hash_digest", self._state, self._algorithm.number, size)  # type: ignore[no-any-return]

    def hexdigest(self, length: int | None = None) -> str:
        """The digest in hexadecimal."""
        return self.digest(length).hex()

    def copy(self) -> WasmHash:
        """An independent hash of the same bytes."""
        return WasmHash(self._core, self._algorithm, self._state)

    def __reduce__(self) -> str:
        # As hashlib's objects say it.
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __repr__(self) -> str:
        return f"<{self.name} skywasm hash object>"


def new_hash(core: Any, algorithm: Algorithm) -> WasmHash:
    """A hash of no bytes yet."""
    return WasmHash(core, algorithm, core.call("hash_update", b"", algorithm.number, False))
