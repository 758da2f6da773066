#!/usr/bin/env python3
"""Build skywasm/core.wasm from wasm-core, or verify that the committed one is what the sources give.

    python wasm-core/build.py            build, and write the artifact and its provenance
    python wasm-core/build.py --verify   build aside, compare byte for byte when the compiler is the recorded
                                         one, and run `skywasm check` on the new artifact either way
    python wasm-core/build.py --sources  print the digest of the sources

Two toolchains serve: Debian's (packages rustc-web cargo-web rust-web-src lld-22 wasi-libc), which builds the
standard library itself, and rustup's with `rustup target add wasm32-wasip1`. Debian's is taken when both are
there, or the one that SKYWASM_TOOLCHAIN=debian|rustup names.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CRATE = pathlib.Path(__file__).resolve().parent
ROOT = CRATE.parent
PACKAGE = ROOT / "skywasm"
ARTIFACT = PACKAGE / "core.wasm"
PROVENANCE = PACKAGE / "core.provenance"
TARGET = "wasm32-wasip1"
BUILT = pathlib.Path(TARGET) / "release" / "skywasm_core.wasm"
# A module needs little stack, and pages near each other cost a new instance less.
COMMON_FLAGS = ["-Ctarget-feature=+simd128", "-Clink-arg=-zstack-size=65536"]


def sources() -> list[pathlib.Path]:
    """Everything the artifact is made of."""
    named = [CRATE / "Cargo.toml", CRATE / "Cargo.lock", CRATE / "build.py", CRATE / "guest" / "Cargo.toml"]
    return named + sorted([*(CRATE / "src").rglob("*.rs"), *(CRATE / "guest" / "src").rglob("*.rs")])


def sources_digest() -> str:
    """SHA-256 over names and contents of the sources."""
    digest = hashlib.sha256()
    for path in sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(CRATE).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class Toolchain:
    """One way to build: its cargo, its environment, its flags."""

    def __init__(self, name: str, cargo: str, rustc: str, flags: list[str], arguments: list[str]) -> None:
        self.name = name
        self.cargo = cargo
        self.rustc = rustc
        self.flags = flags
        self.arguments = arguments

    def version(self) -> str:
        return subprocess.run([self.rustc, "--version"], check=True, capture_output=True, text=True).stdout.strip()

    def build(self, target_dir: pathlib.Path) -> pathlib.Path:
        environment = dict(os.environ, RUSTC=self.rustc)
        environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join([*self.flags, *self.remaps()])
        if self.name == "debian":
            # -Zbuild-std is for nightly compilers; this tells Debian's stable one to allow it.
            environment["RUSTC_BOOTSTRAP"] = "1"
        command = [self.cargo, "build", "--release", "--locked", "--package", "skywasm-core"]
        command += ["--target", TARGET, "--target-dir", str(target_dir)]
        subprocess.run([*command, *self.arguments], check=True, cwd=CRATE, env=environment)
        return target_dir / BUILT

    def remaps(self) -> list[str]:
        """No path of the building machine may end up in the artifact."""
        home = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
        root = subprocess.run([self.rustc, "--print", "sysroot"], check=True, capture_output=True, text=True)
        pairs = [(home, "cargo"), (str(CRATE), "wasm-core"), (root.stdout.strip(), "rust")]
        return [f"--remap-path-prefix={path}={name}" for path, name in pairs]


def debian() -> Toolchain | None:
    linkers = sorted(glob.glob("/usr/bin/wasm-ld-*"), key=lambda path: int(re.sub(r"\D", "", path) or 0))
    start = "/usr/lib/wasm32-wasi/crt1-reactor.o"
    library = "/usr/lib/rustlib/src/rust/library"
    if not all(map(os.path.exists, ("/usr/bin/cargo", "/usr/bin/rustc", start, library))) or not linkers:
        return None
    flags = [*COMMON_FLAGS, f"-Clinker={linkers[-1]}", "-L", "native=/usr/lib/wasm32-wasi", f"-Clink-arg={start}"]
    arguments = [
        "-Zbuild-std=core,alloc,panic_abort",
        # memcmp and its kind, which comparing texts needs.
        "-Zbuild-std-features=compiler-builtins-mem",
    ]
    return Toolchain("debian", "/usr/bin/cargo", "/usr/bin/rustc", flags, arguments)


def rustup() -> Toolchain | None:
    cargo, rustc = shutil.which("cargo"), shutil.which("rustc")
    if cargo is None or rustc is None:
        return None
    libraries = subprocess.run(
        [rustc, "--print", "target-libdir", "--target", TARGET], capture_output=True, text=True, check=False
    )
    if libraries.returncode or not os.path.isdir(libraries.stdout.strip()):
        return None
    return Toolchain("rustup", cargo, rustc, COMMON_FLAGS, [])


def toolchain() -> Toolchain:
    wanted = os.environ.get("SKYWASM_TOOLCHAIN", "")
    finders = {"debian": debian, "rustup": rustup}
    if wanted and wanted not in finders:
        sys.exit(f"SKYWASM_TOOLCHAIN is {wanted!r}; it must be debian or rustup")
    for name, find in finders.items():
        found = find() if wanted in ("", name) else None
        if found is not None:
            return found
    sys.exit(
        "No Rust toolchain can build for wasm32-wasip1. Either\n"
        "  apt-get install rustc-web cargo-web rust-web-src lld-22 wasi-libc     (Debian)\n"
        "or\n"
        "  rustup target add wasm32-wasip1"
    )


def provenance_text(tools: Toolchain, content: bytes) -> str:
    """The provenance file: one `name: value` a line."""
    values = {
        "artifact-sha256": hashlib.sha256(content).hexdigest(),
        # What the runtime compares: Python has BLAKE2 in itself, and loading OpenSSL takes longer than the rest.
        "artifact-blake2b": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "sources-sha256": sources_digest(),
        "compiler": tools.version(),
        "toolchain": tools.name,
        "target": TARGET,
        "flags": " ".join([*tools.flags, *tools.arguments]),
    }
    return "".join(f"{name}: {value}\n" for name, value in values.items())


def read_provenance() -> dict[str, str]:
    lines = PROVENANCE.read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def build() -> int:
    tools = toolchain()
    content = tools.build(CRATE / "target").read_bytes()
    ARTIFACT.write_bytes(content)
    PROVENANCE.write_text(provenance_text(tools, content))
    print(f"{ARTIFACT.relative_to(ROOT)}: {len(content)} bytes by {tools.version()} ({tools.name})")
    return 0


def check_elsewhere(tools: Toolchain, content: bytes, folder: pathlib.Path) -> int:
    """Runs `skywasm check` on a copy of the package that holds the artifact just built."""
    for package in ("skywasm", "host_shims"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "skywasm" / ARTIFACT.name).write_bytes(content)
    (folder / "skywasm" / PROVENANCE.name).write_text(provenance_text(tools, content))
    environment = dict(os.environ, SKYWASM_BACKEND="wasm", SKYWASM_CACHE="0", PYTHONPATH=str(folder))
    command = [sys.executable, "-m", "skywasm", "check"]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def verify() -> int:
    tools = toolchain()
    recorded = read_provenance()
    failures = []
    if recorded.get("sources-sha256") != sources_digest():
        failures.append("the sources are not the ones the artifact was built from; run `make wasm`")
    with tempfile.TemporaryDirectory() as scratch:
        content = tools.build(pathlib.Path(scratch) / "target").read_bytes()
        if tools.version() != recorded.get("compiler") or tools.name != recorded.get("toolchain"):
            print(f"built by {tools.version()}; recorded is {recorded.get('compiler')}: bytes cannot be compared")
        elif content != ARTIFACT.read_bytes():
            failures.append("the same compiler gives other bytes; run `make wasm`")
        else:
            print(f"byte for byte the same: {len(content)} bytes by {tools.version()}")
        if check_elsewhere(tools, content, pathlib.Path(scratch)):
            failures.append("the artifact just built fails `skywasm check`")
    for failure in failures:
        print(f"wasm-verify: {failure}", file=sys.stderr)
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--verify", action="store_true", help="compare the committed artifact with a fresh build")
    what.add_argument("--sources", action="store_true", help="print the digest of the sources")
    arguments = parser.parse_args()
    if arguments.sources:
        print(sources_digest())
        return 0
    return verify() if arguments.verify else build()


if __name__ == "__main__":
    sys.exit(main())
