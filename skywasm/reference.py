"""The twelve functions in pure Python: the fallback, and what the sandbox's answers are compared with.

Written from the behaviour of SkyPilot 0.14.1, warts included; where it differs the function says so. Needs
neither wasmtime nor the artifact. Facts of the machine come from ``host_shims``.
"""

from __future__ import annotations

import errno
import os

from host_shims import facts
from skywasm import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Mapping
    from typing import Any

    from host_shims._contract import PathOrFd
    from skywasm.api import HashObject

__all__ = [
    "base36_encode",
    "estimate_fd_for_directory",
    "find_free_port",
    "format_float",
    "get_cpu_count",
    "get_max_workers_for_file_mounts",
    "get_mem_size_gb",
    "get_parallel_threads",
    "hash_file",
    "is_process_alive",
    "read_last_n_lines",
    "truncate_long_string",
]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIR = 36**2
# Up to here one division a digit pair is fastest; an MD5 and a SHA-256 are far below.
_PLAIN_DIGITS = 64
_PLAIN = 36**_PLAIN_DIGITS
# One division by this is small enough that Ctrl-C gets in between, however long the number.
_BLOCK_DIGITS = 1536
_BLOCK = 36**_BLOCK_DIGITS
# log2(36), a little less.
_BITS_PER_DIGIT = 5.1699
_pairs: list[str] = []


def _pair_texts() -> list[str]:
    if not _pairs:
        _pairs[:] = [a + b for a in _DIGITS for b in _DIGITS]
    return _pairs


def _plain_digits(number: int) -> str:
    texts = _pairs or _pair_texts()
    out: list[str] = []
    while number >= _PAIR:
        number, pair = divmod(number, _PAIR)
        out.append(texts[pair])
    out.append(texts[number])
    out.reverse()
    return "".join(out)


def _padded_digits(number: int, width: int) -> str:
    """Exactly ``width`` digits of a number below ``36**width``, by halving it."""
    if width <= _PLAIN_DIGITS:
        return _plain_digits(number)[-width:].rjust(width, "0")
    half = width // 2
    high, low = divmod(number, 36**half)
    return _padded_digits(high, width - half) + _padded_digits(low, half)


def checked_hex(hex_str: Any) -> int:
    """``int(hex_str, 16)``, refusing the negative numbers on which SkyPilot's loop never ends."""
    number = int(hex_str, 16)
    if number < 0:
        raise ValueError(f"cannot encode a negative number in base 36: {hex_str!r}; pass a non-negative hex number")
    return number


def base36_encode(hex_str: str) -> str:
    number = checked_hex(hex_str)
    if number < _PLAIN:
        return _plain_digits(number).lstrip("0") or "0"
    blocks = []
    while number >= _BLOCK:
        number, block = divmod(number, _BLOCK)
        blocks.append(_padded_digits(block, _BLOCK_DIGITS))
    blocks.append(_padded_digits(number, int(number.bit_length() / _BITS_PER_DIGIT) + 1))
    return "".join(reversed(blocks)).lstrip("0")


def format_float(num: float | int, precision: int = 1) -> str:
    if isinstance(num, int):
        return str(num)
    if num.is_integer():
        return f"{num:.0f}"
    return f"{num:.{precision}f}"


_DOTS = "..."


def _cut_by_words(s: Any, max_length: Any) -> str:
    """The general form of the cut at the end: any text type, any length, and the errors of all others."""
    words = s.split(" ")
    if len(words[0]) > max_length:
        return words[0][:max_length] + _DOTS  # type: ignore[no-any-return]
    letters = 0
    kept = -1
    for word in words:
        letters += len(word)
        if letters >= max_length or word is words[-1]:
            break
        kept += len(word) + 1
    return s[: max(kept, max_length)] + _DOTS  # type: ignore[no-any-return]


def truncate_long_string(s: str, max_length: int = 35, truncate_middle: bool = False) -> str:
    length = len(s)
    if length <= max_length:
        return s
    if truncate_middle:
        kept = max_length - 3
        if kept <= 0:
            return _DOTS
        last = kept // 2
        return s[: kept - last] + _DOTS + s[length - last :]
    if type(s) is not str or type(max_length) is not int or max_length < 0:
        return _cut_by_words(s, max_length)
    blanks = s.count(" ", 0, max_length)
    if not blanks:
        return s[:max_length] + _DOTS
    # Where the max_length-th letter stands: every blank before it pushes it on by one, and may bring in more.
    end = max_length
    while blanks:
        start, end = end, end + blanks
        blanks = s.count(" ", start, end)
    word = s.rfind(" ", 0, end)
    return s[: word if word > max_length else max_length] + _DOTS


