"""The programs in `examples` run, and find what they check."""

from __future__ import annotations

import hashlib
import importlib.util
import pathlib
import sys

import pytest
from dropin.places import call

from integration.places import home
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="examples come with the repository")
needs_engine = pytest.mark.skipif(importlib.util.find_spec("wasmtime") is None, reason="wasmtime is not installed")


def example(name: str, *words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return call(sys.executable, EXAMPLES / f"{name}.py", *words)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Thirty files, some of them alike."""
    for number in range(30):
        (tmp_path / f"{number:02}").write_text(f"content {number % 20}\n" * number)
    return tmp_path


def test_every_example_is_tested() -> None:
    """No program lies there untried."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"backends", "batch_hash", "dropin", "executor", "tail_log"}


def test_batch_hash(folder: pathlib.Path) -> None:
    """It prints hashlib's digest of every file."""
    done = example("batch_hash", folder)
    files = sorted(folder.iterdir())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}" for path in files]
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n".join([*lines, "30 files", ""]), "")


def test_executor(folder: pathlib.Path) -> None:
    """Processes find the same digests as one."""
    done = example("executor", folder)
    different = len({path.read_bytes() for path in folder.iterdir()})
    expected = f"30 files, {different} different digests\nboth ways agree\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


@needs_engine
def test_tail_log(tmp_path: pathlib.Path) -> None:
    """It prints the last lines, and one line about a file that is not there."""
    (tmp_path / "log").write_bytes(b"one\ntwo \xff\nthree")
    done = example("tail_log", tmp_path / "log", "2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "two \ufffd\nthree\n", "")
    done = example("tail_log", tmp_path / "none")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{tmp_path / 'none'}: no such file\n")


@needs_engine
def test_backends() -> None:
    """Three backends, one answer."""
    done = example("backends")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["auto", "wasm", "python", "all"]
    assert done.stdout.endswith("all the same\n")


@pytest.mark.skipif(importlib.util.find_spec("sky") is None, reason="SkyPilot is not installed")
def test_dropin(tmp_path: pathlib.Path) -> None:
    """SkyPilot's own, skywasm's, SkyPilot's again, and the same name all the time."""
    done = call(sys.executable, EXAMPLES / "dropin.py", env=home(tmp_path))
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in lines] == [
        "sky.utils.common_utils",
        "skywasm.skypilot.stand_ins",
        f"{sum(row.replaces is not None for row in ROWS)} functions replaced",
        "sky.utils.common_utils",
        "the same name",
    ]
