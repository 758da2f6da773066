"""The hash object of wasm mode has the interface and the answers of hashlib's."""

from __future__ import annotations

import array
import ctypes
import hashlib
import importlib.util
import threading

import pytest

import skywasm
from skywasm import errors
from skywasm.crossing.module import Module
from skywasm.functions import hashing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

pytest.importorskip("wasmtime")
NAMES = [algorithm.name for algorithm in hashing.ALGORITHMS]
FREE_LENGTH = ("shake_128", "shake_256")
# Sizes around the block sizes of all algorithms, the artifact's read buffer and the piece that crosses at once.
SIZES = (0, 1, 63, 64, 65, 127, 128, 129, 168, 1023, 1024, 1025, 65535, 65536, 65537, 2**20 - 1, 2**20, 2**20 + 1)


def content(size: int) -> bytes:
    """Bytes that repeat every 251, so that blocks in the wrong order show."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def known(name: str, data: bytes = b"") -> Any:
    """An independent hash object."""
    if name == "blake3":
        return pytest.importorskip("blake3").blake3(data)
    return hashlib.new(name, data)


def hexdigest(digest: Any, length: int = 50) -> str:
    return str(digest.hexdigest(length) if digest.name in FREE_LENGTH else digest.hexdigest())


@pytest.fixture(autouse=True)
def _wasm() -> Iterator[None]:
    with skywasm.use_backend("wasm"):
        yield


@pytest.fixture
def empty(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_files_of_every_size(name: str, tmp_path: pathlib.Path) -> None:
    """Each algorithm gives the known digest for files around every block and buffer size."""
    for size in SIZES:
        path = tmp_path / str(size)
        path.write_bytes(content(size))
        found = skywasm.hash_file(path, name)
        assert type(found).__name__ == "WasmHash"
        assert hexdigest(found) == hexdigest(known(name, content(size))), size


@pytest.mark.parametrize("name", NAMES)
def test_update_in_parts(name: str, empty: pathlib.Path) -> None:
    """Bytes may come in parts of any size and any kind of buffer, and the digest may be asked for in between."""
    digest, other = skywasm.hash_file(empty, name), known(name)
    data = content(3000)
    parts: list[Any] = [b"", data[:1], bytearray(data[1:64]), memoryview(data)[64:200], memoryview(data)[200:1000]]
    parts += [array.array("I", data[1000:2000]), (ctypes.c_char * 1000).from_buffer_copy(data[2000:3000])]
    for part in parts:
        digest.update(part)
        other.update(bytes(part))
        assert hexdigest(digest) == hexdigest(other)
    assert hexdigest(digest) == hexdigest(known(name, data))


@pytest.mark.parametrize("name", ["md5", "sha3_256", "blake3"])
def test_a_large_update_crosses_in_pieces(name: str, empty: pathlib.Path) -> None:
    """An update longer than what crosses at once gives the digest of all of it."""
    data = content(5 * 2**20 + 17)
    digest = skywasm.hash_file(empty, name)
    digest.update(data)
    assert hexdigest(digest) == hexdigest(known(name, data))


@pytest.mark.parametrize("name", NAMES)
def test_interface(name: str, empty: pathlib.Path) -> None:
    """name, digest_size, block_size, digest and hexdigest are those of hashlib's object."""
    digest, other = skywasm.hash_file(empty, name), known(name)
    assert (digest.name, digest.digest_size, digest.block_size) == (other.name, other.digest_size, other.block_size)
    if name not in FREE_LENGTH:
        assert digest.digest() == other.digest()
        assert len(digest.digest()) == digest.digest_size
    assert name in repr(digest)
    for attribute in ("name", "digest_size", "block_size"):
        with pytest.raises(AttributeError):
            setattr(digest, attribute, 1)


@pytest.mark.parametrize("name", NAMES)
def test_copies_are_independent(name: str, empty: pathlib.Path) -> None:
    """A copy begins with the same bytes; afterwards neither sees what the other takes in."""
    digest = skywasm.hash_file(empty, name)
    digest.update(b"common ")
    copied = digest.copy()
    digest.update(b"one")
    copied.update(b"other")
    assert hexdigest(digest) == hexdigest(known(name, b"common one"))
    assert hexdigest(copied) == hexdigest(known(name, b"common other"))


@pytest.mark.parametrize("bad", ["text", "", None, 3, 1.5, ["a"]])
def test_update_takes_buffers_only(bad: Any, empty: pathlib.Path) -> None:
    """Text and whatever is no buffer is a TypeError, with hashlib's message for text; the hash stays as it was."""
    digest = skywasm.hash_file(empty, "md5")
    with pytest.raises(TypeError) as caught:
        digest.update(bad)
    with pytest.raises(TypeError) as expected:
        hashlib.md5().update(bad)
    if isinstance(bad, str):
        assert str(caught.value) == str(expected.value)
    assert digest.hexdigest() == hashlib.md5().hexdigest()


def test_update_refuses_what_hashlib_refuses(empty: pathlib.Path) -> None:
    """A buffer whose bytes do not lie in a row is refused, as hashlib does."""
    digest = skywasm.hash_file(empty, "md5")
    with pytest.raises((BufferError, TypeError)):
        digest.update(memoryview(b"abcdef")[::2])
    assert digest.hexdigest() == hashlib.md5().hexdigest()


