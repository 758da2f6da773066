"""``skywasm info --road NAME``: where the calls of a function go in each mode, and the code that takes them there."""

from __future__ import annotations

from types import MethodType

from skywasm.cli import _output
from skywasm.cli._command import Failure
from skywasm.functions.declare import MIXED, PYTHON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.crossing.module import Module
    from skywasm.functions.declare import Row


def about(row: Row) -> dict[str, Any]:
    """The roads of a function.

    Raises:
        CoreUnavailableError: the artifact cannot be read, which the generated road is made from.
    """
    from skywasm.routes import core

    code = row.reference.__code__
    return {
        "function": row.name,
        "python": f"its body, line {code.co_firstlineno} of {code.co_filename}",
        "auto": _in_auto(row),
        "why": row.why,
        "wasm": _in_wasm(row),
        "asks": list(row.asks),
        "batch": row.batch is not None,
        "code": _code(row, core.core()),
    }


def _in_auto(row: Row) -> str:
    if row.auto == PYTHON:
        return "as in python"
    if row.auto == MIXED:
        loads = ", which load the engine" if row.loads else ""
        return f"as in wasm for some arguments{loads}; else as in python"
    said = "as in wasm, once the engine is loaded"
    if row.shorter:
        first = row.reference.__code__.co_varnames[0]
        said += f"; where {first} has fewer than {row.shorter} characters as in python"
    return said


def _in_wasm(row: Row) -> str:
    if row.crossing is None:
        less = ", less the test of the length" if row.shorter else ""
        return f"the code below, made from the artifact's record{less}"
    code = row.crossing.__code__
    return f"the code below, written by hand: line {code.co_firstlineno} of {code.co_filename}"


def _code(row: Row, module: Module) -> str:
    """The text of the road through the artifact, and of the batch's where that has one of its own."""
    if row.crossing is not None:
        import inspect

        return inspect.getsource(row.crossing)
    if row.exports[0] not in module.interface.functions:
        raise Failure(f"{module.name} has no function {row.exports[0]}: it was built before that was declared")
    from skywasm.crossing import list_roads, lists
    from skywasm.routes import bind

    text = _text_of(bind.crossing(row, forced=False))
    if row.batch is not None:
        many = lists.Many(module, row.exports[0], row.reference, lambda *_: [], True)
        batch = _text_of(list_roads.road(many, bind.defaults(row)))
        text += f"\n\n# the batch\n{batch}" if batch else ""
    return text


def _text_of(road: Any) -> str:
    """The text that a road was made from; empty for the general road, which is no generated one."""
    if isinstance(road, MethodType):
        return ""
    return str(road.__globals__["__loader__"].get_source(road.__name__)).rstrip() + "\n"


def show(about: dict[str, Any]) -> None:
    """Prints it. The code goes out as it is, so that it can be kept in a file."""
    import sys

    console = _output.console()
    _output.print_text(console, about["function"], "bold")
    rows = [
        ("python", about["python"]),
        ("auto", f"{about['auto']} ({about['why']})"),
        ("wasm", about["wasm"]),
        ("asks for", ", ".join(about["asks"]) or "nothing"),
    ]
    _output.print_columns(console, rows, indent=2)
    console.print()
    sys.stdout.flush()
    sys.stdout.write(about["code"])
