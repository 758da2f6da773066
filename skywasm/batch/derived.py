"""The batches that follow from the declarations: a function for each row that has one, and its roads."""

from __future__ import annotations

from skywasm.crossing import rules
from skywasm.crossing.items import as_list, numbers, one_by_one
from skywasm.functions.declare import ROWS
from skywasm.routes import bind, core
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.functions.declare import Batch, Row

    Road = Callable[..., list[Any]]


def all_of(module: str) -> dict[str, Any]:
    """The public functions by name, for the module of that name."""
    return {row.name: _Batched(row, row.batch, module).function for row in ROWS if row.batch is not None}


class _Batched:
    """The batch of one row."""

    def __init__(self, row: Row, batch: Batch, module: str) -> None:
        self.row = row
        self.batch = batch
        self.name = f"batch.{row.name}"
        self.function = self._public(module)
        bind.on_undecided.append(self.forget)
        self.forget()

    def _public(self, module: str) -> Any:
        """A function of the batch's signature that follows the road in its module."""
        row = self.row
        code = row.reference.__code__
        rest = code.co_varnames[1 : code.co_argcount]
        defaults = bind.defaults(row)
        head = [f"{name}=_default_{name}" if name in defaults else name for name in rest]
        text = f"def {row.name}({', '.join([self.batch.items, *head])}):\n"
        text += f"    return _road({', '.join([self.batch.items, *rest])})\n"
        self._space: dict[str, Any] = {f"_default_{name}": value for name, value in defaults.items()}
        self._space["__name__"] = module
        exec(compile(text, f"batch of {row.name}", "exec"), self._space)  # noqa: S102 - made of the row's own names
        made = self._space[row.name]
        annotations = {name: row.reference.__annotations__[name] for name in rest}
        one = row.reference.__annotations__[code.co_varnames[0]].replace("float | int", "float")
        result = row.reference.__annotations__["return"]
        made.__annotations__ = {self.batch.items: f"Iterable[{one}]", **annotations, "return": f"list[{result}]"}
        made.__doc__ = docstring(row, self.batch)
        return made

    def forget(self) -> None:
        """Finds out the road at the next call."""
        self._space["_road"] = self._first

    def _first(self, *args: Any) -> list[Any]:
        bind.in_this_state(self._road, self._point)
        return self._space["_road"](*args)  # type: ignore[no-any-return]

    def _point(self, road: Road) -> None:
        self._space["_road"] = road

    def _road(self) -> Road:
        mode = modes.mode()
        road = self._auto if mode == "auto" else self.in_python if mode == "python" else self._crossing(forced=True)
        if rules.timed or (rules.armed and self.row.asks):
            return rules.guarded(self.name, self.row.asks, road)
        return road

    def in_python(self, items: Any, *rest: Any) -> list[Any]:
        """The whole list in Python."""
        if self.batch.in_python is not None:
            return self.batch.in_python(as_list(items), *rest)
        return one_by_one(self.row.reference, numbers(items), 0, *rest)

    def _crossing(self, *, forced: bool) -> Road:
        """The road through the artifact."""
        module = core.core()
        from skywasm.crossing import list_roads, lists

        python = self.row.reference
        scalar = bind.crossing(self.row, forced=True) if forced else python
        many = lists.Many(
            module,
            self.row.exports[0],
            scalar,
            lambda piece, first, *rest: one_by_one(python, piece, first, *rest),
            forced,
            bind.fell_back,
        )
        return many.general if rules.timed else list_roads.road(many, bind.defaults(self.row))

    def _auto(self, items: Any, *rest: Any) -> list[Any]:
        """The artifact where that saves time, which is never where the function is one system call."""
        items = numbers(items)
        if not bind.batch_may_cross(self._saved_us(items)):
            return self.in_python(items, *rest)
        if self._through is None:
            self._through = self._crossing(forced=False)
        return self._through(items, *rest)

    _through: Road | None = None

    def _saved_us(self, items: Any) -> float:
        """Microseconds that crossing saves."""
        batch = self.batch
        if batch.saves_character_us is None or not items:
            return len(items) * batch.saves_us
        first = items[0]
        characters = len(first) if isinstance(first, str) else 0
        return len(items) * min(characters * batch.saves_character_us, batch.saves_us)


def docstring(row: Row, batch: Batch) -> str:
    """The batch's docstring: its own or one that follows from the function's, with the cost before the example."""
    text, arrow, example = (batch.doc or _following(row, batch)).partition(">>>")
    return f"{text.rstrip()}\n\nCost: {batch.cost}\n" + (f"\n{arrow}{example}" if arrow else "")


def _following(row: Row, batch: Batch) -> str:
    """What the function's docstring says, for many items."""
    import re
    from inspect import getdoc

    first, _, rest = (getdoc(row.reference) or "").partition("\n")
    sections = dict(re.findall(r"^(Args|Raises):\n((?:    .*\n?|\n)*)", rest, re.MULTILINE))
    code = row.reference.__code__
    name = code.co_varnames[0]
    arguments = re.sub(rf"^    {name}: ", f"    {batch.items}: for each item, ", sections.get("Args", ""), flags=re.M)
    raises = sections.get("Raises", "").rstrip().rstrip(".")
    text = f"{first.rstrip('.')}, for many items at once.\n\nArgs:\n{arguments.rstrip()}\n\n"
    text += "Returns:\n    The results, in order.\n"
    return text + (f"\nRaises:\n{raises}; ``batch_index`` says which item.\n" if raises else "")
