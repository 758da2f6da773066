"""Roads: Python functions made to measure for one signature each, from one template.

A road is what a call pays for, so it does nothing that its signature does not need: no loop, no lookup by name, no
check that another check covers. Whatever is unusual goes to ``calls.Way``. ``skywasm info --road NAME`` shows one.
"""

from __future__ import annotations

from host_shims.struck import let_out
from skywasm.crossing import convention as c
from skywasm.crossing import rules
from skywasm.crossing.calls import Way
from skywasm.crossing.engine.library import SLOT_WORDS
from skywasm.crossing.interface import DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from skywasm.crossing.instance import Instance
    from skywasm.crossing.interface import Function
    from skywasm.crossing.module import Module

_TESTS = {"text": "str", "str": "str", "bytes": "bytes", "float": "float", "int": "int", "size": "int"}
_ANNOTATIONS = {"text": str, "str": str, "bytes": bytes, "float": float, "int": int, "size": int, "bool": bool}

OWN = frozenset(
    (
        *("BaseException", "IndexError", "ValueError", "answer", "answers", "append", "ask", "bytes", "calls", "cells"),
        *(
            "doubles",
            "enter",
            "error",
            "failed",
            "float",
            "general",
            "instance",
            "int",
            "len",
            "length",
            "let_out",
            "pop",
        ),
        *("python", "reals", "room", "seat", "settle", "slots", "status", "str", "trap", "type", "unfit", "window"),
        *(f"data{number}" for number in range(c.SLOTS)),
    )
)
"""Names that a road's text has for its own things: functions and parameters of such a name go by the general way."""


def _head(function: Function, defaults: Mapping[str, Any]) -> str:
    names = [name for name, _ in function.parameters]
    return ", ".join(f"{name}=_default_{name}" if name in defaults else name for name in names)


def _arguments(function: Function) -> tuple[list[str], list[str]]:
    """What is asked of the arguments, and the steps that put them into slots and window."""
    tests: list[str] = []
    data: list[str] = []
    steps: list[str] = []
    for slot, (name, kind) in enumerate(function.parameters):
        place = SLOT_WORDS * slot
        if kind in _TESTS:
            tests.append(f"type({name}) is {_TESTS[kind]}")
        if kind in DATA:
            piece = f"data{len(data)}"
            data.append(piece)
            encoded = name if kind == "bytes" else f"{name}.encode()"
            steps += [f"{piece} = {encoded}", f"slots[{place}] = len({piece})"]
        elif kind == "float":
            steps.append(f"doubles[{place}] = {name}")
        elif kind == "bool":
            steps.append(f"slots[{place}] = 1 if {name} else 0")
        else:
            steps.append(f"slots[{place}] = {name}")
    if data:
        steps.append("room.value = " + " + ".join(data))
    return tests, steps


def _answer(function: Function) -> tuple[str, str, str]:
    """Whether the guest is done and all is well, the answer, and the step before both."""
    # Whoever asks has looked at it already.
    status = "status" if function.asks else "slots[0]"
    if function.result in DATA:
        first_is_data = bool(function.parameters) and function.parameters[0][1] in DATA
        # After a trap slot 0 still holds what went in. A length is below every result of bytes, so the check that those
        # need anyway catches it; any other number could be taken for an answer.
        untrapped = "" if first_is_data else " and trap.value is None"
        decoded = "" if function.result == "bytes" else ".decode()"
        return (
            f"error is None and 0 <= length <= {c.OUTPUT}{untrapped}",
            f"window[:length]{decoded}",
            f"length = {status} - {c.IN_WINDOW}",
        )
    value = {"float": "reals[0]", "int": "cells[0]", "bool": "status == 1", "size": "status"}[function.result]
    right = "status == 0" if function.result in ("float", "int") else "status >= 0"
    return f"error is None and {right} and trap.value is None", value, "" if function.asks else f"status = {status}"


def _asking(module: Module, function: Function) -> tuple[list[str], dict[str, Any]]:
    """The steps that answer a function's requests, as long as nothing is amiss with them, and the names they use.

    Where it can ask one thing only, the host function is called without a step in between: whatever number the guest
    names, it gets the answer to what it may ask.
    """
    resume = module.resume
    possible = [one for one in module.interface.requests.values() if one.capability in function.asks]
    direct = len(possible) == 1 and all(kind == "int" for _, kind in possible[0].parameters)
    if direct:
        cells = (f"cells[{c.CELL_ARGUMENTS + at}]" for at in range(len(possible[0].parameters)))
        known, answer = "", f"ask({', '.join(cells)})"
        names: dict[str, Any] = {"ask": module.host[possible[0].name].call}
    else:
        known, answer = f" and cells[{c.CELL_REQUEST}] in answers", f"answers[cells[{c.CELL_REQUEST}]](cells, instance)"
        names = {"answers": module.answers}
    steps = [
        "        status = slots[0]",
        f"        while status == {c.ASK}{known}:",
        f"            slots[{SLOT_WORDS * c.SLOT_ANSWER}] = {answer}",
        f"            error = enter(*calls[{resume}])",
        "            status = slots[0]",
    ]
    return steps, names


