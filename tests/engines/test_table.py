"""The command, and the table that it makes of outcomes."""

from __future__ import annotations

import collections
import subprocess
import sys
from pathlib import Path

from engines import __main__ as command
from engines import rows, table
from engines.runners import native_replay

DOCUMENT = rows.ROOT / "docs" / "ENGINES.md"
CARGO = """
test format_float ... ok
test hash_file ... FAILED
test is_process_alive ... FAILED

---- hash_file stdout ----
thread 'hash_file' (1) panicked at tests/vectors.rs:41:9:
hash_file: 2 differ
  {"content":{"hex":""}}
    want [0]
---- is_process_alive stdout ----
thread 'is_process_alive' (2) panicked at tests/vectors.rs:9:9:
is_process_alive: only 3 cases cross
"""


def test_native_counts() -> None:
    """Native differences count against their function; a test that failed otherwise, or is absent, passed nothing."""
    kinds = {"format_float": 50, "hash_file": 10, "is_process_alive": 7, "find_free_port": 3}
    cases = collections.Counter({(name, "answer"): count for name, count in kinds.items()})
    passed, failures = native_replay.counted(CARGO, cases)
    assert passed == {"answer": 58, "refusal": 0, "batch": 0}
    named = collections.Counter(failure.partition(":")[0] for failure in failures)
    assert named == {"find_free_port": 3, "hash_file": 2, "is_process_alive": 7}
    assert 'hash_file: 2 cases differ, {"content":{"hex":""}}' in failures


def _command(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(rows.FOLDER.parent)}
    if path is not None:
        environment["PATH"] = path
    line = [sys.executable, "-m", "engines", *arguments]
    return subprocess.run(line, capture_output=True, text=True, env=environment, check=False)


def test_missing_engine(tmp_path: Path) -> None:
    """A missing engine is a row with a reason and an error, unless that was allowed."""
    done = _command("--only", "node", path=str(tmp_path))
    assert done.returncode == 1
    assert "missing, see below" in done.stdout
    assert "node: missing: node is not installed (apt-get install nodejs" in done.stderr
    assert _command("--only", "node", "--allow-missing", path=str(tmp_path)).returncode == 0


def test_bad_arguments(tmp_path: Path) -> None:
    """Half a table is not written into a document, nor a table into one that has no place for it."""
    for arguments in (["--quick"], ["--only", "node"]):
        done = _command("--update", str(DOCUMENT), *arguments)
        assert (done.returncode, "leave out --quick and --only" in done.stderr) == (2, True)
    (tmp_path / "x.md").write_text("nothing\n")
    done = _command("--update", str(tmp_path / "x.md"))
    assert (done.returncode, "put them where the table belongs" in done.stderr) == (2, True)


def test_update_replaces_the_table_only(tmp_path: Path) -> None:
    """Text outside the marks stays, and a second update changes nothing."""
    document = tmp_path / "x.md"
    document.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    totals = table.Totals(2, 1, 1, 0)
    outcome = rows.Outcome(rows.BY_KEY["node"], "1", "x", {"answer": 2, "refusal": 1, "batch": 1})
    table.update(document, [outcome], totals)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| Node | 1 | x | 3 of 3 | 1 of 1 | 0.0 |" in text
    assert "old" not in text
    table.update(document, [outcome], totals)
    assert document.read_text() == text


def test_left_out_cases_are_a_problem() -> None:
    """A runner that reports no failure but passed fewer cases than there are is not good, nor is one that broke."""
    totals = table.Totals(2, 1, 1, 0)
    outcome = rows.Outcome(rows.BY_KEY["node"], "1", "x", {"answer": 1, "refusal": 1, "batch": 1})
    assert not table.good(outcome, totals)
    assert "left out cases" in table.problems([outcome], totals)[0]
    broken = rows.Outcome(rows.BY_KEY["node"], failures=["the runner ended with status 1"])
    assert not table.good(broken, totals)
    assert "failed, see below" in table.plain([broken], totals)


def test_document_has_all_engines(tmp_path: Path) -> None:
    """The table in the documentation has a row for each engine, with every vector of today passed."""
    totals = command.written(tmp_path / "calls.json")
    text = DOCUMENT.read_text(encoding="utf-8").partition(table.BEGIN)[2].partition(table.END)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [line.split(" | ")[0].lstrip("| ") for line in lines] == [engine.name for engine in rows.ENGINES]
    passed = f"| {totals.vectors:,} of {totals.vectors:,} |"
    assert all(passed in line for line in lines), "the vectors have changed: `make engines` makes the table anew"
