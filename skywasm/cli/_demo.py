"""``skywasm demo``: every function on its examples, before and after, with the same answers."""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

from skywasm.cli import _findings, _output
from skywasm.cli._command import FINE, WRONG, Command, add_json, require_known_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from skywasm.bench.workplace import Workplace
    from skywasm.cli._skypilot import SkyPilot
    from skywasm.functions.declare import Row as Function

# How often the machine is asked again when the answers differ and another program may be the reason.
_TRIES = 5


class Row(NamedTuple):
    """A function's answers, one an example. ``skypilot`` is None where SkyPilot was not asked."""

    function: str
    called: list[str]
    sandbox: list[Any]
    python: list[Any]
    skypilot: list[Any] | None

    def equal(self) -> bool:
        """Whether all answers are the same, down to their types."""
        answers = (self.sandbox, self.python, *([self.skypilot] if self.skypilot is not None else ()))
        return len({repr(answer) for answer in answers}) == 1


class Result(NamedTuple):
    """All rows, and what is to be said about how they came to be."""

    rows: list[Row]
    skypilot: str | None
    problem: str | None
    seconds: float

    def equal(self) -> bool:
        """Whether all rows are."""
        return all(row.equal() for row in self.rows)


def _ask(backend: str, function: Function, calls: list[Any]) -> list[Any]:
    """The answers of a backend through the public function."""
    import skywasm
    from skywasm.cli._skypilot_child import outcome

    with skywasm.use_backend(backend):
        return [outcome(function.function, arguments) for arguments in calls]


def _row(function: Function, place: Workplace, skypilot: SkyPilot | None) -> Row:
    from skywasm.bench.workplace import arguments

    calls = [arguments(example, place) for example in function.examples.values()]
    called = [name or _written(call) for name, call in zip(function.examples, calls)]
    # Another program may change what the machine is like between two calls.
    for _ in range(_TRIES if function.asks else 1):
        module = function.replaces
        theirs = skypilot.ask(module, function.name, calls) if skypilot is not None and module is not None else None
        sandbox, python = (_ask(backend, function, calls) for backend in ("wasm", "python"))
        row = Row(function.name, called, sandbox, python, theirs)
        if row.equal():
            break
    return row


def _written(call: tuple[Any, ...]) -> str:
    """The arguments of an example that has no name."""
    return ", ".join(map(str, call)) or "nothing"


@contextlib.contextmanager
def _skypilot(folder: str) -> Iterator[SkyPilot | None]:
    """SkyPilot, on its way to be imported, where it is installed."""
    from skywasm.cli._skypilot import SkyPilot

    if _findings.distribution_version("skypilot") is None:
        yield None
        return
    with contextlib.closing(SkyPilot(folder)) as skypilot:
        yield skypilot


def _play(quick: bool) -> Result:
    import skywasm
    from skywasm.bench.workplace import Workplace
    from skywasm.functions import ROWS

    start = time.perf_counter()
    with skywasm.use_backend("wasm"):
        # Without a sandbox there is nothing to show: the error says why.
        skywasm.warm_up()
    with Workplace(quick) as place, _skypilot(place.folder) as skypilot:
        version = problem = None
        if skypilot is not None:
            with _output.waiting("importing SkyPilot, to ask it too"):
                version = skypilot.version()
            problem = None if version else skypilot.problem()
        rows = [_row(function, place, skypilot if version else None) for function in ROWS if function.examples]
    return Result(rows, version, problem, time.perf_counter() - start)


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    result = _play(options.quick)
    if options.json:
        _output.write_json(_as_json(result))
    else:
        from skywasm.cli import _demo_screen

        _demo_screen.show(result)
    return FINE if result.equal() else WRONG


def _as_json(result: Result) -> dict[str, Any]:
    rows = [
        {
            "function": row.function,
            "called_with": ", ".join(row.called),
            "sandbox": row.sandbox,
            "python": row.python,
            "skypilot": row.skypilot,
            "equal": row.equal(),
        }
        for row in result.rows
    ]
    skypilot = {"version": result.skypilot, "problem": result.problem}
    return {"ok": result.equal(), "seconds": round(result.seconds, 3), "skypilot": skypilot, "rows": rows}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="smaller files; below ten seconds in all")
    add_json(parser)


COMMAND = Command(
    name="demo",
    summary="run all functions on real input, before and after",
    description="Run all functions on real files, folders, processes, ports and this machine's limits: in "
    "the sandbox, in Python, and in SkyPilot where it is installed. Nothing is left behind.",
    example="  skywasm demo --quick\n  skywasm demo --json | jq '.rows[] | select(.equal | not)'",
    fine="all answers are equal",
    wrong="answers differ, or the sandbox does not run",
    add_arguments=_add_arguments,
    run=_run,
)