def source(module: Module, function: Function, defaults: Mapping[str, Any], shorter: int | None = None) -> str:
    """The text of a road. Texts with fewer characters than ``shorter`` are answered by ``python`` without crossing."""
    tests, steps = _arguments(function)
    names = ", ".join(name for name, _ in function.parameters)
    lines = [f"def {function.name}({_head(function, defaults)}):"]
    indent = "    "
    if tests:
        lines.append(f"    if {' and '.join(tests)}:")
        indent += "    "
    if shorter:
        lines += [f"{indent}if len({function.parameters[0][0]}) < {shorter}:", f"{indent}    return python({names})"]
    lines += [indent + line for line in _crossing(module, function, steps, names)]
    lines.append(f"    return general({names})")
    return "\n".join(lines) + "\n"


def _crossing(module: Module, function: Function, steps: Sequence[str], names: str) -> list[str]:
    """The part of a road from the seat to the answer."""
    index = module.index(function.name)
    right, value, status = _answer(function)
    first = function.parameters[0][0] if function.parameters else ""
    answered = f"{first} if answer == {first} else answer" if function.keeps else "answer"
    return [
        "try:",
        "    seat = pop()",
        "except IndexError as error:",
        "    let_out(error)",
        "else:",
        "    room, window, slots, doubles, cells, reals, enter, calls, trap, instance = seat",
        "    answer = None",
        "    try:",
        *(f"        {step}" for step in steps),
        f"        error = enter(*(calls[{index}] or instance.bind({index})))",
        *(_asking(module, function)[0] if function.asks else ()),
        *([f"        {status}"] if status else ()),
        f"        if {right}:",
        f"            answer = {value}",
        "    except ValueError as failed:",
        "        unfit(failed, instance)",
        "        append(seat)",
        f"        return general({names})",
        "    except BaseException:",
        "        instance.close()",
        "        raise",
        "    if answer is not None:",
        "        append(seat)",
        f"        return {answered}",
        f"    return settle({', '.join(filter(None, ('seat, error', names)))})",
    ]


class _Source:
    """A loader that knows one text, and a module's specification that names it, which Python 3.15 wants."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.loader = self
        self._text = text

    def get_source(self, _name: str) -> str:
        return self._text


def _unfit(failed: ValueError, instance: Instance) -> None:
    """Raises again what a host function or a signal handler raised; else an argument did not fit, or no text came out.

    A road's own steps fail in C, in the road's own frame. Whatever has a frame below it is not theirs.
    """
    if failed.__traceback__ is not None and failed.__traceback__.tb_next is not None:
        instance.close()
        raise failed


def road(way: Way, defaults: Mapping[str, Any], shorter: int | None = None) -> Callable[..., Any]:
    """The road of a function in one mode.

    Args:
        way: what the road leaves to it.
        defaults: of the function's parameters.
        shorter: a first text with fewer characters is answered by the way's ``python``.
    """
    module, function = way.module, way.function
    if (function.asks and rules.armed) or OWN.intersection((function.name, *(name for name, _ in function.parameters))):
        # What may be asked depends on the moment now, or a name is one of the text's own.
        return way.general
    text = source(module, function, defaults, shorter)
    names = {"general": way.general, "python": way.python, "settle": way.settle}
    if function.asks:
        names.update(_asking(module, function)[1])
    made = compiled(module, function.name, text, defaults, names)
    made.__annotations__ = {name: _ANNOTATIONS[kind] for name, kind in function.parameters}
    return made  # type: ignore[no-any-return]


# By what tracebacks call them: linecache reads each but once.
_texts: dict[str, str] = {}


def _file_of(name: str, text: str) -> str:
    """The name under which a text is found, and no other one."""
    file, number = name, 1
    while _texts.setdefault(file, text) != text:
        number += 1
        file = f"{name} ({number})"
    return file


def compiled(module: Module, what: str, text: str, defaults: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    """The function that a road's text defines, with what every road uses and ``names``."""
    file = _file_of(f"road to {module.name}: {what}", text)
    found = _Source(file, text)
    space: dict[str, Any] = {
        "append": module.give_back if module.fresh else module.pool.append,
        "let_out": let_out,
        "pop": module.new_seat if module.fresh else module.pool.pop,
        "unfit": _unfit,
        **names,
        **{f"_default_{name}": value for name, value in defaults.items()},
        # What linecache asks for the lines of a traceback, without importing it now.
        "__loader__": found,
        "__name__": file,
        "__spec__": found,
    }
    exec(compile(text, file, "exec"), space)  # noqa: S102 - made of our own words and checked identifiers
    made = space[what.rstrip("[]")]
    made.__module__ = module.name
    return made
