"""Sizes of files and functions: what is longer is split before it grows further."""

from __future__ import annotations

import ast
import pathlib

import pytest

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

ROOT = pathlib.Path(skywasm.__file__).parent.parent
FILE_LINES = 400
FUNCTION_LINES = 50
NESTING = 4
FILES = sorted([*ROOT.glob("skywasm/**/*.py"), *ROOT.glob("host_shims/**/*.py")])
_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_small(path: pathlib.Path) -> None:
    """No file exceeds 400 lines, no function 50 without its docstring, and no nesting four levels."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    for function in functions(path):
        assert lines(function) <= FUNCTION_LINES, f"{function.name} has {lines(function)} lines"
        assert depth(function.body) <= NESTING, f"{function.name} is nested {depth(function.body)} deep"


def test_depth_counts_blocks() -> None:
    """The measure itself: an elif is no level, an else is none, a loop in a with is."""
    tree = ast.parse("if a:\n x\nelif b:\n x\nelse:\n x\nwith c:\n for d in e:\n  if f:\n   x\n")
    assert [depth([node]) for node in tree.body] == [1, 3]
