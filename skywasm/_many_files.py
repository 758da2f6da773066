"""Hashing many files: MD5 in the artifact's eight lanes, anything else a file at a time, in threads or an executor.

A file that cannot be opened or read costs only its own result: an exception stands where the digest would.
"""

from __future__ import annotations

import os
import stat
import struct
import sys

from skywasm import _dispatch, api, reference
from skywasm import _runtime as runtime
from skywasm.errors import CoreUnavailableError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor, Future
    from typing import Any, Union

    Progress = Union[bool, Callable[[int, int], object], None]

_MOST_THREADS = 8
# Where the data lies, its length, the length of the whole message or -1, the state.
_RECORD = "qqq16s"
_RECORD_SIZE = 40
_START = struct.pack("<4I", 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_LANES = 8
_PART = 128 * 1024
_JOBS = 512
_TABLE = _RECORD_SIZE * _JOBS
_ROOM = _TABLE + _LANES * _PART
_BLOCK = 64
_OPEN_FLAGS = (os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0),)
# Descriptors that a thread holds at most.
_OPEN_AT_ONCE = 24
# Files a group: enough to fill the lanes, few enough to share the work evenly.
_GROUP = 512
_LEAST_GROUP = 2 * _LANES
_STEPS = 8


def at_index(error: Exception, index: int) -> Exception:
    """The error with the index of its item."""
    error.batch_index = index  # type: ignore[attr-defined]
    return error


