"""`skywasm info`: what is installed, what it may do, where calls go."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
import linecache
import platform
import re

import children
import pytest
from children import MODES, copy_packages

import skywasm
from cli.program import run, without_wasmtime
from skywasm.cli._info_features import features
from skywasm.crossing import convention
from skywasm.functions import ROWS
from skywasm.machine import HOST
from skywasm.routes import bind, core

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping
    from typing import Any

    from skywasm.functions.declare import Row


def info(env: Mapping[str, str] | None = None) -> dict[str, Any]:
    done = run("info", "--json", env=env)
    assert (done.status, done.err) == (0, "")
    about: dict[str, Any] = json.loads(done.out)
    return about


def test_json_is_the_truth() -> None:
    """Versions, path, size, digest, ABI, imports, requests and routes are those of the package under test."""
    about = info()
    content = core.package_data("core.wasm")
    assert about["versions"]["skywasm"] == skywasm.__version__
    assert about["versions"]["Python"] == platform.python_version()
    assert about["artifact"]["path"] == core.location("core.wasm")
    assert about["artifact"]["bytes"] == len(content)
    assert about["artifact"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["artifact"]["provenance"] == core.provenance()
    assert about["abi"] == convention.VERSION
    assert about["imports"] == []
    assert about["requests"] == {request.name: request.capability for request in HOST}
    assert [(row["function"], row["route"]) for row in about["routes"]] == [(row.name, row.auto) for row in ROWS]


def test_exports_are_read_from_the_artifact() -> None:
    """Every export that a function needs, and the runtime's own, are listed."""
    exports = set(info()["exports"])
    assert {convention.BUFFERS, convention.RESERVE, convention.RESUME} <= exports
    assert {export for row in ROWS for export in row.exports} <= exports


# One module of WebAssembly text for each feature, and one that needs none.
USES = {
    "": """(memory 1) (table 1 funcref) (func $f (result f64) (local v128 i32) i32.const -70000 i64.load offset=128
        drop (block (br_table 0 0 (i32.const 0))) (call_indirect (result f64) (i32.const 0)))""",
    "bulk-memory": "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 9)))",
    "multivalue": "(func (result i32 i32) i32.const 1 i32.const 2)",
    "nontrapping-fptoint": "(func (drop (i64.trunc_sat_f64_s (f64.const 1e300))))",
    "reference-types": "(func (drop (ref.null extern)))",
    "sign-ext": "(func (drop (i32.extend8_s (i32.const 128))))",
    "simd128": "(func (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 25 13 14 15 (v128.const i64x2 0 0)"
    " (v128.const i64x2 0 0))))",
}


@pytest.mark.parametrize("name", USES, ids=lambda name: name or "none")
def test_features_are_found_in_instructions(name: str) -> None:
    """Each extension of WebAssembly is named when an instruction or a type uses it, and only then."""
    wasmtime = pytest.importorskip("wasmtime")
    assert features(bytes(wasmtime.wat2wasm(f"(module {USES[name]})"))) == ([name] if name else [])


