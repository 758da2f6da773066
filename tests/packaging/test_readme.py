"""What README says is what happens."""

from __future__ import annotations

import doctest
import pathlib
import re
import subprocess
import sys

import pytest

import skywasm
from skywasm import batch

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_example_gives_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the first example with a value behind `#` gives that value."""
    monkeypatch.chdir(ROOT)
    checked = 0
    scope: dict[str, object] = {}
    with skywasm.use_backend("python"):
        for line in _blocks("python")[0].splitlines():
            code, _, comment = line.partition("#")
            said = re.match(r"\s*('[^']*'|True|False)", comment)
            if said and "get_backend_info" not in code:
                assert repr(eval(code, scope)) == said[1], line
                checked += 1
            elif code.strip():
                exec(code, scope)
    assert checked >= 4


def test_every_command_it_names_exists() -> None:
    """The `skywasm` commands in README are commands, and the make targets are targets."""
    text = subprocess.run(
        [sys.executable, "-m", "skywasm", "--help"], check=True, capture_output=True, text=True
    ).stdout
    for command in re.findall(r"^\$ skywasm (\w+)", README, re.MULTILINE):
        assert re.search(rf"^ +{command} ", text, re.MULTILINE), command
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\$ make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_link_leads_somewhere() -> None:
    """Links to files of the project lead to files that exist."""
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("module", [skywasm, batch])
def test_docstrings_show_real_answers(module: object) -> None:
    """The examples in the public docstrings give what they show."""
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
