"""A missing, damaged or foreign artifact: never run, named with both digests, and Python answers in ``auto``."""

from __future__ import annotations

import hashlib
import shutil

import artifacts
import pytest
from children import copy_packages, run

from skywasm.crossing import convention as c

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


IMPORTED = "(param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)"
GOOD = artifacts.text()


def recorded(change: Callable[[str], str]) -> str:
    """An artifact that says something else of itself than it is."""
    changed = change(artifacts.RECORD)
    assert changed != artifacts.RECORD
    return artifacts.text(record=changed)


def without(export: str) -> str:
    """An artifact that lacks an export."""
    assert f'(export "{export}")' in GOOD
    return GOOD.replace(f'(export "{export}")', f'(export "no {export}")')


def of_another_type(export: str) -> str:
    """An artifact in which an export takes 32 bits."""
    return without(export).replace(
        "(memory (export", f'(func (export "{export}") (param i32) (result i32) (local.get 0))\n(memory (export'
    )


FOREIGN: dict[str, tuple[str, str]] = {
    "newer convention": (recorded(lambda text: text.replace("skywasm 2", "skywasm 3")), "'skywasm 3'"),
    "older convention": (recorded(lambda text: text.replace("skywasm 2", "skywasm 1")), "'skywasm 1'"),
    "no record": (recorded(lambda text: ""), "there is none"),
    "a record of nonsense": (recorded(lambda text: text + "\nrun everything"), "run everything"),
    "a function of a newer kind": (recorded(lambda text: text.replace("s:text", "s:regex")), "regex"),
    "a function that is not there": (recorded(lambda text: text + "\nfn more()->int"), "more"),
    "a batch that is not there": (recorded(lambda text: text + "\nfn md5_more(a:int)->int batch"), "md5_more"),
    "a capability that nothing gives": (recorded(lambda text: text + "\nask 99 run(command:str)->int +all"), "run"),
    "a request under another capability": (
        recorded(lambda text: text.replace("cpu_online()->int +cpu", "cpu_online()->int +files")),
        "cpu_online of the capability 'files'",
    ),
    "WASI import": (
        artifacts.text(
            extra='(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'
        ),
        "wasi_snapshot_preview1.fd_write",
    ),
    "host function as an import": (
        artifacts.text(extra=f'(import "sky_host" "cpu_count" (func {IMPORTED}))'),
        "sky_host.cpu_count",
    ),
    "import that is no function": (artifacts.text(extra='(import "env" "counter" (global i64))'), "env.counter"),
    "imported memory": (
        GOOD.replace("(memory (export", '(import "env" "memory" (memory 1))\n(memory (export'),
        "env.memory",
    ),
    "export of another type": (of_another_type("base36_encode"), "base36_encode"),
    "batch of another type": (of_another_type("base36_encode[]"), "base36_encode[]"),
    "start of another type": (
        without("_initialize").replace("(memory (export", '(func (export "_initialize") (param i64))\n(memory (export'),
        "_initialize",
    ),
    "wrong answers": (artifacts.text({"base36_encode": artifacts.packed(1, 1)}, knows=False), "wrong answer"),
    "answers of nothing": (artifacts.text({"base36_encode": "(i64.const 7)"}, knows=False), "names no bytes"),
    "traps at start": (artifacts.text(start="unreachable"), "unreachable"),
    "traps when first asked": (artifacts.text({"is_process_alive": "unreachable"}), "unreachable"),
    "leaves what it is known to answer": (
        artifacts.text({"base36_encode": f"(i64.const {c.E_INPUT})"}, knows=False),
        "self-test",
    ),
    "asks for what there is not": (
        artifacts.text({"is_process_alive": f"{artifacts.cell(c.CELL_REQUEST, '(i64.const 99)')} (i64.const {c.ASK})"}),
        "request 99",
    ),
    "no regions": (artifacts.text({c.BUFFERS: f"(i64.const {c.E_PROTOCOL})"}), "beyond"),
    "regions beyond memory": (artifacts.text({c.BUFFERS: "(i64.const 4000000)"}), "beyond"),
    "regions at odd places": (artifacts.text({c.BUFFERS: "(i64.const 4097)"}), "not aligned"),
    "too much memory": (artifacts.text(pages=1025), "memory"),
    "no memory": (GOOD.replace('(memory (export "memory")', "(memory"), "memory"),
    "memory that is a function": (
        GOOD.replace('(memory (export "memory")', '(func (export "memory")) (memory'),
        "memory",
    ),
    **{f"no {export}": (without(export), export) for export in (c.BUFFERS, c.RESERVE, c.RESUME, "base36_encode")},
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
    assert found["info"]["abi"] == c.VERSION


def test_an_artifact_in_an_archive(package: Package, tmp_path: pathlib.Path) -> None:
    """The package works from a zip archive, where the artifact is no file of its own."""
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", package[0])
    for name in ("skywasm", "host_shims"):
        shutil.rmtree(package[0] / name)
    found = run(WASM, env={**package[1]["env"], "PYTHONPATH": archive}, cwd=package[1]["cwd"])
    assert found["messages"] == ["answered 73"] * 2
