"""Every exit status that a help text lists is what the command ends with, and every example in one runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest
from report import results

from cli import program
from cli.program import COMMANDS, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")
# What each command is given for each exit status, in a folder that ``place`` makes.
GIVEN: dict[str, dict[int, tuple[str, ...]]] = {
    "check": {0: (), 1: ("env:SKYWASM_BACKEND=rust",), 2: ("x",)},
    "info": {0: (), 1: ("to:/dev/full",), 2: ("env:SKYWASM_BACKEND=rust",)},
    "demo": {0: ("--quick",), 1: ("env:PYTHONPATH=none", "--quick"), 2: ("x",)},
    "bench": {0: ("--quick", "--only", "format_float, 16.0"), 1: ("-o", "no/x"), 2: ("--quick", "--only", "none such")},
    "report": {0: ("--from", "result.json"), 1: ("--from", "result.json", "-o", "no/x"), 2: ("--from", "empty")},
    # What 0 and 1 mean is tested in tests/dropin, in environments that may be changed.
    "enable": {2: ("x",)},
    "disable": {2: ("x",)},
    "run": {
        0: ("-c", ""),
        1: ("-c", "raise SystemExit(1)"),
        2: (),
        126: ("./empty",),
        127: ("no-such-program",),
    },
    "migrate": {0: ("uses.py",), 1: ("--check", "uses.py"), 2: ("missing",)},
    "hash": {0: ("result.json",), 1: ("missing",), 2: ("--alg", "none", "result.json")},
    "tail": {0: ("result.json",), 1: ("missing",), 2: ("-n", "many", "result.json")},
}
IN_TESTS_OF_THE_DROPIN = {("enable", 0), ("enable", 1), ("disable", 0), ("disable", 1)}
SIGNALS = {130, 141}
# What to be kept waiting for: all commands import these after they have begun.
_WAITS = {
    "bench": "skywasm.bench.run",
    "report": "skywasm.report.model",
    "migrate": "libcst",
    "tail": "encodings.cp037",
}


@pytest.fixture
def place(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a result, an empty file, a program to migrate, and a Python that finds no SkyPilot."""
    results.written(tmp_path, results.whole())
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "uses.py").write_text("from sky.utils import common_utils\ncommon_utils.get_cpu_count()\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys\nsys.modules['sky'] = None\n")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "sitecustomize.py").write_text("import sys\nsys.modules['wasmtime'] = None\n")
    # The engine's library is found without wasmtime-py, so that a broken one has to stand before it.
    (tmp_path / "none" / "wasmtime").mkdir()
    (tmp_path / "none" / "wasmtime" / "__init__.py").write_bytes(b"")
    return tmp_path


def listed(command: str) -> set[int]:
    return {int(status) for status in re.findall(r"^  (\d+) +\S", run(command, "--help").out, re.MULTILINE)}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_status_is_listed_that_is_not_tested(command: str) -> None:
    """The statuses of a help text are those that these tests, and the drop-in's, make the command end with."""
    elsewhere = {status for name, status in IN_TESTS_OF_THE_DROPIN if name == command}
    assert listed(command) == set(GIVEN[command]) | elsewhere | SIGNALS


@pytest.mark.parametrize(
    ("command", "status"), [(command, status) for command, given in GIVEN.items() for status in given], ids=str
)
def test_the_status(command: str, status: int, place: pathlib.Path) -> None:
    """The command ends with the status that its help text promises for this, and without a traceback."""
    env = {"PYTHONPATH": str(place / "site")}
    words, target = [], None
    for word in GIVEN[command][status]:
        kind, _, rest = word.partition(":")
        if kind == "env":
            name, _, value = rest.partition("=")
            env[name] = str(place / value) if name == "PYTHONPATH" else value
        elif kind == "to":
            target = rest
        else:
            words.append(word)
    if command == "migrate":
        pytest.importorskip("libcst")
    if target is not None and not os.path.exists(target):
        pytest.skip(f"this system has no {target}")
    with open(target or os.devnull, "wb") as output:
        done = run(command, *words, env=env, cwd=place, stdout=output if target else subprocess.PIPE)
    assert done.status == status, done
    assert done.has_no_traceback()
    if status == 0 and command != "run":
        assert done.out
    elif status not in (0, 1):
        assert done.err


