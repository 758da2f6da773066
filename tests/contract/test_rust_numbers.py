"""The numbers that Rust and Python must share, read from the Rust text and held against Python's."""

from __future__ import annotations

import ast
import operator
import pathlib
import re

import pytest

from skywasm import _abi, _hashes, reference

SOURCES = pathlib.Path(__file__).parents[2] / "wasm-core" / "src"
pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason="the Rust sources are not here")

UNSAFE = ("exports.rs", "simd.rs")
_OPERATORS = {ast.Mult: operator.mul, ast.LShift: operator.lshift, ast.Sub: operator.sub, ast.Add: operator.add}


def source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def value(expression: str) -> int:
    """A constant expression of Rust's as a number."""
    text = expression.replace("i64::MIN", "-(1 << 63)").replace("i32::MAX as i64", "(1 << 31) - 1")
    return _value(ast.parse(text, mode="eval").body)


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.Constant):
        return int(node.value)
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        return -_value(node.operand)
    assert isinstance(node, ast.BinOp)
    return int(_OPERATORS[type(node.op)](_value(node.left), _value(node.right)))


def constants(name: str) -> dict[str, int]:
    """Every integer constant of a Rust file."""
    found = re.findall(r"^(?:pub )?const (\w+): [iu]\w+ = ([^;]+);", source(name), re.MULTILINE)
    return {constant: value(expression) for constant, expression in found}


def snake(name: str) -> str:
    """``CutShort`` as Python's constants spell it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def test_calling_convention() -> None:
    """Version, NO_ANSWER, HOST_FAILED, AGAIN and the window are the same numbers on both sides."""
    rust = constants("abi.rs")
    for name in ("ABI_VERSION", "NO_ANSWER", "HOST_FAILED", "AGAIN", "WINDOW"):
        assert rust[name] == getattr(_abi, name), name


def test_error_codes() -> None:
    """Every variant of Error crosses as the number that Python knows under the same name, and there is no other."""
    rust = {
        "E_" + snake(name): value(code) for name, code in re.findall(r"Error::(\w+) => (-\d+),", source("error.rs"))
    }
    python = {name: code for name, code in vars(_abi).items() if name.startswith("E_")}
    assert rust == python
    assert len(rust) == 5


def test_statuses_cannot_be_taken_for_each_other() -> None:
    """Error codes, AGAIN, HOST_FAILED and NO_ANSWER are negative and distinct; error numbers fit above HOST_FAILED."""
    codes = [code for name, code in vars(_abi).items() if name.startswith("E_")]
    codes += [_abi.AGAIN, _abi.HOST_FAILED, _abi.NO_ANSWER]
    assert max(codes) < 0
    assert len(set(codes)) == len(codes)
    assert _abi.NO_ANSWER < _abi.HOST_FAILED < -4096


def test_facts() -> None:
    """Every fact has the same number on both sides, and each but meminfo names a cgroup file."""
    body = re.search(r"enum Fact \{(.*?)\n\}", source("host.rs"), re.DOTALL)
    assert body is not None
    rust = {
        "FACT" + name.upper(): int(number) for name, number in re.findall(r"^    (\w+) = (\d+),", body[1], re.MULTILINE)
    }
    python = {name.replace("_", ""): number for name, number in vars(_abi).items() if name.startswith("FACT_")}
    assert rust == python
    assert set(_abi.CGROUP_FILES) == set(python.values()) - {_abi.FACT_MEMINFO}


def test_hash_algorithms() -> None:
    """Number and name of each algorithm agree, and a free digest length is free on both sides."""
    table = re.findall(r"^    (\w+) = (\d+), [\w:]+, (\w+);", source("funcs/hashing.rs"), re.MULTILINE)
    rust = {int(number): (name.lower().replace("_", ""), kind == "xof") for name, number, kind in table}
    python = {a.number: (a.name.replace("_", ""), a.digest_size == 0) for a in _hashes.ALGORITHMS}
    assert rust == python
    assert len(rust) == 17


def test_sizes_fit_one_another() -> None:
    """A text at the limit fits a buffer, and both buffers fit the memory with room for the work in between."""
    rust = constants("abi.rs")
    assert rust["WINDOW"] <= _abi.TEXT_LIMIT <= rust["BUFFER_LIMIT"]
    assert 2 * rust["BUFFER_LIMIT"] < _abi.MEMORY_LIMIT
    assert rust["SLICE_BYTES"] <= 2**20


def test_rules_over_the_system() -> None:
    """Rust and the reference hold the same limits for pids, ports and descriptors."""
    rust = constants("funcs/system.rs")
    python = {name.lstrip("_"): number for name, number in vars(reference.system).items()}
    for name in ("LAST_PID", "EPERM", "PORT_END", "RESERVED_FDS", "FDS_PER_ENTRY"):
        assert rust[name] == python[name], name


def test_precision_limit() -> None:
    """The precision up to which a float crosses is one that Rust takes."""
    pytest.importorskip("wasmtime")
    from skywasm import _sandboxed

    assert constants("funcs/floats.rs")["PRECISION_LIMIT"] == _sandboxed.PRECISION_LIMIT


def _code(text: str) -> str:
    """Rust without comments and string literals, as far as looking for a keyword needs it."""
    return re.sub(r'//[^\n]*|"(?:[^"\\]|\\.)*"', "", text)


def test_unsafe_is_where_it_is_allowed() -> None:
    """Only the exports and the vector instructions have unsafe code, and every file of the logic forbids it."""
    files = {path.relative_to(SOURCES).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.rs")}
    assert {name for name, text in files.items() if re.search(r"\bunsafe\b", _code(text))} == set(UNSAFE)
    logic = {name for name in files if name.startswith("funcs/") and name != "funcs/mod.rs"}
    assert logic
    for name in logic:
        assert "#![forbid(unsafe_code)]" in files[name], name


@pytest.mark.parametrize("name", UNSAFE)
def test_every_unsafe_block_says_why_it_is_sound(name: str) -> None:
    """Each unsafe block has a SAFETY comment directly above it."""
    lines = source(name).splitlines()
    blocks = [at for at, line in enumerate(lines) if re.search(r"\bunsafe \{", _code(line))]
    assert blocks
    for at in blocks:
        above = at - 1
        while above >= 0 and lines[above].lstrip().startswith("//") and "SAFETY:" not in lines[above]:
            above -= 1
        assert "SAFETY:" in lines[above], f"{name} line {at + 1}"