@pytest.mark.parametrize("name", FREE_LENGTH)
def test_free_length(name: str, empty: pathlib.Path) -> None:
    """Without a length these raise TypeError; with one they give that many bytes, 0 included."""
    digest = skywasm.hash_file(empty, name)
    digest.update(b"x")
    for missing in (digest.digest, digest.hexdigest):
        with pytest.raises(TypeError):
            missing()
    for length in (0, 1, 32, 168, 1000):
        assert digest.digest(length) == known(name, b"x").digest(length)  # type: ignore[call-arg]
        assert digest.hexdigest(length) == known(name, b"x").hexdigest(length)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="-1"):
        digest.digest(-1)  # type: ignore[call-arg]
    for bad in ("1", 1.5):
        with pytest.raises(TypeError):
            digest.digest(bad)  # type: ignore[call-arg]


@pytest.mark.parametrize("length", [2**40, 2**63 - 1, 2**63, 2**64, 2**64 + 16])
def test_a_free_length_has_a_limit(length: int, empty: pathlib.Path) -> None:
    """A length beyond the artifact's memory is a LimitError, however large; it is never cut to 64 bits."""
    with pytest.raises(errors.LimitError):
        skywasm.hash_file(empty, "shake_128").digest(length)  # type: ignore[call-arg]


def test_fixed_lengths_take_none(empty: pathlib.Path) -> None:
    """A length for an algorithm that has its own is a TypeError, as with hashlib."""
    digest = skywasm.hash_file(empty, "sha256")
    for method in (digest.digest, digest.hexdigest):
        with pytest.raises(TypeError):
            method(32)  # type: ignore[call-arg]


def test_hashing_in_many_threads(empty: pathlib.Path) -> None:
    """Objects of their own in many threads do not disturb each other."""
    wrong: list[str] = []

    def work(name: str, seed: int) -> None:
        digest, other = skywasm.hash_file(empty, name), known(name)
        for step in range(40):
            part = content(seed * 97 + step * 31)
            digest.update(part)
            other.update(part)
        if hexdigest(digest) != hexdigest(other):
            wrong.append(name)

    # What is compared with may be missing, and a thread cannot skip.
    names = [name for name in NAMES if name != "blake3" or importlib.util.find_spec("blake3")]
    threads = [threading.Thread(target=work, args=(name, at)) for at, name in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_one_object_updated_from_many_threads(empty: pathlib.Path) -> None:
    """Updates of one object from several threads all count, as they do with hashlib."""
    digest = skywasm.hash_file(empty, "sha256")
    # Large enough that the call gives the GIL away.
    part = bytes(64 * 1024)

    def work() -> None:
        for _ in range(25):
            digest.update(part)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digest.hexdigest() == hashlib.sha256(part * 100).hexdigest()


def test_an_update_in_the_middle_of_an_update(empty: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler that updates the hash which is being updated loses no bytes and ends: its own come last."""
    digest = skywasm.hash_file(empty, "sha256")
    digest.update(b"before")
    whole, seen = Module.call, []

    def call(*arguments: Any, **how: Any) -> Any:
        result = whole(*arguments, **how)
        if len(seen) < 5:
            # As a handler would, at each crossing of the update that it interrupts.
            seen.append(None)
            digest.update(b"handler")
            seen[-1] = digest.hexdigest()
        return result

    # Of more than one crossing.
    part = bytes(3 * 2**20)
    monkeypatch.setattr(Module, "call", call)
    digest.update(part)
    monkeypatch.undo()
    # Handlers do not interrupt themselves here: the nested updates are those of one handler each.
    assert digest.hexdigest() == hashlib.sha256(b"before" + part + b"handler" * 5).hexdigest()
    assert hashlib.sha256(b"before" + b"handler").hexdigest() in seen


def test_a_failed_update_leaves_the_hash_as_it_was(empty: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What strikes in the middle of an update leaves the bytes before it, and the object works on."""
    digest = skywasm.hash_file(empty, "sha256")
    digest.update(b"before")

    def call(*arguments: Any, **how: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Module, "call", call)
    with pytest.raises(KeyboardInterrupt):
        digest.update(b"lost")
    monkeypatch.undo()
    digest.update(b" and after")
    assert digest.hexdigest() == hashlib.sha256(b"before and after").hexdigest()


def test_an_object_outlives_its_backend(empty: pathlib.Path) -> None:
    """An object made in wasm mode goes on working after the mode has changed."""
    digest = skywasm.hash_file(empty, "sha1")
    with skywasm.use_backend("python"):
        digest.update(b"later")
        assert digest.hexdigest() == hashlib.sha1(b"later").hexdigest()


def test_other_algorithms_are_hashlibs(empty: pathlib.Path) -> None:
    """What hashlib alone has is a ValueError that says so in wasm mode, and an unknown name is hashlib's error."""
    with pytest.raises(ValueError, match="hashlib's, not the artifact's"):
        skywasm.hash_file(empty, next(name for name in ("sm3", "ripemd160") if name in hashlib.algorithms_available))
    with pytest.raises(ValueError, match="unsupported hash") as caught:
        skywasm.hash_file(empty, "no-such-hash")
    with pytest.raises(ValueError, match="unsupported hash") as expected:
        hashlib.new("no-such-hash")
    assert str(caught.value) == str(expected.value)
