"""Batches where the system has less to offer than Linux: no ``readv``, and waits that Ctrl-C does not end."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from children import run

from batch.files import content, digest, need, write
from skywasm import batch
from skywasm.batch import files as many_files
from skywasm.batch import workers
from skywasm.routes import mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

PART = 128 * 1024
SIZES = (0, 1, 63, 64, 511, 512, PART - 513, PART - 512, PART - 1, PART, PART + 1, 3 * PART)


@pytest.mark.parametrize("threads", [1, 2])
def test_lanes_without_readv(
    backend: str, threads: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no ``os.readv``, as on Windows, MD5 still goes through the lanes, and the digests are right."""
    need(backend, "md5")
    monkeypatch.delattr(os, "readv", raising=False)
    paths = [write(tmp_path, str(size), content(size)) for size in SIZES * 2]
    if mode.mode() == "wasm":
        monkeypatch.setattr(many_files, "hash_one", lambda *_: pytest.fail("a file of its own"))
    assert batch.hash_files(paths, "md5", threads=threads) == [digest(content(size), "md5") for size in SIZES * 2]


@pytest.mark.parametrize("way", ["threads", "executor"])
def test_waits_in_short_steps(way: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short waits of Windows give the same results, however often they end before anything is there."""
    monkeypatch.setattr(workers, "_SHORT_S", 0.001)
    paths = [write(tmp_path, str(number), content(number)) for number in range(300)]
    right = [digest(content(number), "sha256") for number in range(300)]
    if way == "threads":
        assert batch.hash_files(paths, "sha256", threads=3) == right
        return
    with ThreadPoolExecutor(2) as executor:
        assert batch.hash_files(paths, "sha256", executor=executor) == right


@pytest.mark.parametrize("way", ["in_threads", "spread"])
def test_ctrl_c_ends_the_wait(way: str) -> None:
    """Ctrl-C ends a call that waits for threads at once and not when they have done, on every system."""
    found = run(
        f"""
        import _thread, os, signal, threading, time
        from concurrent.futures import ThreadPoolExecutor
        from skywasm.batch import workers
        groups = [(0, ["a"]), (1, ["b"])]
        def slow(group):
            time.sleep(20)
            return group
        results = [None, None]
        def interrupt():
            if os.name == "nt":
                _thread.interrupt_main()
            else:
                os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.5, interrupt).start()
        start = time.monotonic()
        try:
            with workers.Bar(None, 2) as bar:
                if {way!r} == "spread":
                    executor = ThreadPoolExecutor(2)
                    workers.spread(executor, groups, lambda group: (slow, group), results, bar)
                else:
                    workers.in_threads(2, groups, slow, results, bar)
        except KeyboardInterrupt:
            report(waited=time.monotonic() - start)
        os._exit(0)
        """
    )
    assert found["waited"] < 5
