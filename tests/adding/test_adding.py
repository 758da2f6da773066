"""docs/ADDING.md: who does what the page says has a new function everywhere, and all tests are content with it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys

import checkouts
import pytest
from children import environment
from conftest import PROFILE
from docs.pages import ROOT, blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

PAGE = ROOT / "docs" / "ADDING.md"
ASK = """
import skywasm
from skywasm import batch
for mode in {modes!r}:
    with skywasm.use_backend(mode):
        assert skywasm.count_words("two words") == 2
        assert skywasm.count_words(" \\u2713  three four") == 3
        assert skywasm.count_words("\\ud800 lone") == 2
        assert batch.count_words(["two words", "", "\\ud800 x y"]) == [2, 0, 3]
assert "count_words" in skywasm.__all__
"""
# What a function's row is looked at by, in a minute.
SHORT = (
    "tests/contract/test_registry.py",
    "tests/contract/test_public_names.py",
    "tests/contract/test_signatures.py",
    "tests/conformance/test_vectors.py",
    "tests/property/test_every_row.py",
    "tests/derived",
)


def toolchain_is_there() -> bool:
    """Whether the artifact can be built here."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "wasm-core" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return bool(build.debian() or build.rustup())


def steps() -> list[tuple[str, str]]:
    """The files that the page names, each with the block below it."""
    names = re.findall(r"^\d\. `([^`]+)`", PAGE.read_text(), re.MULTILINE)
    texts = [block.text for block in blocks(PAGE) if block.language != "console"]
    assert len(names) == len(texts) == 3
    return list(zip(names, texts))


def apply(folder: pathlib.Path) -> None:
    """Does what the page says: the text goes to the end of each file."""
    for name, text in steps():
        path = folder / name
        old = path.read_text() if path.exists() else ""
        path.write_text(f"{old}\n\n{text}" if name.endswith(".py") else f"{old}\n{text}" if old else text)


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the project with the new function in it, nothing built or generated yet."""
    folder = checkouts.copied(tmp_path / "copy")
    apply(folder)
    return folder


def python(folder: pathlib.Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter with the copy's packages."""
    path = os.pathsep.join([str(folder), str(folder / "tests")])
    # What has been compiled for the project serves the copy too: only what is new is built.
    target = str(ROOT / "wasm-core" / "target")
    variables = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "CARGO_TARGET_DIR": target, **more}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
    )


def add(folder: pathlib.Path) -> None:
    """What ``make add`` does."""
    for command in (("wasm-core/build.py",), ("-m", "derived")):
        done = python(folder, *command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_python_side(copy: pathlib.Path) -> None:
    """Before the artifact is built, Python answers, and the page's JSON is a vector file."""
    done = python(copy, "-c", ASK.format(modes=("python", "auto")))
    assert (done.returncode, done.stderr) == (0, "")
    vectors = json.loads((copy / "tests" / "vectors" / "count_words.json").read_text())
    assert vectors["function"] == "count_words"


def test_a_forgotten_build_is_found(copy: pathlib.Path) -> None:
    """Without `make add` the tests say what was forgotten."""
    pytest.importorskip("wasmtime")
    done = python(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_registry.py", "tests/derived"
    )
    assert done.returncode == 1
    assert "count_words" in done.stdout
    assert "make derived" in done.stdout


@pytest.mark.timeout(3600)
def test_the_whole_page(copy: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """After `make add` every backend answers, and so do the commands; in its long form all tests run in the copy."""
    if not toolchain_is_there():
        pytest.skip("there is no Rust toolchain for the artifact")
    add(copy)
    done = python(copy, "-c", ASK.format(modes=("auto", "wasm", "python")))
    assert (done.returncode, done.stderr) == (0, "")
    for command in (["check"], ["info"], ["info", "--road", "count_words"]):
        done = python(copy, "-m", "skywasm", *command, SKYWASM_BACKEND="wasm")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "count_words" in done.stdout or command == ["check"]
    # The long form is all tests in their quick form.
    whole = ("-n", "auto", "--dist", "loadgroup", "tests", "--deselect", "tests/adding")
    tests = SHORT if PROFILE == "quick" else whole
    done = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, SKYWASM_TEST_PROFILE="")
    assert done.returncode == 0, done.stdout[-8000:]
    if PROFILE == "quick":
        return
    report = str(tmp_path / "report.html")
    for command in (["demo", "--quick"], ["bench", "--quick"], ["report", "--quick", "-o", report]):
        done = python(copy, "-m", "skywasm", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    done = python(copy, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", str(tmp_path / "html"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "count_words" in (tmp_path / "html" / "api.html").read_text(encoding="utf-8")
