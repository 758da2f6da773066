"""The modules as a whole, where a file hands them on: what is replaced in them there has no name to see."""

from __future__ import annotations

import libcst as cst

from skywasm.migrate import _names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from skywasm.migrate._survey import Survey

# By these attributes of a module everything in it can be replaced.
INSIDES = {"__delattr__", "__dict__", "__name__", "__setattr__"}
_REPLACERS = {"delattr", "delitem", "dict", "multiple", "object", "patch", "setattr", "setitem", "vars"}
_PART = {"attribute", "name"}
# These replace nothing.
_HARMLESS = {
    *("debug", "error", "exception", "getLogger", "info", "log", "print", "warning"),
    *("bool", "dir", "getdoc", "getfile", "getsource", "hasattr", "hash", "help", "id", "isinstance", "reload", "repr"),
    *("str", "type", "getattr"),
}


class Wholes:
    """Where a module, or what holds all that is in it, is used and nothing of it is named."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[cst.CSTNode, str, bool]] = {}
        self._settled: set[int] = set()
        self._replaced: set[int] = set()

    def add(self, node: cst.CSTNode, module: str, inside: str) -> None:
        """Notes a use of a module or, when ``inside`` is not empty, of that attribute of it."""
        self._found[id(node)] = node, module, bool(inside)

    def look_at_call(self, callee: str, call: cst.Call) -> None:
        """Sees what a call does with the modules it may be given."""
        if callee in _HARMLESS:
            self.settle_call(call)
        elif callee in _REPLACERS:
            if callee != "vars" and _names_a_part(call):
                # It names what it replaces.
                self.settle_call(call)
            else:
                self._replaced.update(map(id, _given(call)))

    def settle_call(self, call: cst.Call) -> None:
        """Nothing is left to tell of what this call is given."""
        self._settled.update(map(id, _given(call)))

    def left(self, survey: Survey) -> Iterator[tuple[cst.CSTNode, str, bool]]:
        """What has to be told: where, which module, and whether things in it are certainly replaced."""
        for name in survey.bare:
            place = survey.dotted(name)
            if place in _names.MODULES:
                self.add(name, place, "")
        for key, (node, module, inside) in self._found.items():
            if key not in self._settled:
                yield node, module, inside or key in self._replaced


def argument_of_vars(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What ``vars`` is called with; None for anything else."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "vars" and node.args:
        return node.args[0].value
    return None


def told(module: str, is_replaced: bool) -> tuple[str, str]:
    """The kind and the text of what the user is told."""
    if is_replaced:
        return "patch", (
            f"may replace any function of `{module}`: uses that moved to skywasm do not see that; "
            "in this file they stay"
        )
    return "unclear", f"`{module}` is handed on: what is replaced in it there, uses that moved to skywasm do not see"


def _names_a_part(call: cst.Call) -> bool:
    """Whether it is plain to see which part of a module a call replaces: the second argument says so."""
    second = [
        arg.value for number, arg in enumerate(call.args) if number == 1 or (arg.keyword and arg.keyword.value in _PART)
    ]
    return any(isinstance(value, (cst.SimpleString, cst.ConcatenatedString)) for value in second)


def _given(call: cst.Call) -> list[cst.BaseExpression]:
    """The arguments, and those of ``vars`` among them."""
    values = [arg.value for arg in call.args]
    return values + [inner for inner in map(argument_of_vars, values) if inner is not None]