@pytest.mark.parametrize("command", ["bench", "report", "migrate"])
def test_ctrl_c_where_a_command_has_only_begun(command: str, place: pathlib.Path) -> None:
    """Ctrl-C while a command loads what it works with ends it with 130 and no word."""
    pipe = place / "pipe"
    os.mkfifo(pipe)
    (place / "site" / "sitecustomize.py").write_text(f"""
import sys
sys.modules['sky'] = None
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {_WAITS[command]!r}:
            open({str(pipe)!r}, "rb").read()
sys.meta_path.insert(0, Slow())
""")
    words = {"bench": ("--quick",), "report": ("--from", "result.json"), "migrate": ("uses.py",)}[command]
    process = program.start(command, *words, env={"PYTHONPATH": str(place / "site")}, cwd=place)
    with open(pipe, "wb"):
        os.killpg(process.pid, signal.SIGINT)
        assert program.finish(process) == (130, "", "")


def test_ctrl_c_within_a_callback_is_not_lost(place: pathlib.Path) -> None:
    """Ctrl-C that strikes in a callback, whose errors Python only tells of, ends the program all the same."""
    (place / "site" / "sitecustomize.py").write_text("""
import sys, time, weakref
class Gone: pass
def struck(_): raise KeyboardInterrupt
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "wasmtime":
            gone = Gone()
            self.seen = weakref.ref(gone, struck)
            del gone
            time.sleep(20)
sys.meta_path.insert(0, Slow())
""")
    assert run("info", env={"PYTHONPATH": str(place / "site")}) == (130, "", "")


@pytest.mark.parametrize(
    "words",
    [("report", "--from", "result.json"), ("migrate", "uses.py"), ("demo", "--quick"), ("hash", "result.json")],
    ids=" ".join,
)
def test_a_closed_pipe(words: tuple[str, ...], place: pathlib.Path) -> None:
    """When nobody reads the output the command ends with 141 and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    process = program.start(*words, stdout=writer, cwd=place, env={"PYTHONPATH": str(place / "site")})
    os.close(writer)
    assert program.finish(process) == (141, "", "")


def test_output_that_cannot_be_thrown_away(place: pathlib.Path) -> None:
    """Where not even the null device can be opened, a failing output is still told in a line."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    code = "import os, sys; os.devnull = '/nowhere/null'; from skywasm.cli import main; sys.exit(main(['info']))"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "skywasm: No space left on device\n")


def examples(command: str) -> list[str]:
    text = run(command, "--help").out
    return [line.strip() for line in text.partition("examples:\n")[2].partition("\n\n")[0].splitlines()]


# What cannot be run here: it changes the environment, needs SkyPilot's server, or measures for minutes.
NOT_RUN = re.compile(
    r"skywasm (enable|disable)|-- sky status|drop-in$|-m pytest|bench --only|report -o|report --format"
)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("enable", "disable")])
def test_the_examples_run(command: str, place: pathlib.Path) -> None:
    """Each example in a help text does what it says when its files are there; those of long runs are read at least."""
    prepare_examples(place)
    bin_folder = place / "bin"
    bin_folder.mkdir()
    (bin_folder / "skywasm").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m skywasm "$@"\n')
    (bin_folder / "skywasm").chmod(0o755)
    variables = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(place / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "HOME": str(place),
    }
    ran = 0
    for line in examples(command):
        if NOT_RUN.search(line) or ("jq" in line and not shutil.which("jq")):
            continue
        done = subprocess.run(
            line, shell=True, cwd=place, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
            timeout=program.TIMEOUT_S,
        )  # fmt: skip
        assert done.returncode in ((0, 1) if "--check" in line else (0,)), (line, done)
        assert "Traceback" not in done.stderr
        ran += 1
    assert ran


def prepare_examples(place: pathlib.Path) -> None:
    """The files that the examples name."""
    (place / "today.json").write_text(json.dumps(results.whole()))
    for name in ("task.yaml", "setup.sh", "old.log", "new.log", "wheels/a.whl", "sky_logs/latest/run.log"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x\n")
    for name in ("src/a.py", "tests/b.py"):
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copy(place / "uses.py", place / name)
    (place / "my_script.py").write_text("import sys\nassert sys.argv[1:] == ['--its-own-options']\n")
