"""`skywasm report` as a program: formats, files, refusals, exit statuses."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest
from children import run as child
from cli import program

from report import results
from skywasm.report import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


def report(*arguments: str, **how: object) -> program.Done:
    return program.run("report", *arguments, **how)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> str:
    return results.written(tmp_path, results.whole())


def test_help_shows_examples_and_the_exit_statuses() -> None:
    """`skywasm report --help` shows how it is called and what its exit statuses mean, in 80 columns."""
    done = report("--help", env={"COLUMNS": "80"})
    assert (done.status, done.err) == (0, "")
    assert re.search(r"^examples:\n  skywasm report", done.out, re.MULTILINE)
    for status in (0, 1, 2, 130, 141):
        assert re.search(rf"^  {status} +\S", done.out, re.MULTILINE)
    assert max(map(len, done.out.splitlines())) <= 80


def test_text(source: str) -> None:
    """The tables hold every comparison with its ratio, what was missed, and the break-even points."""
    done = report("--from", source)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "skywasm compared with SkyPilot 0.14.1"
    assert "6 of 7 not slower (a ratio of 0.95 or more)" in lines
    assert "3 of 4 reach the ratio asked for" in lines
    for line in model.read(results.whole()).lines:
        (row,) = [shown for shown in lines if shown.startswith(line.name)]
        assert f" {line.ratio:.2f} " in row
        assert ("MISSED" in row) == (line.met is False)
    (row,) = [shown for shown in lines if shown.startswith("batch.format_float ")]
    assert re.search(r"  1 to 1,000 items +same +32 items +10 items$", row)
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 150])
def test_narrow_tables_keep_the_names_and_the_ratios(source: str, columns: int) -> None:
    """However narrow the terminal is, each row has its function, size and ratio; what is left out is left out whole."""
    done = report("--from", source, env={"COLUMNS": str(columns)})
    shown = " ".join(done.out.split())
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.out
    for line in model.read(results.whole()).lines:
        assert line.function in shown
        assert f" {line.ratio:.2f}" in shown
    (heading,) = [line for line in done.out.splitlines() if line.startswith("what ") and "ratio" in line]
    assert ("memory before" in heading) == (columns >= 150)


@pytest.mark.parametrize("columns", [60, 100])
def test_text_fits_a_terminal(source: str, columns: int) -> None:
    """On a terminal the tables are no wider than it, and have colour; NO_COLOR takes it away."""
    plain = program.on_terminal("report", "--from", source, columns=columns, env={"NO_COLOR": "1"}).out
    assert max(map(len, plain.splitlines())) <= columns
    assert "\x1b[" not in plain
    assert "\x1b[" in program.on_terminal("report", "--from", source, columns=140).out


def test_json_is_the_benchmarks_and_a_summary(source: str) -> None:
    """JSON is what the benchmark wrote, which pyperf reads, with the report's section and a summary in it."""
    done = report("--from", source, "--format", "json")
    assert (done.status, done.err) == (0, "")
    made, given = json.loads(done.out), results.whole()
    facts = made["skywasm_report"].pop("summary")
    assert made == given
    assert facts == model.summary(model.read(given))
    pyperf = pytest.importorskip("pyperf")
    assert "get_cpu_count [after]" in pyperf.BenchmarkSuite.loads(done.out).get_benchmark_names()


def test_a_report_of_a_report(source: str, tmp_path: pathlib.Path) -> None:
    """The JSON of a report makes the same report again, in every form."""
    again = str(tmp_path / "again.json")
    assert report("--from", source, "-o", again) == (0, "", "")
    for form in ("text", "json"):
        assert report("--from", again, "--format", form) == report("--from", source, "--format", form)


def test_standard_input() -> None:
    """`--from -` reads what `skywasm bench --json` prints."""
    done = report("--from", "-", data=json.dumps(results.bench()).encode())
    assert (done.status, done.err) == (0, "")
    assert "6 of 7 not slower" in done.out


