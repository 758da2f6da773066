"""docs/ADDING.md: who does what the page says has a new function, in every backend."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys

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
from skywasm import _registry
for mode in {modes!r}:
    with skywasm.use_backend(mode):
        assert skywasm.count_words("two words") == 2
        assert skywasm.count_words(" \\u2713  three four") == 3
assert skywasm.count_words.__module__ == "skywasm.api"
assert "count_words" in skywasm.__all__
"""


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
    texts = [block.text for block in blocks(PAGE)]
    assert len(names) == len(texts) == 6
    return list(zip(names, texts))


def apply(folder: pathlib.Path) -> None:
    """Does what the page says."""
    for name, text in steps():
        path = folder / name
        old = path.read_text() if path.exists() else ""
        if name.endswith("exports.rs"):
            table = re.search(r"^exports! \{\n.*?^\}$", old, re.DOTALL | re.MULTILINE)
            assert table is not None
            path.write_text(f"{old[: table.end() - 1]}\n{text}{old[table.end() - 1 :]}")
        elif name.endswith(".py"):
            # The name in __all__, as the page says in words.
            path.write_text(re.sub(r"^__all__ = \[", '__all__ = ["count_words", ', old, flags=re.MULTILINE) + text)
        else:
            path.write_text(old + text)


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the project with the new function in it, the artifact not yet built."""
    ignored = shutil.ignore_patterns("__pycache__", "target", ".build")
    for name in ("skywasm", "host_shims", "wasm-core", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    apply(tmp_path)
    return tmp_path


def python(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter with the copy's packages."""
    variables = environment({"PYTHONPATH": str(folder), "SKYWASM_CACHE": "0", "PYTHONDONTWRITEBYTECODE": "1"})
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_the_python_side(copy: pathlib.Path) -> None:
    """Before the artifact is built, Python answers, and the page's JSON is a vector file."""
    done = python(copy, "-c", ASK.format(modes=("python",)))
    assert (done.returncode, done.stderr) == (0, "")
    vectors = json.loads((copy / "tests" / "vectors" / "count_words.json").read_text())
    assert vectors["function"] == "count_words"


def test_a_forgotten_build_is_found(copy: pathlib.Path) -> None:
    """Without `make wasm` the tests say that the artifact lacks the export."""
    pytest.importorskip("wasmtime")
    done = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_registry.py")
    assert done.returncode == 1
    assert "sky_count_words" in done.stdout


@pytest.mark.skipif(PROFILE == "quick", reason="builds the artifact, which takes minutes: make nightly")
def test_the_whole_page(copy: pathlib.Path) -> None:
    """After `make wasm` every backend answers, and contract and conformance tests are content."""
    if not toolchain_is_there():
        pytest.skip("there is no Rust toolchain for the artifact")
    built = python(copy, "wasm-core/build.py")
    assert built.returncode == 0, built.stderr
    done = python(copy, "-c", ASK.format(modes=("auto", "wasm", "python")))
    assert (done.returncode, done.stderr) == (0, "")
    tests = ("tests/contract/test_registry.py", "tests/contract/test_signatures.py", "tests/conformance")
    # Its rows of the registry are all the tests need to know of it.
    done = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "count_words or registry")
    assert done.returncode == 0, done.stdout
