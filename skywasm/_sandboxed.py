"""The twelve functions through the artifact.

Each lets canonical arguments cross and leaves everything else to the reference, in every mode: what Python's own
types, blanks or spellings mean is Python's business, and so are the reference's exceptions.
"""

from __future__ import annotations

import _thread
import operator
import struct

from skywasm import _abi, _dispatch, _hashes, reference
from skywasm import _runtime as runtime
from skywasm._instance import DIRECT_DIGITS, DIRECT_OUTPUT
from skywasm.errors import NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Mapping
    from typing import Any

    from host_shims._contract import PathOrFd
    from skywasm.api import HashObject

PRECISION_LIMIT = 1100
_FILE_WINDOW = 1024 * 1024
_COMMON_LINE = 96
_HASH_PIECE = 1024 * 1024
_CLAMP = 2**62
_LONG_NUMBER = 4096
# No cloud's name comes near.
_LONG_NAME = 10_000
# From about here on the crossing takes less time than the conversion in Python.
_PAYING_DIGITS = 20


def _encoded(text: str, what: str) -> bytes | None:
    """UTF-8 of a text, None where it is too long to cross and the mode allows Python to answer."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > _abi.TEXT_LIMIT:
        _dispatch.too_large(f"{what} of {len(data)} bytes is longer than the {_abi.TEXT_LIMIT} that may cross")
        return None
    return data


def _base36_digits(hex_digits: bytes) -> str:
    return text(runtime.output("sky_base36_encode", data=hex_digits, release=len(hex_digits) > _LONG_NUMBER))


def base36_encode(hex_str: str) -> str:
    data = _encoded(hex_str, "a hex string") if type(hex_str) is str else None
    if data is not None:
        try:
            return _base36_digits(data)
        except NeedsReference:
            pass
    # What int() takes besides plain digits is normalised here; its errors come out of it.
    data = _encoded(f"{reference.numbers.checked_hex(hex_str):x}", "a hex string")
    return reference.base36_encode(hex_str) if data is None else _base36_digits(data)


def _trapped(name: str, instance: Any, error: Any, python: Callable[[Any], Any] | None, argument: Any) -> Any:
    """Ends a direct road in a trap: TrapError in ``wasm`` mode, the reference's answer in ``auto``."""
    trap = instance.trapped("sky_" + name, error)
    if python is None:
        raise trap
    _dispatch.fell_back(name, trap)
    return python(argument)


def text(out: bytes) -> str:
    """The text of an output; the artifact writes valid UTF-8, lone surrogates apart, or is not to be relied on."""
    try:
        return out.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise TrapError(f"the artifact gave text that is not UTF-8: {error}") from None


def _numbers(layout: str, out: bytes) -> Any:
    """The numbers of an output of fixed layout."""
    try:
        return struct.unpack(layout, out)
    except struct.error as error:
        raise TrapError(f"the artifact gave {len(out)} bytes of numbers: {error}") from None


def base36_encode_direct(
    indirect: Callable[[str], str], short: Callable[[str], str] | None = None
) -> Callable[[str], str]:
    """A road for MD5s and SHA-256s with as few steps as it takes; whatever is unusual goes the ``indirect`` one.

    ``short`` answers numbers for which the crossing does not pay.
    """
    pop, append = runtime.pool.pop, runtime.pool.append

    def road(hex_str: str) -> str:
        if type(hex_str) is not str or len(hex_str) > DIRECT_DIGITS:
            return indirect(hex_str)
        if short is not None and len(hex_str) < _PAYING_DIGITS:
            return short(hex_str)
        try:
            instance = pop()
        except IndexError:
            return indirect(hex_str)
        # An exception from here on leaves the instance out of the pool, whatever state it is in.
        if instance.direct is None or not hex_str.isascii():
            append(instance)
            return indirect(hex_str)
        text_in, text_out, slots, enter, arguments, trap, base = instance.direct
        text_in.value = hex_str.encode()
        slots[0] = len(hex_str)
        error = enter(*arguments)
        if error is not None or trap.value is not None:
            return _trapped("base36_encode", instance, error, short, hex_str)  # type: ignore[no-any-return]
        length = slots[0] - base
        if 0 < length <= DIRECT_OUTPUT:
            digits: str = text_out[:length].decode()
            append(instance)
            return digits
        if slots[0] >= 0:
            # A larger output has moved the buffer.
            instance.find_buffers()
        append(instance)
        return indirect(hex_str)

    return road


