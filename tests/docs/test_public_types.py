"""The types of the public interface are complete for a type checker that sees the installed packages only."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from docs.pages import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.xdist_group("pyright")
PROGRAM = """
import skywasm
from skywasm import batch, sandbox, skypilot

text: str = skywasm.base36_encode("ff")
lines: list[str] = skywasm.read_last_n_lines(b"name", 3)
digest: str = skywasm.hash_file("name", "md5").hexdigest()
texts: list[str] = batch.format_float([1, 2.5])
with sandbox.deny("ports"), skywasm.use_backend("wasm"):
    size: float = skywasm.get_mem_size_gb()
done: bool = skypilot.install()
"""
MISTAKES = """
import skywasm

skywasm.base36_encode(255)
skywasm.hash_file("name")
number: int = skywasm.format_float(1.5)
skywasm.no_such_function
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of an environment in which nothing but the two packages is installed."""
    if shutil.which("pyright", path=os.path.dirname(sys.executable)) is None:
        pytest.skip("pyright is not installed")
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in ("skywasm", "host_shims"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    # pyright looks for the first Python on PATH.
    return {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def pyright(env: dict[str, str], folder: pathlib.Path, *arguments: str) -> dict[str, Any]:
    """What pyright reports."""
    program = os.path.join(os.path.dirname(sys.executable), "pyright")
    # Away from the checkout: pyright looks for packages in the current folder first.
    done = subprocess.run(
        [program, "--outputjson", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("package", ["skywasm", "host_shims"])
def test_every_public_type_is_known(package: str, installed: dict[str, str], tmp_path: pathlib.Path) -> None:
    """`pyright --verifytypes` gives 100 %: py.typed is there, and no public name leaves its type to be guessed."""
    found = pyright(installed, tmp_path, "--verifytypes", package, "--ignoreexternal")["typeCompleteness"]
    assert found["pyTypedPath"]
    assert found["exportedSymbolCounts"]["withKnownType"] > 0
    guessed = [
        f"{symbol['name']}: {problem['message']}"
        for symbol in found["symbols"]
        for problem in symbol["diagnostics"]
        if problem["severity"] == "error"
    ]
    assert (guessed, found["completenessScore"]) == ([], 1)


def test_a_users_program(installed: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A program that uses the public names as documented has no type errors, and mistakes are found."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    assert pyright(installed, tmp_path, "program.py")["generalDiagnostics"] == []
    mistakes = pyright(installed, tmp_path, "mistakes.py")["generalDiagnostics"]
    lines = {item["range"]["start"]["line"] for item in mistakes if item["severity"] == "error"}
    assert lines == {3, 4, 5, 6}
