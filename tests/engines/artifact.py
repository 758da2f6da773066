"""Stand-ins for the artifact, written as WebAssembly text: right where nothing else is said."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_UNIFORM = "(param $a i64) (param i64 i64 i64 i64 i64 i64 i64) (result i64)"
_CELLS = 4096
# The windows for input and output, in pages of their own, and the cells.
_REGIONS = f"""(if (result i64) (i64.eq (local.get $a) (i64.const 2)) (then (i64.const {_CELLS}))
  (else (i64.mul (i64.add (local.get $a) (i64.const 1)) (i64.const 65536))))"""


def ask(request: int, *arguments: int) -> str:
    """The body of a function that asks; what is answered is its result."""
    values = enumerate((request, 0, *arguments), start=1)
    stores = (f"(i64.store (i32.const {_CELLS + 8 * cell}) (i64.const {value}))" for cell, value in values)
    return "\n".join([*stores, "(i64.const -101)"])


def text(*, functions: Mapping[str, str], extra: str = "", record: str = "") -> str:
    """An artifact with these functions besides what the convention asks for; ``extra`` stands at the top."""
    bodies = {
        "skywasm.buffers": _REGIONS,
        "skywasm.reserve": "(i64.const -2)",
        "skywasm.resume": f"(i64.load (i32.const {_CELLS + 16}))",
        **functions,
    }
    exports = "\n".join(f'(func (export "{name}") {_UNIFORM} {body})' for name, body in bodies.items())
    lines = record.replace("\n", "\\n")
    return f'(module {extra} (@custom "skywasm.interface" "{lines}") (memory (export "memory") 4) {exports})'
