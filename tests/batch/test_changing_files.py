"""hash_files: files that change, shrink, grow or vanish meanwhile, and those that are no plain files."""

from __future__ import annotations

import os
import pathlib
import random
import threading

import pytest
from children import run

from batch.files import PART, Meddler, content, digest, write
from skywasm import batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

linux = pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs Linux's procfs")
posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
VICTIM = 3 * PART + 1000


def _shrink(path: str) -> None:
    os.truncate(path, PART // 2)


def _empty(path: str) -> None:
    os.truncate(path, 0)


def _shrink_a_little(path: str) -> None:
    os.truncate(path, VICTIM - 1)


def _grow(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"more" * PART)


def _vanish(path: str) -> None:
    os.unlink(path)


def _be_replaced(path: str) -> None:
    os.replace(write(pathlib.Path(path).parent, "new", b"another file"), path)


def _be_rewritten(path: str) -> None:
    with open(path, "r+b") as file:
        file.write(b"changed" * PART)


CHANGES = (_shrink, _empty, _shrink_a_little, _grow, _vanish, _be_replaced, _be_rewritten)


@pytest.mark.parametrize("before", [1, 2, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_two_reads(
    backend: str, change: Callable[[str], None], before: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is that of exactly the bytes that were read, and every other file has its own."""
    contents = [content(number * 40_000) for number in range(16)]
    paths = [write(tmp_path, str(number), data) for number, data in enumerate(contents)]
    victim = write(tmp_path, "victim", content(VICTIM))
    paths.insert(4, victim)
    meddler = Meddler(monkeypatch, victim, lambda: change(victim), before=before)
    got = batch.hash_files(paths, "md5", threads=1, return_exceptions=True)
    assert meddler.reads > before
    assert got.pop(4) == digest(meddler.seen, "md5")
    assert got == [digest(data, "md5") for data in contents]


@pytest.mark.parametrize("backends", ["auto", "python"])
def test_hashlib_s_algorithms_too(backends: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An algorithm that hashlib computes is as true to what was read."""
    from skywasm import use_backend

    victim = write(tmp_path, "victim", content(VICTIM))
    meddler = Meddler(monkeypatch, victim, lambda: _shrink(victim), before=2)
    with use_backend(backends):
        assert batch.hash_files([victim], "sha256") == [digest(meddler.seen, "sha256")]


@pytest.mark.parametrize("most", [1, 63, 64, 1000, PART - 1])
def test_short_reads(backend: str, most: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that gives less than it was asked for gives the same digest."""
    size = 3000 if most == 1 else 2 * PART + 777
    victim = write(tmp_path, "victim", content(size))
    others = [write(tmp_path, str(number), content(number * 50_000)) for number in range(9)]
    Meddler(monkeypatch, victim, lambda: None, most=most)
    got = batch.hash_files([*others, victim], "md5", threads=1)
    assert got == [digest(content(number), "md5") for number in (*range(0, 450_000, 50_000), size)]


def test_files_that_others_write_to(backend: str, tmp_path: pathlib.Path) -> None:
    """While a thread cuts and lengthens some files all the time, no digest of another file is wrong."""
    contents = [content(number * 20_000) for number in range(30)]
    paths = [write(tmp_path, str(number), data) for number, data in enumerate(contents)]
    busy = [write(tmp_path, f"busy{number}", content(4 * PART)) for number in range(5)]
    stop = threading.Event()

    def work() -> None:
        dice = random.Random(1)
        while not stop.is_set():
            path = dice.choice(busy)
            if dice.random() < 0.1:
                os.replace(write(tmp_path, "fresh", content(2 * PART)), path)
            else:
                os.truncate(path, dice.randrange(5 * PART))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(8):
            got = batch.hash_files([*paths, *busy, *paths], "md5", threads=2, return_exceptions=True)
            assert got[:30] + got[35:] == [digest(data, "md5") for data in contents] * 2
            assert [len(one) for one in got[30:35]] == [32] * 5
    finally:
        stop.set()
        thread.join()


@linux
def test_files_of_the_kernel(backend: str) -> None:
    """Files that say they are empty and are not, as those of procfs and sysfs, are read to their end."""
    folders = ("/proc", "/proc/sys/kernel", "/sys/kernel")
    names = ("version", "filesystems", "devices", "iomem", "ostype", "osrelease", "notes", "kallsyms")
    every = [pathlib.Path(folder, name) for folder in folders for name in names]
    paths = [path for path in every if path.is_file() and os.access(path, os.R_OK)]
    contents = [path.read_bytes() for path in paths]
    assert any(path.stat().st_size == 0 and data for path, data in zip(paths, contents))
    for alg in ("md5", "sha256"):
        assert batch.hash_files(paths, alg) == [digest(data, alg) for data in contents]


@posix
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("alg", ["md5", "sha256"])
def test_named_pipes(backend: str, alg: str, threads: int, tmp_path: pathlib.Path) -> None:
    """Pipes among files, filled bit by bit by their writers, give the digests of all that was written."""
    sizes = (0, 1, 1000, 70_000, PART, 3 * PART + 5)
    pipes = [tmp_path / f"pipe{size}" for size in sizes]
    for pipe in pipes:
        os.mkfifo(pipe)
    others = [write(tmp_path, str(number), content(number * 30_000)) for number in range(14)]

    def fill(pipe: pathlib.Path, size: int) -> None:
        data = content(size)
        with open(pipe, "wb", 0) as file:
            for start in range(0, size, 9000):
                file.write(data[start : start + 9000])

    writers = [threading.Thread(target=fill, args=pair, daemon=True) for pair in zip(pipes, sizes)]
    for writer in writers:
        writer.start()
    got = batch.hash_files([*others[:7], *pipes, *others[7:]], alg, threads=threads)
    for writer in writers:
        writer.join()
    want = [*range(0, 210_000, 30_000), *sizes, *range(210_000, 420_000, 30_000)]
    assert got == [digest(content(size), alg) for size in want]


@posix
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_one_writer_for_two_pipes(mode: str, tmp_path: pathlib.Path) -> None:
    """A program that fills one pipe after the other is not left waiting: each is read to its end in turn."""
    found = run(
        """
    import hashlib, os, sys, threading
    import skywasm
    from skywasm import batch
    mode, folder = sys.argv[1:]
    pipes = [os.path.join(folder, name) for name in "ab"]
    for pipe in pipes:
        os.mkfifo(pipe)
    data = b"0123456789" * 100_000
    def fill():
        for pipe in pipes:
            with open(pipe, "wb") as file:
                file.write(data)
    skywasm.set_backend(mode)
    skywasm.warm_up()
    threading.Thread(target=fill, daemon=True).start()
    got = batch.hash_files([*pipes, skywasm.__file__], "md5", threads=1)
    report(right=got[:2] == [hashlib.md5(data).hexdigest()] * 2)
    """,
        args=[mode, str(tmp_path)],
        timeout_s=8,
    )
    assert found["right"]
