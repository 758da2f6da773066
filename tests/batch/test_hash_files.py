"""hash_files: every algorithm, size and kind of path gives the digest of its own file."""

from __future__ import annotations

import errno
import hashlib
import os
import pathlib
import random

import pytest

from batch.files import ALGORITHMS, BLOCK, PART, content, digest, need, write
from skywasm import batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIZES = sorted(
    {
        *(0, 1, 2, 55, 56, 57, 119, 120, 121, 1000, 4095, 4096, 4097, 65_535, 65_536),
        *(edge * BLOCK + off for edge in (1, 2, 3) for off in (-1, 0, 1)),
        *(edge * PART + off for edge in (1, 2, 3) for off in (-BLOCK - 1, -BLOCK, -9, -1, 0, 1, BLOCK, BLOCK + 1)),
        *(2**20 - 1, 2**20, 2**20 + 1, 2**21 + 7, 3 * 2**20),
    }
)

MANY = 2500


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """A file of each size."""
    folder = tmp_path_factory.mktemp("sizes")
    return {size: write(folder, str(size), content(size)) for size in SIZES}


@pytest.fixture(scope="module")
def digests() -> dict[str, dict[int, str]]:
    """Their digests."""
    return {alg: {size: digest(content(size), alg) for size in SIZES} for alg in ALGORITHMS}


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_size(backend: str, alg: str, threads: int, files: dict[int, str], digests: Any) -> None:
    """Sizes around blocks and parts, small beside large in any order, give the digests of hashlib and blake3."""
    need(backend, alg)
    sizes = SIZES * 2 if alg == "md5" else SIZES[:]
    random.Random(threads).shuffle(sizes)
    got = batch.hash_files([files[size] for size in sizes], alg, threads=threads)
    assert [size for size, one in zip(sizes, got) if one != digests[alg][size]] == []
    assert len(got) == len(sizes)


def test_any_order(backend: str, files: dict[int, str], digests: Any, rng: random.Random) -> None:
    """Whatever files come together, and however often, each gets its own digest."""
    for _ in range(60):
        sizes = rng.choices(SIZES, k=rng.randrange(40))
        got = batch.hash_files([files[size] for size in sizes], "md5", threads=1)
        assert got == [digests["md5"][size] for size in sizes], sizes


@pytest.mark.parametrize("alg", ["md5", "MD5", "Sha256", "SHA-256", "sha3_256", "blake2b", "BLAKE3"])
def test_names_as_hash_file_takes_them(backend: str, alg: str, files: dict[int, str]) -> None:
    """An algorithm is known by the names by which the scalar function knows it."""
    need(backend, alg)
    assert batch.hash_files([files[1000], files[PART]], alg) == [digest(content(n), alg) for n in (1000, PART)]


@pytest.mark.parametrize("alg", ["nope", "", "md5!", "md5\0", None, 5, b"md5"])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_unknown_algorithms(backend: str, alg: Any, count: int, files: dict[int, str]) -> None:
    """hashlib's own refusal comes at once, whatever the files are, with return_exceptions too."""
    with pytest.raises((TypeError, ValueError)) as theirs:
        hashlib.new(alg)
    for return_exceptions in (False, True):
        with pytest.raises(theirs.type) as ours:
            batch.hash_files([files[0], "/nonexistent"] * count, alg, return_exceptions=return_exceptions)
        assert str(ours.value) == str(theirs.value)


def test_blake3_in_python_mode(files: dict[int, str]) -> None:
    """Without the artifact blake3 is hashlib's unknown algorithm."""
    from skywasm import use_backend

    with use_backend("python"), pytest.raises(ValueError, match="unsupported hash"):
        batch.hash_files([files[0]], "blake3")


