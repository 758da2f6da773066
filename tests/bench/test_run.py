"""`skywasm bench`, run for real in its quick form: answers are checked, times are not."""

from __future__ import annotations

import gc
import json
import pathlib

import pytest
from children import run

import skywasm
from skywasm import batch
from skywasm.bench import cases, text
from skywasm.bench import run as bench_run
from skywasm.bench.originals import Originals
from skywasm.bench.workplace import Workplace
from skywasm.cli import main
from skywasm.functions import BY_NAME, ROWS
from skywasm.routes import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

pytest.importorskip("wasmtime")
DOCUMENT = f"# Title\n\n{text.BEGIN}\nold\n{text.END}\n\nThe end.\n"


def bench(*arguments: str) -> int:
    """The command's exit status, with the mode as it was before."""
    with skywasm.use_backend("auto"):
        return main(["bench", "--quick", *arguments])


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    """Leaves out of each collection what was there before: before every measurement there is one."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def without_sky(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compares with the fallback, as where SkyPilot is not installed: importing it takes seconds."""
    import sys

    for row in ROWS:
        if row.replaces is not None:
            monkeypatch.setitem(sys.modules, row.replaces, None)


def test_the_whole_run(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every function, scalar and batch, gives SkyPilot's answers; text, JSON and Markdown hold every case."""
    import property.oracle  # noqa: F401 - imports SkyPilot, whose warnings it keeps quiet, or skips the test

    gc.freeze()
    results, document, first_page = (tmp_path / name for name in ("results.json", "BENCHMARKS.md", "README.md"))
    document.write_text(DOCUMENT)
    first_page.write_text(f"# Title\n\n{text.SHORT_BEGIN}\nold\n{text.SHORT_END}\n\nThe end.\n")
    assert bench("-o", str(results), "--update", str(document), "--update", str(first_page)) == 0
    page = first_page.read_text()
    assert page.startswith("# Title\n")
    assert page.endswith("The end.\n")
    assert "\nold\n" not in page
    assert page.count("\n| base36_encode, ") == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert "ANSWERS DIFFER" not in out
    assert "compared with SkyPilot 0.14.1" in out
    names = {benchmark["metadata"]["name"] for benchmark in json.loads(results.read_text())["benchmarks"]}
    for function in [row.name for row in ROWS] + ["batch." + name for name in batch.__all__]:
        if function == "batch.read_last_n_lines":
            # It is a loop over the scalar function.
            continue
        assert {name.rsplit(" ", 1)[1] for name in names if name.startswith(function + " ")} == {"[before]", "[after]"}
    shown = document.read_text()
    assert shown.startswith(f"# Title\n\n{text.BEGIN}\n")
    assert shown.endswith(f"{text.END}\n\nThe end.\n")
    assert "old" not in shown.splitlines()
    for heading in ("### Every function", "### The cost as the work grows", "### The crossing", "### Starting"):
        assert heading in shown
    for line in shown.splitlines():
        # Whole tables: a cell with a bar in it would show as another column.
        assert not line.startswith("|") or line.endswith("|")
    assert "| bare ctypes call |" in shown
    assert "| first call in auto, cold |" in shown
    # A cold process pays for no engine, and the import for nothing heavy.
    for start in ("import skywasm", "first call in auto, cold"):
        assert [line.rsplit("|", 2)[1].strip() for line in shown.splitlines() if line.startswith(f"| {start} |")] == [
            "none"
        ]


def test_json_that_pyperf_reads(without_sky: None, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json and -o give the same file in pyperf's format, whose values are seconds; two of them can be compared."""
    pyperf = pytest.importorskip("pyperf")
    path = tmp_path / "results.json"
    assert bench("--only", "base36_encode", "--json", "-o", str(path)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == json.loads(path.read_text())
    suite = pyperf.BenchmarkSuite.load(str(path))
    again = pyperf.BenchmarkSuite.loads(out)
    assert suite.get_benchmark_names() == again.get_benchmark_names()
    names = suite.get_benchmark_names()
    assert "base36_encode 32 digits [before]" in names
    assert "base36_encode 32 digits [after]" in names
    assert len(names) == len(set(names))
    for benchmark in suite.get_benchmarks():
        metadata = benchmark.get_metadata()
        assert metadata["unit"] == "second"
        assert metadata["skywasm_compared_with"].startswith("skywasm's own Python fallback")
        assert metadata["skywasm_ratio"] > 0
        assert metadata["skywasm_peak_bytes"] >= 0
        assert metadata["skywasm_python"].startswith("CPython") or metadata["skywasm_python"]
        assert all(0 < value < 10 for value in benchmark.get_values())
        assert benchmark.get_nvalue() == bench_run._QUICK_ROUNDS


def test_only_what_is_asked_for(without_sky: None, capsys: pytest.CaptureFixture[str]) -> None:
    """--only runs the cases whose name or size contains the text, and none of the tables that take longer."""
    assert bench("--only", "format_float, 3.14159") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:-2]] == ["format_float, 3.14159"]
    assert "python" in lines[1]
    assert "wasm" in lines[1]
    assert lines[-1].startswith("compared with ")


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_only_what_there_is(extra: tuple[str, ...], without_sky: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A text that no case contains is a usage error that repeats it, not a run of nothing that ends well."""
    assert bench("--only", "base63", *extra) == 2
    out, err = capsys.readouterr()
    assert "base63" in err
    assert '"benchmarks"' not in out


class Always:
    """In the place of a public function, one that always gives the same, wherever its calls are sent."""

    __code__ = None

    def __init__(self, answer: str) -> None:
        self.__globals__: dict[str, Any] = {}
        self._answer = answer

    def __call__(self, *args: Any) -> str:
        return self._answer


def test_a_wrong_answer(without_sky: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that differs is named on standard error, has no times and makes the exit status 1; others are timed."""
    monkeypatch.setattr(BY_NAME["format_float"], "function", Always("16"))
    assert bench("--only", "format_float") == 1
    out, err = capsys.readouterr()
    # The loop over the scalar function, which the batches are compared with as a route not taken, differs too.
    assert err.splitlines() == [
        f"skywasm bench: {case}: the answers differ"
        for case in (
            "format_float, 3.14159",
            "format_float, 1e300",
            "batch.format_float, 1,000 floats",
            "batch.format_float, 1,000 doubles in an array",
        )
    ]
    rows = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "ANSWERS DIFFER" in rows["format_float, 3.14159"]
    assert "ANSWERS DIFFER" not in rows["format_float, 16.0"]


def test_a_wrong_answer_in_json(
    without_sky: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json too a batch that differs is named, ends with status 1, and has no times."""
    whole = batch.base36_encode
    monkeypatch.setattr(batch, "base36_encode", lambda items: whole(items)[::-1])
    assert bench("--only", "base36_encode", "--json") == 1
    out, err = capsys.readouterr()
    assert err == "skywasm bench: batch.base36_encode, 1,000 MD5s: the answers differ\n"
    names = [benchmark["metadata"]["name"] for benchmark in json.loads(out)["benchmarks"]]
    assert names
    assert not any(name.startswith("batch.") for name in names)


def test_a_wrong_answer_of_a_route_not_taken(
    without_sky: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The routes that auto does not take are checked as well."""
    crossing = bind.crossing

    def wrong(row: Any, forced: bool) -> Any:
        return (lambda *arguments: "wrong") if row.name == "truncate_long_string" else crossing(row, forced=forced)

    monkeypatch.setattr(bind, "crossing", wrong)
    assert bench("--only", "truncate_long_string, 200 characters, in the middle") == 1
    assert "in the middle: the answers differ" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", f"{text.BEGIN}\n", f"{text.END}\n{text.BEGIN}\n"])
def test_a_document_without_marks(
    content: str, without_sky: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """--update refuses a file that lacks the marks, leaves it as it is, and does so before minutes are spent."""
    document = tmp_path / "BENCHMARKS.md"
    document.write_text(content)
    # Three of the cases are enough to show it.
    few = [case for case, _ in zip(_cases(), range(3))]
    monkeypatch.setattr(cases, "all_cases", lambda originals, place: iter(few))
    monkeypatch.setattr(bench_run, "growth", lambda quick: pytest.fail("measured before the file was looked at"))
    assert bench("--update", str(document)) == 2
    assert document.read_text() == content
    assert str(document) in capsys.readouterr().err


def _cases() -> Any:
    """The cases that need no files."""
    with Workplace(quick=True) as place:
        for row in ROWS:
            if not any(map(callable, row.examples.values())):
                yield from cases._scalars(row, Originals(), place)


def test_a_document_that_is_not_there(
    without_sky: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--update of a missing file is told with its name, before anything is measured."""
    monkeypatch.setattr(bench_run, "run_cases", lambda *_: pytest.fail("measured before the file was looked at"))
    path = str(tmp_path / "missing.md")
    assert bench("--update", path) in (1, 2)
    assert path in capsys.readouterr().err


@pytest.mark.parametrize("extra", [("--only", "format_float, 16.0"), ("--json",)])
def test_updates_are_made_or_refused(
    extra: tuple[str, ...], without_sky: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """--update together with what leaves tables out is refused: it is not silently left undone."""
    few = [case for case in _cases() if case.name == "format_float"]
    monkeypatch.setattr(cases, "all_cases", lambda originals, place: iter(few))
    document = tmp_path / "BENCHMARKS.md"
    document.write_text(DOCUMENT)
    assert bench("--update", str(document), *extra) == 2
    assert document.read_text() == DOCUMENT
    assert "--update" in capsys.readouterr().err


def test_without_skypilot() -> None:
    """Where SkyPilot cannot be imported the fallback is compared with, and the output says so."""
    found = run(
        """
    import contextlib, io, sys
    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "sky":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.meta_path.insert(0, Blocker())
    from skywasm.cli import main
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main(["bench", "--quick", "--only", "base36_encode, 32"])
    report(status=status, out=out.getvalue(), sky="sky" in sys.modules)
    """
    )
    assert (found["status"], found["sky"], found["stderr"]) == (0, False, "")
    assert "compared with skywasm's own Python fallback (SkyPilot is not installed)" in found["out"]
    assert "ANSWERS DIFFER" not in found["out"]


def test_without_the_engine() -> None:
    """Where the engine cannot be loaded the command says so, and takes no missing answer for a different one."""
    found = run(
        """
    import contextlib, io, sys
    sys.modules["wasmtime"] = None
    sys.modules["sky"] = None
    from skywasm.cli import main
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["bench", "--quick", "--only", "base36_encode, 32"])
    report(status=status, out=out.getvalue(), err=err.getvalue())
    """
    )
    assert "ANSWERS DIFFER" not in found["out"]
    assert "wasmtime" in found["err"] + found["out"]


def test_what_the_system_takes_by_itself(without_sky: None) -> None:
    """The functions over the kernel's facts are judged by its calls alone, and a ratio beyond those is told so."""
    floors = {}
    bench_run.run_cases(True, "get_", lambda row: floors.update({row.name: row}))
    for name in ("get_parallel_threads", "get_max_workers_for_file_mounts"):
        row = floors[name]
        assert row.floor is not None
        assert row.reachable == row.before.seconds / row.floor.seconds
        row.least = row.ratio + row.reachable + 1
        assert text.cells(row)[4] == f"{row.least:g} MISSED (floor {row.reachable:.2f})"
        row.least = 0.0
        assert text.cells(row)[4] == "0"
    table = text.floors_table(floors.values())
    assert table.count("\n") == 2 + sum(row.floor is not None for row in floors.values())
    assert "get_parallel_threads" in table


def test_the_drop_in_is_taken_back() -> None:
    """Where skywasm stands in for SkyPilot's functions, SkyPilot's own are what is timed."""
    pytest.importorskip("sky")
    found = run(
        """
        import skywasm
        skywasm.skypilot.install()
        from sky.utils import common_utils
        before = common_utils.base36_encode
        from skywasm.bench.originals import Originals
        from skywasm.functions import BY_NAME
        originals = Originals()
        timed = originals.function(BY_NAME["base36_encode"])
        whose = [function.__globals__["__name__"] for function in (before, timed)]
        report(whose=whose, label=originals.label)
        """
    )
    assert found["whose"] == ["skywasm.skypilot.stand_ins", "sky.utils.common_utils"]
    assert found["label"].startswith("SkyPilot ")


def test_beginnings_without_wasmtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs wasmtime is left out of the table where it cannot be imported, and the rest is told."""
    monkeypatch.setitem(bench_run._STARTS, text.IMPORT_WASMTIME, "raise ImportError('no wasmtime')")
    monkeypatch.setitem(bench_run._STARTS, text.FIRST_WASM, "raise SystemExit(1)")
    starts = bench_run.starts(True)
    assert set(starts) == set(bench_run._STARTS) - {text.IMPORT_WASMTIME, text.FIRST_WASM}
    assert text.IMPORT_SKYWASM in text.starts_table(starts)
    assert "In a new process" not in text.short("x", [], {}, starts)


def test_the_first_page_tells_what_a_new_process_pays() -> None:
    """Importing, and a first call through the sandbox beside wasmtime's own import."""
    starts = {text.IMPORT_SKYWASM: (0.002, ""), text.IMPORT_WASMTIME: (0.03, "ctypes"), text.FIRST_WASM: (0.012, "")}
    said = text.short("x", [], {}, starts)
    assert "`import skywasm` takes 2.00 ms; that and a first call through the sandbox 12.0 ms" in said
    assert "(`import wasmtime` alone: 30.0 ms)" in said
    assert "| first call in wasm, cache warm | 12.0 ms | 0.40 | none |" in text.starts_table(starts)
