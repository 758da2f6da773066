"""The bill of materials in the wheel: what is linked into the artifact, and what has to be installed beside it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE_PYTHON = ROOT / ".venv" / "release" / "bin" / "python"
REQUIREMENTS = ["wasmtime>=50.0.1; python_version >= '3.9'", "psutil>=5.9"]
EXTRAS = {"report": ["jinja2>=3.1"], "all": ["skywasm[report]"], "again": ["psutil"]}


def _sbom() -> Any:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "wasm-core" / "sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sbom = _sbom()


def _document() -> dict[str, Any]:
    document: dict[str, Any] = sbom.document("skywasm", skywasm.__version__, REQUIREMENTS, EXTRAS)
    return document


def test_every_linked_crate_is_named() -> None:
    """The crates are those of crates.txt, each with its version, its licence and the SHA-256 that Cargo.lock has."""
    core = _document()["components"][0]
    assert core["name"] == "skywasm/core.wasm"
    crates = [one for one in core["components"] if one["purl"].startswith("pkg:cargo/")]
    assert [(one["name"], one["version"]) for one in crates] == [row[:2] for row in sbom.linked()]
    assert {"blake3", "memchr", "md-5", "dlmalloc"} <= {one["name"] for one in crates}
    for one in crates:
        assert re.fullmatch(r"[0-9a-f]{64}", one["hashes"][0]["content"]), one
        assert one["licenses"][0]["expression"]


def test_what_the_compiler_adds_is_named() -> None:
    """The language's own library and the start object are in no lock file, and are named all the same."""
    names = {one["name"]: one for one in _document()["components"][0]["components"]}
    assert {"rust-library", "wasi-libc"} <= set(names)
    assert names["rust-library"]["version"] in sbom._build().read_provenance()["compiler"]


def test_the_artifact_has_its_digest() -> None:
    """The digest is that of the artifact in the package."""
    import hashlib

    content = (ROOT / "skywasm" / "core.wasm").read_bytes()
    core = _document()["components"][0]
    assert core["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def test_declared_dependencies_are_beside_it() -> None:
    """Required ones once, optional ones as such, and not the project itself."""
    beside = {one["name"]: one for one in _document()["components"][1:]}
    assert {name: one["scope"] for name, one in beside.items()} == {
        "wasmtime": "required",
        "psutil": "required",
        "jinja2": "optional",
    }
    assert beside["wasmtime"]["properties"] == [
        {"name": "skywasm:requires", "value": ">=50.0.1"},
        {"name": "skywasm:when", "value": "python_version >= '3.9'"},
    ]


def test_every_name_in_the_graph_is_a_component() -> None:
    """References lead to components, and no two components share one."""
    document = _document()
    core = document["components"][0]
    refs = [one["bom-ref"] for one in [document["metadata"]["component"], *document["components"], *core["components"]]]
    assert len(set(refs)) == len(refs)
    for edge in document["dependencies"]:
        assert {edge["ref"], *edge["dependsOn"]} <= set(refs)


def test_nothing_depends_on_the_moment() -> None:
    """Made twice, it is the same: no time, no random number."""
    assert _document() == _document()
    assert "timestamp" not in _document()["metadata"]


@pytest.mark.skipif(shutil.which("cargo") is None, reason="needs cargo, which knows what is linked")
def test_the_list_of_crates_is_cargos() -> None:
    """crates.txt is what cargo says is linked for the target: else `python wasm-core/sbom.py`."""
    command = [sys.executable, str(ROOT / "wasm-core" / "sbom.py"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if "cargo tree failed" in done.stderr and "download" in done.stderr:
        pytest.skip("the crates are neither here nor to be had")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not RELEASE_PYTHON.exists(), reason="cyclonedx-python-lib is not there; `make wheel` installs it")
def test_it_is_what_the_standard_says(tmp_path: pathlib.Path) -> None:
    """CycloneDX's own schema, in its strict form, finds nothing amiss in a wheel's document."""
    import json

    path = tmp_path / "bom.json"
    requirements = [line for line in importlib.metadata.requires("skywasm") or [] if "extra ==" not in line]
    path.write_text(json.dumps(sbom.document("skywasm", skywasm.__version__, requirements, EXTRAS)))
    code = (
        "import sys; from cyclonedx.schema import SchemaVersion; from cyclonedx.validation.json import *;"
        "sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))"
    )
    done = subprocess.run([str(RELEASE_PYTHON), "-c", code, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
