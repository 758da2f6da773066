"""MD5 of many files in the artifact's eight lanes, with one instance.

A round reads parts of several files side by side into linear memory, then makes one call.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from host_shims.descriptors import close_all
from host_shims.struck import let_out
from skywasm.crossing import calls, rules
from skywasm.crossing import convention as c
from skywasm.crossing.instance import INSTANCE, SLOT_WORDS, SLOTS
from skywasm.errors import TrapError
from skywasm.functions import hashing
from skywasm.loading import late
from skywasm.routes import core
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from skywasm.crossing.instance import Seat

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
_INPUT_SLOT = c.SLOT_INPUT * SLOT_WORDS
_OPEN_FLAGS = (os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0),)
# Descriptors that a thread holds at most.
_OPEN_AT_ONCE = 24


def _read_and_copy(descriptor: int, rooms: tuple[memoryview]) -> int:
    """What ``os.readv`` does with one room, where the system has no such call."""
    (room,) = rooms
    data = os.read(descriptor, len(room))
    room[: len(data)] = data
    return len(data)


def _reader() -> Callable[[int, tuple[memoryview]], int]:
    # Looked up each time: a program may have put its own in its place.
    return getattr(os, "readv", _read_and_copy)


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
        module = core.core()
        self.export: int = module.index("md5_parts")
        seat = module.borrow()
        try:
            at = seat[INSTANCE].reserve(_ROOM)
            view = seat[INSTANCE].region(at, _ROOM)
            self._rounds(seat, view)
        except BaseException:
            seat[INSTANCE].close()
            raise
        finally:
            try:
                close_all(self.descriptors)
            finally:
                close_all(self.descriptors)
        seat[INSTANCE].forget_input()
        module.give_back(seat)

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
            let_out(error)
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
                let_out(other)
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
            let_out(error)
            self._failed(index, error)
        return -1

    def _close_finished(self) -> None:
        """Closes what has been read. Several at a time: done in C, as it must be, one alone costs more."""
        kept = {file.descriptor for file in self.open}
        if not kept:
            close_all(self.descriptors)
            return
        for descriptor in [one for one in self.descriptors if one not in kept]:
            _close(self.descriptors, descriptor)

    def _rounds(self, seat: Seat, view: memoryview) -> None:
        # A function of its own: see hash_file.
        while self._round(seat, view):
            pass

    def _round(self, seat: Seat, view: memoryview) -> bool:
        """One call's worth of work; False when there was none left."""
        at, last = _TABLE, _ROOM - _PART
        jobs: list[int | _File] = []
        records: list[Any] = []
        for file in self.open[:]:
            filled = self._next_part(file, view[at : at + _PART])
            if filled >= 0:
                jobs.append(file)
                records += (at, filled, file.total if filled < _PART else -1, file.state)
                at += filled + _BLOCK - 1 & -_BLOCK
        if at <= last:
            self._begin_files(view, at, jobs, records)
        if jobs:
            self._hash(seat, view, jobs, records)
        return bool(jobs)

    def _begin_files(self, view: memoryview, at: int, jobs: list[int | _File], records: list[Any]) -> None:
        """Fills the room from ``at`` on with the beginnings of files, most of which are whole files."""
        last = _ROOM - _PART
        descriptors, readv = self.descriptors, _reader()
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
                filled = readv(descriptors[-1], (room,))
                if 0 < filled < _PART:
                    more = os.read(descriptors[-1], _PROBE if filled < _PROBED else _PART - filled)
                    if more:
                        filled = _go_on(descriptors[-1], room, filled, more)
            except (OSError, TypeError, ValueError) as error:
                let_out(error)
                filled = self._begin_again(index, path, room, error)
            if filled == _PART:
                filled = self._begin_long(index, room)
            if filled >= 0:
                jobs.append(self.open[-1] if filled == _PART else index)
                records += (at, filled, filled if filled < _PART else -1, _START)
                at += filled + _BLOCK - 1 & -_BLOCK
            if len(descriptors) >= _OPEN_AT_ONCE:
                self._close_finished()
            if at > last or len(jobs) >= _JOBS:
                break

    def _hash(self, seat: Seat, view: memoryview, jobs: list[int | _File], records: list[Any]) -> None:
        # Python takes some 7 us to read such a format.
        table = _FULL_TABLE if len(jobs) == _JOBS else struct.Struct("<" + _RECORD * len(jobs))
        table.pack_into(view, 0, *records)
        instance = seat[INSTANCE]
        seat[SLOTS][0] = len(jobs)
        seat[SLOTS][_INPUT_SLOT] = instance.large
        if instance.enter(self.export, calls.left_s(rules.timed), True) != len(jobs):
            raise TrapError("md5_parts: the artifact did not take the table")
        done = table.unpack_from(view, 0)
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
    except (OSError, TypeError, ValueError) as other:
        let_out(other)
        return other
    return error


def _stream_digest(descriptor: int, beginning: memoryview) -> str:
    """The MD5 of a pipe or device, read to its end at once: whoever writes it may wait for us to go on."""
    if modes.mode() == "wasm":
        from skywasm.functions.wasm_hash import new_hash

        digest: Any = new_hash(core.core(), hashing.ALGORITHMS[0])
    else:
        hashlib = late("hashlib")

        digest = hashlib.new("md5")
    digest.update(beginning)
    hashing.update_from(descriptor, digest)
    result: str = digest.hexdigest()
    return result


def _fill(descriptor: int, room: memoryview) -> int:
    """Reads into ``room`` as far as the file goes."""
    filled = _reader()(descriptor, (room,))
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
