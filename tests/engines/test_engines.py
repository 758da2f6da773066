"""The engines that can be had here, and that a runner notices what is wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import artifacts
import pytest

from engines import __main__ as command
from engines import batches, calls, rows, table
from skywasm.crossing import convention

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Of the vectors, each so-manieth is asked of the slow ones.
SLOW = {"pulley": 10, "aarch64": 20}
REPLAYING = [engine for engine in rows.ENGINES if engine.key != "native"]
QUICK = [engine for engine in REPLAYING if engine.quick]
KEYS = [engine.key for engine in rows.ENGINES]


def _present(engine: rows.Engine) -> None:
    if engine.built is not None and not engine.built.exists():
        pytest.skip(f"the runner for {engine.key} has not been made: `make engines` makes it")


def _outcome(engine: rows.Engine, path: Path, core: Path = rows.CORE) -> rows.Outcome:
    _present(engine)
    outcome = rows.outcome(engine, path, core)
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


class _Flaws:
    """Cases of a document with a flaw each."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.cases = document["cases"]

    def some(self, name: str, kind: str = "answer", holding: str = "export") -> dict[str, Any]:
        """The first case of a function whose first call says something of a key."""
        found = (case for case in self.cases if (case["function"], case["kind"]) == (name, kind))
        return copy.deepcopy(next(case for case in found if case["calls"][0].get(holding)))

    def held_to(self, name: str, kind: str = "answer", holding: str = "export", **expected: Any) -> dict[str, Any]:
        """A case whose first call is held to something else: to bytes instead of a result, where it gets those."""
        case = self.some(name, kind, holding)
        call = case["calls"][0]
        call.update(expected)
        if "bytes" in expected:
            call.pop("result", None)
        return case

    def answered(self, name: str, ranges: list[Any]) -> dict[str, Any]:
        """A case in which every request is answered otherwise."""
        case = self.some(name)
        case["host"] = dict.fromkeys(case["host"], ranges)
        return case


def _always(answer: Any) -> list[Any]:
    return [[str(calls.LOWEST), str(calls.HIGHEST), answer]]