def without_exceptions(results: list[Any]) -> list[Any]:
    """The results, or the first exception among them, raised."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


class _File:
    """A file that takes more than one part: where its digest goes, its descriptor, what has been read and hashed."""

    __slots__ = ("descriptor", "index", "state", "total")

    def __init__(self, index: int, descriptor: int, total: int) -> None:
        self.index = index
        self.descriptor = descriptor
        self.total = total
        self.state = _START


class _Md5Lanes:
    """Hashes files with one instance: a round reads parts of several files side by side, then makes one call."""

    def __init__(self, paths: Sequence[Any], results: list[Any]) -> None:
        self.paths = paths
        self.results = results
        self.waiting: Iterator[tuple[int, Any]] = iter(enumerate(paths))
        # Files under way, and the descriptors that are to be closed whatever happens.
        self.open: list[_File] = []
        self.descriptors: list[int] = []
        self.parts: list[_File] = []

    def run(self) -> None:
        instance = runtime.borrow()
        instance.reserve(_ROOM)
        try:
            while self._round(instance):
                pass
        finally:
            any(map(os.close, self.descriptors))
        runtime.pool.append(instance)

    def _failed(self, index: int, error: Exception) -> None:
        if isinstance(error, OSError):
            if error.filename is None:
                error.filename = os.fspath(self.paths[index])
        else:
            error = _as_open_says(self.paths[index], error)
        self.results[index] = at_index(error, index)

    def _next_part(self, room: memoryview) -> tuple[_File, int] | None:
        """Reads the next part of a file under way; None when it cannot be read."""
        file = self.parts.pop()
        try:
            filled = _fill(file.descriptor, room)
        except OSError as error:
            self._failed(file.index, error)
            filled = -1
        if filled < _PART:
            self.open.remove(file)
            _close(self.descriptors, file.descriptor)
        file.total += max(filled, 0)
        return (file, filled) if filled >= 0 else None

    def _next_file(self, room: memoryview) -> tuple[int | _File, int] | None:
        """Opens the next file and reads its beginning: its index when that was all of it. None at the end."""
        descriptors = self.descriptors
        for index, path in self.waiting:
            if isinstance(path, int):
                # A descriptor is read from where it stands and closed, as open() does.
                self.results[index] = hash_one(path, "md5", index)
                continue
            try:
                descriptors.extend(map(os.open, (path,), _OPEN_FLAGS))
                descriptor = descriptors[-1]
                filled = _fill(descriptor, room)
                if filled == _PART and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    self.results[index] = _stream_digest(descriptor, room)
                    filled = -1
            except (OSError, TypeError, ValueError) as error:
                self._failed(index, error)
                filled = -1
            if filled == _PART:
                file = _File(index, descriptor, filled)
                self.open.append(file)
                return file, filled
            if len(descriptors) >= _OPEN_AT_ONCE:
                self._close_finished()
            if filled >= 0:
                return index, filled
        return None

    def _close_finished(self) -> None:
        """Closes what has been read. Several at a time: done in C, as it must be, one alone costs more."""
        kept = {file.descriptor for file in self.open}
        if not kept:
            any(map(os.close, map(self.descriptors.pop, (0,) * len(self.descriptors))))
            return
        for descriptor in [one for one in self.descriptors if one not in kept]:
            _close(self.descriptors, descriptor)

    def _round(self, instance: Any) -> bool:
        """One call's worth of work; False when there was none left."""
        view, base = instance.view, instance.input
        at, last = base + _TABLE, base + _ROOM - _PART
        jobs: list[int | _File] = []
        records: list[Any] = []
        self.parts = self.open[::-1]
        while at <= last and len(jobs) < _JOBS:
            room = view[at : at + _PART]
            if self.parts:
                part = self._next_part(room)
                if part is None:
                    continue
                job: int | _File = part[0]
                filled, total, state = part[1], part[0].total, part[0].state
            else:
                began = self._next_file(room)
                if began is None:
                    break
                job, filled = began
                total, state = filled, _START
            jobs.append(job)
            records += (at - base, filled, total if filled < _PART else -1, state)
            at += -(-filled // _BLOCK) * _BLOCK
        if jobs:
            self._hash(instance, jobs, records)
        return bool(jobs)

    def _hash(self, instance: Any, jobs: list[int | _File], records: list[Any]) -> None:
        table = struct.Struct("<" + _RECORD * len(jobs))
        table.pack_into(instance.view, instance.input, *records)
        if instance.call("sky_batch_md5", len(jobs), release=True) != len(jobs):
            raise TrapError("sky_batch_md5: the artifact did not take the table")
        done = table.unpack_from(instance.view, instance.input)
        # The third of a record's four fields says whether this was the last part.
        for job, total, state in zip(jobs, records[2::4], done[3::4]):
            if total < 0:
                job.state = state  # type: ignore[union-attr]
            else:
                self.results[job if isinstance(job, int) else job.index] = state.hex()


def _close(descriptors: list[int], descriptor: int) -> None:
    """Closes one of the descriptors. It leaves the list in the same step of C, so that no signal can come between."""
    any(map(os.close, map(descriptors.pop, (descriptors.index(descriptor),))))


def _as_open_says(path: Any, error: Exception) -> Exception:
    """The exception that open() raises for a path; os.open words some of them in another way."""
    try:
        open(path, "rb", 0).close()
    except Exception as other:
        return other
    return error


def _stream_digest(descriptor: int, beginning: memoryview) -> str:
    """The MD5 of a pipe or device, read to its end at once: whoever writes it may wait for us to go on."""
    from skywasm import _hashes, _sandboxed

    if _dispatch.mode() == "wasm":
        digest: Any = _sandboxed.new_hash(_hashes.ALGORITHMS[0])
    else:
        import hashlib

        digest = hashlib.new("md5")  # noqa: S324 - what was asked for
    digest.update(beginning)
    reference.files.update_from(descriptor, digest)
    result: str = digest.hexdigest()
    return result


def _fill(descriptor: int, room: memoryview) -> int:
    """Reads into ``room`` as far as the file goes."""
    filled = os.readv(descriptor, (room,))
    # Only a second read tells the end of the file from a short read.
    while 0 < filled < _PART:
        more = os.readv(descriptor, (room[filled:],))
        if not more:
            break
        filled += more
    return filled


def hash_one(path: Any, alg: str, index: int) -> Any:
    """The digest of one file, or the exception."""
    try:
        return api.hash_file(path, alg).hexdigest()
    except (TrapError, CoreUnavailableError):
        raise
    except Exception as error:
        return at_index(error, index)


def tail_one(path: Any, n: int, index: int) -> Any:
    """The last lines of one file, or the exception."""
    try:
        return api.read_last_n_lines(path, n)
    except Exception as error:
        return at_index(error, index)


def hash_group(paths: Sequence[Any], alg: str, lanes: bool) -> list[Any]:
    """The digests of a group of files, or exceptions. A plain function, so that an executor can carry it anywhere."""
    if lanes and _dispatch.mode() != "python":
        results: list[Any] = [None] * len(paths)
        try:
            _Md5Lanes(paths, results).run()
            return results
        except (TrapError, CoreUnavailableError) as error:
            if _dispatch.mode() == "wasm":
                raise
            _dispatch.fell_back("batch.hash_files", error)
    if lanes:
        return [_python_one(path, alg, index) for index, path in enumerate(paths)]
    return [hash_one(path, alg, index) for index, path in enumerate(paths)]


def _python_one(path: Any, alg: str, index: int) -> Any:
    try:
        return reference.hash_file(path, alg).hexdigest()
    except Exception as error:
        return at_index(error, index)


def _checked(alg: Any) -> bool:
    """Raises for an algorithm that no file could be hashed with; True when the lanes can take it."""
    from skywasm import _batched, _sandboxed

    mode = _dispatch.mode()
    lower = alg.lower() if isinstance(alg, str) else ""
    if mode == "wasm":
        algorithm = _sandboxed.algorithm_for(alg)
        _batched.refuse_free_length(algorithm.name, algorithm.digest_size)
    elif lower != "blake3" or mode == "python":
        import hashlib

        # Also what the host's policy refuses is refused here, whoever would do the hashing.
        known = hashlib.new(alg)
        _batched.refuse_free_length(known.name, known.digest_size)
    return lower == "md5" and mode != "python" and hasattr(os, "readv")


def _workers(threads: int | None) -> int:
    if threads is None:
        from host_shims import facts

        return min(facts.cpu_affinity() or facts.cpu_count() or 1, _MOST_THREADS)
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    return threads


class _Bar:
    """Tells how far the work is: to a callable, or as a bar on standard error."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._call = progress if callable(progress) else None
        self._total = total
        self._done = 0
        self._bar: Any = None
        if progress and self._call is None:
            from rich.console import Console
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(console=Console(file=sys.stderr), transient=True)
            self._task = self._bar.add_task("hashing", total=total)

    def __enter__(self) -> _Bar:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.advance(self._task, count)
        if self._call is not None:
            self._call(self._done, self._total)


def hash_files(
    paths: Sequence[Any], alg: str, threads: int | None, executor: Executor | None, progress: Progress
) -> list[Any]:
    """As ``batch.hash_files``, with an exception in place of each digest that there is none of."""
    lanes = _checked(alg)
    if lanes and _dispatch.mode() == "auto" and not _dispatch.batch_may_cross(len(paths) * _SAVED_FILE):
        lanes = False
    workers = _workers(threads)
    size = _group_size(len(paths), workers, bool(progress))
    groups = [(first, paths[first : first + size]) for first in range(0, len(paths), size)]
    results: list[Any] = [None] * len(paths)
    count = min(workers, len(groups))
    with _Bar(progress, len(paths)) as bar:
        if executor is None and count <= 1:
            for first, group in groups:
                _collect(results, first, hash_group(group, alg, lanes))
                bar.advance(len(group))
        elif executor is not None:
            _spread(executor, groups, alg, lanes, results, bar)
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(count) as pool:
                _spread(pool, groups, alg, lanes, results, bar)
    return results


# Microseconds that the lanes save a file of a few KiB.
_SAVED_FILE = 10.0


def _group_size(files: int, workers: int, told: bool) -> int:
    """Files a group: all lanes busy, every worker with some groups, and some steps to tell progress by."""
    steps = _STEPS if told else 1
    return max(min(files // (workers * steps), _GROUP), _LEAST_GROUP)


def _spread(
    executor: Executor,
    groups: list[tuple[int, Sequence[Any]]],
    alg: str,
    lanes: bool,
    results: list[Any],
    bar: _Bar,
) -> None:
    futures: list[tuple[int, Future[list[Any]]]] = [
        (first, executor.submit(hash_group, group, alg, lanes)) for first, group in groups
    ]
    try:
        for first, future in futures:
            done = future.result()
            _collect(results, first, done)
            bar.advance(len(done))
    except BaseException:
        # After Ctrl-C, or an executor that broke, no more groups are begun.
        for _, future in futures:
            future.cancel()
        raise


def _collect(results: list[Any], first: int, done: list[Any]) -> None:
    for offset, result in enumerate(done):
        results[first + offset] = at_index(result, first + offset) if isinstance(result, Exception) else result
