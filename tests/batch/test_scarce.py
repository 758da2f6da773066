"""Where the system grants few descriptors or no thread, the work is done all the same."""

from __future__ import annotations

import hashlib
import sys
import threading

import pytest
from children import run

from skywasm import batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

MODES = ("auto", "wasm", "python")


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of descriptors")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("threads", [1, 3])
def test_few_descriptors(mode: str, threads: int, tmp_path: pathlib.Path) -> None:
    """What one file after the other can be hashed with is enough for many at once."""
    facts = run(
        f"""
        import hashlib, os, pathlib, resource, skywasm
        from skywasm import batch
        paths = []
        for number in range(60):
            path = pathlib.Path({str(tmp_path)!r}, str(number))
            path.write_bytes(bytes([number]) * 200_000)
            paths.append(str(path))
        right = [hashlib.md5(pathlib.Path(path).read_bytes()).hexdigest() for path in paths]
        skywasm.set_backend({mode!r})
        skywasm.warm_up()
        batch.hash_files(paths, "md5", threads={threads})
        least = max(map(int, os.listdir("/proc/self/fd"))) + 3
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, least))
        got = batch.hash_files(paths, "md5", threads={threads}, return_exceptions=True)
        report(wrong=[repr(one) for one, other in zip(got, right) if one != other])
        """
    )
    assert facts["wrong"] == []


@pytest.mark.parametrize("granted", [0, 1])
def test_no_thread_to_be_had(granted: int, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """This thread does what others are not there for; progress is told."""
    paths = []
    for number in range(100):
        path = tmp_path / str(number)
        path.write_bytes(bytes([number]) * 1000)
        paths.append(str(path))
    original, left = threading.Thread.start, [granted]

    def start(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        original(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    told: list[int] = []
    for progress in (lambda done, total: told.append(done), True):
        left[0] = granted
        got = batch.hash_files(paths, "md5", threads=4, progress=progress)
        assert got == [hashlib.md5(bytes([number]) * 1000).hexdigest() for number in range(100)]
    assert told[-1] == 100
