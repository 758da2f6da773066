"""The numbers that Rust and Python must share, read from the Rust text and held against Python's."""

from __future__ import annotations

import ast
import operator
import pathlib
import re

import pytest

from skywasm.crossing import convention
from skywasm.functions import hashing, machine, mounts, processes

CRATE = pathlib.Path(__file__).parents[2] / "wasm-core"
SOURCES = CRATE / "src"
WIRE = CRATE / "guest" / "src" / "wire.rs"
pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason="the Rust sources are not here")

# Vector instructions, the states of hashes, and what makes exports of functions and memory of addresses.
UNSAFE = (
    *("src/algorithms/simd.rs", "src/functions/hashing.rs"),
    *("guest/src/calls.rs", "guest/src/tasks.rs", "guest/src/memory/allocator.rs", "guest/src/memory/wasm.rs"),
    *("guest/src/macros/export.rs", "guest/src/macros/exported.rs", "guest/src/macros/module.rs"),
)
_OPERATORS = {ast.Mult: operator.mul, ast.LShift: operator.lshift, ast.Sub: operator.sub, ast.Add: operator.add}


def source(name: str) -> str:
    return (CRATE / name).read_text(encoding="utf-8")


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
    found = re.findall(r"^(?:pub(?:\(\w+\))? )?const (\w+): [iu]\w+ = ([^;]+);", source(name), re.MULTILINE)
    return {constant: value(expression) for constant, expression in found}


def snake(name: str) -> str:
    """``TooLong`` as Python's constants spell it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


# Names in Rust, and the same number's in Python, where that is another name.
NAMES = {
    "ANSWER_SLOT": "SLOT_ANSWER",
    "INPUT_SLOT": "SLOT_INPUT",
    "INPUT_WINDOW": "WINDOW",
    "OUTPUT_WINDOW": "OUTPUT",
    "CELL_VALUE": "CELL_RESULT",
    "CELL_ITEMS": "CELL_COUNT",
    **{f"FORM_{name}": name for name in ("JOINED", "OFFSETS32", "OFFSETS64", "FIXED8", "NULLS", "OFFSETS_OUT")},
    "FORM_SEPARATOR_SHIFT": "SEPARATOR_SHIFT",
    "FORM_COUNT_SHIFT": "COUNT_SHIFT",
}
# What Python does not need to know: bounds and places that only the guest looks at, or that its code has in its form.
ONLY_RUST = {"LARGE_LIMIT", "ARGUMENTS", "FORM_LAYOUT", "LENGTH_SLOT", "FORM_SLOT", "REST_SLOT"}
ONLY_PYTHON = {"VERSION", "E_INPUT", "E_LIMIT", "E_PROTOCOL", "TEXT_LIMIT", "MEMORY_LIMIT", "KEEP_LIMIT", "I64_MAX"}


def python_numbers() -> dict[str, int]:
    return {name: value for name, value in vars(convention).items() if name.isupper() and isinstance(value, int)}


def test_the_convention_is_the_same_on_both_sides() -> None:
    """Every number of ``wire.rs`` is Python's under its name, and every one of Python's is there."""
    rust = constants(WIRE.relative_to(CRATE).as_posix())
    assert set(rust) >= ONLY_RUST
    shared = {NAMES.get(name, name): number for name, number in rust.items() if name not in ONLY_RUST}
    assert shared == {name: number for name, number in python_numbers().items() if name not in ONLY_PYTHON}


def test_the_record_begins_with_the_version() -> None:
    """The line that the guest's record begins with is the one that the host looks for, in the section of its name."""
    said = re.search(r'^pub const VERSION: &str = "(.*)\\n";', WIRE.read_text(encoding="utf-8"), re.MULTILINE)
    assert said is not None
    assert said[1] == f"skywasm {convention.VERSION}"
    assert f'link_section = "{convention.SECTION.decode()}"' in source("guest/src/macros/module.rs")


@pytest.mark.parametrize("name", [convention.BUFFERS, convention.RESERVE, convention.RESUME])
def test_exports_of_the_convention_have_one_name(name: str) -> None:
    """The guest exports what the host calls."""
    assert f'"{name}"' in "".join(path.read_text(encoding="utf-8") for path in CRATE.glob("guest/src/**/*.rs"))


