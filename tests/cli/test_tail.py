"""`skywasm tail`: the last lines of files, whatever is in them and wherever they go."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from cli.program import on_terminal, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def log(tmp_path: pathlib.Path) -> pathlib.Path:
    """A log of twenty lines with no newline at its end."""
    path = tmp_path / "run.log"
    path.write_text("\n".join(f"line {number} \U0001f680" for number in range(20)), encoding="utf-8")
    return path


def test_ten_lines_by_default(log: pathlib.Path) -> None:
    """Without -n the last ten lines are printed, with a newline at the end that the file lacks."""
    done = run("tail", str(log))
    assert done == (0, "".join(f"line {number} \U0001f680\n" for number in range(10, 20)), "")


@pytest.mark.parametrize("count", ["0", "1", "19", "20", "21", "1" + "0" * 30])
def test_number_of_lines(count: str, log: pathlib.Path) -> None:
    """-n gives as many lines as asked for, or all there are."""
    assert run("tail", "-n", count, str(log)).out.count("\n") == min(int(count), 20)


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n\n", b"a", b"a\n", b"a\nb", b"x\n\n", b"\xe2\x9c\x93\nlast"])
@pytest.mark.parametrize("backend", ["auto", "wasm"])
def test_same_as_coreutils_with_a_last_newline(content: bytes, backend: str, tmp_path: pathlib.Path) -> None:
    """What tail prints, and a newline where the file ends without one."""
    utility = shutil.which("tail")
    if utility is None:
        pytest.skip("tail is not installed")
    (tmp_path / "file").write_bytes(content)
    theirs = subprocess.run([utility, "-n", "2", "file"], cwd=tmp_path, capture_output=True, check=True).stdout
    done = run("tail", "-n", "2", "file", cwd=tmp_path, env={"SKYWASM_BACKEND": backend})
    expected = theirs if theirs.endswith(b"\n") or not theirs else theirs + b"\n"
    assert (done.status, done.out.encode(), done.err) == (0, expected, "")


def test_several_files_have_headers(tmp_path: pathlib.Path) -> None:
    """Several files are headed as by tail, with a blank line between; a missing one is told and has no header."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"of {name}\n")
    done = run("tail", "a", "missing", "b", cwd=tmp_path)
    assert done.status == 1
    assert done.out == "==> a <==\nof a\n\n==> b <==\nof b\n"
    assert done.err == "skywasm tail: missing: No such file or directory\n"


def test_what_is_no_file(tmp_path: pathlib.Path) -> None:
    """A folder, a path through a file and standard input are told in a line each."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    done = run("tail", "folder", "file/below", "-", cwd=tmp_path)
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines() == [
        "skywasm tail: folder: Is a directory",
        "skywasm tail: file/below: Not a directory",
        "skywasm tail: -: standard input has no end to read from; save it to a file first",
    ]


@pytest.mark.parametrize("count", ["-1", "+5", "x", "1.5", "", "\u0663"])
def test_what_is_no_number_of_lines(count: str, log: pathlib.Path) -> None:
    """A negative, signed or other count is a usage error."""
    done = run("tail", "-n", count, str(log))
    assert (done.status, done.out) == (2, "")
    assert "is no number of lines; give 0 or more" in done.err


@pytest.mark.parametrize("encoding", ["nope", "", "hex", "\u00e9"])
def test_an_unknown_encoding_is_a_usage_error(encoding: str, log: pathlib.Path) -> None:
    """An encoding that Python does not know, or that is none of text, ends with 2."""
    done = run("tail", "--encoding", encoding, str(log))
    assert (done.status, done.out) == (2, "")
    assert "unknown encoding" in done.err


def test_other_encodings(tmp_path: pathlib.Path) -> None:
    """--encoding decodes the file; the output is in the terminal's encoding."""
    (tmp_path / "old.log").write_bytes("caf\u00e9\n".encode("latin-1"))
    assert run("tail", "--encoding", "latin-1", "old.log", cwd=tmp_path).out == "caf\u00e9\n"


@pytest.mark.parametrize(
    ("errors", "shown"),
    [
        ("replace", "a\ufffdb\n"),
        ("ignore", "ab\n"),
        ("backslashreplace", "a\\xffb\n"),
        ("surrogateescape", "a\udcffb\n"),
    ],
)
def test_broken_bytes(errors: str, shown: str, tmp_path: pathlib.Path) -> None:
    """--errors says what becomes of broken bytes; with surrogateescape they come out as they are."""
    (tmp_path / "file").write_bytes(b"a\xffb\n")
    assert run("tail", "--errors", errors, "file", cwd=tmp_path) == (0, shown, "")


def test_strict_refuses_a_broken_file(tmp_path: pathlib.Path) -> None:
    """With --errors strict a broken file is told with the byte and what to do; the others are printed."""
    (tmp_path / "broken").write_bytes(b"a\xffb\n")
    (tmp_path / "good").write_bytes(b"good\n")
    done = run("tail", "--errors", "strict", "broken", "good", cwd=tmp_path)
    assert (done.status, done.out) == (1, "==> good <==\ngood\n")
    assert "skywasm tail: broken: 'utf-8' codec can't decode byte 0xff" in done.err
    assert "try --errors replace" in done.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_any_text_can_be_printed(encoding: str, tmp_path: pathlib.Path) -> None:
    """A pipe whose encoding cannot hold the text gets escapes, never a traceback."""
    (tmp_path / "file").write_bytes("caf\u00e9 \U0001f680 \u65e5\n".encode() + b"\xff\xfe\n")
    for errors in ("replace", "surrogateescape"):
        done = run("tail", "--errors", errors, "file", cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
        assert (done.status, done.err) == (0, "")
    assert encoding != "ascii" or done.out == "caf\\xe9 \\U0001f680 \\u65e5\n\udcff\udcfe\n"


def test_on_a_terminal(log: pathlib.Path) -> None:
    """A terminal gets the lines and nothing else."""
    assert on_terminal("tail", "-n", "2", str(log)).out == "line 18 \U0001f680\nline 19 \U0001f680\n"


def test_a_large_file_is_read_from_its_end(tmp_path: pathlib.Path) -> None:
    """The last line of a sparse file of 8 GiB comes at once."""
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.seek(8 * 1024**3)
        file.write(b"\nthe end\n")
    assert run("tail", "-n", "1", str(path)).out == "the end\n"
