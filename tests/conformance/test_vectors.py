"""The vectors over every backend, the sample in the wheel, and whether both are what the generator would write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from vectors import forms

import skywasm
from conformance import replay
from skywasm.functions import BY_NAME, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_SHOWN = 20
CANNOT_CHECK = 77
SAMPLE = json.loads((Path(skywasm.__file__).parent / "vectors.json").read_text("ascii"))


def _differences(function: str, vectors: dict[str, Any], backend: str, file: Path) -> list[str]:
    found = []
    for case in vectors["cases"]:
        with pytest.MonkeyPatch.context() as patch:
            got = replay.run(function, case, backend, file, patch)
        problem = replay.difference(vectors, case, got, backend)
        if problem:
            found.append(problem)
    return found


@pytest.mark.parametrize("function", replay.FUNCTIONS)
def test_vectors(backend: str, function: str, tmp_path: Path) -> None:
    """Every backend gives every vector's answer: result, or exception type and message."""
    vectors = forms.read(function)
    found = _differences(function, vectors, backend, tmp_path / "content")
    shown = "\n  ".join(found[:MOST_SHOWN])
    assert not found, f"{len(found)} of {len(vectors['cases'])} cases differ with {backend}:\n  {shown}"


def test_every_function_has_vectors() -> None:
    """Every function of the table has its vector file, and at least those that SkyPilot has are in the sample."""
    assert set(replay.FUNCTIONS) == set(BY_NAME)
    sampled = {key for key, value in SAMPLE.items() if key != "_comment" and isinstance(value, list)}
    originals = {row.name for row in ROWS if row.replaces is not None}
    assert originals <= sampled <= set(BY_NAME)


@pytest.mark.parametrize("function", replay.FUNCTIONS)
def test_heads(function: str) -> None:
    """Every file states its rules, its function, and the versions that answered."""
    vectors = forms.read(function)
    assert list(vectors) == ["_comment", "function", "skypilot", "python", "cases"]
    assert vectors["function"] == function
    assert vectors["_comment"]


@pytest.mark.parametrize("function", replay.FUNCTIONS)
def test_cases_are_well_formed(function: str) -> None:
    """Every case has one outcome, and one that raises is Python's alone."""
    for case in forms.read(function)["cases"]:
        assert ("expect" in case) != ("raises" in case), case
        assert "raises" not in case or case.get("python_only") is True, case


@pytest.mark.parametrize("function", replay.FUNCTIONS)
def test_sample_is_part_of_the_vectors(function: str) -> None:
    """The sample in the wheel holds cases of the vector files and no others, at most 20 a function."""
    cases = forms.read(function)["cases"]
    sample = SAMPLE.get(function, [])
    # An addition to SkyPilot's functions need not be in it.
    assert sample or BY_NAME[function].replaces is None
    assert len(sample) <= 20
    assert all(case in cases for case in sample)


def test_sizes() -> None:
    """The files stay small: 600 kB of vectors, 40 kB of sample."""
    assert sum(path.stat().st_size for path in forms.FOLDER.glob("*.json")) < 600_000
    assert (Path(skywasm.__file__).parent / "vectors.json").stat().st_size < 40_000


def test_vectors_current() -> None:
    """The generator, run now against SkyPilot, would write the files as they are."""
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    if forms.read("hash_file")["python"] != ".".join(map(str, sys.version_info[:2])):
        pytest.skip("messages of another Python are not the recorded ones")
    command = [sys.executable, str(forms.FOLDER / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == CANNOT_CHECK:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
