"""`skywasm bench`: what it says before it measures, and when it cannot do what it was asked for."""

from __future__ import annotations

import json
import os
import re

import pytest

from cli.program import on_terminal, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")
ONE = ("bench", "--quick", "--only", "base36_encode, 32")


@pytest.fixture
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python without SkyPilot, whose import takes seconds."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['sky'] = None\n")
    return {"PYTHONPATH": str(folder)}


def test_a_heading_and_a_row(quick: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A run prints a heading, a row a case and what it was measured on, and writes the file asked for."""
    done = run(*ONE, "-o", "out.json", cwd=tmp_path, env=quick)
    assert (done.status, done.err) == (0, "")
    heading, row, blank, about = done.out.splitlines()
    assert heading.split() == ["what", "before", "skywasm", "ratio", "asked", "other", "routes"]
    assert row.startswith("base36_encode, 32 digits ")
    assert (blank, about[:14]) == ("", "compared with ")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["benchmarks"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", written["metadata"]["skywasm_date"])


def test_no_such_case(quick: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A name that no case has is a usage error without a heading, and leaves no file behind."""
    done = run("bench", "--quick", "--only", "nonsense", "-o", "out.json", cwd=tmp_path, env=quick)
    assert (done.status, done.out) == (2, "")
    assert "no case has 'nonsense' in its name; `skywasm bench --quick` shows all names" in done.err
    assert os.listdir(tmp_path) == []


def test_a_narrow_terminal_loses_the_routes_only(quick: dict[str, str]) -> None:
    """On 80 columns a row keeps its name, times and ratio on one line."""
    done = on_terminal(*ONE, env={**quick, "NO_COLOR": "1"})
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", line) for line in done.out.splitlines()]
    assert any(line.split() == ["what", "before", "skywasm", "ratio", "asked"] for line in lines)
    (row,) = [line for line in lines if line.startswith("base36_encode, 32 digits ")]
    assert re.fullmatch(r"base36_encode, 32 digits +[\d.]+ [un]s +[\d.]+ [un]s +[\d.]+", row)
    assert len(row) <= 80


def test_a_document_that_is_no_text(quick: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A file of --update that is not UTF-8 is told before anything is measured."""
    (tmp_path / "doc.md").write_bytes(b"\xff\xfe")
    done = run("bench", "--update", "doc.md", cwd=tmp_path, env=quick)
    assert (done.status, done.out) == (2, "")
    assert "doc.md: not UTF-8 text" in done.err


def test_an_unwritable_file_is_told_before_measuring(quick: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A file that cannot be written is told first, with what to do, and nothing is measured."""
    done = run(*ONE, "-o", "missing/out.json", cwd=tmp_path, env=quick)
    assert (done.status, done.out) == (1, "")
    folder = os.path.realpath(tmp_path / "missing")
    assert done.err == (
        f"skywasm bench: cannot write missing/out.json: the folder {folder} does not exist; make it first\n"
    )


def test_an_old_result_stays_when_it_is_interrupted(quick: dict[str, str], tmp_path: pathlib.Path) -> None:
    """The file of an earlier run is replaced in the end only: a run that fails leaves it as it was."""
    (tmp_path / "out.json").write_text("old")
    assert run("bench", "--only", "nonsense", "-o", "out.json", cwd=tmp_path, env=quick).status == 2
    assert (tmp_path / "out.json").read_text() == "old"
