"""A file that cannot be done costs only itself: whatever libcst raises, whatever it is, wherever it lies."""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys

import pytest
from children import environment
from cli.program import run

from skywasm.cli import _migrate
from skywasm.migrate import _source, many, one_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

TEXT = b"from sky.utils import common_utils\nprint(common_utils.get_cpu_count())\n"
# Valid Python that libcst does not get along with; a newer one may.
ODD = (
    "def f():\n    return(lambda: 0)\n",
    "assert(lambda: 1)\n",
    "key = 1 if 2 else(lambda: 0)\n",
    "x = 1 and(lambda: 0)\n",
    "async def f(x):\n    return [await(y)for y in x]\n",
    "async def f(g):\n    await(g())if 1 else 1\n",
)


@pytest.mark.parametrize("odd", ODD)
def test_what_libcst_cannot_do_costs_one_file(odd: str, tmp_path: pathlib.Path) -> None:
    """Whatever libcst raises, the file is reported and the others are written."""
    for name in ("a.py", "c.py"):
        (tmp_path / name).write_bytes(TEXT)
    (tmp_path / "b.py").write_bytes(TEXT + odd.encode())
    done = run("migrate", "--write", ".", cwd=tmp_path)
    assert done.has_no_traceback()
    assert "2 uses moved" in done.err or "3 uses moved" in done.err
    assert done.status == (1 if "b.py: libcst" in done.err else 0)
    for name in ("a.py", "c.py"):
        assert (tmp_path / name).read_bytes().startswith(b"import skywasm\n")


