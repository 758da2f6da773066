"""Stand-ins for the artifact, written as WebAssembly text: right where nothing else is said, hostile elsewhere.

A stand-in has the real record, so that it offers and asks for what the artifact does. It answers the examples that an
artifact is asked when it is loaded, by the lengths of texts and the values of numbers, and one question more; all else
traps.
"""

from __future__ import annotations

import hashlib
import os
import struct
from unittest import mock

from skywasm.crossing import convention as c
from skywasm.crossing import interface
from skywasm.crossing.module import Module
from skywasm.functions import BY_NAME, ROWS
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping
    from typing import Any

PAGE = 65536
CELLS_AT = 1024
ANSWERS_AT = 4096
OUTPUT_AT = PAGE
INPUT_AT = 2 * PAGE
LARGE_AT = 3 * PAGE
PAGES = 4
PLACES = (INPUT_AT, OUTPUT_AT, CELLS_AT)
"""Of the three regions of the convention, by their numbers."""
# A question that no example is, and its answer.
QUESTION = "f" * 16
ANSWER = b"3w5e11264sgsf"
NAMES = ("a", "b", "c", "d", "e", "f", "g", "at")
_UNIFORM = " ".join(f"(param ${name} i64)" for name in NAMES) + " (result i64)"
RECORD: str = interface.read_binary(core.package_data(core.ARTIFACT)).record or ""
INTERFACE = interface.Interface(core.package_data(core.ARTIFACT), core.ARTIFACT)
REQUESTS = {one.name: one.number for one in INTERFACE.requests.values()}


def packed(pointer: int, length: int) -> str:
    """The expression of a result that names ``length`` bytes at ``pointer``, as the artifact packs it."""
    value = pointer << 32 | length
    return f"(i64.const {value if value < 2**63 else value - 2**64})"


def cell(number: int, value: str) -> str:
    """The instruction that puts a value into a cell."""
    return f"(i64.store (i32.const {CELLS_AT + 8 * number}) {value})"


def asking(request: str, *arguments: int) -> str:
    """The body of a function that asks for a request by its name."""
    steps = [cell(c.CELL_REQUEST, f"(i64.const {REQUESTS[request]})")]
    steps += [cell(c.CELL_ARGUMENTS + at, f"(i64.const {value})") for at, value in enumerate(arguments)]
    return " ".join(steps) + f" (i64.const {c.ASK})"


def function(name: str, body: str) -> str:
    """An export of the uniform type, whose parameters are $a to $g and $at."""
    return f'(func (export "{name}") {_UNIFORM} {body})'


class _Known:
    """The answers that a stand-in knows: their texts in memory, and the expressions that tell them."""

    def __init__(self) -> None:
        self.data = b""
        self.bodies: dict[str, str] = {}

    def add(self, name: str, arguments: Any, answer: Any) -> None:
        one = INTERFACE.functions[name]
        conditions = [
            f"(i64.eq (local.get ${slot}) (i64.const {_in_slot(kind, value)}))"
            for slot, (_, kind), value in zip(NAMES, one.parameters, arguments)
        ]
        if one.result in interface.DATA:
            text = answer if isinstance(answer, bytes) else answer.encode()
            body = packed(ANSWERS_AT + len(self.data), len(text))
            self.data += text
        else:
            number = f"(i64.const {_in_slot(one.result, answer)})"
            body = f"{cell(c.CELL_RESULT, number)} (i64.const 0)" if one.result in ("int", "float") else number
        whole = conditions[0] if len(conditions) == 1 else self._all(conditions)
        self.bodies[name] = self.bodies.get(name, "") + f"(if {whole} (then (return {body})))\n"

    @staticmethod
    def _all(conditions: list[str]) -> str:
        whole = conditions[0]
        for one in conditions[1:]:
            whole = f"(i32.and {whole} {one})"
        return whole


def _in_slot(kind: str, value: Any) -> int:
    if kind in interface.DATA:
        return len(value.encode("utf-8", "surrogatepass"))
    if kind == "float":
        return int(struct.unpack("<q", struct.pack("<d", value))[0])
    return int(value)


def _known() -> _Known:
    known = _Known()
    for row in ROWS:
        if row.crossing is None and not row.asks:
            for example in row.examples.values():
                if not callable(example):
                    missing = row.reference.__code__.co_argcount - len(example)
                    defaults = (row.reference.__defaults__ or ())[-missing:] if missing else ()
                    known.add(row.name, (*example, *defaults), row.reference(*example))
    known.add("base36_encode", (QUESTION,), BY_NAME["base36_encode"].reference(QUESTION))
    return known


