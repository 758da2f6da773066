"""The table of functions against all else: the package, the artifact's record and binary, requests and capabilities."""

from __future__ import annotations

import hashlib
import inspect
import pathlib

import pytest

import examples
import skywasm
from skywasm import batch, functions, machine, reference, sandbox
from skywasm.crossing import convention as c
from skywasm.crossing import interface
from skywasm.functions import BY_NAME, ROWS
from skywasm.functions.declare import MIXED, PYTHON, WASM
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.functions.declare import Row

NAMES = [row.name for row in ROWS]
# Public names that are no rows: they steer the backend.
STEERING = {"batch", "errors", "get_backend_info", "sandbox", "set_backend", "skypilot", "use_backend", "warm_up"}
ARTIFACT = pathlib.Path(skywasm.__file__).parent / core.ARTIFACT
INTERFACE = interface.Interface(ARTIFACT.read_bytes(), "core.wasm")
# The kinds that an annotation may cross as.
KINDS = {
    "str": {"text", "str"},
    "bytes": {"bytes"},
    "int": {"int", "size"},
    "float": {"float"},
    "float | int": {"float"},
    "bool": {"bool"},
}
# Rows whose arguments are simply the guest's.
PLAIN = [pytest.param(row, id=row.name) for row in ROWS if row.crossing is None]
EVERY = [pytest.param(row, id=row.name) for row in ROWS]
CONVENTION = {"memory", "_initialize", c.BUFFERS, c.RESERVE, c.RESUME}


@pytest.fixture(scope="module")
def binary() -> Any:
    """The committed artifact, compiled without any of skywasm's code."""
    wasmtime = pytest.importorskip("wasmtime")
    return wasmtime.Module(wasmtime.Engine(), ARTIFACT.read_bytes())


def test_each_function_has_one_row() -> None:
    """No name stands twice, and rows are found by name."""
    assert NAMES
    assert len(NAMES) == len(set(NAMES))
    assert list(BY_NAME) == NAMES
    assert functions.ROWS is ROWS


@pytest.mark.parametrize("row", EVERY)
def test_a_row_is_whole(row: Row) -> None:
    """A known way in auto with its reason, what mixed ones need, examples that fit, and bodies that are functions."""
    assert row.auto in (PYTHON, WASM, MIXED)
    assert row.why
    assert (row.when is not None) is (row.auto == MIXED)
    assert row.auto == WASM or row.shorter is None
    assert row.examples
    assert inspect.isfunction(row.function)
    assert inspect.isfunction(row.reference)
    assert row.reference.__code__.co_filename.startswith(str(ARTIFACT.parent / "functions"))
    with examples.Workplace(quick=True) as place:
        for example in row.examples.values():
            given = example(place) if callable(example) else example
            inspect.signature(row.function).bind(*given)


def test_the_package_offers_the_rows() -> None:
    """``skywasm.__all__`` is the rows' names and the functions that steer the backend; all are there."""
    assert set(skywasm.__all__) - STEERING == set(NAMES) == set(reference.__all__)
    assert len(skywasm.__all__) == len(set(skywasm.__all__))
    for row in ROWS:
        assert getattr(skywasm, row.name) is row.function
        assert getattr(reference, row.name) is row.reference
    assert set(batch.__all__) >= {row.name for row in ROWS if row.batch is not None}


@pytest.mark.parametrize("row", EVERY)
def test_the_record_has_the_rows_exports(row: Row) -> None:
    """Each function of the artifact that a row needs is in the record, and its batch where the row has one."""
    for export in row.exports:
        assert export in INTERFACE.functions, export
    if row.batch is not None:
        assert INTERFACE.functions[row.exports[0]].batch
        assert row.exports[0] + "[]" in INTERFACE.binary.functions


@pytest.mark.parametrize("row", PLAIN)
def test_the_record_has_the_rows_parameters(row: Row) -> None:
    """Where calls go straight to the guest: the same names in the same order, kinds that fit, and the result's."""
    function = INTERFACE.functions[row.exports[0]]
    code, annotations = row.reference.__code__, row.reference.__annotations__
    assert [name for name, _ in function.parameters] == list(code.co_varnames[: code.co_argcount])
    for name, kind in function.parameters:
        assert kind in KINDS[annotations[name]], name
    assert function.result in KINDS[annotations["return"]]


