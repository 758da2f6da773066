"""A missing, damaged or foreign artifact: never run, named with both digests, and Python answers in ``auto``."""

from __future__ import annotations

import hashlib
import shutil

import artifacts
import pytest
from children import copy_packages, run

from skywasm import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import Any

    Package = tuple[pathlib.Path, dict[str, Any]]

pytest.importorskip("wasmtime")

AUTO = """
    import sys, skywasm
    assert skywasm.__file__.startswith(sys.argv[1])
    cold = skywasm.base36_encode("ff")
    skywasm.warm_up()
    answers = [skywasm.base36_encode("ff"), skywasm.format_float(0.25), skywasm.truncate_long_string("0123456789", 3)]
    skywasm.warm_up()
    report(answers=[cold, *answers], warnings=warnings, info=skywasm.get_backend_info(load=True))
"""
WASM = """
    import skywasm
    skywasm.set_backend("wasm")
    messages = []
    for _ in range(2):
        try:
            messages.append("answered " + skywasm.base36_encode("ff"))
        except Exception as error:
            messages.append(type(error).__name__ + ": " + str(error))
    report(messages=messages, info=skywasm.get_backend_info())
"""
RIGHT = ["73", "73", "0.2", "012..."]


@pytest.fixture
def package(tmp_path: pathlib.Path) -> Package:
    """A copy of the packages that may be damaged, and how to start a child that imports it."""
    return tmp_path, copy_packages(tmp_path)


def in_auto(package: Package, reason: str) -> None:
    """Holds ``auto`` to its promise: right answers and exactly one warning that tells the reason."""
    found = run(AUTO, args=[str(package[0])], **package[1])
    assert found["answers"] == RIGHT
    assert len(found["warnings"]) == 1, found["warnings"]
    assert reason in found["warnings"][0]
    assert found["info"]["backend"] == "python"
    assert reason in found["info"]["reason"]


def in_wasm(package: Package) -> str:
    """Holds ``wasm`` mode to its promise: CoreUnavailableError at every call. Gives the message."""
    found = run(WASM, **package[1])
    first, second = found["messages"]
    assert first == second
    assert first.startswith("CoreUnavailableError: "), first
    assert found["info"]["backend"] == "not loaded"
    return str(first)


def flipped(at: int) -> Callable[[bytes], bytes]:
    def damage(content: bytes) -> bytes:
        place = at % len(content)
        return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]

    return damage


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut to one byte": lambda content: content[:1],
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by one byte": lambda content: content[:-1],
    "one byte too many": lambda content: content + b"\0",
    "a byte flipped at the start": flipped(0),
    "a byte flipped in the code": flipped(20_000),
    "a byte flipped at the end": flipped(-1),
    "another module": lambda content: b"\0asm\1\0\0\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artifact(damage: str, package: Package) -> None:
    """Any change of the file is noticed before it runs; the message names the file and both digests."""
    path = package[0] / "skywasm" / "core.wasm"
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    in_auto(package, found)
    message = in_wasm(package)
    assert str(path) in message
    assert found in message
    assert hashlib.sha256(whole).hexdigest() in message


@pytest.mark.parametrize("name", ["core.wasm", "core.provenance"])
def test_a_missing_file(name: str, package: Package) -> None:
    """Without the artifact, or without the note of its digest, nothing runs; the message names the missing file."""
    path = package[0] / "skywasm" / name
    path.unlink()
    in_auto(package, str(path))
    assert str(path) in in_wasm(package)


@pytest.mark.parametrize("text", ["", "artifact-sha256:\n", "rustc: 1.0\n", "\0\xff\n", "artifact-sha256 3df06c\n"])
def test_a_damaged_provenance(text: str, package: Package) -> None:
    """A provenance file without the digest is as good as none."""
    (package[0] / "skywasm" / "core.provenance").write_bytes(text.encode("latin-1"))
    in_auto(package, "core.wasm")
    in_wasm(package)


