"""hash_files: threads, executors of all kinds, and the progress they tell."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from children import environment, run

from batch.files import ALGORITHMS, content, digest, fault, need, write
from skywasm import batch
from skywasm.batch import files as many_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import Any

COUNT = 150


@pytest.fixture
def paths(tmp_path: pathlib.Path) -> list[str]:
    """Files with one that is missing among them."""
    made = [write(tmp_path, str(number), content(number * 100)) for number in range(COUNT)]
    made[70] = str(tmp_path / "missing")
    return made


def assert_right(got: list[Any], alg: str) -> None:
    """All digests in their places, and the error in its own."""
    assert len(got) == COUNT
    assert fault(got[70])[0] is FileNotFoundError
    assert got[70].batch_index == 70
    right = [digest(content(number * 100), alg) for number in range(COUNT)]
    assert got[:70] + got[71:] == right[:70] + right[71:]


@pytest.mark.parametrize("threads", [1, 2, 8, 1000, None])
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_threads(backend: str, alg: str, threads: int | None, paths: list[str]) -> None:
    """Any number of threads gives the same results in the same places."""
    need(backend, alg)
    assert_right(batch.hash_files(paths, alg, threads=threads, return_exceptions=True), alg)


@pytest.mark.parametrize("threads", [0, -1, -8])
@pytest.mark.parametrize("count", [0, 1, COUNT])
def test_no_threads(backend: str, threads: int, count: int, paths: list[str]) -> None:
    """Fewer than one thread is a ValueError that names the number, with files or without."""
    with pytest.raises(ValueError, match=f"threads is {threads}"):
        batch.hash_files(paths[:count], "md5", threads=threads)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_threads_than_asked_for(
    backend: str, threads: int, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is done in as many threads as were asked for, with one thread in the caller's own; they end with it."""
    seen: set[int] = set()
    whole = many_files.hash_group

    def watched(*arguments: Any) -> list[Any]:
        seen.add(threading.get_ident())
        return whole(*arguments)

    monkeypatch.setattr(many_files, "hash_group", watched)
    before = threading.active_count()
    assert_right(batch.hash_files(paths, "md5", threads=threads, return_exceptions=True), "md5")
    assert 1 <= len(seen) <= threads
    assert (threading.get_ident() in seen) is (threads == 1)
    assert threading.active_count() == before


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_thread_pool_of_the_caller(backend: str, alg: str, paths: list[str]) -> None:
    """A ThreadPoolExecutor does the work and stays usable for what comes after."""
    need(backend, alg)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(2):
            assert_right(batch.hash_files(paths, alg, executor=pool, return_exceptions=True), alg)
        with pytest.raises(FileNotFoundError) as caught:
            batch.hash_files(paths, alg, executor=pool)
        assert caught.value.batch_index == 70  # type: ignore[attr-defined]
        assert pool.submit(len, "abc").result() == 3


def test_threads_and_an_executor(backend: str, paths: list[str]) -> None:
    """Both at once is a ValueError: an executor brings its own workers."""
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="executor"):
        batch.hash_files(paths, "md5", threads=2, executor=pool)


class Later:
    """The least that an executor is: what it is given runs when its result is asked for."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Any, ...]] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        self.submitted.append((function, arguments))

        class Result:
            def result(self) -> Any:
                return function(*arguments)

        return Result()


def test_an_executor_of_the_same_interface(backend: str, paths: list[str]) -> None:
    """Anything with submit and result will do, such as a cluster's client; several groups of files are submitted."""
    later = Later()
    assert_right(batch.hash_files(paths, "md5", executor=later, return_exceptions=True), "md5")  # type: ignore[arg-type]
    assert len(later.submitted) > 1
    assert sum(len(arguments[0]) for _, arguments in later.submitted) == COUNT


