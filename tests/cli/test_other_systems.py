"""What the program does otherwise on Windows, as far as any system can try it."""

from __future__ import annotations

import errno
import os
import types

import pytest

from host_shims import paths
from skywasm.cli import _enable, _files, _hash, _main, _run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    monkeypatch.setenv("PATHEXT", os.pathsep.join((".COM", ".EXE")))


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("C:\\data\\one.txt", b"C:/data/one.txt"),
        ("data/one.txt", b"data/one.txt"),
        ("\\\\?\\C:\\x", b"//?/C:/x"),
        ("caf\xe9", "caf\xe9".encode()),
    ],
)
def test_lines_have_slashes(windows: None, name: str, printed: bytes) -> None:
    """A backslash separates on Windows, and with slashes the line can be checked on every system."""
    assert _hash._line("d" * 8, name) == b"dddddddd  " + printed + b"\n"


def test_junctions_are_links(windows: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is a junction is left out, any other kept."""
    (tmp_path / "real").mkdir()
    (tmp_path / "junction").mkdir()
    junction = (tmp_path / "junction").lstat().st_ino
    monkeypatch.setattr(_files, "is_junction", lambda status: status.st_ino == junction)
    assert [path for path, _ in _files._entries(str(tmp_path))] == [str(tmp_path / "real")]


def test_the_mark_of_a_junction() -> None:
    """A junction is known by its tag; systems that know no tags have none."""
    for status, is_one in ((types.SimpleNamespace(st_reparse_tag=0xA0000003), True), (types.SimpleNamespace(), False)):
        assert paths.is_junction(status) is is_one


def test_programs_by_their_endings(windows: None, tmp_path: pathlib.Path) -> None:
    """A path means the file itself where its ending is a program's, else the one with an ending behind it."""
    for name in ("tool.exe", "both", "both.com", "text.txt"):
        (tmp_path / name).touch()
    meant = {
        name: os.path.relpath(_run._named(f"{tmp_path}/{name}"), tmp_path) for name in ("tool", "tool.exe", "both")
    }
    assert meant == {"tool": "tool.exe", "tool.exe": "tool.exe", "both": "both.com"}
    assert _run._no_program(f"{tmp_path}/text.txt").startswith("its name does not end as a program's does")
    assert _run._no_program(f"{tmp_path}/tool.exe") == ""


@pytest.mark.parametrize(
    ("name", "error", "is_one"),
    [
        ("posix", BrokenPipeError(errno.EPIPE, "Broken pipe"), True),
        ("posix", OSError(errno.EINVAL, "Invalid argument"), False),
        ("nt", OSError(errno.EINVAL, "Invalid argument"), True),
        ("nt", OSError(errno.EINVAL, "Invalid argument", "file"), False),
        ("nt", OSError(errno.ENOSPC, "No space left"), False),
    ],
)
def test_a_reader_that_has_gone(name: str, error: OSError, is_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows nobody at the other end of a pipe is an invalid argument, of no file."""
    monkeypatch.setattr(os, "name", name)
    assert _main._is_closed_pipe(error) is is_one


@pytest.mark.parametrize(("name", "tries"), [("nt", 4), ("posix", 1)])
def test_a_file_that_is_being_read(name: str, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows refuses while an interpreter reads the file is tried again; a refusal elsewhere is final."""
    monkeypatch.setattr(os, "name", name)
    monkeypatch.setattr(_enable, "_PAUSE_S", 0.001)
    asked: list[int] = []

    def work() -> None:
        asked.append(1)
        if len(asked) < 4:
            raise PermissionError(errno.EACCES, "in use")

    if tries == 1:
        with pytest.raises(PermissionError):
            _enable._insist(work)
    else:
        _enable._insist(work)
    assert len(asked) == tries
