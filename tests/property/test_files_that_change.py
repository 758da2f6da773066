"""A machine of states: files that are appended to, cut, rewritten, replaced and deleted in the middle of a read.

A profiler sees each C function that reads or seeks, and makes the change before the n-th of them; the kernel tells
how far the file had been read by then. So what must come out is known to the byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from typing import Any

import pytest
from conftest import PROFILE
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import skywasm
from skywasm import batch

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fdinfo"), reason="needs Linux's procfs")
pytest.importorskip("wasmtime")

BACKENDS = st.sampled_from(("auto", "wasm", "python"))
NAMES = st.sampled_from("abcd")
READING = frozenset(("read", "readv", "readinto", "readall", "pread", "preadv", "seek"))
LINES = st.lists(st.sampled_from((b"one\n", b"two\r\n", b"\n", b"three and more\n", b"four", b"\r")), max_size=9)
CONTENTS = st.builds(lambda lines, times: b"".join(lines) * times, LINES, st.sampled_from((1, 1, 2, 90, 4000, 12_000)))
CHANGES = st.one_of(
    st.tuples(st.just("append"), CONTENTS),
    st.tuples(st.just("truncate"), st.integers(0, 200_000)),
    st.tuples(st.just("rewrite"), st.integers(0, 100_000), st.just(b"REWRITTEN\n") | CONTENTS),
    st.tuples(st.just("replace"), CONTENTS),
    st.tuples(st.just("delete")),
)
# Before which call that reads or seeks, and what; None for a read that nothing disturbs.
_STRIKES = st.tuples(st.integers(0, 5), st.lists(CHANGES, min_size=1, max_size=2))
ATTACKS = st.one_of(_STRIKES, _STRIKES, _STRIKES.map(lambda pair: (0, pair[1])), st.none())


def last_lines(data: bytes, n: int) -> list[str]:
    """The last lines of some bytes, by the rule of the documentation."""
    rows = data.split(b"\n")
    if not rows[-1]:
        rows.pop()
    lines = [row.decode().rstrip("\r") + "\n" for row in rows[-n:]]
    return [*lines[:-1], lines[-1][:-1]] if lines else []


def pieces(text: bytes, versions: list[bytes]) -> int:
    """Of how few pieces of the versions a text consists; taking the longest each time is best."""
    count = 0
    while text:
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if any(text[:middle] in one for one in versions) else (low, middle - 1)
        if low == 0:
            return sys.maxsize
        text, count = text[low:], count + 1
    return count


class Attack:
    """One call under way, the change that is to strike it, and what the victim held before and after."""

    def __init__(self, files: Files, name: str, when: int, changes: list[Any]) -> None:
        self._files, self._name, self._when, self._changes = files, name, when, changes
        self.fired = False
        # How far the file was read; None when it was not open.
        self.position: int | None = None
        # What the file held that was at the path when the call began, now that the changes are made.
        self.after: bytes | None = None
        self.only_grew = True

    def __enter__(self) -> Attack:
        path = self._files.path(self._name)
        self._identity = self._files.identity(path)
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: Any, event: str, what: Any) -> None:
        if event != "c_call" or getattr(what, "__name__", "") not in READING:
            return
        if self._when:
            self._when -= 1
            return
        sys.setprofile(None)
        self.fired = True
        self.position = self._read_so_far()
        self.after = self._files.contents.get(self._name)
        for change in self._changes:
            here = self._files.identity(self._files.path(self._name)) == self._identity
            self._files.change(self._name, change)
            if here and change[0] not in ("replace", "delete"):
                self.after = self._files.contents.get(self._name)
                self.only_grew = self.only_grew and change[0] == "append"

    def _read_so_far(self) -> int | None:
        for number in os.listdir("/proc/self/fd"):
            if self._identity is not None and self._files.identity(f"/proc/self/fd/{number}") == self._identity:
                with open(f"/proc/self/fdinfo/{number}") as file:
                    return int(file.readline().split()[1])
        return None


class Files(RuleBasedStateMachine):
    """Four files, what they hold, and calls that are disturbed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.contents: dict[str, bytes] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @staticmethod
    def identity(path: str) -> tuple[int, int] | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def change(self, name: str, change: tuple[Any, ...]) -> None:
        """Makes a change in the file system and in the model; most do nothing where there is no file."""
        kind, path, old = change[0], self.path(name), self.contents.get(name)
        if kind == "replace":
            with open(path + ".new", "wb") as file:
                file.write(change[1])
            os.replace(path + ".new", path)
            self.contents[name] = change[1]
        elif old is None:
            return
        elif kind == "append":
            with open(path, "ab") as file:
                file.write(change[1])
            self.contents[name] = old + change[1]
        elif kind == "truncate":
            size = min(change[1], len(old))
            os.truncate(path, size)
            self.contents[name] = old[:size]
        elif kind == "rewrite":
            at = min(change[1], len(old))
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(change[2])
            self.contents[name] = old[:at] + change[2] + old[at + len(change[2]) :]
        else:
            os.unlink(path)
            del self.contents[name]

    def attack(self, name: str, attack: tuple[int, list[Any]] | None) -> Attack:
        # A profiler that never strikes is no profiler: the call is as others are.
        return Attack(self, name, *(attack or (10**9, [])))

    @initialize(contents=st.tuples(CONTENTS, CONTENTS, CONTENTS))
    def begin(self, contents: tuple[bytes, ...]) -> None:
        for name, content in zip("abc", contents):
            self.change(name, ("replace", content))

    @rule(name=NAMES, change=CHANGES)
    def change_between_calls(self, name: str, change: tuple[Any, ...]) -> None:
        self.change(name, change)

    @rule(
        backend=BACKENDS,
        name=NAMES,
        n=st.sampled_from((1, 2, 5, 150, 3000)),
        chunk=st.sampled_from((7, 64, 8192)),
        attack=ATTACKS,
    )
    def tail(self, backend: str, name: str, n: int, chunk: int, attack: tuple[int, list[Any]] | None) -> None:
        """Lines of the file as it was at one moment while it only grew; else lines pieced together of what it held."""
        before = self.contents.get(name)
        with skywasm.use_backend(backend), self.attack(name, attack) as struck:
            if before is None:
                with pytest.raises(AssertionError, match="File not found"):
                    skywasm.read_last_n_lines(self.path(name), n, chunk)
                return
            got = skywasm.read_last_n_lines(self.path(name), n, chunk)
        if not struck.fired:
            assert got == last_lines(before, n)
            return
        assert struck.after is not None
        if struck.only_grew:
            assert got in (last_lines(before, n), last_lines(struck.after, n))
            return
        assert len(got) <= n
        # Carriage returns before a newline are dropped.
        held = [before, struck.after, before.replace(b"\r", b""), struck.after.replace(b"\r", b"")]
        assert all(pieces(line.encode(), held) <= 2 for line in got)

    def digests(self, before: bytes | None, struck: Attack, name: str, alg: str) -> set[str | None]:
        """What may come out; None for a file that is not there."""
        may: list[bytes | None]
        if not struck.fired:
            may = [before]
        elif struck.position is None:
            # Not opened yet, or closed already.
            may = [before, self.contents.get(name)]
        else:
            assert before is not None
            assert struck.after is not None
            may = [before[: struck.position] + struck.after[struck.position :]]
            if struck.position == len(before):
                # Its end may have been seen already, though it is still open.
                may.append(before)
        return {None if data is None else hashlib.new(alg, data).hexdigest() for data in may}

    @rule(backend=BACKENDS, name=NAMES, alg=st.sampled_from(("md5", "sha256", "blake2b")), attack=ATTACKS)
    def hash_one(self, backend: str, name: str, alg: str, attack: tuple[int, list[Any]] | None) -> None:
        """The digest of exactly the bytes that were read: up to the change what it held before, then what it holds."""
        before = self.contents.get(name)
        got = None
        gone = contextlib.suppress(FileNotFoundError)
        with skywasm.use_backend(backend), self.attack(name, attack) as struck, gone:
            got = skywasm.hash_file(self.path(name), alg)
        assert (got.hexdigest() if got else None) in self.digests(before, struck, name, alg)

    @rule(backend=BACKENDS, name=NAMES, alg=st.sampled_from(("md5", "sha256")), attack=ATTACKS)
    def hash_many(self, backend: str, name: str, alg: str, attack: tuple[int, list[Any]] | None) -> None:
        """Every other file has its own digest; the one that changed has that of the bytes that were read."""
        before = dict(self.contents)
        names = "abcd"
        with skywasm.use_backend(backend), self.attack(name, attack) as struck:
            got = batch.hash_files([self.path(one) for one in names], alg, threads=1, return_exceptions=True)
        for one, answer in zip(names, got):
            found = None if isinstance(answer, FileNotFoundError) else answer
            may = self.digests(before.get(one), struck, one, alg) if one == name else {None}
            if one != name and one in before:
                may = {hashlib.new(alg, before[one]).hexdigest()}
            assert found in may, (one, found, may)


