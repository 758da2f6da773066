"""Files with known digests, and reads that somebody meddles with."""

from __future__ import annotations

import hashlib
import importlib.util
import os

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import Any

# A block of MD5 and how much of a file is read at once.
BLOCK = 64
PART = 128 * 1024
ALGORITHMS = ("md5", "sha1", "sha256", "blake3")


def content(size: int, seed: int = 0) -> bytes:
    """Bytes that differ for every size and seed."""
    start = b"%d %d " % (seed, size)
    return (start + bytes(range(251)) * (size // 251 + 1))[:size]


def digest(data: bytes, alg: str) -> str:
    """The digest of some bytes, by hashlib or the blake3 package."""
    if alg.lower() == "blake3":
        return pytest.importorskip("blake3").blake3(data).hexdigest()  # type: ignore[no-any-return]
    return hashlib.new(alg, data).hexdigest()


def need(backend: str, alg: str = "md5") -> None:
    """Skips a test that the backend cannot pass: blake3 is the artifact's alone, and that needs an engine."""
    engine = importlib.util.find_spec("wasmtime") is not None
    if backend == "wasm" and not engine:
        pytest.skip("wasmtime is not installed")
    if alg.lower() == "blake3" and (backend == "python" or not engine):
        pytest.skip("blake3 needs the artifact")


def write(folder: pathlib.Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def fault(error: BaseException, batch_index: bool = True) -> tuple[Any, ...]:
    """What counts about the error of a file."""
    number = getattr(error, "errno", None)
    index = (getattr(error, "batch_index", None),) if batch_index else ()
    return (type(error), number, str(error), *index)


class Meddler:
    """Stands between skywasm and the kernel: sees each read of one file, and acts before the n-th of them.

    Reads of that file are kept, so that the digest can be held against the bytes that really came.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, victim: str, act: Callable[[], Any], before: int = 1, most: int = 1 << 30
    ) -> None:
        self.identity = self._identity(os.stat(victim))
        self.act = act
        self.before = before
        self.most = most
        self.reads = 0
        self.seen = b""
        self._read, self._readv = os.read, getattr(os, "readv", None)
        monkeypatch.setattr(os, "read", self.read)
        if self._readv is not None:
            monkeypatch.setattr(os, "readv", self.readv)

    @staticmethod
    def _identity(status: os.stat_result) -> tuple[int, int]:
        return status.st_dev, status.st_ino

    def _is_victim(self, descriptor: int) -> bool:
        if self._identity(os.fstat(descriptor)) != self.identity:
            return False
        if self.reads == self.before:
            self.act()
        self.reads += 1
        return True

    def read(self, descriptor: int, size: int) -> bytes:
        if not self._is_victim(descriptor):
            return self._read(descriptor, size)
        data = self._read(descriptor, min(size, self.most))
        self.seen += data
        return data

    def readv(self, descriptor: int, buffers: Any) -> int:
        if not self._is_victim(descriptor):
            return self._readv(descriptor, buffers)  # type: ignore[misc]
        room = memoryview(buffers[0])[: self.most]
        count: int = self._readv(descriptor, (room,))  # type: ignore[misc]
        self.seen += bytes(room[:count])
        return count
