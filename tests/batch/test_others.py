"""read_last_n_lines and is_process_alive of many, and the memory that last lines take."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading

import pytest
from children import run

import skywasm
from batch.files import fault, write
from skywasm import batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINES = 200_000


@pytest.mark.parametrize("n", [0, 1, 7, 199, 200, 5000])
def test_last_lines_of_many(backend: str, n: int, tmp_path: pathlib.Path) -> None:
    """Each file gives the lines that the scalar function gives, in the order of the paths."""
    paths: list[Any] = [
        write(tmp_path, str(count), "".join(f"line {number} \u00e9\r\n" for number in range(count)).encode())
        for count in (0, 1, 2, 150, 201, 3000)
    ]
    paths += [paths[3].encode(), pathlib.Path(paths[5]), paths[4]]
    got = batch.read_last_n_lines(iter(paths), n)
    assert got == [skywasm.read_last_n_lines(path, n) for path in paths]
    assert batch.read_last_n_lines([], n) == []


def test_last_lines_of_bad_files(backend: str, tmp_path: pathlib.Path) -> None:
    """A file that cannot be read gives the scalar function's error with its index; the others their lines."""
    good = write(tmp_path, "good", b"one\ntwo\n")
    bad: list[Any] = [str(tmp_path / "missing"), str(tmp_path), None, 1.5, "a\0b", tmp_path / "missing", "\ud800"]
    paths = [path for one in bad for path in (good, one)]
    got = batch.read_last_n_lines(paths, 300, return_exceptions=True)
    assert got[::2] == [["one\n", "two"]] * len(bad)
    for number, one in enumerate(bad):
        with pytest.raises(Exception) as scalar:  # noqa: PT011 - whatever it raises
            skywasm.read_last_n_lines(one, 300)
        error = got[2 * number + 1]
        assert fault(error) == (*fault(scalar.value, False), 2 * number + 1)
        assert type(error.__cause__) is type(scalar.value.__cause__)
    with pytest.raises(AssertionError, match="File not found") as first:
        batch.read_last_n_lines(paths, 300)
    assert first.value.batch_index == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("n", [-1, None, 1.5, "3"])
def test_odd_counts_of_lines(backend: str, n: Any, tmp_path: pathlib.Path) -> None:
    """A count that the scalar function refuses is refused for each file."""
    path = write(tmp_path, "file", b"one\ntwo\n")
    with pytest.raises(Exception) as scalar:  # noqa: PT011 - whatever it raises
        skywasm.read_last_n_lines(path, n)
    got = batch.read_last_n_lines([path] * 3, n, return_exceptions=True)
    assert [fault(one) for one in got] == [(*fault(scalar.value, False), index) for index in range(3)]


def _dead() -> int:
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return child.pid


def test_many_processes(backend: str) -> None:
    """Pids alive and dead, impossible and huge, bools and threads among them, in any iterable, as one by one."""
    dead = _dead()
    pids = [os.getpid(), dead, 0, -1, True, 1, threading.get_native_id(), 2**31 - 1, 2**31, 2**63, -(2**70), False]
    want = [skywasm.is_process_alive(pid) for pid in pids]
    assert want[:4] == [True, False, False, False]
    for form in (list, tuple, iter, lambda items: (item for item in items)):
        got = batch.is_process_alive(form(pids * 200))  # type: ignore[operator]
        assert got == want * 200
        assert {type(one) for one in got} == {bool}
    assert batch.is_process_alive([]) == []
    assert batch.is_process_alive(range(os.getpid(), os.getpid() + 1)) == [True]


def test_processes_that_are_none(backend: str) -> None:
    """What is no int is a TypeError that tells which it is, whatever stands before it."""
    for odd in ("1", None, 1.0, [1], b"1"):
        with pytest.raises(TypeError) as scalar:
            skywasm.is_process_alive(odd)  # type: ignore[arg-type]
        for place in (0, 1, 30):
            with pytest.raises(TypeError) as caught:
                batch.is_process_alive([os.getpid()] * place + [odd, "another"])  # type: ignore[list-item]
            assert fault(caught.value) == (*fault(scalar.value, False), place)


def test_ints_of_a_derived_type(backend: str) -> None:
    """Members of an IntEnum and the like are ints."""
    import enum

    class Pid(enum.IntEnum):
        OURS = os.getpid()
        NONE = 2**31 - 1

    assert batch.is_process_alive([Pid.OURS, Pid.NONE, os.getpid()]) == [True, False, True]


def test_a_replaced_host_shim_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another rule has been put in for the platform's, batches follow it as the scalar function does."""
    from host_shims import facts

    monkeypatch.setattr(facts, "process_signal", lambda pid: 0 if pid == 77 else 3)
    for mode in ("auto", "python"):
        with skywasm.use_backend(mode):
            assert batch.is_process_alive([77, os.getpid(), 78, 77]) == [True, False, False, True]


PEAK = """
    import sys, tracemalloc
    module, count, *paths = sys.argv[1:]
    modes = ["sky"]
    if module == "skywasm":
        import skywasm
        from skywasm import read_last_n_lines as read
        modes = ["auto", "wasm", "python"]
    else:
        import warnings
        warnings.simplefilter("ignore")
        from sky.utils.common_utils import read_last_n_lines as read
    for mode in modes:
        if module == "skywasm":
            skywasm.set_backend(mode)
            skywasm.warm_up()
        for at, path in enumerate(paths):
            # Whatever is made once is made now.
            read(path, 1000)
            tracemalloc.start()
            lines = read(path, int(count))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            report(**{f"{mode} {at}": [peak, len(lines), hash("".join(lines))]})
            del lines
"""


def test_peak_memory_of_last_lines(tmp_path: pathlib.Path) -> None:
    """200,000 lines take no more memory at the peak than SkyPilot takes for them, in any mode."""
    pytest.importorskip("sky")
    paths = []
    for kind in ("", " d\u00e9j\u00e0 vu \u4e2d", "\r"):
        text = "".join(f"I 01-01 00:00:00 provisioner.py:{number}] launching{kind}\n" for number in range(LINES + 1000))
        paths.append(write(tmp_path, str(len(paths)), text.encode()))
    env = {"PYTHONHASHSEED": "1"}
    theirs = run(PEAK, args=["sky", str(LINES), *paths], env=env)
    ours = run(PEAK, args=["skywasm", str(LINES), *paths], env=env)
    more = {}
    for at in range(len(paths)):
        peak, *lines = theirs[f"sky {at}"]
        assert lines[0] == LINES
        for mode in ("auto", "wasm", "python"):
            assert ours[f"{mode} {at}"][1:] == lines
            more[mode, at] = ours[f"{mode} {at}"][0] / peak
    # A little for what the two hold besides the lines.
    assert max(more.values()) <= 1.01, more
