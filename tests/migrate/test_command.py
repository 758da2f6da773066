"""`skywasm migrate` as a program of its own: diff, summary, exit statuses, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from cli import program
from cli.program import on_terminal, run

from skywasm.migrate import many

pytest.importorskip("libcst")

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

BEFORE = "from sky.utils import common_utils\nprint(common_utils.get_cpu_count())\n"
AFTER = "import skywasm\nprint(skywasm.get_cpu_count())\n"
BROKEN = "from sky.utils import common_utils\nprint common_utils.get_cpu_count\n"
PATCHES = "from unittest import mock\nmock.patch('sky.utils.common_utils.get_cpu_count').start()\n"
NAMES = ("plain.py", "two words.py", "sub/caf\u00e9.py", 'quote".py', "back\\slash.py")


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with files to change, one to leave, one that patches and one that is broken."""
    (tmp_path / "a.py").write_text(BEFORE)
    (tmp_path / "b.py").write_text("x = 1\n")
    (tmp_path / "c.py").write_text(PATCHES)
    (tmp_path / "d.py").write_text(BROKEN)
    return tmp_path


def content(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.py")}


def test_a_diff_and_nothing_written(tree: pathlib.Path) -> None:
    """Without options: the diff on standard output, the rest on standard error, no file touched."""
    before = content(tree)
    done = run("migrate", "a.py", "b.py", "c.py", cwd=tree)
    assert done.status == 0
    assert done.out == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-from sky.utils import common_utils\n"
        "-print(common_utils.get_cpu_count())\n+import skywasm\n+print(skywasm.get_cpu_count())\n"
    )
    assert done.err == (
        "left to you:\n"
        "  c.py:2: 'sky.utils.common_utils.get_cpu_count': uses that moved to skywasm do not see what is put there; "
        "in this file they stay\n"
        "1 use would move to skywasm, in 1 of 3 files; 1 import no longer needed; "
        "nothing was written (--write writes)\n"
    )
    assert content(tree) == before


def test_write(tree: pathlib.Path) -> None:
    """--write changes the files and prints no diff; a second run finds nothing to move."""
    done = run("migrate", "--write", "a.py", "b.py", cwd=tree)
    assert (done.status, done.out) == (0, "")
    assert done.err == "1 use moved to skywasm, in 1 of 2 files; 1 import no longer needed\n"
    assert (tree / "a.py").read_text() == AFTER
    before = content(tree)
    done = run("migrate", "--write", "a.py", "b.py", cwd=tree)
    assert (done.status, done.out, done.err) == (
        0,
        "",
        "nothing to move in 2 files: no use of SkyPilot's functions that skywasm has\n",
    )
    assert content(tree) == before


def test_check(tree: pathlib.Path) -> None:
    """--check lists the files that would change and ends with 1, with 0 when there are none; nothing is written."""
    before = content(tree)
    done = run("migrate", "--check", "a.py", "b.py", cwd=tree)
    assert (done.status, done.out) == (1, "would change: a.py\n")
    assert content(tree) == before
    done = run("migrate", "--check", "b.py", "c.py", cwd=tree)
    assert (done.status, done.out) == (0, "")


@pytest.mark.parametrize("options", [(), ("--write",), ("--check",), ("--json",)], ids=" ".join)
def test_a_broken_file_is_told_and_the_rest_goes_on(options: tuple[str, ...], tree: pathlib.Path) -> None:
    """A file that cannot be parsed is named with the reason and leaves 1; the others are done."""
    done = run("migrate", *options, ".", cwd=tree)
    assert done.status == 1
    assert done.has_no_traceback()
    told = done.out if "--json" in options else done.err
    assert re.search(r"d\.py.*line 2: not Python 3\.\d+: ", told, re.DOTALL)
    assert (tree / "a.py").read_text() == (AFTER if "--write" in options else BEFORE)
    assert (tree / "d.py").read_text() == BROKEN
    assert "a.py" in done.out + (tree / "a.py").read_text() or "--write" in options


def test_what_does_not_mention_the_functions_is_not_parsed(tree: pathlib.Path) -> None:
    """A file that is not valid Python and mentions none of the functions is none of the command's business."""
    (tree / "old.py").write_text("import sky\nprint 1\n")
    assert run("migrate", "--check", "old.py", cwd=tree) == (
        0,
        "",
        "nothing to move in 1 file: no use of SkyPilot's functions that skywasm has\n",
    )
    assert "Files that mention none of these functions are not parsed" in " ".join(run("migrate", "--help").out.split())


