"""The functions that read files, against SkyPilot's."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from hypothesis import example, given

import skywasm
from property import strategies
from property.oracle import assert_same, common_utils, outcome
from skywasm.functions import hashing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def _foreign(backend: str, name: Any) -> bool:
    """Whether hashlib knows the algorithm and the artifact, which alone may answer, does not."""
    if backend != "wasm" or not isinstance(name, str) or hashing.find(name) is not None:
        return False
    try:
        hashlib.new(name)
    except (TypeError, ValueError):
        return False
    return True


@given(content=strategies.BLOCKS, name=strategies.ALGORITHM_ARGUMENTS, kind=strategies.PATH_KINDS)
@example(content=b"", name="BLAKE2B", kind=str)
@example(content=b"", name="Shake_128", kind=str)
@example(content=b"x" * (2**18 - 1), name="sha256", kind=str)
@example(content=b"x" * 2**18, name="md5", kind=str)
@example(content=b"x" * (2**18 + 1), name="sha3_512", kind=str)
@example(content=b"x" * (2**21 + 1), name="blake2b", kind=str)
def test_same_as_reference_hash_file(backend: str, tmp_path: Path, content: bytes, name: Any, kind: Any) -> None:
    """Digest, name and sizes, or the refusal, are SkyPilot's for every algorithm that the backend has."""
    path = tmp_path / "file"
    path.write_bytes(content)
    if _foreign(backend, name):
        assert "is hashlib's, not the artifact's" in outcome(lambda: skywasm.hash_file(kind(str(path)), name))
        return
    assert_same(lambda: skywasm.hash_file(kind(str(path)), name), lambda: common_utils.hash_file(kind(str(path)), name))


@given(name=strategies.ALGORITHM_ARGUMENTS, path=strategies.JUNK.filter(lambda path: not isinstance(path, int)))
@example(name="nope", path="/")
@example(name="nope", path=b"/")
@example(name="md5", path="/")
def test_same_as_reference_hash_file_odd_paths(backend: str, name: Any, path: Any) -> None:
    """What is no path is refused as SkyPilot refuses it, before the algorithm is looked at."""
    assert_same(lambda: skywasm.hash_file(path, name), lambda: common_utils.hash_file(path, name))


@given(content=strategies.BLOCKS)
def test_same_as_reference_hash_of_a_descriptor(backend: str, tmp_path: Path, content: bytes) -> None:
    """An open descriptor is taken for a path, read from where it stands, and closed."""
    path = tmp_path / "file"
    path.write_bytes(content)

    def opened() -> int:
        descriptor = os.open(path, os.O_RDONLY)
        os.lseek(descriptor, 3, os.SEEK_SET)
        return descriptor

    assert_same(lambda: skywasm.hash_file(opened(), "md5"), lambda: common_utils.hash_file(opened(), "md5"))


@given(
    content=strategies.CONTENTS,
    n=strategies.LINE_COUNTS,
    chunk_size=strategies.CHUNK_SIZES,
    encoding=strategies.ENCODINGS,
    errors=strategies.HANDLERS,
    kind=strategies.PATH_KINDS,
)
def test_same_as_reference_read_last_n_lines(
    backend: str, tmp_path: Path, content: bytes, n: int, chunk_size: int, encoding: str, errors: str, kind: Any
) -> None:
    """Every content, encoding and error handler gives SkyPilot's lines or its exception."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert_same(
        lambda: skywasm.read_last_n_lines(kind(str(path)), n, chunk_size, encoding, errors),
        lambda: common_utils.read_last_n_lines(kind(str(path)), n, chunk_size, encoding, errors),
    )


@given(content=strategies.CONTENTS, n=strategies.LINE_COUNTS)
@example(content=b"x" * 3_000_000 + b"\n" + b"y" * 1_100_000 + b"\n\n", n=2)
@example(content=b"0123456\n" * 400_000, n=200_000)
@example(content="\u00e9\r\n".encode() * 400_000, n=390_000)
def test_same_as_reference_read_last_n_lines_defaults(backend: str, tmp_path: Path, content: bytes, n: int) -> None:
    """With the defaults the lines are SkyPilot's, in large files too."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert_same(lambda: skywasm.read_last_n_lines(str(path), n), lambda: common_utils.read_last_n_lines(str(path), n))


@given(n=strategies.ODD_COUNTS, chunk_size=strategies.ODD_COUNTS, encoding=strategies.JUNK, errors=strategies.JUNK)
def test_same_as_reference_read_last_n_lines_odd_arguments(
    backend: str, tmp_path: Path, n: Any, chunk_size: Any, encoding: Any, errors: Any
) -> None:
    """Arguments of other types and out of range come to the same as in SkyPilot."""
    path = tmp_path / "file"
    path.write_bytes(b"one\n\xfftwo\nthree\n")
    for arguments in ((n, 8192, "utf-8", "replace"), (2, chunk_size, "utf-8", "replace"), (2, 8192, encoding, errors)):
        assert_same(
            lambda arguments=arguments: skywasm.read_last_n_lines(str(path), *arguments),  # type: ignore[misc]
            lambda arguments=arguments: common_utils.read_last_n_lines(str(path), *arguments),  # type: ignore[misc]
        )


@given(path=strategies.JUNK.filter(lambda path: not isinstance(path, int)), n=strategies.LINE_COUNTS)
def test_same_as_reference_read_last_n_lines_odd_paths(backend: str, path: Any, n: int) -> None:
    """What is no file is refused as SkyPilot refuses it."""
    assert_same(lambda: skywasm.read_last_n_lines(path, n), lambda: common_utils.read_last_n_lines(path, n))


@pytest.mark.parametrize("n", [True, False, 2.0, strategies.Count.ONE])
@pytest.mark.parametrize("encoding", ["utf-8", "", "utf-16"])
def test_a_descriptor_and_a_number_that_is_no_plain_int(backend: str, n: Any, encoding: str, tmp_path: Path) -> None:
    """Whoever answers for a number of another type, the descriptor is opened once only."""
    path = tmp_path / "file"
    path.write_bytes(b"a\nb\n")

    def opened() -> int:
        return os.open(path, os.O_RDONLY)

    assert_same(
        lambda: skywasm.read_last_n_lines(opened(), n, 8192, encoding, "strict"),
        lambda: common_utils.read_last_n_lines(opened(), n, 8192, encoding, "strict"),
    )


@pytest.mark.parametrize("chunk_size", [0.5, 2.5, "1"])
def test_a_descriptor_that_is_closed_by_the_time_of_the_error(backend: str, chunk_size: Any, tmp_path: Path) -> None:
    """An error after opening is its own, though the descriptor that was given for the file is closed by then."""
    path = tmp_path / "file"
    path.write_bytes(b"a\nb\n")

    def opened() -> int:
        return os.open(path, os.O_RDONLY)

    assert_same(
        lambda: skywasm.read_last_n_lines(opened(), 1, chunk_size),
        lambda: common_utils.read_last_n_lines(opened(), 1, chunk_size),
    )