# The first block is small enough for Python's allocator to have at hand, and holds most files that are hashed.
_FIRST_BLOCK = 32 * 1024
_READ_BLOCK = 128 * 1024
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _update_from(descriptor: int, digest: HashObject) -> None:
    block = os.read(descriptor, _FIRST_BLOCK)
    while block:
        digest.update(block)
        block = os.read(descriptor, _READ_BLOCK)


def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    global _new_hash
    if _new_hash is None:
        import hashlib

        _new_hash = hashlib.new
    # Opened first: a missing file counts for more than an unknown algorithm.
    if type(path) is not str:
        with open(path, "rb", 0) as file:
            digest = _new_hash(hash_alg)
            _update_from(file.fileno(), digest)
        return digest
    # A file object costs as much as hashing a small file.
    descriptor = os.open(path, _READ_FLAGS)
    try:
        digest = _new_hash(hash_alg)
        _update_from(descriptor, digest)
    except IsADirectoryError:
        # Reading refuses where open() would have, which also names the path.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path) from None
    finally:
        os.close(descriptor)
    return digest


_new_hash: Callable[[str], HashObject] | None = None
_WINDOW_LIMIT = 1024 * 1024
_SLACK = 512
_FEW_LINES = 50


def checked_tail_arguments(n: int, chunk_size: int) -> None:
    """SkyPilot asserts these; the error stays the same when Python runs with -O."""
    if not n >= 0:
        raise AssertionError(f"n must be non-negative. Got {n}")
    if not chunk_size > 0:
        raise AssertionError(f"chunk_size must be positive. Got {chunk_size}")


def check_exists(file_path: Any) -> None:
    """As the checks above, for the file."""
    if not os.path.exists(file_path):
        raise AssertionError(f"File not found: {file_path}")


def opened_tail(file_path: Any, n: int, read: Callable[[io.FileIO], bytes]) -> bytes:
    """What ``read`` makes of the open file. Errors of the file system become SkyPilot's."""
    try:
        with open(file_path, "rb", 0) as file:
            return read(file)
    except (OSError, TypeError, ValueError) as error:
        # A file that is not there is found out by opening it; that is one system call less when it is.
        check_exists(file_path)
        if not isinstance(error, OSError):
            raise
        raise RuntimeError(f"Failed to read last {n} lines from {file_path}: {error}") from error