def test_error_codes() -> None:
    """Every variant of Error crosses as the number that Python knows under the same name, and there is no other."""
    found = re.findall(r"Error::(\w+) => (-\d+),", source("guest/src/error.rs"))
    rust = {"E_" + snake(name): value(code) for name, code in found}
    assert rust == {name: code for name, code in vars(convention).items() if name.startswith("E_")}
    assert len(rust) == 3


def test_statuses_cannot_be_taken_for_each_other() -> None:
    """Error codes, AGAIN and ASK are negative and distinct; results of bytes are neither, nor pointers and lengths."""
    codes = [code for name, code in vars(convention).items() if name.startswith("E_")]
    codes += [convention.AGAIN, convention.ASK]
    assert max(codes) < 0
    assert len(set(codes)) == len(codes)
    assert convention.MEMORY_LIMIT < convention.IN_WINDOW
    assert convention.IN_WINDOW + convention.OUTPUT < 2**32


def test_cells_do_not_overlap() -> None:
    """Each cell has one meaning, a request's arguments take the ones between theirs and the batch's, and all fit."""
    cells = {name: number for name, number in python_numbers().items() if name.startswith("CELL_")}
    assert len(set(cells.values())) == len(cells)
    assert max(cells.values()) < convention.CELLS
    arguments = constants("guest/src/wire.rs")["ARGUMENTS"]
    assert convention.CELL_ARGUMENTS + arguments == convention.CELL_OFFSETS
    others = set(cells.values()) - {convention.CELL_ARGUMENTS}
    assert not others & set(range(convention.CELL_ARGUMENTS, convention.CELL_OFFSETS))


def test_forms_do_not_overlap() -> None:
    """Layout, flags, separator and count have bits of their own."""
    rust = constants("guest/src/wire.rs")
    layouts = (convention.JOINED, convention.OFFSETS32, convention.OFFSETS64, convention.FIXED8)
    assert sorted(layouts) == list(range(4))
    assert rust["FORM_LAYOUT"] == max(layouts)
    assert rust["FORM_LAYOUT"] & convention.NULLS == 0
    assert (rust["FORM_LAYOUT"] | convention.NULLS) & convention.OFFSETS_OUT == 0
    assert convention.NULLS | convention.OFFSETS_OUT | rust["FORM_LAYOUT"] < 1 << convention.SEPARATOR_SHIFT
    assert convention.COUNT_SHIFT - convention.SEPARATOR_SHIFT == 8
    assert [rust["LENGTH_SLOT"], rust["FORM_SLOT"], rust["REST_SLOT"]] == [0, 1, 2]


def test_every_kind_of_rusts_is_known() -> None:
    """Each kind of parameter that a type of Rust's has is one that Python reads in a record."""
    pytest.importorskip("wasmtime")
    import artifacts

    kinds = re.findall(r'^    [^=\n]+ = "(\w+)", frame', source("guest/src/kinds.rs"), re.MULTILINE)
    assert {"text", "str", "bytes", "int", "float", "bool", "size", "buffer"} == set(kinds)
    for kind in kinds:
        module = artifacts.small(artifacts.gives("(i64.const 0)"), f"f(it:{kind})->int")
        assert module.interface.functions["f"].parameters == [("it", kind)]


def test_facts() -> None:
    """Every fact has the same number on both sides, and each but meminfo names a cgroup file."""
    body = re.search(r"enum Fact \{(.*?)\n\}", source("src/host.rs"), re.DOTALL)
    assert body is not None
    rust = {
        "FACT" + name.upper(): int(number) for name, number in re.findall(r"^    (\w+) = (\d+),", body[1], re.MULTILINE)
    }
    python = {name.replace("_", ""): number for name, number in vars(machine).items() if name.startswith("FACT_")}
    assert rust == python
    assert set(machine.CGROUP_FILES) == set(python.values()) - {machine.FACT_MEMINFO}