@pytest.mark.parametrize(
    ("name", "begins"), [("r.html", "<!doctype html>"), ("r.HTM", "<!doctype"), ("r.json", "{"), ("r.txt", "skywasm ")]
)
def test_the_name_of_the_file_decides(source: str, tmp_path: pathlib.Path, name: str, begins: str) -> None:
    """Without --format the file's ending says what is written, and nothing is printed."""
    if begins.startswith("<"):
        pytest.importorskip("plotly")
    assert report("--from", source, "-o", str(tmp_path / name)) == (0, "", "")
    assert (tmp_path / name).read_text("utf-8").startswith(begins)


@pytest.mark.parametrize("name", ["r.pdf", "r.md", "r.html.gz"])
def test_an_ending_that_is_no_format_is_refused(source: str, tmp_path: pathlib.Path, name: str) -> None:
    """An ending that says nothing is a usage error that names it and what would do; with --format it is fine."""
    path = tmp_path / name
    done = report("--from", source, "-o", str(path))
    assert (done.status, done.out) == (2, "")
    assert f"{path} ends in {path.suffix}, which is no format of a report" in done.err
    assert "end it in .html, .txt or .json, or add --format" in done.err
    assert not path.exists()
    assert report("--from", source, "--format", "text", "-o", str(path)) == (0, "", "")
    assert path.read_text().startswith("skywasm compared with")


def test_a_name_without_an_ending_is_text(source: str, tmp_path: pathlib.Path) -> None:
    """No ending, in a folder whose name has a point too, is text; an empty name is told."""
    folder = tmp_path / "a.b"
    folder.mkdir()
    assert report("--from", source, "-o", str(folder / "report")) == (0, "", "")
    assert (folder / "report").read_text().startswith("skywasm compared with")
    done = report("--from", source, "-o", "")
    assert (done.status, "-o is followed by an empty name" in done.err) == (2, True)


def test_the_benchmarks_date_is_shown() -> None:
    """A report of the benchmark's JSON says when that was measured, once."""
    result = results.bench(skywasm_date="2026-01-02T03:04:05Z")
    done = report("--from", "-", data=json.dumps(result).encode())
    assert "measured 2026-01-02T03:04:05Z\n" in done.out
    assert done.out.count("2026-01-02") == 1
    assert model.read(result).made == "2026-01-02T03:04:05Z"


def test_the_format_beats_the_name(source: str, tmp_path: pathlib.Path) -> None:
    """--format is what is written, whatever the file is called."""
    assert report("--from", source, "--format", "text", "-o", str(tmp_path / "r.html")) == (0, "", "")
    text = (tmp_path / "r.html").read_text("utf-8")
    assert text.startswith("skywasm compared with")
    assert "\x1b" not in text


def test_html_goes_into_a_pipe(source: str) -> None:
    """The page can be sent through a pipe, in UTF-8 whatever the encoding there."""
    pytest.importorskip("plotly")
    done = report("--from", source, "--format", "html", "-o", "-", env={"PYTHONIOENCODING": "ascii"})
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("<!doctype html>")
    assert done.out.endswith("</html>\n")
    assert "µs" in done.out


@pytest.mark.parametrize("extra", [(), ("-o", "-")])
def test_html_is_not_for_a_terminal(source: str, extra: tuple[str, ...]) -> None:
    """The page on a terminal is refused with what to do instead."""
    pytest.importorskip("plotly")
    done = program.on_terminal("report", "--from", source, "--format", "html", *extra)
    assert done.status == 2
    assert "add -o report.html" in done.out
    assert "<!doctype" not in done.out


@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_a_missing_extra(missing: str) -> None:
    """Without jinja2 or plotly the page is refused before anything is measured, with the line that brings them."""
    found = child(
        f"""
    import contextlib, io, sys
    sys.modules[{missing!r}] = None
    from skywasm.bench import run
    run.run_cases = None
    from skywasm.cli import main
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        status = main(["report", "-o", "report.html"])
    report(status=status, err=err.getvalue())
    """
    )
    assert found["status"] == 2
    assert f"the HTML report needs {missing}: pip install 'skywasm[report]'" in found["err"]
    assert not os.path.exists("report.html")


