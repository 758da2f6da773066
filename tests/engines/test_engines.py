"""The engines that can be had here, the calls that are made of the vectors, and that a runner notices what is wrong."""

from __future__ import annotations

import collections
import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from vectors import forms

from engines import __main__ as command
from engines import batches, calls, rows, table
from engines.runners import native_replay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DOCUMENT = rows.ROOT / "docs" / "ENGINES.md"
# Of the vectors, each so-manieth is asked of the slow ones.
SLOW = {"pulley": 10, "aarch64": 20}
REPLAYING = [engine for engine in rows.ENGINES if engine.key != "native"]
KEYS = [engine.key for engine in rows.ENGINES]


def _present(engine: rows.Engine) -> None:
    if engine.built is not None and not engine.built.exists():
        pytest.skip(f"the runner for {engine.key} has not been made: `make engines` makes it")


def _outcome(engine: rows.Engine, path: Path) -> rows.Outcome:
    _present(engine)
    outcome = rows.outcome(engine, path)
    if outcome.missing is not None:
        pytest.skip(outcome.missing)
    return outcome


@pytest.mark.parametrize("engine", rows.ENGINES, ids=KEYS)
def test_vectors(engine: rows.Engine, tmp_path: Path) -> None:
    """Every engine that can be had here gives the recorded answer to every vector it is asked, and to every list."""
    _present(engine)
    totals = command.written(tmp_path / "calls.json", SLOW.get(engine.key, 1))
    outcome = _outcome(engine, tmp_path / "calls.json")
    assert not outcome.failures
    assert table.good(outcome, totals), f"{outcome.passed} of {totals}"


def _some(document: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """The first case that has these values."""
    return copy.deepcopy(
        next(c for c in document["cases"] if all(c.get(name) == value for name, value in keys.items()))
    )


def _wrong_cases(document: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Cases with a flaw each, and a word of what a runner must say of it."""
    other = document["blobs"].index("ff")
    port = _some(document, function="find_free_port", kind="answer")
    port["calls"][0]["number"] = str(int(port["calls"][0]["number"]) + 1)
    digits = _some(document, function="base36_encode", kind="answer")
    digits["calls"][0]["bytes"] = other
    refusal = _some(document, function="base36_encode", kind="refusal")
    del refusal["calls"][0]["number"]
    fact = _some(document, function="get_cpu_count", kind="answer")
    del fact["host"]["cpu_online"]
    content = _some(document, function="hash_file", kind="answer")
    content["host"]["file_read"]["else"]["file"] = other
    lanes = next(copy.deepcopy(case) for case in document["cases"] if "memory" in case["calls"][0])
    lanes["calls"][0]["memory"] = other
    unknown = _some(document, function="is_process_alive", kind="answer")
    unknown["host"] = {"process_signal": {"ranges": [[5, 6, "0"]]}}
    return {
        "number": (port, "instead of"),
        "bytes": (digits, "instead of"),
        "refusal": (refusal, "status -1"),
        "fact": (fact, "cpu_online"),
        "content": (content, "sky_hash_digest"),
        "memory": (lanes, "input buffer"),
        "range": (unknown, "process_signal"),
    }


@pytest.mark.parametrize("engine", REPLAYING, ids=[engine.key for engine in REPLAYING])
def test_runners_notice(engine: rows.Engine, tmp_path: Path) -> None:
    """A runner reports each flaw by the case's name, with what is wrong, and goes on with the next case."""
    blobs = calls.Blobs()
    blobs.add(b"\xff")
    document = calls.document(calls.of_vectors(blobs)[0] + batches.of_vectors(blobs), blobs)
    wrong = _wrong_cases(document)
    sound = _some(document, function="hash_file", kind="answer")
    document["cases"] = [sound]
    for name, (case, _) in wrong.items():
        document["cases"] += [{**case, "name": name}, sound]
    (tmp_path / "calls.json").write_text(json.dumps(document))
    outcome = _outcome(engine, tmp_path / "calls.json")
    assert outcome.passed == {"answer": len(wrong) + 1, "refusal": 0, "batch": 0}
    assert [failure.partition(":")[0] for failure in outcome.failures] == list(wrong)
    for failure, (name, (_, word)) in zip(outcome.failures, wrong.items()):
        assert word in failure, name


def test_runner_outlives_a_trap(tmp_path: Path) -> None:
    """A trap is a failure of its case; the cases after it get an instance of their own."""
    wasmtime = pytest.importorskip("wasmtime")
    from artifacts import text

    blobs = calls.Blobs()
    case = {"name": "x", "kind": "answer", "host": {}, "calls": [calls.call("sky_find_free_port", 1, number="1")]}
    good = {**case, "calls": [calls.call("sky_is_process_alive", 1, number="1")]}
    (tmp_path / "calls.json").write_text(json.dumps(calls.document([case, good], blobs)))
    (tmp_path / "core.wasm").write_bytes(bytes(wasmtime.wat2wasm(text())))
    for key in ("cranelift", "pulley", "node"):
        outcome = rows.outcome(rows.BY_KEY[key], tmp_path / "calls.json", tmp_path / "core.wasm")
        if outcome.missing is None:
            assert outcome.passed["answer"] == 1, outcome
            assert "unreachable" in outcome.failures[0]


def test_every_vector_is_asked_or_is_pythons() -> None:
    """No vector is lost: each becomes calls or is counted as Python's, and what has an answer that crosses is asked."""
    cases, apart = calls.of_vectors(calls.Blobs())
    vectors = {name: forms.read(name)["cases"] for name in calls.FUNCTIONS}
    assert len(cases) + apart == sum(map(len, vectors.values()))
    asked = collections.Counter(case["function"] for case in cases if case["kind"] == "answer")
    crossing = {name: sum(calls.PYTHON_ONLY not in case for case in some) for name, some in vectors.items()}
    assert asked == crossing


def test_lists_hold_every_vector() -> None:
    """The lists are made of all vectors of their functions that cross."""
    items = collections.Counter()
    for case in batches.of_vectors(calls.Blobs()):
        items[case["name"].split()[1].rstrip(",")] += case["items"] * (", short" not in case["name"])
    for function in ("base36_encode", "format_float", "truncate_long_string"):
        most = sum(calls.PYTHON_ONLY not in case for case in forms.read(function)["cases"])
        # Numbers that are too long for a list go alone.
        assert most - 1 <= items[function] <= most
    assert items["hash_strings"] > 300
    assert items["md5"] > 20


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


NEWER = (
    *("component_model", "custom_page_sizes", "exceptions", "function_references", "gc", "memory64", "multi_memory"),
    *("multi_value", "relaxed_simd", "stack_switching", "tail_call", "threads", "wide_arithmetic"),
)


def test_features() -> None:
    """The artifact is valid without any feature of WebAssembly that is younger than simd128, and needs that one."""
    wasmtime = pytest.importorskip("wasmtime")
    core = rows.CORE.read_bytes()
    config = wasmtime.Config()
    for name in NEWER:
        setattr(config, f"wasm_{name}", False)
    wasmtime.Module.validate(wasmtime.Engine(config), core)
    config = wasmtime.Config()
    config.wasm_relaxed_simd = config.wasm_simd = False
    with pytest.raises(wasmtime.WasmtimeError, match="SIMD"):
        wasmtime.Module.validate(wasmtime.Engine(config), core)
