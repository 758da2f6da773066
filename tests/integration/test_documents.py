"""What the pages for users say is what happens: their code runs, their commands print what stands below them.

A `python` block is a doctest, a `console` block has commands behind `$` and what they print, where `...` stands for
anything. All blocks of a page run in order, in an environment with SkyPilot and skywasm made for that page.
"""

from __future__ import annotations

import doctest
import importlib.util
import os
import pathlib
import re
import sys

import pytest
from dropin.places import call, make_environment

from integration.places import home, run_sky

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("INTEGRATION.md", "QUICKSTART.md")
# What these do is tested in tests/packaging, by a wheel in an environment without anything.
ELSEWHERE = ("pip ", "make ")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_RUN_DOCTEST = f"""
import doctest, sys
sys.exit(doctest.testfile(sys.argv[1], module_relative=False, optionflags={FLAGS}).failed)
"""
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("sky") is None, reason="SkyPilot is not installed"),
    pytest.mark.skipif(os.name != "posix", reason="the commands are a POSIX shell's"),
    pytest.mark.xdist_group("documents"),
]


def blocks(page: str, language: str) -> list[str]:
    """The blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[tuple[str, str]]:
    """All commands of a page with what they should print."""
    found = []
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            found.append((command, expected))
    return found


def make_programs(folder: pathlib.Path) -> dict[str, str]:
    """An environment with both command lines; gives the variables that make it the active one."""
    python = make_environment(folder / "environment")
    for name, module in (("skywasm", "skywasm.cli"), ("sky", "sky.cli")):
        call_it = "main" if name == "skywasm" else "cli"
        program = python.with_name(name)
        program.write_text(f"#!{python}\nimport sys\nfrom {module} import {call_it}\nsys.exit({call_it}())\n")
        program.chmod(0o755)
    return {**home(folder / "home"), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_print_what_the_page_says(page: str, tmp_path: pathlib.Path) -> None:
    """Each command ends well and prints what stands below it; what the page switched on it switches off."""
    variables = make_programs(tmp_path)
    before = sorted((tmp_path / "environment").rglob("*"))
    checker, checked = doctest.OutputChecker(), 0
    for command, expected in commands(page):
        if command.startswith(ELSEWHERE):
            continue
        done = run_sky(["/bin/sh", "-c", command], {**variables, "PYTHONDONTWRITEBYTECODE": "1"}, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert checker.check_output(expected, done.stdout, FLAGS), f"{command}\n{done.stdout}\n{done.stderr}"
        checked += 1
    assert checked >= 5
    assert sorted((tmp_path / "environment").rglob("*")) == before


@pytest.mark.parametrize("page", PAGES)
def test_the_python_code_gives_what_the_page_says(page: str, tmp_path: pathlib.Path) -> None:
    """Each piece of Python gives the values that stand below it."""
    code = "\n".join(blocks(page, "python"))
    assert code.count(">>> ") >= 5
    (tmp_path / "page.txt").write_text(code)
    done = call(sys.executable, "-c", _RUN_DOCTEST, tmp_path / "page.txt", env=home(tmp_path / "home"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_would_notice(tmp_path: pathlib.Path) -> None:
    """A page with a wrong value fails."""
    (tmp_path / "page.txt").write_text(">>> import skywasm\n>>> skywasm.format_float(0.25)\n'0.3'\n")
    done = call(sys.executable, "-c", _RUN_DOCTEST, tmp_path / "page.txt")
    assert done.returncode == 1
    assert not doctest.OutputChecker().check_output("skywasm\n", "sky.utils.common_utils\n", FLAGS)
