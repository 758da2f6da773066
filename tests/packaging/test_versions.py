"""What is written down in several places says the same."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import skywasm

ROOT = pathlib.Path(__file__).resolve().parents[2]


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


def test_no_path_of_the_building_machine() -> None:
    """The artifact names no home folder and no absolute path of where it was built."""
    content = (ROOT / "skywasm" / "core.wasm").read_bytes()
    assert not re.findall(rb"/(?:root|home|tmp|work|build|usr)/[ -~]{0,60}", content)
