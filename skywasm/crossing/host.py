"""Host functions: what a module may ask of this machine, each under a capability that can be denied.

The guest never calls them. It answers with a request, the host answers that in plain Python and resumes the guest, so
no Python code ever runs while the engine is on the stack: exceptions, recursion, greenlets and signals are Python's
own matter.
"""

from __future__ import annotations

from host_shims.struck import let_out
from skywasm.crossing import convention as c
from skywasm.errors import NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.crossing.instance import Instance
    from skywasm.crossing.interface import Request

_ONE_CELL = {"int": "cells[{0}]", "bool": "cells[{0}] != 0"}
_TWO_CELLS = {
    "room": "instance.region(cells[{0}], cells[{1}])",
    "bytes": "instance.region(cells[{0}], cells[{1}]).tobytes()",
    "str": "instance.text(cells[{0}], cells[{1}])",
}
# By the kinds of the arguments: makes the function that reads them from the cells.
_makers: dict[tuple[str, ...], Callable[..., Any]] = {}


class HostFunction:
    """A Python function that answers a request of its name."""

    __slots__ = ("call", "capability", "name")

    def __init__(self, capability: str, call: Callable[..., int]) -> None:
        self.capability: str = capability
        self.call: Callable[..., int] = call
        self.name: str = call.__name__


def host(capability: str) -> Callable[[Callable[..., int]], HostFunction]:
    """Declares a host function under a capability."""
    return lambda call: HostFunction(capability, call)


def _maker(kinds: tuple[str, ...]) -> Callable[..., Any]:
    """Makes ``answer(cells, instance)`` for a call whose arguments are of these kinds.

    Code is made of kinds only, which are ours; nothing of the module's record goes into it.
    """
    if kinds not in _makers:
        given, at = [], c.CELL_ARGUMENTS
        for kind in kinds:
            given.append((_ONE_CELL.get(kind) or _TWO_CELLS[kind]).format(at, at + 1))
            at += 1 if kind in _ONE_CELL else 2
        text = f"def make(call):\n    return lambda cells, instance: call({', '.join(given)})\n"
        space: dict[str, Any] = {}
        exec(text, space)  # noqa: S102 - see above
        _makers[kinds] = space["make"]
    return _makers[kinds]


def answerer(request: Request, call: Callable[..., int]) -> Callable[[Any, Instance], int]:
    """What answers a request: reads its arguments from the guest's cells, where they are not believed."""
    return _maker(tuple(kind for _, kind in request.parameters))(call)  # type: ignore[no-any-return]


def put_answer(slots: Any, answer: Any, request: str) -> None:
    """Puts an answer where the guest is resumed with it.

    Raises:
        NeedsReference: one that 64 bits cannot carry, such as a replaced ``os.cpu_count`` may give.
        TrapError: none at all.
    """
    try:
        slots[c.SLOT_ANSWER] = answer
    except ValueError as error:
        let_out(error)
        raise NeedsReference from None
    except TypeError as error:
        let_out(error)
        raise TrapError(f"the host function {request} answered with {answer!r}, which is no int") from None