def test_a_folder_without_python_is_told(tree: pathlib.Path) -> None:
    """A folder in which there is nothing to look at is named, and so is that standard input is not read."""
    (tree / "empty").mkdir()
    assert run("migrate", "empty", cwd=tree) == (0, "", "no Python files in empty\n")
    assert "no such file or folder: -; standard input is not read" in run("migrate", "-", cwd=tree).err


def test_json(tree: pathlib.Path) -> None:
    """--json prints one object: numbers, and for each file that matters what happens, what is left and why."""
    done = run("migrate", "--json", ".", cwd=tree)
    report = json.loads(done.out)
    assert (done.status, done.err, report["ok"]) == (1, "", False)
    assert {key: report[key] for key in ("files_seen", "changed", "uses", "imported", "removed")} == {
        "files_seen": 4,
        "changed": 1,
        "uses": 1,
        "imported": 0,
        "removed": 1,
    }
    rows = {os.path.basename(row["file"]): row for row in report["files"]}
    assert sorted(rows) == ["a.py", "c.py", "d.py"]
    assert [(note["line"], note["kind"]) for note in rows["c.py"]["notes"]] == [(2, "string")]
    assert "line 2" in rows["d.py"]["problem"]
    assert rows["a.py"]["changed"] is True


@pytest.mark.parametrize("tool", [("patch", "-p1", "-s"), ("git", "apply", "-p1")], ids=lambda tool: tool[0])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_tools_apply_the_diff(tool: tuple[str, ...], ends: bytes, tmp_path: pathlib.Path) -> None:
    """`patch -p1` and `git apply` make of the diff what --write makes, odd names and encodings included."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    for folder in ("applied", "written"):
        for number, name in enumerate(NAMES):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = f"# coding: latin-1\n'\xe9'\n{BEFORE}" + "y = '\x0c'\n" * number
            path.write_bytes(text.encode("latin-1").replace(b"\n", ends)[: None if number % 2 else -len(ends)])
    diff = run("migrate", ".", cwd=tmp_path / "applied")
    assert diff.out.count("\n@@") == len(NAMES)
    subprocess.run(
        tool,
        input=diff.out.encode("utf-8", "surrogateescape"),
        cwd=tmp_path / "applied",
        check=True,
        capture_output=True,
    )
    assert run("migrate", "--write", ".", cwd=tmp_path / "written").status == 0
    assert content(tmp_path / "applied") == content(tmp_path / "written")
    assert b"skywasm" in content(tmp_path / "applied")["plain.py"]


def test_files_elsewhere_are_named_from_the_root(tree: pathlib.Path) -> None:
    """The diff of a file outside of the current folder is applied from the root."""
    done = run("migrate", str(tree / "a.py"), cwd=tree / os.pardir)
    assert done.out.startswith(f"--- a/{tree.name}/a.py\n")
    (tree / "other").mkdir()
    done = run("migrate", str(tree / "a.py"), cwd=tree / "other")
    # A drive is part of the name.
    root = tree.as_posix() if tree.as_posix().startswith("/") else f"/{tree.as_posix()}"
    assert done.out.startswith(f"--- a{root}/a.py\n+++ b{root}/a.py\n")


def test_a_path_that_is_not_there_stops_all(tree: pathlib.Path) -> None:
    """A path that does not exist ends with 2 before anything is written, and is named."""
    done = run("migrate", "--write", "a.py", "nowhere", cwd=tree)
    assert (done.status, done.out) == (2, "")
    assert "no such file or folder: nowhere" in done.err
    assert (tree / "a.py").read_text() == BEFORE


@pytest.mark.parametrize("arguments", [(), ("--write", "--check", "."), ("--nonsense", ".")], ids=" ".join)
def test_a_wrong_command_line_ends_with_2(arguments: tuple[str, ...]) -> None:
    """No path, options that exclude each other, and unknown ones are usage errors."""
    done = run("migrate", *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: skywasm")


def test_a_file_that_is_not_python_is_told(tree: pathlib.Path) -> None:
    """A named file that is not Python is an error that says what would be, and the others are done."""
    (tree / "README.md").write_text(BEFORE)
    done = run("migrate", "--write", "README.md", "a.py", cwd=tree)
    assert done.status == 1
    assert "README.md: not a Python file: expected a name that ends in .py" in done.err
    assert (tree / "a.py").read_text() == AFTER


def test_help() -> None:
    """The help fits a narrow terminal, shows examples and says what the exit statuses mean."""
    done = run("migrate", "--help", env={"COLUMNS": "80"})
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    assert "skywasm migrate --write src tests" in done.out
    for status in (0, 1, 2, 130, 141):
        assert re.search(rf"^  {status} +\S", done.out, re.MULTILINE)
    assert re.search(r"^    migrate +\w", run("--help").out, re.MULTILINE)


def test_without_libcst(tree: pathlib.Path) -> None:
    """Where libcst is missing the command ends with 2 and the line that installs it."""
    (tree / "sitecustomize.py").write_text("import sys\nsys.modules['libcst'] = None\n")
    done = run("migrate", "a.py", cwd=tree, env={"PYTHONPATH": str(tree)})
    assert (done.status, done.out) == (2, "")
    assert "pip install 'skywasm[migrate]'" in done.err
    assert done.has_no_traceback()


def test_colour_and_control_characters_on_a_terminal(tree: pathlib.Path) -> None:
    """A terminal gets colour, and no command to it that a file may hold; NO_COLOR is obeyed, a pipe gets bytes."""
    (tree / "e.py").write_text(BEFORE + "x = '\x1b[2J'\n")
    path = str(tree / "e.py")
    shown = on_terminal("migrate", path).out
    assert "\x1b[32m+import skywasm" in shown
    assert "\x1b[2J" not in shown
    assert "\\x1b[2J" in shown
    assert not re.search(r"\x1b\[[\d;]*m", on_terminal("migrate", path, env={"NO_COLOR": "1"}).out)
    assert "\x1b[2J" in run("migrate", path).out


def test_a_progress_bar_on_a_terminal_only(tree: pathlib.Path) -> None:
    """Many files show a bar on a terminal, a pipe gets none."""
    for number in range(20):
        (tree / f"many{number}.py").write_text(BEFORE)
    shown = on_terminal("migrate", "--check", str(tree)).out
    assert re.search(r"parsing .*\d+/\d+", shown)
    assert "parsing" not in run("migrate", "--check", str(tree)).err


def test_a_closed_pipe_is_no_traceback(tree: pathlib.Path) -> None:
    """When nobody reads the diff the program ends with 141 and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    process = program.start("migrate", str(tree / "a.py"), stdout=writer)
    os.close(writer)
    done = program.finish(process)
    assert (done.status, done.err) == (141, "")


