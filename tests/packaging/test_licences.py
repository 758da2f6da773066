"""What is linked into the artifact, what is installed beside it and what builds it: licences that allow it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFESTS = sorted([ROOT / "wasm-core" / "Cargo.toml", *ROOT.glob("tests/engines/runners/*/Cargo.toml")])
# Linked into what is shipped: they ask for no more text in the wheel than the LICENSE that is there.
SHIPPED = {"Apache-2.0", "Apache-2.0 WITH LLVM-exception", "CC0-1.0", "MIT-0", "Unlicense"}
# Needed beside it, or for tests: those that ask for a notice may be there too.
PERMISSIVE = SHIPPED | {
    *("0BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "PSF-2.0", "Unicode-3.0", "Zlib"),
}
# The names that metadata without an SPDX expression has.
NAMES = {
    "apache software license": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache-2.0 with llvm-exception": "Apache-2.0 WITH LLVM-exception",
    "bsd license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "mit license": "MIT",
    "mit": "MIT",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}


def allowed(expression: str, licences: set[str]) -> bool:
    """Whether an SPDX expression (without nested brackets) can be met by the licences."""
    flat = re.sub(r"\(([^()]*)\)", lambda inner: "yes" if allowed(inner[1], licences) else "no", expression)
    return any(
        all(one.strip() == "yes" or one.strip() in licences for one in choice.split(" AND "))
        for choice in flat.replace("/", " OR ").split(" OR ")
    )


def test_expressions_are_understood() -> None:
    """A choice needs one allowed licence, a sum needs all of them."""
    assert allowed("MIT OR GPL-3.0-only", {"MIT"})
    assert not allowed("MIT AND GPL-3.0-only", {"MIT"})
    assert allowed("(MIT OR GPL-3.0-only) AND Zlib", {"MIT", "Zlib"})
    assert not allowed("", {"MIT"})


def test_what_is_in_the_artifact() -> None:
    """Each linked crate can be had under a licence that asks for nothing but the LICENSE of the wheel."""
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "wasm-core" / "sbom.py")
    sbom = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sbom)
    rows = [*sbom.linked(), ("rust-library", "", sbom.RUST_LICENCE), ("wasi-libc", "", sbom.WASI_LICENCE)]
    assert {name: licence for name, _, licence in rows if not allowed(licence, SHIPPED)} == {}


@pytest.mark.skipif(shutil.which("cargo") is None, reason="needs cargo")
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_every_locked_crate(manifest: pathlib.Path) -> None:
    """Crates for tests, benchmarks and other engines are permissive too, and come from the registry by checksum."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", str(manifest)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode and re.search("download|offline|network", done.stderr):
        pytest.skip("the crates are neither here nor to be had")
    assert done.returncode == 0, done.stderr
    packages = [one for one in json.loads(done.stdout)["packages"] if one["source"] is not None]
    assert packages
    assert {one["name"]: one["license"] for one in packages if not allowed(one["license"] or "", PERMISSIVE)} == {}
    assert {one["name"] for one in packages if not one["source"].startswith("registry+")} == set()
    lock = manifest.with_name("Cargo.lock").read_text(encoding="utf-8")
    assert lock.count("\nsource = ") == lock.count("\nchecksum = ")


def _licence(name: str) -> str:
    """A package's licence as an SPDX expression, by its metadata."""
    metadata = importlib.metadata.metadata(name)
    if metadata.get("License-Expression"):
        return str(metadata["License-Expression"])
    classifiers = [
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier", []) if line.startswith("License ::")
    ]
    names = [*classifiers, metadata.get("License") or ""]
    return " OR ".join(NAMES.get(one.lower(), one) for one in names if one and "\n" not in one)


def _needed() -> set[str]:
    """Every package that skywasm with all its extras leads to, of those that are installed here."""
    ahead, seen = ["skywasm"], set()
    while ahead:
        name = ahead.pop()
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        seen.add(name)
        for requirement in requirements:
            wanted = re.match(r"[A-Za-z0-9._-]+", requirement)
            other = re.sub(r"[-_.]+", "-", wanted[0]).lower() if wanted else ""
            if other not in seen and (name == "skywasm" or "extra ==" not in requirement):
                ahead.append(other)
    return seen - {"skywasm"}


def test_what_is_installed_beside_it() -> None:
    """The Python packages that skywasm needs, and what they need, are permissive."""
    needed = _needed()
    assert {"psutil", "platformdirs", "rich"} <= needed
    refused = {name: _licence(name) for name in needed if not allowed(_licence(name), PERMISSIVE)}
    assert refused == {}