def test_features_of_the_artifact() -> None:
    """SIMD, and four extensions that engines have had for longer; what cannot be read is unknown, and not none."""
    assert info()["artifact"]["features"] == [
        *("bulk-memory", "call-indirect-overlong", "nontrapping-fptoint", "sign-ext", "simd128"),
    ]
    content = core.package_data("core.wasm")
    for damaged in (b"", b"text", content[: len(content) // 2]):
        with pytest.raises((ValueError, IndexError)):
            features(damaged)


def test_auto_mode() -> None:
    """In auto the engine is loaded and in use."""
    about = info()
    assert (about["mode"], about["backend"], about["reason"]) == ("auto", "wasm", "the engine is loaded")


def test_python_mode() -> None:
    """In python mode the backend is python, and the artifact is shown all the same."""
    about = info({"SKYWASM_BACKEND": "python"})
    assert (about["mode"], about["backend"]) == ("python", "python")
    assert about["exports"] != []


def test_a_missing_artifact_is_shown_as_such(tmp_path: pathlib.Path) -> None:
    """Without core.wasm the screen says why Python answers, what cannot be told, and ends with 0."""
    env = copy_packages(tmp_path)["env"]
    (tmp_path / "skywasm" / "core.wasm").unlink()
    about = info(env)
    assert (about["backend"], about["artifact"]["bytes"], about["exports"]) == ("python", None, [])
    assert about["artifact"]["features"] is None
    assert "core.wasm cannot be read" in about["reason"]
    done = run("info", env=env)
    assert done.status == 0
    assert "cannot be read" in done.out
    assert info({**env, "SKYWASM_BACKEND": "wasm"})["backend"] == "none"


def test_the_screen_has_every_part() -> None:
    """The text names mode, digest, each capability with its requests, and each function with its route."""
    out = run("info").out
    assert hashlib.sha256(core.package_data("core.wasm")).hexdigest() in out
    assert re.search("^  features +bulk-memory, .*simd128$", out, re.MULTILINE)
    for request in HOST:
        line = next(line for line in out.splitlines() if line.split()[:1] == [request.capability])
        assert request.name in line
    for row in ROWS:
        assert any(line.split()[:1] == [row.name] and row.why in line for line in out.splitlines())


@functools.lru_cache(maxsize=None)
def roads(mode: str) -> dict[str, dict[str, Any]]:
    """What `--road` says of each function in a mode, from one process."""
    found = children.run(
        f"""
        import contextlib, io, json
        from skywasm.cli import main
        said = {{}}
        for name in {[row.name for row in ROWS]!r}:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main(["info", "--road", name, "--json"])
            assert (status, err.getvalue()) == (0, ""), err.getvalue()
            said[name] = json.loads(out.getvalue())
        report(said=said)
        """,
        env={"SKYWASM_BACKEND": mode},
    )
    said: dict[str, dict[str, Any]] = found["said"]
    return said


def source(row: Row) -> str:
    """The line that a function's body begins with, its decorators included, as --road names it."""
    code = row.reference.__code__
    return f"line {code.co_firstlineno} of {code.co_filename}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_road_of_each_function(row: Row) -> None:
    """In every mode the same is shown: body, rule and capabilities of the declaration, and code that is Python's."""
    about = roads("auto")[row.name]
    assert [roads(mode)[row.name] for mode in MODES] == [about] * len(MODES)
    assert (about["function"], about["why"], about["asks"]) == (row.name, row.why, list(row.asks))
    assert (about["batch"], about["python"]) == (row.batch is not None, f"its body, {source(row)}")
    in_auto = {"python": "as in python", "mixed": "as in wasm for some arguments", "wasm": "as in wasm, once"}
    assert about["auto"].startswith(in_auto[row.auto])
    parts = about["code"].split("\n\n# the batch\n")
    assert [type(ast.parse(part).body[0]) for part in parts] == [ast.FunctionDef] * len(parts)
    if row.crossing is None:
        assert about["wasm"].startswith("the code below, made from the artifact's record")
        made = ast.parse(parts[0]).body[0]
        assert isinstance(made, ast.FunctionDef)
        assert (made.name, [a.arg for a in made.args.args]) == (
            row.name,
            list(inspect.signature(row.reference).parameters),
        )
    else:
        assert about["code"] == inspect.getsource(row.crossing)
        assert about["wasm"].startswith("the code below, written by hand: line ")


@pytest.mark.parametrize("row", [row for row in ROWS if row.crossing is None], ids=lambda row: row.name)
def test_the_code_shown_is_the_code_that_runs(row: Row) -> None:
    """What is shown of a generated road is what tracebacks through it show, line by line."""
    pytest.importorskip("wasmtime")
    ran: Any = bind.crossing(row, forced=False)
    lines = linecache.getlines(ran.__code__.co_filename, ran.__globals__)
    assert lines
    assert roads("auto")[row.name]["code"].partition("\n\n# the batch\n")[0].rstrip() == "".join(lines).rstrip()


@pytest.mark.parametrize("mode", MODES)
def test_the_road_on_the_screen(mode: str) -> None:
    """The text has the same in words, and the code as it is, behind an empty line."""
    for row in (
        next(row for row in ROWS if row.crossing is None),
        next(row for row in ROWS if row.crossing is not None),
    ):
        about = roads(mode)[row.name]
        done = run("info", "--road", row.name, env={"SKYWASM_BACKEND": mode, "COLUMNS": "300"})
        assert (done.status, done.err) == (0, "")
        head, _, code = done.out.partition("\n\n")
        assert code == about["code"]
        name, *lines = head.splitlines()
        assert name == row.name
        assert [line.split("  ", 2)[1] for line in lines] == ["python", "auto", "wasm", "asks for"]
        for line, key in zip(lines, ("python", "auto", "wasm")):
            assert about[key] in line
        assert (", ".join(row.asks) or "nothing") in lines[-1]


def test_the_road_of_an_unknown_function() -> None:
    """A name that no function has is a usage error that names the choices."""
    done = run("info", "--road", "base63_encode", "--json")
    assert (done.status, done.out) == (2, "")
    assert "there is no function 'base63_encode'; there are " + ", ".join(row.name for row in ROWS) in done.err


def test_the_road_without_an_engine(tmp_path: pathlib.Path) -> None:
    """The road is made from the artifact alone: without wasmtime it is shown, without core.wasm the reason is told."""
    row = next(row for row in ROWS if row.crossing is None)
    done = run("info", "--road", row.name, "--json", env=without_wasmtime(tmp_path))
    assert (done.status, json.loads(done.out)) == (0, roads("auto")[row.name])
    (tmp_path / "copy").mkdir()
    env = copy_packages(tmp_path / "copy")["env"]
    (tmp_path / "copy" / "skywasm" / "core.wasm").unlink()
    done = run("info", "--road", row.name, env=env)
    assert (done.status, done.out) == (1, "")
    assert "core.wasm cannot be read" in done.err
    assert done.has_no_traceback()