def test_hash_algorithms() -> None:
    """Number and name of each algorithm agree, and a free digest length is free on both sides."""
    table = re.findall(r"^    (\w+) = (\d+), [\w:]+, (\w+);", source("src/algorithms/hashing.rs"), re.MULTILINE)
    rust = {int(number): (name.lower().replace("_", ""), kind == "xof") for name, number, kind in table}
    python = {a.number: (a.name.replace("_", ""), a.digest_size == 0) for a in hashing.ALGORITHMS}
    assert rust == python
    assert len(rust) == 17


def test_sizes_fit_one_another() -> None:
    """A text at the limit fits the large input, and twice that fits the memory with room for the work in between."""
    limit = constants("guest/src/wire.rs")["LARGE_LIMIT"]
    assert convention.WINDOW <= convention.TEXT_LIMIT <= limit
    assert 2 * limit < convention.MEMORY_LIMIT
    assert convention.KEEP_LIMIT < convention.MEMORY_LIMIT
    assert constants("src/algorithms/hashing.rs")["XOF_LIMIT"] <= limit


def test_rules_over_the_system() -> None:
    """Rust and the bodies in Python hold the same limits for pids, ports and descriptors."""
    rust = {**constants("src/functions/processes.rs"), **constants("src/functions/files.rs")}
    python = {
        name.lstrip("_"): number for module in (machine, mounts, processes) for name, number in vars(module).items()
    }
    for name in ("LAST_PID", "EPERM", "PORT_END", "RESERVED_FDS", "FDS_PER_ENTRY"):
        assert rust[name] == python[name], name


def _code(text: str) -> str:
    """Rust without comments and string literals, as far as looking for a keyword needs it."""
    return re.sub(r'//[^\n]*|"(?:[^"\\]|\\.)*"', "", text)


def _files() -> dict[str, str]:
    found = [*SOURCES.rglob("*.rs"), *(CRATE / "guest" / "src").rglob("*.rs")]
    return {path.relative_to(CRATE).as_posix(): path.read_text(encoding="utf-8") for path in found}


# The attribute that gives an export its name is unsafe too; the macro for exports alone has it.
_BLOCK = re.compile(r"\bunsafe (?:\{|fn\b|impl\b)|#\[unsafe\(")


def test_unsafe_is_where_it_is_allowed() -> None:
    """Only the files above have unsafe code, both crates deny it elsewhere, and every algorithm forbids it."""
    files = _files()
    assert {name for name, text in files.items() if _BLOCK.search(_code(text))} == set(UNSAFE)
    for manifest in ("Cargo.toml", "guest/Cargo.toml"):
        assert re.search(r'^unsafe_code = "deny"$', source(manifest), re.MULTILINE)
        assert re.search(r'^unsafe_op_in_unsafe_fn = "deny"$', source(manifest), re.MULTILINE)
    for name, text in files.items():
        assert ("allow(unsafe_code)" in text) is (name in UNSAFE), name
        if name.startswith("src/algorithms/") and name not in (*UNSAFE, "src/algorithms/mod.rs"):
            assert "#![forbid(unsafe_code)]" in text, name


@pytest.mark.parametrize("name", UNSAFE)
def test_everything_unsafe_says_why_it_is_sound(name: str) -> None:
    """Each unsafe block has a SAFETY comment directly above it, and each unsafe function says what it asks for."""
    lines = source(name).splitlines()
    found = [(at, line) for at, line in enumerate(lines) if _BLOCK.search(_code(line))]
    assert found
    for at, line in found:
        if "#[unsafe(" in line:
            # The name of an export, and the section of the record: the only two of their kind.
            continue
        wanted = "SAFETY:" if re.search(r"\bunsafe (?:\{|impl\b)", line) else "# Safety"
        above = at
        while (
            above >= 0
            and (above == at or lines[above].lstrip().startswith(("//", "#[")))
            and wanted not in lines[above]
        ):
            above -= 1
        # What a trait declares unsafe asks for what the trait says.
        in_trait = wanted == "# Safety" and line.startswith("    ") and not line.lstrip().startswith("pub")
        assert in_trait or wanted in lines[above], f"{name} line {at + 1}"
