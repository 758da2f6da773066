"""What counts the outcomes, and the lists of what differs."""

from __future__ import annotations

import pathlib
import re

import pytest

from windows import differences, pythons, rows, runs
from windows.runs import Outcome

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="6">
<testcase classname="a" name="one"/>
<testcase classname="a" name="two"><skipped type="pytest.skip" message="not here"/></testcase>
<testcase classname="a" name="three"><skipped type="pytest.xfail" message="Wine: otherwise"/></testcase>
<testcase classname="a" name="four"><failure message="wrong"/></testcase>
<testcase classname="a" name="five"><error message="broken"/></testcase>
<testcase classname="a" name="six"/>
</testsuite></testsuites>"""
ALL = [*differences.WINE, *differences.WINDOWS, *differences.OPENSSL_1]


def test_outcomes_are_counted(tmp_path: pathlib.Path) -> None:
    """What passed, was skipped, differed as expected and failed are told apart."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert runs.counted("3.11", "host", report, 1.5) == Outcome("3.11", "host", 2, 1, 1, 2, 1.5)


@pytest.mark.parametrize("one", ALL, ids=[one.tests[:40] for one in ALL])
def test_every_difference_names_a_test(one: differences.Difference) -> None:
    """A test that is listed exists, and why it differs is said in words."""
    files = re.findall(r"(\w+/test_\w+)\\\.py", one.tests)
    assert files
    for file in files:
        text = (pathlib.Path(__file__).parents[1] / f"{file}.py").read_text(encoding="utf-8")
        names = re.findall(r"::(test_\w+)", one.tests)
        assert all(f"def {name}" in text for name in names if f"{file}\\.py::{name}" in one.tests)
        assert f"`{file}.py`" in one.about()
    assert len(one.reason.split()) > 5


def test_rows_count_for_one_artifact(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is there again with the artifact that it was made with, and no other; the table tells what is missing."""
    outcome = Outcome("3.11", "host", 2, 1, 1, 0, 1.5)
    rows.keep(tmp_path, "3.11", "host", outcome)
    assert Outcome(*rows.kept(tmp_path, "3.11", "host")) == outcome
    lacking = rows.missing(tmp_path)
    assert "host with 3.11" not in lacking
    assert "host with 3.14" in lacking
    assert f"Without a result: {', '.join(lacking)}." in rows.document(tmp_path)
    assert {f"{what} of {one.key}" for one in pythons.PYTHONS for what in ("facts", "speed")} <= set(lacking)
    monkeypatch.setattr(rows, "digest", lambda: "another")
    assert rows.kept(tmp_path, "3.11", "host") is None


def test_the_table(tmp_path: pathlib.Path) -> None:
    """With all rows there is a table of them, the versions, the times, and every difference with its reason."""
    for key, tests in rows.wanted():
        rows.keep(tmp_path, key, tests, Outcome(key, tests, 1200, 3, 0, 0, 60.4))
    for one in pythons.PYTHONS:
        rows.keep(tmp_path, "facts", one.key, [f"CPython {one.version}", "wine-8.0"])
        rows.keep(
            tmp_path, "speed", one.key, [["call", "Python", "here", "there", "ratio"], ["c", one.key, "1", "2", "2"]]
        )
    assert rows.missing(tmp_path) == []
    text = rows.document(tmp_path)
    assert text.count("| 1,200 | 3 | 0 | 0 | 60 |") == len(rows.wanted())
    assert "Without a result: none." in text
    assert all(one.reason in text for one in ALL)
    assert all(one.version in text and one.lacks in text for one in pythons.PYTHONS)