@pytest.mark.parametrize("count", [0, 1, 40])
def test_free_lengths_are_refused(backend: str, count: int, files: dict[int, str]) -> None:
    """Algorithms whose digests have no length of their own are a TypeError that tells what to use."""
    with pytest.raises(TypeError, match="hash_file"):
        batch.hash_files([files[0]] * count, "shake_128")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_kind_of_path(backend: str, alg: str, files: dict[int, str]) -> None:
    """Text, bytes, PathLike and descriptors may be mixed; a descriptor is read from where it stands and closed."""
    need(backend, alg)

    class Pointer:
        def __fspath__(self) -> str:
            return files[4097]

    large = PART * 2 + 1
    descriptors = [os.open(files[large], os.O_RDONLY) for _ in range(3)]
    os.lseek(descriptors[1], 100, os.SEEK_SET)
    paths = [files[large], files[0].encode(), pathlib.Path(files[large]), Pointer()]
    got = batch.hash_files([*paths, *descriptors], alg)
    data = content(large)
    want = [data, b"", data, content(4097), data, data[100:], data]
    assert got == [digest(one, alg) for one in want]
    for descriptor in descriptors:
        # In other words on Windows.
        with pytest.raises(OSError, match=r"Bad file descriptor|handle") as caught:
            os.fstat(descriptor)
        assert caught.value.errno == errno.EBADF


def test_duplicates(backend: str, files: dict[int, str], digests: Any) -> None:
    """The same file many times in one round gives the same digest each time."""
    large = PART * 3 + 1
    assert batch.hash_files([files[large]] * 30, "md5", threads=1) == [digests["md5"][large]] * 30


def test_links_and_names(backend: str, tmp_path: pathlib.Path) -> None:
    """Symbolic links are followed; names of any bytes are taken."""
    target = write(tmp_path, "target", b"data")
    (tmp_path / "link").symlink_to(target)
    names = [b"broken-\xff", "caf\u00e9".encode(), b" ", b"new\nline"]
    for name in names:
        pathlib.Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(name)
    paths = [os.path.join(os.fsencode(tmp_path), name) for name in names]
    got = batch.hash_files([str(tmp_path / "link"), *paths, *map(os.fsdecode, paths)], "md5")
    assert got == [digest(data, "md5") for data in (b"data", *names, *names)]


@pytest.mark.parametrize("form", [tuple, iter, lambda paths: (path for path in paths), dict.fromkeys])
def test_any_iterable(backend: str, form: Any, files: dict[int, str], digests: Any) -> None:
    """Paths may come in any iterable, read once."""
    assert batch.hash_files(form(list(files.values())), "md5") == list(digests["md5"].values())


def test_no_files(backend: str) -> None:
    """No files give an empty list."""
    assert batch.hash_files([], "md5") == []
    assert batch.hash_files(iter(()), "sha256", threads=2, return_exceptions=True) == []


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Thousands of small files with a few large ones in between: each path and its digest."""
    folder, dice = tmp_path_factory.mktemp("thousands"), random.Random(1)
    contents = [content(dice.randrange(300), seed) for seed in range(MANY)]
    for place in dice.sample(range(MANY), 6):
        contents[place] = content(PART * dice.randrange(1, 5) + dice.randrange(-1, 2), place)
    return [(write(folder, str(n), data), hashlib.md5(data).hexdigest()) for n, data in enumerate(contents)]


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_digests_never_swap(backend: str, threads: int, thousands: list[tuple[str, str]], rng: random.Random) -> None:
    """Among thousands of files, small and large, in random order, each gets the digest of its own bytes."""
    for _ in range(2):
        order = rng.sample(thousands, MANY)
        got = batch.hash_files([path for path, _ in order], "md5", threads=threads)
        assert [path for (path, want), one in zip(order, got) if one != want] == []
        assert len(got) == MANY


def test_instances_are_used_again(tmp_path: pathlib.Path) -> None:
    """Batch after batch takes the same instance, whose memory stays as large as it was."""
    from skywasm import use_backend, warm_up
    from skywasm.routes import core

    pytest.importorskip("wasmtime")
    paths = [write(tmp_path, str(number), content(number * 9000)) for number in range(40)]
    with use_backend("auto"):
        warm_up()
        batch.hash_files(paths, "md5", threads=1)
        pool = core.core().pool
        seat, size = pool[-1], pool[-1][-1].size
        for _ in range(20):
            batch.hash_files(paths, "md5", threads=1)
        seat[-1].measure()
        assert pool[-1] is seat
        assert seat[-1].size == size
