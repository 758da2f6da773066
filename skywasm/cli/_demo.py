"""``skywasm demo``: the twelve functions on real input, before and after, with the same answers."""

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

    from skywasm.cli._demo_scene import Step
    from skywasm.cli._skypilot import SkyPilot

_LINES = 100_000
_QUICK_LINES = 4_000
# How often the machine is asked again when the answers differ and another program may be the reason.
_TRIES = 5


class Row(NamedTuple):
    """A function's answers, one a call. ``skypilot`` is None where SkyPilot was not asked."""

    step: Step
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
    about: str
    skypilot: str | None
    problem: str | None
    seconds: float

    def equal(self) -> bool:
        """Whether all rows are."""
        return all(row.equal() for row in self.rows)


def _ask(backend: str, step: Step) -> list[Any]:
    """The answers of a backend through the public function."""
    import skywasm
    from skywasm.cli._skypilot_child import outcome

    with skywasm.use_backend(backend):
        return [outcome(getattr(skywasm, step.function), arguments) for arguments in step.calls]


def _row(step: Step, skypilot: SkyPilot | None) -> Row:
    from skywasm import _registry

    module = _registry.BY_NAME[step.function].patches
    for _ in range(_TRIES if step.racy else 1):
        theirs = skypilot.ask(module, step.function, step.calls) if skypilot is not None and module else None
        row = Row(step, _ask("wasm", step), _ask("python", step), theirs)
        if row.equal():
            break
    return row


@contextlib.contextmanager
def _skypilot(folder: str) -> Iterator[SkyPilot | None]:
    """SkyPilot, on its way to be imported, where it is installed."""
    from skywasm.cli._skypilot import SkyPilot

    if _findings.distribution_version("skypilot") is None:
        yield None
        return
    with contextlib.closing(SkyPilot(folder)) as skypilot:
        yield skypilot


def _play(lines: int) -> Result:
    import skywasm
    from skywasm.cli import _demo_scene

    start = time.perf_counter()
    with skywasm.use_backend("wasm"):
        # Without a sandbox there is nothing to show: the error says why.
        skywasm.warm_up()
    with _demo_scene.scene(lines) as scene, _skypilot(scene.folder) as skypilot:
        version = problem = None
        if skypilot is not None:
            with _output.waiting("importing SkyPilot, to ask it too"):
                version = skypilot.version()
            problem = None if version else skypilot.problem()
        rows = [_row(step, skypilot if version else None) for step in scene.steps]
    return Result(rows, scene.about, version, problem, time.perf_counter() - start)


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    result = _play(_QUICK_LINES if options.quick else _LINES)
    if options.json:
        _output.write_json(_as_json(result))
    else:
        from skywasm.cli import _demo_screen

        _demo_screen.show(result)
    return FINE if result.equal() else WRONG


def _as_json(result: Result) -> dict[str, Any]:
    rows = [
        {
            "function": row.step.function,
            "called_with": row.step.called,
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
    summary="run all twelve functions on real input, before and after",
    description="Run the twelve functions on real files, folders, processes, ports and this machine's limits: in "
    "the sandbox, in Python, and in SkyPilot where it is installed. Nothing is left behind.",
    example="  skywasm demo --quick\n  skywasm demo --json | jq '.rows[] | select(.equal | not)'",
    fine="all answers are equal",
    wrong="answers differ, or the sandbox does not run",
    add_arguments=_add_arguments,
    run=_run,
)
