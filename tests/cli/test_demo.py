"""`skywasm demo`: a row of equal answers for every function, and the truth when they are not."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import time

import psutil
import pytest

from cli import program
from cli.program import on_terminal, run, without_wasmtime
from skywasm.bench import workplace
from skywasm.functions import BY_NAME, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

FUNCTIONS = [row.name for row in ROWS]
THEIRS = [row.name for row in ROWS if row.replaces is not None]


@pytest.fixture
def skypilot(tmp_path: pathlib.Path) -> dict[str, str]:
    """The environment of a stand-in for SkyPilot that is found first, answers like the reference and loads at once."""
    info = tmp_path / "skypilot-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: skypilot\nVersion: 9.9\n")
    utils = tmp_path / "sky" / "utils"
    utils.mkdir(parents=True)
    (tmp_path / "sky" / "__init__.py").write_text("__version__ = '9.9'\nprint('noise on standard output')\n")
    for name in ("common_utils", "subprocess_utils"):
        (utils / f"{name}.py").write_text("from skywasm.reference import *\n")
    return {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}


def rows(env: dict[str, str] | None = None, status: int = 0) -> dict[str, dict[str, Any]]:
    """The rows by function, held against the exit status that they should come to."""
    done = run("demo", "--quick", "--json", env=env)
    assert (done.status, done.err) == (status, "")
    report = json.loads(done.out)
    assert report["ok"] is (status == 0)
    assert [row["function"] for row in report["rows"]] == FUNCTIONS
    return {row["function"]: row for row in report["rows"]}


def test_equal_rows_with_skypilot_itself() -> None:
    """Beside SkyPilot every function has the same answer three times, additions twice, in ten seconds."""
    if importlib.util.find_spec("sky") is None:
        pytest.skip("SkyPilot is not installed")
    start = time.monotonic()
    found = rows()
    assert time.monotonic() - start < 10
    for row, registered in zip(found.values(), ROWS):
        assert row["equal"] is True
        assert row["sandbox"] == row["python"]
        assert row["skypilot"] == (row["python"] if registered.replaces else None)


def test_answers_are_about_real_things(skypilot: dict[str, str]) -> None:
    """The rows show a taken port, a running, an ended and a zombie process, and this machine's CPUs and memory."""
    found = rows(skypilot)
    assert found["find_free_port"]["called_with"] == "free, 200 taken"
    beside, beyond = found["find_free_port"]["sandbox"]
    assert beside > workplace._PORTS.start
    assert beyond >= workplace._PORTS.start + 200
    assert found["is_process_alive"]["sandbox"] == [True, False, True]
    assert 0 <= found["get_cpu_count"]["sandbox"][0] <= (os.cpu_count() or 0)
    assert 0 < found["get_mem_size_gb"]["sandbox"][0] <= psutil.virtual_memory().total / 2**30
    assert found["estimate_fd_for_directory"]["sandbox"] == [25]
    assert found["read_last_n_lines"]["called_with"].endswith("3 lines, broken UTF-8")
    last_lines = found["read_last_n_lines"]["sandbox"][-1]
    assert "\ufffd" in last_lines[0]
    assert last_lines[-1].endswith("\U0001f389")


@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_every_mode_shows_the_sandbox(mode: str, skypilot: dict[str, str]) -> None:
    """Whatever the backend, and where SkyPilot's switch is off, the sandbox is asked."""
    assert rows({**skypilot, "SKYWASM_BACKEND": mode, "SKYPILOT_USE_RUST": "0"})["base36_encode"]["equal"]


@pytest.mark.parametrize("columns", [40, 60, 66, 78, 80])
def test_the_verdict_is_on_every_screen(columns: int, skypilot: dict[str, str]) -> None:
    """However narrow the terminal is, each function has its answer, cut nowhere, and whether the answers are equal."""
    done = run("demo", "--quick", env={**skypilot, "COLUMNS": str(columns)})
    assert done.status == 0
    table = done.out.partition("\u2500\n")[2].partition("\n\n")[0]
    assert len(re.findall(r" yes$", table, re.MULTILINE)) == len(ROWS)
    assert "\N{HORIZONTAL ELLIPSIS}" not in table
    assert max(map(len, table.splitlines())) <= columns
    assert len(re.findall(r"nxfaj|\w{5}\.\.\.\w{4}", table.splitlines()[0])) == (3 if columns >= 79 else 1)


