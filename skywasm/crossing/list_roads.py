"""The road for a list of texts that fits the window, made to measure like those of ``roads``."""

from __future__ import annotations

from skywasm.crossing import convention as c
from skywasm.crossing import instance as places
from skywasm.crossing import roads
from skywasm.crossing.engine.library import SLOT_WORDS
from skywasm.crossing.lists import SEPARATORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from skywasm.crossing.interface import Function
    from skywasm.crossing.lists import Many

OWN = roads.OWN | {"TypeError", "data", "give_up", "items", "list"}
"""As that of ``roads``, for lists."""


def road(many: Many, defaults: Mapping[str, Any]) -> Callable[..., list[Any]]:
    """The batch of a function: made to measure where items and results are text, else the general one."""
    function, module = many.function, many.module
    others = {kind for _, kind in function.parameters[1:]}
    names = (function.name, *(name for name, _ in function.parameters[1:]))
    if not (many.kind in ("text", "str") and function.result in ("text", "str")) or others - {"int", "size", "bool"}:
        return many.general
    if OWN.intersection(names):
        return many.general

    def give_up(seat: Any) -> None:
        """Puts a seat back after a call that is made again, unless the engine ended that call."""
        if seat[places.TRAP].value is None and seat[places.SLOTS][0] not in (c.ASK, c.AGAIN):
            module.give_back(seat)
        else:
            seat[places.INSTANCE].close()

    index = module.index(function.name + "[]")
    used = {"general": many.general, "give_up": give_up}
    made: Callable[..., list[Any]] = roads.compiled(
        module, function.name + "[]", source(function, index, defaults), defaults, used
    )
    return made


def source(function: Function, index: int, defaults: Any) -> str:
    """The text of the road for a list of texts that fits the window."""
    others = function.parameters[1:]
    head = ", ".join(["items", *(f"{name}=_default_{name}" if name in defaults else name for name, _ in others)])
    names = ", ".join(["items", *(name for name, _ in others)])
    tests = ["type(items) is list", *(f"type({name}) is int" for name, of in others if of in ("int", "size"))]
    lines = [
        f"def {function.name}({head}):",
        f"    if items and {' and '.join(tests)}:",
        "        try:",
        '            data = "\\n".join(items).encode()',
        "        except (TypeError, ValueError) as failed:",
        "            let_out(failed)",
        f"            return general({names})",
        f"        if len(data) <= {c.WINDOW}:",
        "            try:",
        "                seat = pop()",
        "            except IndexError as failed:",
        "                let_out(failed)",
        f"                return general({names})",
        *(f"            {line}" for line in _crossing(function, index)),
        f"    return general({names})",
    ]
    return "\n".join(lines) + "\n"


def _crossing(function: Function, index: int) -> list[str]:
    """The part of a road from the seat to the answers."""
    steps = ["slots[0] = len(data)", f"slots[{SLOT_WORDS}] = {c.JOINED | ord(SEPARATORS[0]) << c.SEPARATOR_SHIFT}"]
    for at, (name, of) in enumerate(function.parameters[1:], 2):
        steps.append(f"slots[{SLOT_WORDS * at}] = " + (f"1 if {name} else 0" if of == "bool" else name))
    return [
        "room, window, slots, doubles, cells, reals, enter, calls, trap, instance = seat",
        "answer = None",
        "try:",
        *(f"    {step}" for step in steps),
        "    room.value = data",
        f"    error = enter(*(calls[{index}] or instance.bind({index})))",
        f"    length = slots[0] - {c.IN_WINDOW}",
        f"    if error is None and 0 <= length <= {c.OUTPUT} and trap.value is None:",
        f"        if cells[{c.CELL_LEFT_COUNT}] == 0 and cells[{c.CELL_COUNT}] == len(items):",
        '            answer = window[:length].decode().split("\\n")',
        "except ValueError as failed:",
        "    unfit(failed, instance)",
        "except BaseException:",
        "    instance.close()",
        "    raise",
        "if answer is not None and len(answer) == len(items):",
        "    append(seat)",
        "    return answer",
        "# A trap or a request leaves nothing that could be used again.",
        "give_up(seat)",
    ]