def test_text_and_json_need_no_extra(source: str) -> None:
    """Tables and JSON are written without jinja2 and plotly."""
    found = child(
        f"""
    import contextlib, io, sys
    sys.modules["jinja2"] = sys.modules["plotly"] = sys.modules["markupsafe"] = None
    from skywasm.cli import main
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        statuses = [main(["report", "--from", {source!r}, "--format", form]) for form in ("text", "json")]
    report(statuses=statuses, out=out.getvalue())
    """
    )
    assert found["statuses"] == [0, 0]
    assert "6 of 7 not slower" in found["out"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; --from takes what `skywasm bench --json`"),
        ("<html>", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "'metadata' is missing in it"),
        ("[]", "is JSON of another kind"),
        ("7", "; --from takes what `skywasm bench --json` or `skywasm report --format json` writes"),
    ],
    ids=["empty", "html", "deep", "object", "list", "number"],
)
def test_a_file_that_is_no_result(tmp_path: pathlib.Path, content: str, said: str) -> None:
    """What cannot be read as a result is refused with the file's name and what is wrong; the old report stays."""
    source, old = tmp_path / "source.json", tmp_path / "report.txt"
    source.write_text(content)
    old.write_text("old")
    done = report("--from", str(source), "-o", str(old))
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert str(source) in done.err
    assert done.has_no_traceback()
    assert old.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["report.txt", "source.json"]


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """A missing file is told with its name."""
    done = report("--from", str(tmp_path / "nothing.json"))
    assert (done.status, done.out) == (2, "")
    assert f"{tmp_path / 'nothing.json'}: No such file" in done.err


@pytest.mark.parametrize(
    "arguments", [("--format", "pdf"), ("--quick", "--from", "x"), ("--nonsense",), ("x",)], ids=" ".join
)
def test_a_wrong_command_line(arguments: tuple[str, ...]) -> None:
    """What the parser does not know ends with 2 and how the command is used."""
    done = report(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: skywasm ")
    assert done.has_no_traceback()


def test_an_unknown_backend() -> None:
    """An unknown SKYWASM_BACKEND is told before anything is measured."""
    done = report("--quick", env={"SKYWASM_BACKEND": "rust"})
    assert (done.status, done.out) == (2, "")
    assert "SKYWASM_BACKEND is 'rust'" in done.err


def test_a_file_that_cannot_be_written_is_told_before_measuring(tmp_path: pathlib.Path) -> None:
    """A whole run, which takes minutes, does not begin when its report cannot be written."""
    start = time.monotonic()
    done = report("-o", str(tmp_path / "missing" / "report.txt"))
    assert (done.status, done.out) == (1, "")
    assert "missing does not exist; make it first" in done.err
    assert time.monotonic() - start < 20


def test_answers_that_differ_end_with_1(tmp_path: pathlib.Path) -> None:
    """The report is written all the same, and each answer that differed is named on standard error."""
    result = results.whole()
    result["skywasm_report"]["differing"] = ["format_float, 3.14159", "hash_file over bytes"]
    source, target = results.written(tmp_path, result), tmp_path / "report.txt"
    done = report("--from", source, "-o", str(target))
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines() == [
        "skywasm report: format_float, 3.14159: the answers differ",
        "skywasm report: hash_file over bytes: the answers differ",
    ]
    assert "ANSWERS DIFFER: format_float, 3.14159; hash_file over bytes" in target.read_text()


def test_a_closed_pipe_is_no_traceback(source: str) -> None:
    """When the reader of the output is gone, the program ends with 141 and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    process = program.start("report", "--from", source, stdout=writer)
    os.close(writer)
    assert program.finish(process) == (141, "", "")


def test_ctrl_c_leaves_the_old_report(tmp_path: pathlib.Path) -> None:
    """Ctrl-C while it measures ends it with 130 and no word; the old report is as it was, with nothing beside it."""
    old = tmp_path / "report.txt"
    old.write_text("old")
    process = program.start("report", "-o", str(old))
    deadline = time.monotonic() + program.TIMEOUT_S
    # The new file is there before the measuring begins.
    while len(os.listdir(tmp_path)) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir(tmp_path)) == 2
    os.killpg(process.pid, signal.SIGINT)
    assert program.finish(process) == (130, "", "")
    assert old.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.txt"]
