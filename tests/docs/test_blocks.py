"""Every code block of README and the pages in docs runs, and what stands below a command is what it prints."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from children import environment

from docs.pages import FLAGS, PAGES, ROOT, Block, blocks, run_plain, said
from skywasm.cli import _main

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

# Their blocks run in an environment with SkyPilot, where they switch the drop-in on: tests/integration.
WITH_SKYPILOT = {"INTEGRATION.md", "QUICKSTART.md"}
# Its blocks are put into a copy of the project: test_adding.py.
IN_A_COPY = {"ADDING.md"}
LANGUAGES = {"", "text", "python", "console", "json", "rust", "{eval-rst}", "{include}", "{toctree}"}
# Commands of minutes, or that change the environment: here only their command lines are looked at, the commands
# themselves have tests of their own.
ONLY_PARSED = {"bench", "report", "demo", "enable", "disable", "run"}
OTHER_PROGRAMS = {"apt-get", "rustup"}
PROGRAM = "from sky.utils import common_utils\n\nprint(common_utils.format_float(7.25))\n"
HERE = [page for page in PAGES if page.name not in WITH_SKYPILOT | IN_A_COPY]
pytestmark = pytest.mark.xdist_group("code blocks")


def of(language: str) -> list[Any]:
    """Parameters for the pages that have blocks of a language."""
    return [pytest.param(page, id=page.name) for page in HERE if blocks(page, language)]


def commands(page: pathlib.Path) -> list[tuple[str, str]]:
    """The commands of a page without the comments behind them, each with what stands below it."""
    found = []
    for block in blocks(page, "console"):
        assert block.text.startswith("$ "), f"{page.name}, line {block.line}: a console block begins with a command"
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            found.append((re.sub(r"\s+# .*", "", command), expected))
    return found


@pytest.fixture
def place(tmp_path: pathlib.Path) -> tuple[pathlib.Path, dict[str, str]]:
    """A folder with the files that the pages name, and the variables that make both programs those under test."""
    folder, programs = tmp_path / "folder", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name in ("README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    (folder / "my_program.py").write_text(PROGRAM)
    (folder / "wasm-core").symlink_to(ROOT / "wasm-core")
    for name, words in (("python", ""), ("skywasm", " -m skywasm")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{words} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    paths = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    return folder, environment({"PATH": path, "PYTHONPATH": paths, "HOME": str(tmp_path), "COLUMNS": "120"})


@pytest.mark.parametrize("page", of("python"))
def test_python_blocks(page: pathlib.Path, place: tuple[pathlib.Path, dict[str, str]]) -> None:
    """The Python blocks of a page run in order in one new process and give the values that they show."""
    folder, variables = place
    command = [sys.executable, "-W", "error", "-m", "docs.pages", str(page)]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0


@pytest.mark.parametrize("page", of("console"))
def test_console_blocks(page: pathlib.Path, place: tuple[pathlib.Path, dict[str, str]]) -> None:
    """The commands of a page end well and print what stands below them; those that cannot run here exist."""
    folder, variables = place
    for command, expected in commands(page):
        # Shown when it fails.
        print(f"$ {command}")
        if not exists(command):
            run(command, expected, folder, variables)


def exists(command: str) -> bool:
    """Checks a command that is not run here; False when it is to be run."""
    words = shlex.split(command)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), "no such target"
    elif words[:2] == ["pip", "install"]:
        check_requirement(words[-1])
    elif words[0] in OTHER_PROGRAMS:
        known = (ROOT / "wasm-core" / "build.py").read_text()
        assert command in known, "build.py names another command"
    elif words[0] == "skywasm" and words[1] in ONLY_PARSED:
        _main._parser().parse_args(words[1:])
    else:
        return False
    return True


def check_requirement(requirement: str) -> None:
    """The package is this one, and its extras are extras."""
    name, _, extras = requirement.partition("[")
    assert name in (".", "skywasm")
    project = (ROOT / "pyproject.toml").read_text()
    for extra in filter(None, extras.rstrip("]").split(",")):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), f"no extra {extra}"


def run(command: str, expected: str, folder: pathlib.Path, variables: dict[str, str]) -> None:
    """Runs a command and compares the two streams as a terminal would show them."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}"
    if expected.strip():
        assert doctest.OutputChecker().check_output(expected, done.stdout, FLAGS), f"printed\n{done.stdout}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_tested(page: pathlib.Path) -> None:
    """A page has blocks of known languages only; what is JSON is whole, and what is text is no command."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"line {block.line}: {block.language!r}"
        if block.language == "json":
            json.loads(block.text)
        if block.language in ("", "text"):
            assert not re.search(r"^(\$ |>>> |import )", block.text, re.MULTILINE), f"line {block.line}"


def test_pages_that_are_tested_elsewhere() -> None:
    """The pages that are left out here are run by the integration tests."""
    pytest.importorskip("sky")
    from integration import test_documents

    assert set(test_documents.PAGES) >= WITH_SKYPILOT


@pytest.mark.parametrize(
    ("comment", "value"),
    [
        ("# 'a' (more)", ("a",)),
        ("# 'not loaded': more", ("not loaded",)),
        ("# ['73', '0']", (["73", "0"],)),
        ("# True", (True,)),
        ('# "it\'s"', ("it's",)),
        ("# answers", None),
        ("", None),
    ],
)
def test_what_a_comment_says(comment: str, value: tuple[Any] | None) -> None:
    """The value is what the comment begins with; a comment that begins with words says none."""
    assert said(comment) == value


def test_a_wrong_value_is_found() -> None:
    """A value that is not what the expression gives fails with both and the line of the page."""
    with pytest.raises(AssertionError, match=r"line 8: '0\.2' is not '0\.3'"):
        run_plain(Block("python", "import skywasm\nskywasm.format_float(0.25)  # '0.3'\n", 7), {})


def test_wrong_commands_are_found() -> None:
    """Targets, extras and options that do not exist are found."""
    for command in ("make nonsense", "pip install 'skywasm[nonsense]'", "pip install other", "apt-get install other"):
        with pytest.raises(AssertionError):
            exists(command)
    with pytest.raises(SystemExit):
        exists("skywasm bench --nonsense")