TestFiles = Files.TestCase
TestFiles.__doc__ = "Whatever happens to files while they are read, what comes out is of their own bytes."
TestFiles.settings = settings(
    max_examples=60 if PROFILE == "quick" else 3000,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_pieces() -> None:
    """The measure of the machine: how few pieces of the versions a text is made of."""
    versions = [b"0123456789", b"abcdef"]
    assert [pieces(text, versions) for text in (b"", b"345", b"34cd", b"34cd01")] == [0, 1, 2, 3]
    assert pieces(b"x", versions) == sys.maxsize


def test_an_attack_strikes_in_the_middle_of_a_file() -> None:
    """The profiler makes its change after a part of the file was read, in every backend and every function."""
    calls = (
        lambda path: skywasm.hash_file(path, "md5"),
        lambda path: batch.hash_files([path], "md5", threads=1),
        lambda path: skywasm.read_last_n_lines(path, 3000, 64),
    )
    for backend in ("auto", "wasm", "python"):
        for number, call in enumerate(calls):
            files = Files()
            files.change("a", ("replace", b"0123456789\n" * 60_000))
            positions = []
            for when in range(3):
                with skywasm.use_backend(backend), files.attack("a", (when, [("append", b"more\n")])) as struck:
                    call(files.path("a"))
                positions.append(struck.position)
                assert struck.fired, (backend, number, when)
            # Not at its beginning each time.
            assert any(positions), (backend, number, positions)
            files.teardown()
