"""Every ``except`` tells what it expects from what a signal handler raised in the middle of it."""

from __future__ import annotations

import ast
import builtins
import pathlib
import sys

import pytest

import host_shims
import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOTS = [pathlib.Path(package.__file__).parent for package in (skywasm, host_shims)]
# Programs of their own, which have the handlers that they set themselves.
PROGRAMS = ("bench", "cli", "migrate", "report", "run")
FILES = [
    file
    for root in ROOTS
    for file in sorted(root.rglob("*.py"))
    if not set(PROGRAMS) & set(file.relative_to(root).with_suffix("").parts)
]
if sys.version_info < (3, 9):
    pytest.skip("ast.unparse came with Python 3.9", allow_module_level=True)
# Where nothing is taken for an answer, and why.
RIGHT = {
    "workers.py": {"BaseException", "IndexError"},  # handed to the caller's thread; the end of a deque
    "clock.py": {"BaseException"},  # the thread that ticks, in which no handler runs
    "setup.py": {"BaseException"},  # handed to the thread that waits
    "_unsupported.py": {"ImportError"},  # systems whose only signal is Ctrl-C
    "cache.py": {"ImportError"},  # at the import of the module
    "loading.py": {"ImportError"},  # the same
}


def swallowing(path: pathlib.Path) -> Iterator[tuple[str, int]]:
    """The built-in exceptions, each with its line, that a file takes for an answer without a look at them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ExceptHandler) or node.type is None:
            continue
        last = node.body[-1]
        goes_on = isinstance(last, ast.Raise) and last.exc is None
        if goes_on or any("let_out" in ast.unparse(statement) for statement in node.body):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        for kind in kinds:
            name = ast.unparse(kind)
            if isinstance(getattr(builtins, name, None), type) and name not in RIGHT.get(path.name, ()):
                yield name, node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_exception_is_taken_for_an_answer(path: pathlib.Path) -> None:
    """A TimeoutError of the program's own is an OSError too: whoever catches one asks where it came from."""
    assert list(swallowing(path)) == []


def test_the_measure_itself(tmp_path: pathlib.Path) -> None:
    """A handler that answers is found; one that asks first, or raises again, is not."""
    file = tmp_path / "one.py"
    lines = ["try: a", "except OSError: b", "except ValueError as e: let_out(e)", "except KeyError:", " c", " raise"]
    file.write_text("\n".join(lines))
    assert list(swallowing(file)) == [("OSError", 2)]
    assert len(FILES) > 40
