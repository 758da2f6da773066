"""MD5 of many files in the artifact's eight lanes, with one instance.

A round reads parts of several files side by side into linear memory, then makes one call.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from skywasm import _dispatch, reference
from skywasm import _runtime as runtime
from skywasm.errors import TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

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


class _File:
    """A file that takes more than one part: where its digest goes, its descriptor, what has been read and hashed."""

    __slots__ = ("descriptor", "index", "state", "total")

    def __init__(self, index: int, descriptor: int, total: int) -> None:
        self.index = index
        self.descriptor = descriptor
        self.total = total
        self.state = _START


class Md5Lanes:
    """Hashes files; what has a result already is left alone, and ``hash_one`` takes what is no path."""

    def __init__(self, paths: Sequence[Any], results: list[Any], hash_one: Callable[[Any, int], Any]) -> None:
        self.paths = paths
        self.results = results
        self.hash_one = hash_one
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
        self.results[index] = error

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
                self.results[index] = self.hash_one(path, index)
                continue
            try:
                # What open() takes for a path, and refuses in its words.
                path = os.fspath(path)  # noqa: PLW2901
                self._open(path)
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

    def _open(self, path: Any) -> None:
        # In C from the call to the list: no signal can strike in between and lose the descriptor.
        try:
            self.descriptors.extend(map(os.open, (path,), _OPEN_FLAGS))
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or len(self.descriptors) == len(self.open):
                raise
            self._close_finished()
            self.descriptors.extend(map(os.open, (path,), _OPEN_FLAGS))

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
