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
# Reads that are to find the end of a file ask for little: Python makes room for all that is asked for.
_PROBE = 512
_PROBED = _PART - _PROBE
# As many small files as the processor's second cache holds.
_JOBS = 64
_FULL_TABLE = struct.Struct("<" + _RECORD * _JOBS)
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

    def _next_part(self, file: _File, room: memoryview) -> int:
        """Reads the next part of a file under way; -1 when it cannot be read."""
        try:
            filled = _fill(file.descriptor, room)
        except OSError as error:
            self._failed(file.index, error)
            filled = -1
        if filled < _PART:
            self.open.remove(file)
            _close(self.descriptors, file.descriptor)
        file.total += max(filled, 0)
        return filled

    def _begin_again(self, index: int, path: Any, room: memoryview, error: Exception) -> int:
        """A second try for want of descriptors, where some can be closed; -1 when the error is the file's result."""
        scarce = isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
        if scarce and len(self.descriptors) > len(self.open):
            self._close_finished()
            try:
                self.descriptors += map(os.open, (path,), _OPEN_FLAGS)
                return _fill(self.descriptors[-1], room)
            except OSError as other:
                error = other
        self._failed(index, error)
        return -1

    def _begin_long(self, index: int, room: memoryview) -> int:
        """Keeps a file open that filled its room, for the next round; -1 when it has been read to its end here."""
        descriptor = self.descriptors[-1]
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                self.open.append(_File(index, descriptor, _PART))
                return _PART
            self.results[index] = _stream_digest(descriptor, room)
        except OSError as error:
            self._failed(index, error)
        return -1

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
        for file in self.open[:]:
            filled = self._next_part(file, view[at : at + _PART])
            if filled >= 0:
                jobs.append(file)
                records += (at - base, filled, file.total if filled < _PART else -1, file.state)
                at += filled + _BLOCK - 1 & -_BLOCK
        if at <= last:
            self._begin_files(view, base, at, jobs, records)
        if jobs:
            self._hash(instance, jobs, records)
        return bool(jobs)

    def _begin_files(self, view: memoryview, base: int, at: int, jobs: list[int | _File], records: list[Any]) -> None:
        """Fills the room from ``at`` on with the beginnings of files, most of which are whole files."""
        last = base + _ROOM - _PART
        descriptors = self.descriptors
        for index, path in self.waiting:
            if type(path) is not str and isinstance(path, int):
                # A descriptor is read from where it stands and closed, as open() does.
                self.results[index] = self.hash_one(path, index)
                continue
            room = view[at : at + _PART]
            # Written out here, and in _fill() again: for small files each call in Python would show.
            try:
                # In C from the call to the list: no signal can strike in between and lose the descriptor.
                descriptors += map(os.open, (path,), _OPEN_FLAGS)
                filled = os.readv(descriptors[-1], (room,))
                if 0 < filled < _PART:
                    more = os.read(descriptors[-1], _PROBE if filled < _PROBED else _PART - filled)
                    if more:
                        filled = _go_on(descriptors[-1], room, filled, more)
            except (OSError, TypeError, ValueError) as error:
                filled = self._begin_again(index, path, room, error)
            if filled == _PART:
                filled = self._begin_long(index, room)
            if filled >= 0:
                jobs.append(self.open[-1] if filled == _PART else index)
                records += (at - base, filled, filled if filled < _PART else -1, _START)
                at += filled + _BLOCK - 1 & -_BLOCK
            if len(descriptors) >= _OPEN_AT_ONCE:
                self._close_finished()
            if at > last or len(jobs) >= _JOBS:
                break

    def _hash(self, instance: Any, jobs: list[int | _File], records: list[Any]) -> None:
        # Python takes some 7 us to read such a format.
        table = _FULL_TABLE if len(jobs) == _JOBS else struct.Struct("<" + _RECORD * len(jobs))
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
    if 0 < filled < _PART:
        filled = _go_on(descriptor, room, filled, os.read(descriptor, _PART - filled))
    return filled


def _go_on(descriptor: int, room: memoryview, filled: int, more: bytes) -> int:
    """Puts ``more`` behind what has been read, and all that further reads give."""
    while more:
        room[filled : filled + len(more)] = more
        filled += len(more)
        if filled == _PART:
            break
        more = os.read(descriptor, _PART - filled)
    return filled