@pytest.mark.parametrize("row", EVERY)
def test_a_row_names_the_capabilities_of_the_record(row: Row) -> None:
    """What the functions of a row may ask for, by their types in Rust, is what the row says that can be denied."""
    asked = {one for export in row.exports for one in INTERFACE.functions[export].asks}
    # Python opens the files whose windows it hands over.
    by_python = {"files"} if row.name == "read_last_n_lines" else set()
    assert set(row.asks) == asked | by_python
    assert len(row.asks) == len(set(row.asks))
    if row.crossing is None:
        assert sorted(row.asks) == sorted(INTERFACE.functions[row.exports[0]].asks)


def test_nothing_else_is_exported() -> None:
    """Every export of the binary belongs to a row or to the convention, and so does every function of the record."""
    needed = {export for row in ROWS for export in row.exports}
    assert set(INTERFACE.functions) == needed
    batches = {name + "[]" for name, function in INTERFACE.functions.items() if function.batch}
    assert set(INTERFACE.binary.exports) == CONVENTION | needed | batches


def test_nothing_is_imported(binary: Any) -> None:
    """The artifact asks for nothing but answers: it has no import at all."""
    assert list(binary.imports) == []
    assert INTERFACE.binary.imports == []


def test_one_type_for_all(binary: Any) -> None:
    """Exports take eight i64 and give one, the start and the memory apart: unchecked calls rely on it."""
    kinds = {entry.name: entry.type for entry in binary.exports if entry.name not in ("memory", "_initialize")}
    assert kinds.keys() == set(INTERFACE.binary.functions) - {"_initialize"}
    assert {(tuple(map(str, kind.params)), tuple(map(str, kind.results))) for kind in kinds.values()} == {
        (("i64",) * c.SLOTS, ("i64",))
    }


def test_skywasm_reads_the_binary_as_the_engine_does(binary: Any) -> None:
    """Names, kinds and types of exports are those that the engine tells."""
    theirs = {entry.name: entry.type for entry in binary.exports}
    assert set(INTERFACE.binary.exports) == set(theirs)
    for name, (parameters, results) in INTERFACE.binary.functions.items():
        assert [str(kind) for kind in theirs[name].params] == ["i64"] * len(parameters)
        assert [str(kind) for kind in theirs[name].results] == ["i64"] * len(results)


def test_every_request_has_a_host_function() -> None:
    """The host functions are the record's requests, with their capabilities and as many parameters; none is unused."""
    asked = {request.name: request.capability for request in INTERFACE.requests.values()}
    assert {one.name: one.capability for one in machine.HOST} == asked
    for request in INTERFACE.requests.values():
        call = next(one.call for one in machine.HOST if one.name == request.name)
        assert len(inspect.signature(call).parameters) == len(request.parameters), request.name


def test_capabilities_are_those_of_the_requests() -> None:
    """The capabilities that rows name are those of the requests, and those that can be denied."""
    named = {capability for row in ROWS for capability in row.asks}
    assert named == set(machine.CAPABILITIES) == set(sandbox.CAPABILITIES)


def test_a_function_asks_for_the_capabilities_of_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """In wasm mode the examples of a row ask for every capability that it names, and for no other.

    Python reads the windows of a file whose last lines are wanted, so that one asks for files at the door only.
    """
    pytest.importorskip("wasmtime")
    from skywasm.crossing import calls

    asked: set[str] = set()
    whole = calls.put_answer

    def noting(slots: Any, answer: Any, request: Any) -> None:
        asked.add(INTERFACE.requests[request].capability)
        whole(slots, answer, request)

    monkeypatch.setattr(calls, "put_answer", noting)
    with examples.Workplace(quick=True) as place, skywasm.use_backend("wasm"):
        skywasm.warm_up()
        module = core.core()
        for row in ROWS:
            asked.clear()
            way = calls.Way(module, row.exports[0], row.reference, True)
            for example in row.examples.values():
                given = example(place) if callable(example) else example
                # Not by the generated road, which answers requests in a line of its own.
                (way.general if row.crossing is None else way.by(row.crossing(module)))(*inspect_whole(row, given))
            if row.name == "read_last_n_lines":
                asked.add("files")
            assert asked == set(row.asks), row.name


def inspect_whole(row: Row, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with the function's defaults behind them."""
    bound = inspect.signature(row.function).bind(*given)
    bound.apply_defaults()
    return bound.args


def test_provenance_names_the_committed_artifact() -> None:
    """The digest in ``core.provenance`` is that of ``core.wasm``."""
    assert core.provenance()["artifact-sha256"] == hashlib.sha256(ARTIFACT.read_bytes()).hexdigest()