def format_float(num: float | int, precision: int = 1) -> str:
    if type(num) is float and type(precision) is int and 0 <= precision <= PRECISION_LIMIT:
        (bits,) = struct.unpack("<q", struct.pack("<d", num))
        return text(runtime.output("sky_format_float", bits, precision))
    return reference.format_float(num, precision)


def clamped(max_length: int) -> int:
    """A length that crosses as 64 bits; no text comes near the bounds."""
    return min(max(int(max_length), -_CLAMP), _CLAMP)


def truncate_long_string(s: str, max_length: int = 35, truncate_middle: bool = False) -> str:
    if type(s) is not str or not isinstance(max_length, int) or len(s) <= max_length:
        return reference.truncate_long_string(s, max_length, truncate_middle)
    data = _encoded(s, "a text")
    if data is None:
        return reference.truncate_long_string(s, max_length, truncate_middle)
    middle = 1 if truncate_middle else 0
    return text(runtime.output("sky_truncate_long_string", 0, clamped(max_length), middle, data=data))


class WasmHash:
    """A hash computed by the artifact, with the interface of hashlib's objects.

    It holds its state as bytes and borrows an instance for each update, so it may be copied, kept and used from
    any thread like a hashlib object; one update costs a few microseconds and the hashing.
    """

    __slots__ = ("_algorithm", "_interrupted", "_lock", "_state")

    def __init__(self, algorithm: _hashes.Algorithm, state: bytes) -> None:
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
                state = self._after(self._state, view)
                while self._interrupted:
                    state = self._after(state, memoryview(self._interrupted.pop(0)))
                self._state = state
            finally:
                self._interrupted = None

    def _after(self, state: bytes, view: memoryview) -> bytes:
        """The state after more bytes."""
        for start in range(0, len(view), _HASH_PIECE):
            piece = state + view[start : start + _HASH_PIECE]
            state = runtime.output("sky_hash_update", 0, self._algorithm.number, 1, data=piece)
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
        size = min(operator.index(length or 0), _abi.I64_MAX)
        return runtime.output("sky_hash_digest", 0, self._algorithm.number, size, data=self._state)

    def hexdigest(self, length: int | None = None) -> str:
        """The digest in hexadecimal."""
        return self.digest(length).hex()

    def copy(self) -> WasmHash:
        """An independent hash of the same bytes."""
        return WasmHash(self._algorithm, self._state)

    def __repr__(self) -> str:
        return f"<{self.name} skywasm hash object>"


def new_hash(algorithm: _hashes.Algorithm) -> WasmHash:
    """A hash of no bytes yet."""
    return WasmHash(algorithm, runtime.output("sky_hash_update", 0, algorithm.number, 0, data=b""))


def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    # Opened first: a missing file counts for more than an unknown algorithm.
    with open(path, "rb", 0) as file:
        algorithm = _hashes.require(hash_alg)
        state = runtime.output("sky_hash_file", 0, algorithm.number, release=True, file=file)
    return WasmHash(algorithm, state)


def _scan_tail(file: io.FileIO, n: int, chunk_size: int) -> bytes:
    """The bytes of the last ``n`` lines."""
    end = position = file.seek(0, 2)
    wanted = min(n, _CLAMP)
    windows: list[bytes] = []
    # One crossing less where lines are of a common length.
    size = min(max(chunk_size, wanted * _COMMON_LINE), _FILE_WINDOW)
    while position > 0 and wanted > 0:
        size = min(size, position)
        position -= size
        window = reference.files.read_exactly(file, position, size)
        if not windows and window.endswith(b"\n"):
            # The newline that ends the last line does not begin another.
            wanted += 1
        found, start = _numbers("<QQ", runtime.output("sky_read_last_n_lines", 0, wanted, data=window))
        wanted -= found
        windows.append(window[start:] if wanted == 0 else window)
        size = reference.files.next_window(size, end - position, n + 1 - wanted, wanted)
    windows.reverse()
    return b"".join(windows)


