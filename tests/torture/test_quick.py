"""Every trial of `make torture` in its quick form, and that the trials notice what they are there for."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import SeededRandom

pytest.importorskip("wasmtime")
if sys.platform != "linux":
    pytest.skip("the trials need Linux's signals and procfs", allow_module_level=True)

from skywasm.functions import ROWS
from torture import __main__ as command
from torture import interrupts, leaks

TESTS = pathlib.Path(__file__).resolve().parent.parent
TRIALS = {trial.name: trial for trial in command.TRIALS}
PORTS = {"asyncio.to_thread", *(trial.name for trial in interrupts.TRIALS)}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    line = [sys.executable, "-m", "torture", *arguments]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "name",
    # Trials that take ports in a row run one after the other.
    [pytest.param(name, marks=pytest.mark.xdist_group("ports") if name in PORTS else ()) for name in TRIALS],
)
def test_quick_form(name: str, rng: SeededRandom) -> None:
    """A few seconds of the trial find nothing wrong."""
    trial = TRIALS[name]
    found = trial.run(trial.quick, rng.randrange(2**31))
    assert found.problems == []
    assert found.done >= trial.quick


def test_every_function_is_held_against_leaks() -> None:
    """The trials of leaks are the public functions."""
    assert sorted(leaks.FUNCTIONS) == sorted(row.name for row in ROWS)


LEAKS = {
    "resident memory": "kept.append(bytearray(200))",
    "blocks of Python's memory": "kept.append(bytearray(1))",
    "descriptors": "len(kept) % 100 or os.dup(0); kept.append(None)",
    "instances": "len(kept) % 1000 or pool.clear(); kept.append(None)",
}


@pytest.mark.parametrize("what", LEAKS)
def test_a_leak_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory, descriptors or instances lost by some of the calls fail the trial, in its quick form already."""
    leaking = f"""
    kept, whole_call = [], call
    def call(*those):
        {LEAKS[what]}
        return whole_call(*those)
    def some("""
    monkeypatch.setattr(leaks, "CODE", leaks.CODE.replace("\n    def some(", leaking))
    found = leaks.leaks("base36_encode", 20_000, 0)
    assert any(what in problem for problem in found.problems), found


def test_a_trial_that_breaks_down_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """A child that dies is a problem of its trial, and the command ends with status 1."""
    trial = TRIALS["instances"]._replace(run=lambda count, seed: pytest.fail("gone", pytrace=False))
    with pytest.raises(BaseException, match="gone"):
        trial.run(1, 1)

    def broken(count: int, seed: int) -> None:
        raise AssertionError("exit status -11")

    assert command.attempt(trial._replace(run=broken), 1, 1).problems == ["the trial broke down: exit status -11"]


def test_the_command(tmp_path: pathlib.Path) -> None:
    """One trial on a small scale prints its row, logs it, and ends with status 0."""
    log = tmp_path / "log"
    done = _run("--only", "instances", "--scale", "0.01", "--log", str(log))
    assert done.returncode == 0, done.stderr
    assert "64 at once" in done.stdout
    assert '"problems": []' in log.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "nope"], "invalid choice"),
        (["--scale", "0"], "more than 0"),
        (["--update", "no-such-file"], "is not a file"),
    ],
)
def test_bad_arguments(arguments: list[str], words: str) -> None:
    """Bad arguments are refused with status 2 and a word on what is wanted."""
    done = _run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