def test_an_executor_that_fails(backend: str, paths: list[str]) -> None:
    """What goes wrong in the executor itself comes out, and is no result of a file."""

    class Broken:
        def submit(self, *arguments: Any) -> Any:
            future: Future[Any] = Future()
            future.set_exception(ConnectionError("the cluster is gone"))
            return future

    with pytest.raises(ConnectionError, match="the cluster is gone"):
        batch.hash_files(paths, "md5", executor=Broken(), return_exceptions=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_processes(mode: str, start: str, paths: list[str]) -> None:
    """Processes that are forked from one with a loaded engine, or begin anew, give the same digests and errors."""
    if start == "fork" and not hasattr(os, "fork"):
        pytest.skip("no fork here")
    found = run(
        """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor
    import skywasm
    from skywasm import batch
    if __name__ == "__main__":
        mode, start, *paths = sys.argv[1:]
        skywasm.set_backend(mode)
        skywasm.warm_up()
        algorithms = ["md5", "sha256"] + ["blake3"] * (mode != "python")
        told = []
        with ProcessPoolExecutor(2, multiprocessing.get_context(start)) as pool:
            for alg in algorithms:
                got = batch.hash_files(paths, alg, executor=pool, return_exceptions=True,
                                       progress=lambda *done: told.append(done))
                want = batch.hash_files(paths, alg, return_exceptions=True)
                error = got.pop(70)
                want.pop(70)
                report(**{alg: [got == want, type(error).__name__, error.filename == paths[70], error.batch_index]})
        report(told=told[-1], fallbacks=skywasm.get_backend_info()["fallbacks"])
    """,
        args=[mode, start, *paths],
    )
    for alg in ("md5", "sha256", *(["blake3"] * (mode != "python"))):
        assert found[alg] == [True, "FileNotFoundError", True, 70], alg
    assert (found["told"], found["fallbacks"]) == ([COUNT, COUNT], {})


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("alg", ["md5", "sha256"])
def test_progress_is_told(backend: str, alg: str, threads: int, paths: list[str]) -> None:
    """A callable is told the files done and their number, from the caller's thread, ever more, up to all of them."""
    told: list[tuple[int, int]] = []
    threads_seen = set()

    def tell(done: int, total: int) -> None:
        threads_seen.add(threading.get_ident())
        told.append((done, total))

    batch.hash_files(paths, alg, threads=threads, progress=tell, return_exceptions=True)
    done = [one for one, _ in told]
    assert done == sorted(set(done))
    assert (done[-1], {total for _, total in told}) == (COUNT, {COUNT})
    assert len(done) > 1
    assert threads_seen == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_progress_that_raises(backend: str, threads: int, paths: list[str]) -> None:
    """What the callable raises comes out, and the next batch is right."""

    def refuse(done: int, total: int) -> None:
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError):
        batch.hash_files(paths, "md5", threads=threads, progress=refuse, return_exceptions=True)
    assert_right(batch.hash_files(paths, "md5", threads=threads, return_exceptions=True), "md5")


@pytest.mark.parametrize("progress", [None, False])
def test_no_progress(progress: bool | None, paths: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Without progress nothing is printed and rich is not asked for."""
    batch.hash_files(paths, "md5", progress=progress, return_exceptions=True)
    assert capfd.readouterr() == ("", "")


BAR = """
import sys
from skywasm import batch
print(batch.hash_files(sys.argv[1:], "md5", threads=1, progress=True, return_exceptions=True)[0])
print("rich" in sys.modules)
"""


def shown(paths: list[str], stderr: int) -> subprocess.CompletedProcess[str]:
    env = environment(
        {"TERM": "xterm-256color", "NO_COLOR": "", "COLUMNS": "", "TTY_COMPATIBLE": "", "FORCE_COLOR": ""}
    )
    command = [sys.executable, "-c", BAR, *paths]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, env=env, text=True, timeout=60, check=True)


def test_a_bar_on_a_terminal(paths: list[str]) -> None:
    """progress=True draws a bar on standard error where that is a terminal, and leaves standard output alone."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    done = shown(paths, theirs)
    os.close(theirs)
    bar = os.read(ours, 65536).decode()
    os.close(ours)
    assert "hashing" in bar
    assert done.stdout == f"{digest(content(0), 'md5')}\nTrue\n"


def test_a_bar_elsewhere(paths: list[str]) -> None:
    """Where standard error is no terminal, standard output is left alone all the same."""
    done = shown(paths, subprocess.PIPE)
    assert done.stdout == f"{digest(content(0), 'md5')}\nTrue\n"
    assert "Traceback" not in done.stderr