def test_a_full_disk_is_told_in_a_line(tree: pathlib.Path) -> None:
    """A diff that cannot be written ends with 1 and the reason."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
        done = run("migrate", str(tree / "a.py"), stdout=full)
    assert (done.status, done.err) == (1, "skywasm: No space left on device\n")


@pytest.mark.parametrize("size", [200, 8000], ids=["one process", "several processes"])
def test_ctrl_c_leaves_quietly_and_every_file_whole(size: int, tmp_path: pathlib.Path) -> None:
    """Ctrl-C in the middle of --write ends with 130 and no word; each file is the old or the new one, nothing else."""
    # The first is written once all are parsed, which takes long for code and not for comments.
    before = f"{BEFORE}# {'x' * size}\n"
    names = [f"p{number}.py" for number in range(60)]
    assert (len(before) * len(names) > many._WORTH_PROCESSES) is (size > 1000)
    for name in names:
        (tmp_path / name).write_text(before)
    process = program.start("migrate", "--write", str(tmp_path))
    deadline = time.monotonic() + 3 * program.TIMEOUT_S
    while (tmp_path / "p0.py").read_text() == before and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    done = program.finish(process)
    assert (done.out, done.err) == ("", "") or done.status == 0
    assert done.status in (0, 130)
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    after = before.replace(BEFORE, AFTER)
    assert {path.read_text() for path in tmp_path.iterdir()} <= {before, after}
    assert (tmp_path / "p0.py").read_text() == after
