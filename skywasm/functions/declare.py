"""How a function is declared: once, by its body, and a row of the table that all lists elsewhere are derived from.

Imports nothing and loads nothing. A decorated function stays itself, whatever answers it: while Python does, it runs
the very body; ``skywasm.routes`` gives it a forwarder's code instead where calls take another road.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType
    from typing import Any, TypeVar, Union

    Function = TypeVar("Function", bound=Callable[..., Any])
    Road = Callable[..., Any]
    # Arguments, or what makes them at a workplace.
    Example = Union["tuple[Any, ...]", Callable[[Any], "tuple[Any, ...]"]]

COMMON = "sky.utils.common_utils"
SUBPROCESS = "sky.utils.subprocess_utils"

PYTHON = "python"
WASM = "wasm"
MIXED = "mixed"


class Batch:
    """How many items of a function are answered in one call.

    ``items`` names the parameter. An item saves ``saves_us`` microseconds where it crosses, or ``saves_character_us`` a
    character of the first item up to that. ``in_python`` answers a whole list in Python, where a loop of its own is
    faster than one over the function. ``doc`` is the docstring without its ``cost``; by default it follows from the
    function's own.
    """

    __slots__ = ("cost", "doc", "in_python", "items", "saves_character_us", "saves_us")

    def __init__(
        self,
        items: str,
        doc: str | None = None,
        cost: str = "a crossing for all, and the work for each item.",
        *,
        saves_us: float = 0.0,
        saves_character_us: float | None = None,
        in_python: Callable[..., list[Any]] | None = None,
    ) -> None:
        self.items: str = items
        self.doc: str | None = doc
        self.cost: str = cost
        self.saves_us: float = saves_us
        self.saves_character_us: float | None = saves_character_us
        self.in_python: Callable[..., list[Any]] | None = in_python


class Row:
    """One function.

    ``function`` is the public one, ``reference`` its body under the same name and signature, which stays what was
    written. ``replaces`` is the SkyPilot module whose function it replaces, None for an addition. ``auto`` is where a
    call goes in ``auto`` mode once the engine is loaded, and ``why`` the measured reason; ``when`` tells for mixed
    ones, and ``loads`` whether such a call loads the engine. ``asks`` are the capabilities it needs, ``exports`` the
    functions of the artifact. ``examples`` are arguments by the name of a size: the benchmark times them, the
    demonstration shows them, fuzzing begins with them. Where files, ports or processes are needed, an example is a
    callable that is given a ``skywasm.bench.workplace.Workplace`` and gives the arguments.
    """

    __slots__ = (
        *("asks", "auto", "batch", "crossing", "examples", "exports", "fallback", "function", "loads", "name"),
        *("reference", "replaces", "shorter", "when", "why"),
    )

    def __init__(self, function: Any, **said: Any) -> None:
        self.function: Any = function
        self.name: str = function.__name__
        self.reference: Callable[..., Any] = _twin(function)
        self.replaces: str | None = said["replaces"]
        self.auto: str = said["auto"]
        self.why: str = said["why"]
        self.when: Callable[..., bool] | None = said["when"]
        self.loads: bool = said["loads"]
        self.shorter: int | None = said["shorter"]
        self.asks: tuple[str, ...] = said["asks"]
        self.batch: Batch | None = said["batch"]
        self.examples: Mapping[str, Example] = said["examples"] or {}
        self.fallback: Callable[..., Any] | None = said["fallback"]
        self.exports: tuple[str, ...] = said["exports"] or (self.name,)
        self.crossing: Callable[[Any], Road] | None = None


ROWS: list[Row] = []
BY_NAME: dict[str, Row] = {}


def _twin(function: Any) -> Any:
    """The function once more: the public one's code may be exchanged, this one's stays."""
    twin = type(function)(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    for attribute in ("__annotations__", "__doc__", "__kwdefaults__", "__module__", "__qualname__"):
        setattr(twin, attribute, getattr(function, attribute))
    return twin


def function(
    *,
    auto: str,
    why: str,
    replaces: str | None = None,
    when: Callable[..., bool] | None = None,
    loads: bool = False,
    shorter: int | None = None,
    asks: tuple[str, ...] = (),
    batch: Batch | None = None,
    examples: Mapping[str, Example] | None = None,
    fallback: Callable[..., Any] | None = None,
    exports: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Enters a function into the table.

    Args:
        auto: PYTHON, WASM or MIXED: where a call goes in ``auto`` mode.
        why: the measured reason.
        replaces: SkyPilot's module, None for an addition.
        when: for MIXED, whether a call with these arguments crosses.
        loads: for MIXED, whether such a call loads the engine; else it crosses only once that is loaded.
        shorter: for WASM, a first argument with fewer characters is Python's.
        asks: the capabilities it needs.
        batch: how many items are answered at once.
        examples: arguments by the name of their size, or callables that make them at a workplace.
        fallback: what answers where the artifact failed, called with the error and the arguments; the body by default.
        exports: the functions of the artifact that it needs, where that is not just the one of its name.
    """
    said = locals()

    def enter(function: Function) -> Function:
        row = Row(function, **said)
        # Where users find the two, and so what pickles and the documentation say.
        function.__module__, row.reference.__module__ = "skywasm", "skywasm.reference"
        ROWS.append(row)
        BY_NAME[row.name] = row
        return function

    return enter


def crossing(of: Callable[..., Any]) -> Callable[[Callable[[Any], Road]], Callable[[Any], Road]]:
    """Gives a function a road of its own through the artifact, where its arguments are not simply the guest's.

    What is decorated gets the artifact (``skywasm.crossing.module.Module``) and gives the road: a callable with the
    function's parameters. It raises ``NeedsReference`` for what it leaves to the body.
    """

    def enter(make: Callable[[Any], Road]) -> Callable[[Any], Road]:
        BY_NAME[of.__name__].crossing = make
        return make

    return enter


_forwarders: dict[str, CodeType] = {}


def _forwarder(row: Row) -> CodeType:
    """The code that sends a function along its road. It looks like the body to whoever inspects it."""
    if row.name not in _forwarders:
        from skywasm.functions import _forwarders as written

        body = row.reference.__code__
        made = getattr(written, row.name, None)
        if made is None or made.__code__.co_varnames != body.co_varnames[: body.co_argcount]:
            # Not written yet. The first compilation of a process takes a millisecond, half of `import skywasm`.
            space: dict[str, Any] = {}
            exec(forwarder_source(row), space)  # noqa: S102 - made of the body's own names
            made = space[row.name]
        _forwarders[row.name] = made.__code__.replace(co_filename=body.co_filename, co_firstlineno=body.co_firstlineno)
    return _forwarders[row.name]


def forwarder_source(row: Row) -> str:
    """The text of a forwarder: it calls the road, a variable of the function's module, with all parameters in order."""
    body = row.reference.__code__
    names = ", ".join(body.co_varnames[: body.co_argcount])
    return f"def {row.name}({names}):\n    return _road_{row.name}({names})\n"


def point(row: Row, road: Road) -> None:
    """Sends a function along a road."""
    row.function.__globals__[f"_road_{row.name}"] = road
    row.function.__code__ = _forwarder(row)


def undecide(lay: Callable[[Row], None]) -> None:
    """Lets the next call of each function have its road laid by ``lay``. Right in every state of things."""
    for row in ROWS:
        point(row, _first_call(row, lay))


def _first_call(row: Row, lay: Callable[[Row], None]) -> Road:
    """The road of a function that is to find out its road."""

    def first(*args: Any) -> Any:
        lay(row)
        return row.function(*args)

    return first
