"""What is written down in several places says the same."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import skywasm

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_one_version() -> None:
    """The crate has the package's version."""
    manifest = (ROOT / "wasm-core" / "Cargo.toml").read_text()
    assert re.search(r'^version = "(.+)"$', manifest, re.MULTILINE)[1] == skywasm.__version__


def test_the_artifact_was_built_from_these_sources() -> None:
    """The digest of the sources in the provenance file is that of the sources in this checkout: else `make wasm`."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "wasm-core" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.read_provenance()["sources-sha256"] == build.sources_digest()


def test_the_oldest_are_tried() -> None:
    """What nox installs as the oldest are the lower bounds of the dependencies."""
    declared = re.findall(r'^    "(wasmtime|psutil|platformdirs|rich)>=([\d.]+)', _read("pyproject.toml"), re.MULTILINE)
    tried = dict(re.findall(r'"(\w+)==([\d.]+)"', _read("noxfile.py")))
    assert len(declared) == len(tried) == 4
    for name, bound in declared:
        assert re.fullmatch(re.escape(bound) + r"(\.0)*", tried[name]), name


def test_actions_are_pinned() -> None:
    """Every action of a workflow is named by a whole commit hash, with its version behind it."""
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_no_carriage_return_in_a_source() -> None:
    """The sources end their lines in one way, on which the digest of the sources depends."""
    for path in [*(ROOT / "wasm-core").glob("*.*"), *(ROOT / "wasm-core" / "src").rglob("*.rs")]:
        assert b"\r" not in path.read_bytes(), path