def text(
    functions: Mapping[str, str] | None = None,
    *,
    start: str = "",
    extra: str = "",
    pages: int = PAGES,
    knows: bool = True,
    record: str = RECORD,
) -> str:
    """An artifact that passes every check at load.

    ``functions`` gives exports a body of their own; one of the record without any traps. ``start`` is the body
    of ``_initialize``; ``extra`` stands at the top of the module, where imports must stand. ``knows`` says whether
    it answers what it is asked when it is loaded. ``record`` is what it says of itself.
    """
    bodies = dict.fromkeys(INTERFACE.functions, "unreachable")
    bodies.update({name + "[]": "unreachable" for name, one in INTERFACE.functions.items() if one.batch})
    bodies[c.BUFFERS] = (
        f"(if (i64.eqz (local.get $a)) (then (return (i64.const {INPUT_AT}))))"
        f"(if (i64.eq (local.get $a) (i64.const 1)) (then (return (i64.const {OUTPUT_AT}))))"
        f"(i64.const {CELLS_AT})"
    )
    bodies[c.RESERVE] = f"""(local $more i64)
      (local.set $more (i64.sub (i64.add (local.get $a) (i64.const {LARGE_AT + PAGE - 1}))
        (i64.mul (i64.extend_i32_u (memory.size)) (i64.const {PAGE}))))
      (if (i64.gt_s (local.get $more) (i64.const {PAGE - 1})) (then
        (if (i32.eq (memory.grow (i32.wrap_i64 (i64.div_s (local.get $more) (i64.const {PAGE})))) (i32.const -1))
          (then (return (i64.const {c.E_LIMIT}))))))
      (i64.const {LARGE_AT})"""
    bodies[c.RESUME] = f"(i64.const {c.E_PROTOCOL})"
    for row in ROWS:
        if row.crossing is None and row.asks:
            # Asked when it is loaded, where any answer will do.
            kind = INTERFACE.functions[row.name].result
            result = packed(ANSWERS_AT, 0) if kind in interface.DATA else f"(i64.const {int(kind in ('bool', 'size'))})"
            bodies[row.name] = result
    bodies.update(functions or {})
    known = _known()
    if knows:
        for name, body in known.bodies.items():
            bodies[name] = body + bodies[name]
    exports = "\n".join(function(name, body) for name, body in bodies.items())
    return f"""(module
      {extra}
      (memory (export "memory") {pages})
      (data (i32.const {ANSWERS_AT}) "{"".join(f"{chr(92)}{byte:02x}" for byte in known.data)}")
      (func (export "_initialize") {start})
      {exports}
      (@custom "{c.SECTION.decode()}" "{"".join(f"{chr(92)}{byte:02x}" for byte in record.encode())}"))"""


def compiled(wat: str) -> bytes:
    """The bytes of a module."""
    import wasmtime

    return bytes(wasmtime.wat2wasm(wat))


def install(folder: pathlib.Path, wat: str) -> None:
    """Puts an artifact in place of the one in a copy of the packages, with the digest that belongs to it."""
    content = compiled(wat)
    (folder / "skywasm" / core.ARTIFACT).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "skywasm" / core.PROVENANCE).write_text(f"artifact-sha256: {digest}\n")


def module(wat: str, **how: Any) -> Module:
    """A module of an artifact in this process, with the machine's host functions; ``how`` is as for ``Module``."""
    from skywasm.machine import HOST

    return Module(compiled(wat), "a stand-in", HOST, **how)


def small(body: str, signature: str = "f(num:int)->int", *, asks: str = "", host: Any = (), **how: Any) -> Module:
    """A module of one function of this body, loaded without a trace in the cache.

    ``signature`` is its line in the record and ``asks`` are the lines of what it may ask; ``how`` is as for ``text``.
    """
    bodies = {signature.partition("(")[0]: body, **how.pop("functions", {})}
    record = f"skywasm {c.VERSION}\nfn {signature}\n{asks}"
    made = Module(compiled(text(bodies, knows=False, record=record, **how)), "a small one", host)
    with mock.patch.dict(os.environ, SKYWASM_CACHE="0"):
        made.world()
    return made


def gives(value: str) -> str:
    """A body that answers with an expression, as functions of ints and floats do."""
    return f"{cell(c.CELL_RESULT, value)} (i64.const 0)"