def _wrong_cases(document: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Cases with a flaw each, and a word of what a runner must say of it."""
    other, flaws = document["blobs"].index("ff"), _Flaws(document)
    return {
        "cell": (flaws.held_to("find_free_port", cells={"0": "-5"}), "in cell 0"),
        "bytes": (flaws.held_to("base36_encode", bytes=other), "instead of"),
        "result": (flaws.held_to("find_free_port", "refusal", result="0"), "-1 instead of"),
        "no bytes": (flaws.held_to("find_free_port", "refusal", bytes=None), "-1 instead of bytes"),
        "export": (flaws.held_to("find_free_port", export="no_such"), "there is no such export"),
        "after": (flaws.held_to("md5_parts", "batch", input_after=other), "the input afterwards differs"),
        "pointed": (flaws.held_to("base36_encode", "batch", "pointed", pointed={"10": other}), "cell 10"),
        "fact": ({**flaws.some("get_cpu_count"), "host": {}}, "cpu_"),
        "content": (flaws.answered("hash_file", _always({"file": other})), "hash_digest"),
        "range": (flaws.answered("is_process_alive", [["-6", "-5", "0"]]), "process_signal"),
        "raised": (flaws.answered("get_parallel_threads", _always(None)), "raised instead of"),
    }


@pytest.mark.parametrize("engine", REPLAYING, ids=[engine.key for engine in REPLAYING])
def test_runners_notice(engine: rows.Engine, tmp_path: Path) -> None:
    """A runner reports each flaw by the case's name, with what is wrong, and goes on with the next case."""
    maker = command.maker()
    maker.blobs.add(b"\xff")
    document = calls.document(calls.of_vectors(maker)[0] + batches.of_vectors(maker), maker)
    wrong, sound = _wrong_cases(document), _Flaws(document).some("hash_file")
    document["cases"] = [sound]
    for name, (case, _) in wrong.items():
        document["cases"] += [{**case, "name": name}, sound]
    (tmp_path / "calls.json").write_text(json.dumps(document))
    outcome = _outcome(engine, tmp_path / "calls.json")
    assert outcome.passed == {"answer": len(wrong) + 1, "refusal": 0, "batch": 0}
    assert [failure.partition(":")[0] for failure in outcome.failures] == list(wrong)
    for failure, (name, (_, word)) in zip(outcome.failures, wrong.items()):
        assert word in failure, name


def _of_stand_in(
    engine: rows.Engine, folder: Path, results: dict[str, str], functions: dict[str, str], extra: str = ""
) -> rows.Outcome:
    """What a runner makes of a stand-in whose exports are held to these results; a request to read gets one byte."""
    read, cases = str(artifacts.REQUESTS["file_read"]), []
    for name, result in results.items():
        expected = {"bytes": None} if result == "bytes" else {"result": result}
        call = {"export": name, "slots": [], "input": [], **expected}
        cases.append({"name": name, "kind": "answer", "host": {read: _always({"text": 0})}, "calls": [call]})
    document = {
        "requests": {read: {"name": "file_read", "room": convention.CELL_ARGUMENTS + 1}},
        "blobs": ["ff"],
        "cases": cases,
    }
    (folder / "calls.json").write_text(json.dumps(document))
    (folder / "core.wasm").write_bytes(artifacts.compiled(artifacts.text(functions, extra=extra)))
    return _outcome(engine, folder / "calls.json", folder / "core.wasm")


MISBEHAVING = {
    "traps": ("unreachable", "unreachable"),
    "gives_far_bytes": (artifacts.packed(1 << 30, 5), "outside the memory"),
    "gives_long_bytes": (f"(i64.const {convention.IN_WINDOW + convention.OUTPUT + 1})", "cannot be in the window"),
    "asks_far_room": (artifacts.asking("file_read", 0, 1 << 40, 1), "outside the memory"),
    "asks_unanswered": (artifacts.asking("cpu_count"), "was asked"),
}
# Gives what has been answered.
RESUMED = {convention.RESUME: "(local.get $a)"}


@pytest.mark.parametrize("engine", QUICK, ids=[engine.key for engine in QUICK])
def test_runners_outlive_misbehaviour(engine: rows.Engine, tmp_path: Path) -> None:
    """A trap, or bytes outside the memory, is a failure of its case; those after it get an instance of their own."""
    functions = {name: body for name, (body, _) in MISBEHAVING.items()}
    functions.update(RESUMED, good="(i64.const 7)", asks=artifacts.asking("file_read", 0, artifacts.PAGE, 1))
    results = {**dict.fromkeys(MISBEHAVING, "bytes"), "good": "7", "asks": "1"}
    outcome = _of_stand_in(engine, tmp_path, results, functions)
    assert outcome.passed == {"answer": 2, "refusal": 0, "batch": 0}, outcome
    for failure, (name, (_, word)) in zip(outcome.failures, MISBEHAVING.items()):
        assert failure.startswith(f"{name}: ")
        assert word in failure


PROMISES = {
    "imports": ({"extra": '(import "env" "log" (func (param i64)))'}, "imports env.log"),
    "type": ({"extra": '(func (export "odd") (param i32))'}, "export odd is of another type"),
    "global": ({"extra": '(global (export "odd") i32 (i32.const 0))'}, "export odd is of another type"),
    "windows": ({"functions": {convention.BUFFERS: "(i64.const 1000000000)"}}, "outside the memory"),
}


# wazero does not list exported globals.
@pytest.mark.parametrize(
    ("engine", "promise"),
    [
        pytest.param(engine, promise, id=f"{engine.key}-{promise}")
        for engine in QUICK
        for promise in PROMISES
        if (engine.key, promise) != ("wazero", "global")
    ],
)
def test_runners_check_promises(engine: rows.Engine, promise: str, tmp_path: Path) -> None:
    """A runner takes no artifact with imports, exports of another type, or windows outside its memory."""
    stand_in, word = PROMISES[promise]
    outcome = _of_stand_in(engine, tmp_path, {"good": "7"}, **{"functions": {"good": "(i64.const 7)"}, **stand_in})
    assert not outcome.passed
    assert word in outcome.failures[0]


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
