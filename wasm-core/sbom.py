#!/usr/bin/env python3
"""The bill of materials: which crates are linked into skywasm/core.wasm, and the CycloneDX document of a wheel.

    python wasm-core/sbom.py           ask cargo what is linked for the target, and write wasm-core/crates.txt
    python wasm-core/sbom.py --check   ask again and compare; fails when the file is out of date

crates.txt is committed, so that a wheel can be built without Rust. It names no digests: those are in Cargo.lock,
which the digest of the sources covers.
"""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import re
import subprocess
import sys
import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from typing import Any

CRATE = pathlib.Path(__file__).resolve().parent
CRATES = CRATE / "crates.txt"
NAME = "skywasm.cdx.json"
# Compiled into every artifact beside the crates, and in no lock file.
RUST_LICENCE = "MIT OR Apache-2.0"
WASI_LICENCE = "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"
# Name, versions and marker of a requirement.
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;]*?)\s*(?:;\s*(.+))?$")


def _build() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("_skywasm_build", CRATE / "build.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{CRATE / 'build.py'} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ask_cargo() -> str:
    """The text of crates.txt: `name version licence` of every crate that is linked for the target."""
    target = _build().TARGET
    command = ["cargo", "tree", "--locked", "--package", "skywasm-core", "--target", target]
    command += ["--edges", "normal,no-proc-macro", "--prefix", "none"]
    try:
        done = subprocess.run(
            [*command, "--no-dedupe", "--format", "{p}\t{l}"], cwd=CRATE, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        sys.exit("cargo is not on the path; it is what tells which crates are linked: install Rust")
    if done.returncode:
        sys.exit(f"cargo tree failed:\n{done.stderr.rstrip()}")
    lines = set()
    for line in done.stdout.splitlines():
        package, _, licence = line.partition("\t")
        name, version = package.split()[:2]
        if not name.startswith("skywasm-"):
            lines.add(f"{name} {version.lstrip('v')} {licence.replace('/', ' OR ')}\n")
    return "".join(sorted(lines))


def linked() -> list[tuple[str, str, str]]:
    """(name, version, licence expression) of the crates, by name."""
    rows = []
    for line in CRATES.read_text(encoding="utf-8").splitlines():
        name, version, licence = line.split(" ", 2)
        rows.append((name, version, licence))
    return rows


def locked() -> dict[tuple[str, str], str]:
    """Cargo.lock: (name, version) to SHA-256 of the crate file."""
    found = {}
    for block in (CRATE / "Cargo.lock").read_text(encoding="utf-8").split("[[package]]")[1:]:
        values = dict(re.findall(r'^(name|version|checksum) = "(.*)"$', block, re.MULTILINE))
        found[values["name"], values["version"]] = values.get("checksum", "")
    return found


def _crates() -> list[dict[str, Any]]:
    checksums = locked()
    components = []
    for name, version, licence in linked():
        checksum = checksums.get((name, version))
        if not checksum:
            raise RuntimeError(
                f"wasm-core/crates.txt names {name} {version}, which Cargo.lock does not have; "
                "run `python wasm-core/sbom.py`"
            )
        purl = f"pkg:cargo/{name}@{version}"
        components.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "scope": "required",
                "hashes": [{"alg": "SHA-256", "content": checksum}],
                "licenses": [{"expression": licence}],
                "purl": purl,
            }
        )
    return components


def _runtime(recorded: dict[str, str]) -> list[dict[str, Any]]:
    """What a compiler links by itself: the library of the language and the start object of a reactor."""
    words = recorded["compiler"].split()
    version = words[1] if len(words) > 1 else "unknown"
    library = {
        "type": "library",
        "bom-ref": f"pkg:generic/rust-library@{version}",
        "name": "rust-library",
        "version": version,
        "description": f"core, alloc and compiler_builtins of {recorded['compiler']}",
        "scope": "required",
        "licenses": [{"expression": RUST_LICENCE}],
        "purl": f"pkg:generic/rust-library@{version}",
    }
    start = {
        "type": "library",
        "bom-ref": "pkg:generic/wasi-libc",
        "name": "wasi-libc",
        "description": "the start object of a reactor, crt1-reactor.o, and no more of it",
        "scope": "required",
        "licenses": [{"expression": WASI_LICENCE}],
        "purl": "pkg:generic/wasi-libc",
    }
    return [library, start]


def _dependencies(requirements: list[str], scope: str) -> list[dict[str, Any]]:
    components = []
    for requirement in sorted(requirements):
        match = _REQUIREMENT.match(requirement)
        if match is None:
            raise RuntimeError(f"the dependency {requirement!r} in pyproject.toml cannot be read")
        name = re.sub(r"[-_.]+", "-", match[1]).lower()
        properties = [("skywasm:requires", match[2]), ("skywasm:when", match[3])]
        components.append(
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}",
                "name": name,
                "description": "declared, not contained",
                "scope": scope,
                "purl": f"pkg:pypi/{name}",
                "properties": [{"name": key, "value": value} for key, value in properties if value],
            }
        )
    return components


def document(
    name: str, version: str, requirements: list[str], extras: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """CycloneDX 1.6 for one wheel: the artifact with what is linked into it, and the declared dependencies.

    Nothing in it depends on the time or the machine, so that two builds are equal byte for byte.
    """
    recorded = _build().read_provenance()
    digest = recorded["artifact-sha256"]
    inside = sorted([*_crates(), *_runtime(recorded)], key=lambda component: str(component["bom-ref"]))
    required = _dependencies(requirements, "required")
    named = {component["bom-ref"] for component in required}
    # An extra may name the project itself, to gather others.
    optional = sorted({one for group in (extras or {}).values() for one in group if not one.startswith(name)})
    beside = required + [one for one in _dependencies(optional, "optional") if one["bom-ref"] not in named]
    package, artifact = f"pkg:pypi/{name}@{version}", f"skywasm-core@{digest[:16]}"
    core = {
        "type": "library",
        "bom-ref": artifact,
        "name": "skywasm/core.wasm",
        "version": version,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"expression": "Apache-2.0"}],
        "properties": [
            {"name": f"skywasm:{key}", "value": recorded[key]} for key in ("sources-sha256", "compiler", "target")
        ],
        "components": inside,
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, f"{package} {digest}").urn,
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": package,
                "name": name,
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": package,
            }
        },
        "components": [core, *beside],
        "dependencies": [
            {"ref": package, "dependsOn": sorted([artifact, *(str(one["bom-ref"]) for one in beside)])},
            {"ref": artifact, "dependsOn": [str(one["bom-ref"]) for one in inside]},
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare wasm-core/crates.txt and change nothing")
    arguments = parser.parse_args()
    text = ask_cargo()
    if not arguments.check:
        CRATES.write_bytes(text.encode())
        print(f"{CRATES.relative_to(CRATE.parent)}: {len(text.splitlines())} crates are linked into the artifact")
        return 0
    if CRATES.read_text(encoding="utf-8") != text:
        print("wasm-core/crates.txt is not what cargo says; run `python wasm-core/sbom.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