def test_nothing_is_left_behind(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Files are gone, and SkyPilot's home folder was among them."""
    (tmp_path / "sky" / "__init__.py").write_text(
        "__version__ = '9.9'\nimport os\nos.mkdir(os.path.expanduser('~/.sky'))\n"
    )
    before = sorted(tmp_path.iterdir())
    rows({**skypilot, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"})
    assert sorted(tmp_path.iterdir()) == before


def test_a_different_answer_fails(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """One different answer marks its row, is named in the summary, and ends the demo with 1."""
    with open(tmp_path / "sky" / "utils" / "common_utils.py", "a") as file:
        file.write("def format_float(num, precision=1):\n    return 0.2\n")
    found = rows(skypilot, status=1)
    assert [name for name, row in found.items() if not row["equal"]] == ["format_float"]
    done = run("demo", "--quick", env=skypilot)
    assert done.status == 1
    assert re.search(r"^format_float .* NO$", done.out, re.MULTILINE)
    assert "The answers DIFFER for format_float." in done.out


def test_an_error_is_an_answer_too(skypilot: dict[str, str]) -> None:
    """A pod variable that is no number makes all three raise the same error, which counts as equal."""
    answer = rows({**skypilot, "SKYPILOT_POD_CPU_CORE_LIMIT": "many"})["get_cpu_count"]["sandbox"]
    assert answer == [{"error": "ValueError: Failed to parse the number of CPUs from many"}]


def test_a_type_of_its_own_is_a_difference(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """1 and 1.0 are not the same answer."""
    with open(tmp_path / "sky" / "utils" / "subprocess_utils.py", "a") as file:
        file.write("def get_parallel_threads(cloud_str=None):\n    from skywasm import reference\n")
        file.write("    return float(reference.get_parallel_threads(cloud_str))\n")
    assert rows(skypilot, status=1)["get_parallel_threads"]["equal"] is False


def test_a_broken_skypilot_is_told(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A SkyPilot that cannot be imported is no difference: its column is left out and the reason told."""
    (tmp_path / "sky" / "__init__.py").write_text("import nowhere_to_be_found\n")
    done = run("demo", "--quick", env=skypilot)
    assert done.status == 0
    assert "SkyPilot is installed but could not be asked: ModuleNotFoundError: No module named 'nowhere" in done.out
    assert "before\nSkyPilot" not in done.out


def test_a_skypilot_that_dies_is_told(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """When SkyPilot's process ends in the middle, the rows say so and the demo fails."""
    with open(tmp_path / "sky" / "utils" / "common_utils.py", "a") as file:
        # Flushed: what Python still holds when it ends in this way is never seen.
        file.write("def hash_file(path, alg):\n    import os, sys\n    sys.stdout.flush()\n    os._exit(3)\n")
    assert rows(skypilot, status=1)["hash_file"]["skypilot"] == [
        {"error": "SkyPilot stopped: noise on standard output (exit status 3)"}
    ] * len(BY_NAME["hash_file"].examples)


def test_without_skypilot(tmp_path: pathlib.Path) -> None:
    """Where SkyPilot is not installed there are two columns, all equal, and a line that says what is missing."""
    (tmp_path / "sitecustomize.py").write_text("""
import importlib.metadata as metadata
real = metadata.version
def version(name):
    if name == "skypilot":
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.version = version
""")
    env = {"PYTHONPATH": str(tmp_path)}
    assert {row["skypilot"] for row in rows(env).values()} == {None}
    out = run("demo", "--quick", env=env).out
    assert f"Same answers: all {len(ROWS)} in the sandbox equal Python's." in out
    assert "SkyPilot is not installed here" in out


def test_without_a_sandbox(tmp_path: pathlib.Path) -> None:
    """Without wasmtime there is nothing to show: one line with the reason, and 1."""
    done = run("demo", "--quick", env=without_wasmtime(tmp_path))
    assert (done.status, done.out) == (1, "")
    assert re.fullmatch(r"skywasm demo: .*No module named 'wasmtime'; `skywasm check` tells more\n", done.err)


@pytest.mark.parametrize("columns", [80, 140])
def test_the_screen_reads_well(columns: int, skypilot: dict[str, str]) -> None:
    """Each function is on the screen with its mark, no line is too wide, and the last one sums up."""
    done = on_terminal("demo", "--quick", columns=columns, env={**skypilot, "NO_COLOR": "1"})
    assert done.status == 0
    # What the spinner drew is gone from the screen.
    shown = done.out.rpartition("\x1b[2K")[2]
    assert max(map(len, shown.splitlines())) <= columns
    for function in FUNCTIONS:
        assert re.search(rf"^{function} .* yes *$", shown, re.MULTILINE)
    assert "not in" in shown
    assert f"{len(ROWS)} in the sandbox equal Python's, and the {len(THEIRS)} that" in shown


def test_a_pipe_gets_a_line_a_function(skypilot: dict[str, str]) -> None:
    """In a pipe each row is one line without escapes."""
    out = run("demo", "--quick", env=skypilot).out
    assert "\x1b" not in out
    for function in FUNCTIONS:
        assert re.search(rf"^{function} +\S.* yes$", out, re.MULTILINE)


def children_once_skypilot_is_asked(pid: int) -> list[psutil.Process]:
    """All children of the demo, once the one that imports SkyPilot is among them."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        children = psutil.Process(pid).children()
        for child in children:
            with contextlib.suppress(psutil.Error):
                if any("_skypilot_child" in word for word in child.cmdline()):
                    return children
        time.sleep(0.01)
    raise AssertionError("the demo never asked SkyPilot")


def test_ctrl_c_takes_everything_along(skypilot: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Ctrl-C while SkyPilot is imported leaves with 130, no word, no process and no file."""
    (tmp_path / "sky" / "__init__.py").write_text("import time\ntime.sleep(60)\n")
    process = program.start("demo", "--quick", env=skypilot)
    children = children_once_skypilot_is_asked(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    assert program.finish(process) == (130, "", "")
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running()]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("skywasm-demo-")]
