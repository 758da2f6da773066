"""Sizes of files and functions: what is longer is split before it grows further."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

ROOT = pathlib.Path(skywasm.__file__).parent.parent
FILE_LINES, FUNCTION_LINES = 300, 40
TEST_FILE_LINES, TEST_FUNCTION_LINES = 500, 60
NESTING = 4
# Longer than others since before there was a limit: every shape of an import, with what becomes of it.
LONG_TESTS = {"tests/migrate/test_shapes.py": 600}
FILES = sorted([*ROOT.glob("skywasm/**/*.py"), *ROOT.glob("host_shims/**/*.py")])
# Not what the runners of engines are made of.
TESTS = sorted(path for path in ROOT.glob("tests/**/*.py") if ".build" not in path.parts)
RUST = sorted([*ROOT.glob("wasm-core/src/**/*.rs"), *ROOT.glob("wasm-core/guest/src/**/*.rs")])
RUST_TESTS = sorted([*ROOT.glob("wasm-core/tests/**/*.rs"), *ROOT.glob("wasm-core/guest/tests/**/*.rs")])
_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)


def shown(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: pathlib.Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def lines(function: Function) -> int:
    """Lines of a function less its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        total -= (text.end_lineno or 0) - text.lineno + 1
    return total


def depth(nodes: list[ast.stmt]) -> int:
    """How deep blocks are nested; ``elif`` stands beside its ``if``, and a function within starts anew."""
    deepest = 0
    for node in nodes:
        if not isinstance(node, _BLOCKS):
            continue
        inner = [depth(getattr(node, part)) for part in ("body", "finalbody") if getattr(node, part, None)]
        inner += [depth(handler.body) for handler in getattr(node, "handlers", [])]
        otherwise = getattr(node, "orelse", [])
        is_elif = isinstance(node, ast.If) and len(otherwise) == 1 and isinstance(otherwise[0], ast.If)
        inner.append(depth(otherwise) - 1 if is_elif else depth(otherwise))
        deepest = max(deepest, 1 + max(inner))
    return deepest


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_files_and_functions_are_small(path: pathlib.Path) -> None:
    """No file exceeds 300 lines, no function 40 without its docstring, and no nesting four levels."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    for function in functions(path):
        assert lines(function) <= FUNCTION_LINES, f"{function.name} has {lines(function)} lines"
        assert depth(function.body) <= NESTING, f"{function.name} is nested {depth(function.body)} deep"


@pytest.mark.parametrize("path", TESTS, ids=shown)
def test_tests_are_not_long(path: pathlib.Path) -> None:
    """No test file exceeds 500 lines, and no function in one 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONG_TESTS.get(shown(path), TEST_FILE_LINES)
    for function in functions(path):
        assert lines(function) <= TEST_FUNCTION_LINES, f"{function.name} has {lines(function)} lines"


def code_of(text: str) -> str:
    """Rust without its tests, with comments and literals emptied, line by line as it was."""
    text = re.sub(r'//[^\n]*|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'', lambda found: "\n" * found[0].count("\n"), text)
    at = text.find("#[cfg(test)]\nmod tests {")
    return text if at < 0 else text[:at]


def rust_functions(code: str) -> Iterator[tuple[str, int]]:
    """The functions of a text with their lines, from the name to the closing brace."""
    for found in re.finditer(r"\bfn (\w+)(?:\[[^\]]*\]|[^;{])*\{", code):
        level, at = 1, found.end()
        while level and at < len(code):
            level += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
        yield found[1], code.count("\n", found.start(), at) + 1


@pytest.mark.parametrize("path", RUST, ids=shown)
def test_rust_is_small(path: pathlib.Path) -> None:
    """As for Python: 300 lines a file and 40 a function, tests at a file's end apart."""
    code = code_of(path.read_text(encoding="utf-8"))
    assert len(code.splitlines()) <= FILE_LINES
    for name, count in rust_functions(code):
        assert count <= FUNCTION_LINES, f"{name} has {count} lines"


@pytest.mark.parametrize("path", RUST_TESTS, ids=shown)
def test_rust_tests_are_not_long(path: pathlib.Path) -> None:
    """As for Python's."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= TEST_FILE_LINES
    for name, count in rust_functions(code_of(text)):
        assert count <= TEST_FUNCTION_LINES, f"{name} has {count} lines"


def test_depth_counts_blocks() -> None:
    """The measure itself: an elif is no level, an else is none, a loop in a with is."""
    tree = ast.parse("if a:\n x\nelif b:\n x\nelse:\n x\nwith c:\n for d in e:\n  if f:\n   x\n")
    assert [depth([node]) for node in tree.body] == [1, 3]


def test_rust_functions_are_counted() -> None:
    """The measure itself: braces in comments and literals are none, and tests do not count."""
    text = "fn a() {\n // }\n \"}\";\n '{';\n if b { c }\n}\nfn d();\nfn e(x: &'a u8) -> u8\nwhere\n T: B,\n{ 1 }\n"
    text += "fn g(h: [u8; 4]) {\n}\n"
    text += "#[cfg(test)]\nmod tests {\n fn f() {}\n}\n"
    assert list(rust_functions(code_of(text))) == [("a", 6), ("e", 4), ("g", 2)]
