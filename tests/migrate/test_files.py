"""Which files are looked at, and how they are written."""

from __future__ import annotations

import os
import stat
import time
import types

import pytest
from children import PACKAGES

from migrate.sources import outcome
from skywasm.migrate import _names, _walk, many, one_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

TEXT = b"from sky.utils import common_utils\nprint(common_utils.get_cpu_count())\n"


def found(*paths: pathlib.Path) -> list[str]:
    """The paths of the files found, relative to the current folder."""
    return [os.path.relpath(path) for path, problem in _walk.files([str(path) for path in paths]) if not problem]


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder of files to find and not to find, the current one."""
    for name in (
        *("b.py", "a.py", "tool.pyw", "notes.txt", "stub.pyi", ".hidden.py", "sub/c.py", "sub/deep/d.py"),
        *(".git/x.py", "node_modules/x.py", "__pycache__/x.py", "env/lib/x.py", ".venv/x.py"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(TEXT)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "linked.py").symlink_to(".hidden.py")
    (tmp_path / "loop").symlink_to(".")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_stands_for_its_python_files(tree: pathlib.Path) -> None:
    """Python files at any depth in order; nothing hidden, linked, cached or installed."""
    assert found(tree) == ["a.py", "b.py", "tool.pyw", "sub/c.py", "sub/deep/d.py"]


def test_junctions_are_links(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is a junction, Windows' own kind of link, is passed over, and one that is not is looked into."""
    for name in ("junction", "real"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_bytes(TEXT)
    lstat = os.lstat

    def tagged(path: str) -> types.SimpleNamespace:
        tag = 0xA0000003 if os.path.basename(path) == "junction" else 0
        return types.SimpleNamespace(st_mode=lstat(path).st_mode, st_reparse_tag=tag)

    monkeypatch.setattr(os, "lstat", tagged)
    assert [os.path.relpath(path, tmp_path) for path, _ in _walk.files([str(tmp_path)])] == [
        os.path.join("real", "x.py")
    ]


def test_what_is_named_is_not_skipped(tree: pathlib.Path) -> None:
    """Hidden files and folders, environments and links that are named themselves are looked at, each file once."""
    named = [".hidden.py", ".git", "env", "link.py", "a.py", "loop/sub/c.py", "sub/c.py"]
    assert found(*(tree / name for name in named)) == [
        ".hidden.py",
        ".git/x.py",
        "env/lib/x.py",
        "link.py",
        "loop/sub/c.py",
    ]


@pytest.mark.parametrize(
    ("content", "is_python"),
    [(b"#!/usr/bin/env python3\n" + TEXT, True), (TEXT, False), (b"", False), (b"#!/bin/sh\n", False)],
)
def test_a_script_says_that_it_is_python(content: bytes, is_python: bool, tmp_path: pathlib.Path) -> None:
    """A named file without the suffix is taken when its first line names python; others are told."""
    path = tmp_path / "script"
    path.write_bytes(content)
    ((_, problem),) = _walk.files([str(path)])
    assert ("not a Python file" in problem) is not is_python


def test_other_things_than_files_are_told(tmp_path: pathlib.Path) -> None:
    """Named pipes and dangling links do not keep anybody waiting."""
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "dangling.py").symlink_to("nowhere")
    result = many.scan([str(tmp_path / "pipe.py"), str(tmp_path / "dangling.py")])
    assert [problem.problem for problem in result.problems] == [
        "not a regular file but a named pipe",
        "No such file or directory",
    ]


def test_an_unreadable_folder_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be listed is told, and the rest goes on."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b.py").write_bytes(TEXT)
    scandir = os.scandir

    # Root may list everything, so the refusal is the one thing that is made up.
    def refusing(path: str) -> object:
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = many.scan([str(tmp_path)])
    assert (result.files, len(result.paths)) == (1, 1)
    assert [(problem.path, problem.problem) for problem in result.problems] == [
        (str(tmp_path / "a"), "Permission denied")
    ]


def test_files_that_name_nothing_are_not_parsed(tmp_path: pathlib.Path) -> None:
    """Only files with the names of a module and of a function are parsed: others may even be broken."""
    (tmp_path / "broken.py").write_bytes(b"import common_utils (\xff")
    (tmp_path / "other.py").write_bytes(b"hash_file = 1\n")
    (tmp_path / "both.py").write_bytes(TEXT)
    result = many.scan([str(tmp_path)])
    assert (result.files, result.paths, result.problems) == (3, [str(tmp_path / "both.py")], [])