def read_exactly(file: io.FileIO, offset: int, size: int) -> bytes:
    """``size`` bytes from ``offset``, fewer only where the file has become shorter."""
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def next_window(size: int, taken: int, found: int, wanted: int) -> int:
    """How much to read next, after ``found`` newlines in ``taken`` bytes, to find ``wanted`` more."""
    if not found:
        return min(size * 2, _WINDOW_LIMIT)
    # A little more than the lines so far make likely: reading and decoding too much costs most.
    return min(max(wanted * taken // found * 9 // 8 + _SLACK, _SLACK), _WINDOW_LIMIT)


def _without_earlier_lines(data: bytes, n: int) -> bytes:
    """The last ``n`` lines' bytes, for a small ``n``: finding them costs less than decoding those before."""
    at = len(data) - data.endswith(b"\n")
    for _ in range(n):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return data
    return data[at + 1 :]


def _read_tail(file: io.FileIO, n: int, chunk_size: int) -> bytes:
    """The end of the file with ``n`` lines in it, or all of it; for a large ``n`` a few lines more."""
    end = position = file.seek(0, os.SEEK_END)
    windows: list[bytes] = []
    newlines = 0
    size = chunk_size
    while position > 0 and newlines <= n:
        size = min(size, position)
        position -= size
        window = read_exactly(file, position, size)
        windows.append(window)
        newlines += window.count(b"\n")
        size = next_window(size, end - position, newlines, n + 1 - newlines)
    windows.reverse()
    data = windows[0] if len(windows) == 1 else b"".join(windows)
    return _without_earlier_lines(data, n) if n <= _FEW_LINES and isinstance(n, int) else data


# Decoding a whole block gives the same as decoding each line for these: a newline byte is a newline, no
# character spans it, and the handlers neither raise nor look beyond the broken bytes.
_WHOLE_BLOCK_ENCODINGS = frozenset(("utf-8", "utf8", "UTF-8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"))
_WHOLE_BLOCK_ERRORS = frozenset(("replace", "ignore", "surrogateescape", "backslashreplace"))


# Where splitlines() breaks besides at newlines and carriage returns.
_OTHER_BREAKS_ASCII = "\v\f\x1c\x1d\x1e"
_OTHER_BREAKS = _OTHER_BREAKS_ASCII + "\x85\u2028\u2029"


def _whole_lines(text: str, ends: bool, n: int) -> list[str]:
    """The last ``n`` lines of a decoded block; ``ends`` says whether its last byte was a newline."""
    others = _OTHER_BREAKS_ASCII if text.isascii() else _OTHER_BREAKS
    # The ignore handler may have dropped all that stood behind the last newline.
    if text and "\r" not in text and text.endswith("\n") is ends and not any(other in text for other in others):
        lines = text.splitlines(True)[-n:]
        if ends:
            lines[-1] = lines[-1][:-1]
        return lines
    lines = text.split("\n")
    if ends:
        lines.pop()
    lines = lines[-n:]
    last = lines.pop().rstrip("\r")
    return [line.rstrip("\r") + "\n" for line in lines] + [last]


def last_lines(data: bytes, n: int, encoding: str, errors: str) -> list[str]:
    """The last ``n`` lines of ``data``, decoded; all but the last get a newline, carriage returns before it go."""
    if not data:
        return []
    if encoding in _WHOLE_BLOCK_ENCODINGS and errors in _WHOLE_BLOCK_ERRORS:
        return _whole_lines(data.decode(encoding, errors), data.endswith(b"\n"), n)
    rows = data.split(b"\n")
    if not rows[-1]:
        rows.pop()
    lines = [row.decode(encoding, errors).rstrip("\r") + "\n" for row in rows[-n:]]
    lines[-1] = lines[-1][:-1]
    return lines


def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    checked_tail_arguments(n, chunk_size)
    if n == 0:
        check_exists(file_path)
        return []
    data = opened_tail(file_path, n, lambda file: _read_tail(file, n, chunk_size))
    return last_lines(data, n, encoding, errors)


_PORT_END = 65535


def no_free_port() -> OSError:
    """SkyPilot's error for a search that came to the end."""
    return OSError("No free ports available.")


def find_free_port(start_port: int) -> int:
    ports = range(start_port, _PORT_END)
    if not ports:
        raise no_free_port()
    probe = facts.port_socket()
    try:
        bind = facts.port_bind
        for port in ports:
            if bind(probe, port) == 0:
                return port
    finally:
        probe.close()
    raise no_free_port()


CPU_LIMIT_VARIABLE = "SKYPILOT_POD_CPU_CORE_LIMIT"
MEMORY_GB_VARIABLE = "SKYPILOT_POD_MEMORY_GB_LIMIT"
MEMORY_BYTES_VARIABLE = "SKYPILOT_POD_MEMORY_BYTES_LIMIT"
_GB = 1024**3


def cpu_override() -> int | None:
    """CPUs as the pod's environment sets them, None when it does not."""
    limit = os.environ.get(CPU_LIMIT_VARIABLE)
    if limit is None:
        return None
    try:
        return int(float(limit))
    except ValueError as error:
        raise ValueError(f"Failed to parse the number of CPUs from {limit}") from error


def memory_override() -> float | None:
    """Memory in GB (2**30 bytes) as the pod's environment sets it, None when it does not."""
    for variable, unit, divisor in ((MEMORY_GB_VARIABLE, "GB", 1), (MEMORY_BYTES_VARIABLE, "bytes", _GB)):
        limit = os.environ.get(variable)
        if limit is not None:
            try:
                return float(limit) / divisor
            except ValueError as error:
                raise ValueError(f"Failed to parse the memory size from {limit} ({unit})") from error
    return None


def _cgroup_number(fact: int, parse: Callable[[str], Any]) -> Any:
    """A number out of a cgroup file; None for a file that cannot be read or holds none, as for "max"."""
    try:
        return parse(facts.cgroup_text(_abi.CGROUP_FILES[fact]).decode())
    except (OSError, ValueError):
        return None


def _two_floats(text: str) -> tuple[float, float] | None:
    quota, period = text.split()
    return None if quota == "max" else (float(quota), float(period))


def _quota_cpus() -> int | None:
    """Whole CPUs of the cgroup's quota; 0 for less than one."""
    if facts.cgroup_version() == _abi.CGROUP_V2:
        limits = _cgroup_number(_abi.FACT_CPU_MAX, _two_floats)
        if limits is None or limits[0] <= 0:
            return None
        return int(limits[0] / limits[1])
    # Mostly -1, for no limit; then the period need not be read.
    quota = _cgroup_number(_abi.FACT_CPU_QUOTA, float)
    if quota is None or not quota > 0:
        return None
    period = _cgroup_number(_abi.FACT_CPU_PERIOD, float)
    if period is None or not period > 0:
        return None
    return int(quota / period)


def get_cpu_count() -> int:
    override = cpu_override()
    if override is not None:
        return override
    count: Any = facts.cpu_online()
    for limit in (facts.cpu_affinity(), _quota_cpus()):
        if limit is not None:
            count = min(count, limit)
    return count  # type: ignore[no-any-return]


def _memory_total() -> int:
    """Bytes of memory as psutil reads them, which wants the free memory to be told as well."""
    text = facts.meminfo()
    start = text.find(b"MemTotal:")
    if start >= 0 and b"MemFree:" in text:
        try:
            return int(text[start + 9 : text.index(b"kB", start)]) * 1024
        except ValueError:
            pass
    import psutil

    return psutil.virtual_memory().total


def get_mem_size_gb() -> float:
    override = memory_override()
    if override is not None:
        return override
    total = _memory_total()
    fact = _abi.FACT_MEMORY_MAX if facts.cgroup_version() == _abi.CGROUP_V2 else _abi.FACT_MEMORY_LIMIT
    limit = _cgroup_number(fact, int)
    if limit is not None and limit > 0:
        total = min(total, limit)
    return total / _GB


def get_parallel_threads(cloud_str: str | None = None) -> int:
    threads = max(4, (facts.cpu_count() or 1) - 1)
    return threads * 4 if cloud_str and cloud_str.lower() == "kubernetes" else threads


_LOW_FD_LIMIT = 1024
_RESERVED_FDS = 100
_FDS_PER_ENTRY = 5
_warned_low_limit = False


def warn_low_fd_limit(limit: float) -> None:
    """Says once a process that file mounts will be slow, as SkyPilot does."""
    global _warned_low_limit
    if limit < _LOW_FD_LIMIT and not _warned_low_limit:
        _warned_low_limit = True
        from skywasm import _log

        _log.logger().warning(
            "Open file descriptor limit (%s) is low. File sync to remote clusters may be slow. Consider increasing "
            "the limit using `ulimit -n <number>` or modifying system limits.",
            limit,
        )


def mount_entries(source: Any) -> int | None:
    """Entries of a file mount's source when it is a directory, else None."""
    if source is not None:
        # Listing alone tells a directory from the rest; only a refusal needs a second look.
        try:
            return facts.entry_count(source)
        except (OSError, ValueError):
            if not os.path.isdir(source):
                return None
            raise
        except TypeError:
            pass
    return facts.entry_count(source) if os.path.isdir(source) else None


def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    limit = facts.open_files_limit()
    warn_low_fd_limit(limit)
    each = _FDS_PER_ENTRY
    for source in common_file_mounts.values():
        each = max(each, (mount_entries(source) or 0) * _FDS_PER_ENTRY)
    workers = max((limit - _RESERVED_FDS) // each, 1)
    return min(workers, get_parallel_threads(cloud_str))


LAST_PID = 2**31 - 1
_EPERM = 1


def checked_pid(pid: Any) -> bool:
    """Whether a process of this number can exist at all; TypeError for what is no number."""
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    return 0 < pid <= LAST_PID


def is_process_alive(pid: int) -> bool:
    # A refusal (EPERM) proves that there is somebody to be protected.
    return checked_pid(pid) and facts.process_signal(pid) in (0, _EPERM)


def estimate_fd_for_directory(path: PathOrFd) -> int:
    return facts.entry_count(path) * _FDS_PER_ENTRY