def test_an_artifact_that_is_a_folder(package: Package) -> None:
    """What is no file at all is refused like a missing one."""
    path = package[0] / "skywasm" / "core.wasm"
    path.unlink()
    path.mkdir()
    in_auto(package, str(path))
    in_wasm(package)


SAY = "(i64.const 7)"
FOREIGN: dict[str, tuple[str, str]] = {
    "newer convention": (artifacts.text({"sky_abi_version": "(i64.const 2)"}), "version 2"),
    "older convention": (artifacts.text({"sky_abi_version": "(i64.const 0)"}), "version 0"),
    "WASI import": (
        artifacts.text(
            extra='(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'
        ),
        "wasi_snapshot_preview1.fd_write",
    ),
    "known name from another module": (
        artifacts.text(extra='(import "env" "cpu_count" (func (param i64 i64 i64 i64) (result i64)))'),
        "env.cpu_count",
    ),
    "unknown import": (
        artifacts.text(extra='(import "sky_host" "run" (func (param i64 i64 i64 i64) (result i64)))'),
        "sky_host.run",
    ),
    "import of another signature": (
        artifacts.text(extra='(import "sky_host" "cpu_count" (func (param i64) (result i64)))'),
        "cpu_count",
    ),
    "import that is no function": (
        artifacts.text(extra='(import "sky_host" "cpu_count" (global i64))'),
        "cpu_count",
    ),
    "export of another signature": (
        artifacts.text(extra='(func (export "sky_more") (param i32) (result i32) (local.get 0))'),
        "sky_more",
    ),
    "wrong answers": (artifacts.text({"sky_base36_encode": SAY}, knows=False), "wrong answers"),
    "wrong liveness": (artifacts.text({"sky_is_process_alive": "(i64.const 0)"}), "wrong answers"),
    "traps at start": (artifacts.text(start="unreachable"), "unreachable"),
    "traps when first asked": (artifacts.text({"sky_is_process_alive": "unreachable"}), "unreachable"),
    "no room for input": (artifacts.text({"sky_input": "(i64.const -2)"}), "input"),
    "input beyond memory": (artifacts.text({"sky_input": "(i64.const 4000000)"}), "beyond"),
    "too much memory": (artifacts.text(pages=1025), "memory"),
    "no memory": (artifacts.text().replace('(memory (export "memory") 2)', "(memory 2)"), "memory"),
    "no start": (artifacts.text().replace('(export "_initialize")', ""), "_initialize"),
    "no input": (artifacts.text().replace('(export "sky_input")', '(export "input")'), "sky_input"),
    "no function": (artifacts.text().replace('(export "sky_base36_encode")', '(export "base36")'), "sky_base36_encode"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_artifact(name: str, package: Package) -> None:
    """An artifact with the right digest that breaks the convention is refused when it is loaded, with the reason."""
    wat, reason = FOREIGN[name]
    artifacts.install(package[0], wat)
    in_auto(package, reason)
    assert reason in in_wasm(package)


def test_the_stand_in_is_accepted(package: Package) -> None:
    """Without a fault the stand-in passes every check at load, so each fault above is the one that was noticed."""
    artifacts.install(package[0], artifacts.text())
    found = run(AUTO, args=[str(package[0])], **package[1])
    assert found["info"]["backend"] == "wasm"
    assert found["info"]["core_sha256"] == hashlib.sha256((package[0] / "skywasm/core.wasm").read_bytes()).hexdigest()
    assert found["info"]["abi"] == _abi.ABI_VERSION


def test_an_artifact_in_an_archive(package: Package, tmp_path: pathlib.Path) -> None:
    """The package works from a zip archive, where the artifact is no file of its own."""
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", package[0])
    for name in ("skywasm", "host_shims"):
        shutil.rmtree(package[0] / name)
    found = run(WASM, env={**package[1]["env"], "PYTHONPATH": archive}, cwd=package[1]["cwd"])
    assert found["messages"] == ["answered 73"] * 2