@pytest.mark.parametrize(
    "text",
    [
        "from mine import helpers\nhelpers.common_utils.x()",
        "import mine.helpers\nmine . helpers . common_utils.x()",
        "from mine import helpers as h\nh.common_utils.x()",
        "from mine.helpers import (\n    a,  # one\n    common_utils,\n)",
        "from .helpers import common_utils",
        "from mine.helpers import *\ncommon_utils.x()",
        "patch('mine.helpers.common_utils.hash_file')",
        "setattr(helpers, 'common_utils', None)",
    ],
)
def test_detours_are_seen(text: str) -> None:
    """Every way to get at a module through a module that imports it is seen without parsing."""
    assert _names.Reached("helpers", "common_utils") in _names.reached_through_others(text.encode())


def test_straight_ways_are_no_detours() -> None:
    """Imports from SkyPilot itself do not count."""
    text = b"from sky.utils import common_utils\nimport sky.utils.common_utils\npatch('sky.utils.common_utils.x')\n"
    assert _names.reached_through_others(text) == set()


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o4750])
def test_mode_bits_are_kept(mode: int, tmp_path: pathlib.Path) -> None:
    """A written file has the mode of the old one, and nothing else is left in its folder."""
    result = outcome(TEXT, tmp_path)
    os.chmod(result.path, mode)
    one_file.write(result)
    assert stat.S_IMODE(os.stat(result.path).st_mode) == mode
    assert os.listdir(tmp_path) == ["program.py"]
    assert (tmp_path / "program.py").read_bytes() == result.after


def test_a_link_stays_a_link(tmp_path: pathlib.Path) -> None:
    """Writing by a link's name changes the file that it points to."""
    (tmp_path / "real").mkdir()
    result = outcome(TEXT, tmp_path / "real")
    link = tmp_path / "link.py"
    link.symlink_to("real/program.py")
    one_file.write(one_file.migrate(str(link)))
    assert link.is_symlink()
    assert (tmp_path / "real" / "program.py").read_bytes() == result.after


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: pathlib.Path) -> None:
    """What somebody saved after we read the file is not lost."""
    result = outcome(TEXT, tmp_path)
    (tmp_path / "program.py").write_bytes(b"x = 1\n")
    with pytest.raises(OSError, match="changed while it was looked at"):
        one_file.write(result)
    assert (tmp_path / "program.py").read_bytes() == b"x = 1\n"


def test_a_failed_write_leaves_the_old_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the file is the old one, and no piece of the new one lies about."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    result = outcome(TEXT, tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        one_file.write(result)
    assert os.listdir(tmp_path) == ["program.py"]
    assert (tmp_path / "program.py").read_bytes() == TEXT


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
def test_a_write_protected_file_is_not_written(tmp_path: pathlib.Path) -> None:
    """Write protection of a file holds, though its folder would allow to replace it."""
    result = outcome(TEXT, tmp_path)
    os.chmod(result.path, 0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        one_file.write(result)


def test_many_processes_give_what_one_gives(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcomes are the same, and in the same order, with several processes."""
    for number in range(6):
        (tmp_path / f"p{number}.py").write_bytes(TEXT + b"# %d\n" % number)
    result = many.scan([str(tmp_path)])
    alone = list(many.outcomes(result, False, lambda: None))
    monkeypatch.setattr(many, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert list(many.outcomes(result, False, lambda: None)) == alone
    assert [os.path.basename(one.path) for one in alone] == [f"p{number}.py" for number in range(6)]
    assert all(one.changed for one in alone)


# What a worker runs before anything else.
CRASHES = """
import os
from skywasm.migrate import one_file
whole = one_file.migrate
def migrate(path, **named):
    if path.endswith("p2.py"):
        os.abort()
    return whole(path, **named)
one_file.migrate = migrate
"""


def test_a_file_that_ends_its_process(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the parser costs the one file, whichever others were being parsed or waited."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CRASHES)
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(6):
        (folder / f"p{number}.py").write_bytes(TEXT)
    scanned = many.scan([str(folder)])
    alone = list(many.outcomes(scanned, False, lambda: None))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(PACKAGES)]))
    monkeypatch.setattr(many, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    outcomes = list(many.outcomes(scanned, False, lambda: None))
    assert "was ended" in outcomes[2].problem
    assert [one for one in outcomes if not one.problem] == alone[:2] + alone[3:]


@pytest.mark.parametrize("unit", [b"x", b"x.", b"x ", b"as ", b"x,"])
def test_a_long_line_is_looked_through_once(unit: bytes) -> None:
    """What is embedded in a program, a picture as text for example, takes time by its length and not by its square."""
    start = time.monotonic()
    assert _names.reached_through_others(b"x = common_utils  # " + unit * (1_000_000 // len(unit))) == set()
    assert time.monotonic() - start < 10
