"""The artifact: what its bytes say of the machine that built it, and the same bytes from another folder."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import PROFILE

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "skywasm" / "core.wasm"


def test_no_path_of_the_building_machine() -> None:
    """The artifact names no home folder and no absolute path of where it was built, on whatever system."""
    content = CORE.read_bytes()
    assert not re.findall(rb"/(?:root|home|tmp|work|build|usr|Users|opt|var|private)/[ -~]{0,60}", content)
    assert not re.findall(rb"[A-Za-z]:\\[ -~]{0,60}", content)
    # The paths of sources that it does name are those to which the build maps them.
    named = set(re.findall(rb"[\w/.+-]*/([\w.+-]+/src/[\w/.-]+\.rs)", content))
    assert {path for path in named if path.startswith(b"/")} == set()


@pytest.mark.skipif(
    PROFILE == "quick", reason="takes a minute: SKYWASM_TEST_PROFILE=thorough, as `make nightly` has it"
)
def test_the_same_bytes_from_another_folder(tmp_path: pathlib.Path) -> None:
    """Built from a copy of the sources in a folder with another, longer name, the artifact is the same to the byte."""
    folder = tmp_path / "quite another folder" / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "target")
    for name in ("skywasm", "host_shims", "wasm-core"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "skywasm" / "core.wasm").unlink()
    command = [sys.executable, str(folder / "wasm-core" / "build.py")]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    if "No Rust toolchain" in done.stderr:
        pytest.skip("no Rust for wasm32-wasip1 is installed")
    assert done.returncode == 0, done.stdout + done.stderr
    ours, theirs = ((root / "skywasm" / "core.provenance").read_text().splitlines() for root in (ROOT, folder))
    tools = ("compiler: ", "toolchain: ")
    if [line for line in ours if line.startswith(tools)] != [line for line in theirs if line.startswith(tools)]:
        pytest.skip("another compiler than the recorded one gives other bytes")
    made = hashlib.sha256((folder / "skywasm" / "core.wasm").read_bytes()).hexdigest()
    assert made == hashlib.sha256(CORE.read_bytes()).hexdigest()
