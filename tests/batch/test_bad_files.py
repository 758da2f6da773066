"""hash_files: a file that cannot be hashed costs its own result and no other's."""

from __future__ import annotations

import os
import pathlib
import tempfile

import pytest
from children import run
from property.oracle import common_utils

import skywasm
from batch.files import PART, Meddler, content, digest, fault, need, write
from skywasm import batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

linux = pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs Linux's procfs")


@pytest.fixture
def good(tmp_path: pathlib.Path) -> list[str]:
    """Twenty files of which some take several reads."""
    return [write(tmp_path, f"good{n}", content(n * 30_000)) for n in range(20)]


def digests(alg: str) -> list[str]:
    return [digest(content(n * 30_000), alg) for n in range(20)]


@pytest.fixture
def bad(tmp_path: pathlib.Path) -> list[Any]:
    """What is no file, what is not there, and what is no path."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    folder = str(tmp_path / "folder")
    paths = [folder, str(tmp_path / "loop"), str(tmp_path / "dangling"), str(tmp_path / "missing"), __file__ + "/x"]
    kinds: list[Any] = [one for path in paths for one in (path, os.fsencode(path), pathlib.Path(path))]
    names: list[Any] = ["", "a\0b", b"a\0b", "\ud800", "x" * 300, "y" * 5000]
    return [*kinds, *names, -1, 10**6, 10**30, None, 1.5, [folder], object]


@pytest.mark.parametrize("alg", ["md5", "sha256", "blake3"])
def test_errors_are_those_of_one_file(backend: str, alg: str, good: list[str], bad: list[Any]) -> None:
    """Between good files each bad one gives SkyPilot's error, with the index of its path; the others their digest."""
    need(backend, alg)
    paths = [path for number, one in enumerate(bad) for path in (one, good[number % 20])]
    got = batch.hash_files(paths, alg, return_exceptions=True)
    assert got[1::2] == [digests(alg)[number % 20] for number in range(len(bad))]
    for number, one in enumerate(bad):
        with pytest.raises(Exception) as want:  # noqa: PT011 - any error of theirs has to be ours
            common_utils.hash_file(one, "md5")
        assert fault(got[2 * number]) == (*fault(want.value, False), 2 * number), f"{one!a}"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_is_raised_after_all_are_done(
    backend: str, threads: int, good: list[str], tmp_path: pathlib.Path
) -> None:
    """By default the error of the first bad path is raised, and not before every file has been worked on."""
    paths = [*good, str(tmp_path / "missing"), *good, str(tmp_path), *good]
    told: list[tuple[int, int]] = []
    with pytest.raises(FileNotFoundError) as caught:
        batch.hash_files(paths, "md5", threads=threads, progress=lambda *done: told.append(done))
    assert caught.value.batch_index == 20  # type: ignore[attr-defined]
    assert caught.value.filename == str(tmp_path / "missing")
    assert told[-1] == (62, 62)
    got = batch.hash_files(paths, "md5", threads=threads, return_exceptions=True)
    assert [fault(got[place])[0] for place in (20, 41)] == [FileNotFoundError, IsADirectoryError]
    assert got[:20] + got[21:41] + got[42:] == digests("md5") * 3


def test_exceptions_are_returned_only_when_asked_for(backend: str, good: list[str]) -> None:
    """With return_exceptions and no bad file the result is the plain list of digests."""
    assert batch.hash_files(good, "md5", return_exceptions=True) == digests("md5")


@linux
@pytest.mark.parametrize("alg", ["md5", "sha256", "blake3"])
def test_a_file_whose_reads_fail(backend: str, alg: str, good: list[str]) -> None:
    """A file that opens and gives an input/output error gives that OSError."""
    need(backend, alg)
    got = batch.hash_files([*good[:5], "/proc/self/mem", *good[5:]], alg, return_exceptions=True)
    assert fault(got[5])[:2] == (OSError, 5)
    assert got[5].batch_index == 5
    assert got[:5] + got[6:] == digests(alg)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_reads_that_fail_midway(
    backend: str, before: int, good: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read error after some parts gives the error, whatever was hashed so far, and leaves no descriptor behind."""

    def fail() -> None:
        raise OSError(5, "Input/output error")

    victim = write(tmp_path, "victim", content(PART * 4))
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    Meddler(monkeypatch, victim, fail, before=before)
    got = batch.hash_files([*good[:5], victim, *good[5:]], "md5", threads=1, return_exceptions=True)
    assert fault(got[5])[:2] == (OSError, 5)
    assert got[5].batch_index == 5
    assert got[:5] + got[6:] == digests("md5")
    if descriptors:
        assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="needs rights that can be given up")
def test_unreadable_files() -> None:
    """A file that may not be read is a PermissionError with its name; the others are hashed."""
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        found = run(
            """
    import hashlib, os, sys
    import skywasm
    from skywasm import batch
    paths = [os.path.join(sys.argv[1], str(number)) for number in range(30)]
    for number, path in enumerate(paths):
        with open(path, "w") as file:
            file.write(path)
        os.chmod(path, 0 if number % 3 == 1 else 0o644)

    def outcomes():
        found = {}
        for mode in ("auto", "wasm", "python"):
            with skywasm.use_backend(mode):
                for alg in ("md5", "sha1"):
                    got = batch.hash_files(paths, alg, return_exceptions=True)
                    found[mode + alg] = [
                        (type(one).__name__, one.errno, one.filename == paths[at], one.batch_index)
                        if isinstance(one, Exception)
                        else one == hashlib.new(alg, paths[at].encode()).hexdigest()
                        for at, one in enumerate(got)
                    ]
        return found

    skywasm.warm_up()
    # Whatever is imported late must be there before the interpreter's own files are out of reach.
    outcomes()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    report(outcomes=outcomes())
    """,
            args=[folder],
        )
    want = [["PermissionError", 13, True, number] if number % 3 == 1 else True for number in range(30)]
    assert found["outcomes"] == {mode + alg: want for mode in ("auto", "wasm", "python") for alg in ("md5", "sha1")}


def test_the_scalar_function_agrees(backend: str, bad: list[Any]) -> None:
    """A batch of one path raises what the scalar function raises for it."""
    for path in bad:
        with pytest.raises(Exception) as scalar:  # noqa: PT011 - as above
            skywasm.hash_file(path, "md5")
        with pytest.raises(scalar.type) as ours:
            batch.hash_files([path], "md5")
        assert fault(ours.value) == (*fault(scalar.value, False), 0), f"{path!a}"


@pytest.mark.parametrize("size", [10, PART])
def test_too_many_open_files(backend: str, size: int, tmp_path: pathlib.Path) -> None:
    """Many files, small or large, are hashed where only a few may be open at once."""
    resource = pytest.importorskip("resource")
    paths = [write(tmp_path, str(number), content(size + number)) for number in range(120)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = max(map(int, os.listdir("/proc/self/fd"))) if os.path.isdir("/proc/self/fd") else 60
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 12, limits[1]))
    try:
        got = batch.hash_files(paths, "md5", threads=1, return_exceptions=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert got == [digest(content(size + number), "md5") for number in range(120)]