@pytest.mark.parametrize("error", [TypeError, ValueError, AssertionError, KeyError, RecursionError, MemoryError])
def test_any_exception_is_the_files(
    error: type[BaseException], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line tells of it; Ctrl-C is not taken for one."""
    path = tmp_path / "a.py"
    path.write_bytes(TEXT)

    def strike(_: object) -> None:
        raise error("two\nlines")

    monkeypatch.setattr("libcst.parse_module", strike)
    result = one_file.migrate(str(path))
    assert result.problem
    assert "\n" not in result.problem
    error = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        one_file.migrate(str(path))


def test_writing_begins_when_all_is_known(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is written before the last one has been worked out."""
    for number in range(3):
        (tmp_path / f"{number}.py").write_bytes(TEXT)
    order: list[str] = []
    work = one_file.migrate

    def told(path: str, **how: object) -> one_file.Outcome:
        order.append("look")
        return work(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(one_file, "migrate", told)
    monkeypatch.setattr(one_file, "write", lambda _: order.append("write"))
    options = argparse.Namespace(keep_imports=False, write=True)
    _migrate._outcomes(many.scan([str(tmp_path)]), options)
    assert order == ["look"] * 3 + ["write"] * 3


@pytest.mark.parametrize(
    "codec",
    ["rot13", "hex", "base64", "bz2", "zlib", "uu", "quopri", "undefined", "idna", "punycode", "utf-16", "nope"],
)
@pytest.mark.parametrize("above", [b"", b"#!/usr/bin/python3\n"])
def test_codecs_that_are_no_text(codec: str, above: bytes, tmp_path: pathlib.Path) -> None:
    """An encoding that cannot be one of a program's is that file's problem, or none."""
    path = tmp_path / "a.py"
    path.write_bytes(above + b"# coding: " + codec.encode() + b"\n" + TEXT)
    result = one_file.migrate(str(path))
    assert result.after == result.before or codec in ("idna", "punycode")
    if codec in ("rot13", "hex", "base64", "bz2", "zlib", "uu", "quopri"):
        assert f"line {2 if above else 1}: cannot be decoded" in result.problem
        assert "no encoding of text" in result.problem


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_what_cannot_be_read(end: str, tmp_path: pathlib.Path) -> None:
    """Bytes that are no text and what Python refuses are told with their line, whatever ends lines."""
    path = tmp_path / "a.py"
    start = TEXT.decode().replace("\n", end).encode() + b"\f" + end.encode()
    path.write_bytes(start + b"x = '\xff'" + end.encode())
    assert one_file.migrate(str(path)).problem.startswith("line 4: cannot be decoded")
    path.write_bytes(start + b"x = = 1" + end.encode())
    assert one_file.migrate(str(path)).problem.startswith("line 4: not Python")


def test_no_line_where_libcst_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is no token libcst always says that it stands in the first line."""
    monkeypatch.setattr(_source, "_refuse_what_python_refuses", lambda _: None)
    with pytest.raises(_source.Unreadable, match=r"^libcst cannot parse"):
        _source.Source(b"x = 1\nx $ 1\n")
    with pytest.raises(_source.Unreadable, match=r"^line 2: libcst cannot parse"):
        _source.Source(b"x = 1\nx = = 1\n")


@pytest.mark.parametrize("module", ["libcst", "libcst.native", "libcst._nodes.module", "libcst.metadata"])
def test_half_of_libcst_is_none(module: str, tmp_path: pathlib.Path) -> None:
    """Whichever part of libcst is missing: exit status 2 and the pip line."""
    (tmp_path / "a.py").write_bytes(TEXT)
    code = (
        f"import sys; sys.modules[{module!r}] = None\nfrom skywasm.cli import main; sys.exit(main(['migrate', 'a.py']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "libcst is needed (" in done.stderr
    assert "pip install 'skywasm[migrate]'" in done.stderr
    assert "Traceback" not in done.stderr


def deleted(tmp_path: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs skywasm in a folder that has been deleted."""
    (tmp_path / "gone").mkdir()
    code = f"import os, sys; os.rmdir(os.getcwd())\nfrom skywasm.cli import main; sys.exit(main({list(words)!r}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "gone",
        env=environment({"FORCE_COLOR": "", "COLUMNS": ""}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of it")
def test_a_current_folder_that_was_deleted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file elsewhere is done all the same, and what needs the folder says so."""
    (tmp_path / "a.py").write_bytes(TEXT)
    done = deleted(tmp_path, "migrate", str(tmp_path / "a.py"))
    assert (done.returncode, done.stdout[:4]) == (0, "--- ")
    assert "/a.py\n" in done.stdout
    assert done.stderr.startswith("1 use would move")
    done = deleted(tmp_path, "migrate", "a.py")
    assert (done.returncode, "no such file or folder: a.py" in done.stderr) == (2, True)
    monkeypatch.setattr(many, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    (tmp_path / "b.py").write_bytes(TEXT)

    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    found = many.scan([str(tmp_path)])
    monkeypatch.setattr(os, "getcwd", gone)
    assert all(one.changed for one in many.outcomes(found, False, lambda: None))


@pytest.mark.parametrize(
    "variables", [{"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}]
)
def test_a_diff_in_a_file_is_for_patch(variables: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Whatever a build machine exports, the diff's bytes are those of the files."""
    (tmp_path / "a.py").write_bytes(TEXT.replace(b"\n", b"\r\n"))
    plain = subprocess.run(
        [sys.executable, "-m", "skywasm", "migrate", "a.py"],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        check=True,
    ).stdout
    done = subprocess.run(
        [sys.executable, "-m", "skywasm", "migrate", "a.py"],
        cwd=tmp_path,
        env=environment(variables),
        capture_output=True,
        check=True,
    )
    assert done.stdout == plain
    assert b"\r\n" in plain
    assert b"\x1b" not in plain


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such things on Windows")
@pytest.mark.parametrize("name", ["thing", "thing.py"])
def test_pipes_sockets_and_devices_are_not_opened(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no file is refused as what it is, without being opened."""
    monkeypatch.chdir(tmp_path)
    for folder in ("pipe", "socket", "device"):
        os.mkdir(folder)
    os.mkfifo(f"pipe/{name}")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"socket/{name}")
    os.symlink(os.devnull, f"device/{name}")

    def opened(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr("builtins.open", opened)
    found = many.scan([f"{folder}/{name}" for folder in ("pipe", "socket", "device")])
    assert [one.problem for one in found.problems] == [
        f"not a regular file but {what}" for what in ("a named pipe", "a socket", "a device")
    ]


def test_a_file_without_end_is_told(tmp_path: pathlib.Path) -> None:
    """A sparse file of a terabyte is not read."""
    path = tmp_path / "a.py"
    path.touch()
    os.truncate(path, 1 << 40)
    assert many.scan([str(tmp_path)]).problems[0].problem == "too large for a program"


def test_null_bytes_have_their_line(tmp_path: pathlib.Path) -> None:
    """Python refuses them without a line; the message names it, whatever the line ends are."""
    (tmp_path / "a.py").write_bytes(TEXT.replace(b"\n", b"\r\n") + b"x = '\0'\r\ny = '\0'\r\n")
    problem = one_file.migrate(str(tmp_path / "a.py")).problem
    assert re.fullmatch(r"line 3: not Python 3\.\d+: source code cannot contain null bytes", problem)
