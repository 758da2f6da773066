"""Made-up containers: cgroup files, /proc/meminfo and the CPU list of any content, for SkyPilot and for skywasm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROFILE, SeededRandom
from vectors import forms

MACHINES = {"quick": 600}.get(PROFILE, 20_000)
MOST_SHOWN = 700
SCRIPT = Path(__file__).resolve().parent / "namespace_run.py"


def _problem() -> str:
    """Why no mount namespace can be made, found out by the vectors' generator."""
    probe = "import namespace, sys; sys.exit(namespace.missing() or 0)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=forms.FOLDER, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def test_same_as_reference_in_containers(rng: SeededRandom, tmp_path: Path) -> None:
    """Whatever the kernel's files say, each backend reports SkyPilot's CPUs and memory or raises its exception."""
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    problem = _problem()
    if problem:
        pytest.skip(problem)
    seed = rng.randrange(2**32)
    command = ["unshare", "-m", sys.executable, str(SCRIPT), str(tmp_path), str(seed), str(MACHINES)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(forms.FOLDER), *sys.path])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert not found, f"{len(found)} differ with seed {seed}:\n" + "\n".join(str(one)[:MOST_SHOWN] for one in found)