def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    if not isinstance(n, int) or not isinstance(chunk_size, int):
        return reference.read_last_n_lines(file_path, n, chunk_size, encoding, errors)
    reference.files.checked_tail_arguments(n, chunk_size)
    if n == 0:
        reference.files.check_exists(file_path)
        return []
    data = reference.files.opened_tail(file_path, n, lambda file: _scan_tail(file, n, chunk_size))
    return reference.files.last_lines(data, n, encoding, errors)


def find_free_port(start_port: int) -> int:
    ports = range(start_port, 65535)
    if not ports:
        raise reference.system.no_free_port()
    if ports.start < 0:
        return reference.find_free_port(start_port)
    try:
        return runtime.call("sky_find_free_port", ports.start, release=True)
    except NeedsReference:
        raise reference.system.no_free_port() from None


def get_cpu_count() -> int:
    override = reference.system.cpu_override()
    if override is not None:
        return override
    try:
        (count,) = _numbers("<q", runtime.output("sky_get_cpu_count"))
    except NeedsReference:
        return reference.get_cpu_count()
    return count  # type: ignore[no-any-return]


def get_mem_size_gb() -> float:
    override = reference.system.memory_override()
    if override is not None:
        return override
    try:
        (size,) = _numbers("<d", runtime.output("sky_get_mem_size_gb"))
    except NeedsReference:
        return reference.get_mem_size_gb()
    return size  # type: ignore[no-any-return]


def get_parallel_threads(cloud_str: str | None = None) -> int:
    if cloud_str and (not isinstance(cloud_str, str) or len(cloud_str) > _LONG_NAME):
        return reference.get_parallel_threads(cloud_str)
    data = (cloud_str or "").encode("utf-8", "surrogatepass")
    try:
        return runtime.call("sky_get_parallel_threads", data=data)
    except NeedsReference:
        return reference.get_parallel_threads(cloud_str)


def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    if cloud_str and (not isinstance(cloud_str, str) or len(cloud_str) > _LONG_NAME):
        return reference.get_max_workers_for_file_mounts(common_file_mounts, cloud_str)
    paths = list(common_file_mounts.values())
    data = (cloud_str or "").encode("utf-8", "surrogatepass")
    try:
        return runtime.call("sky_get_max_workers_for_file_mounts", 0, len(paths), data=data, paths=paths)
    except NeedsReference:
        return reference.get_max_workers_for_file_mounts(common_file_mounts, cloud_str)


def is_process_alive(pid: int) -> bool:
    try:
        return reference.system.checked_pid(pid) and runtime.call("sky_is_process_alive", pid) == 1
    except NeedsReference:
        return reference.is_process_alive(pid)


def is_process_alive_direct(
    indirect: Callable[[int], bool],
    short: Callable[[int], bool] | None = None,
) -> Callable[[int], bool]:
    """A road with as few steps as a host round trip takes."""
    pop, append = runtime.pool.pop, runtime.pool.append

    def road(pid: int) -> bool:
        if type(pid) is not int or not 0 < pid <= reference.system.LAST_PID:
            return indirect(pid)
        try:
            instance = pop()
        except IndexError:
            return indirect(pid)
        if instance.direct is None:
            append(instance)
            return indirect(pid)
        slots, enter, trap = instance.direct[2], instance.direct[3], instance.direct[5]
        slots[0] = pid
        error = enter(*instance.alive_arguments)
        if error is not None or trap.value is not None:
            return _trapped("is_process_alive", instance, error, short, pid)  # type: ignore[no-any-return]
        alive = slots[0]
        if alive >= 0:
            append(instance)
            return bool(alive)
        try:
            runtime.settle(instance, "sky_is_process_alive", instance.error_for("sky_is_process_alive", alive))
        except NeedsReference:
            return reference.is_process_alive(pid)
        raise AssertionError("settle raises what a negative result stands for")

    return road


def estimate_fd_for_directory(path: PathOrFd) -> int:
    try:
        return runtime.call("sky_estimate_fd_for_directory", 0, paths=(path,))
    except NeedsReference:
        return reference.estimate_fd_for_directory(path)
