"""A report's JSON: the benchmark's, which pyperf can compare, and in a section of its own what that does not hold."""

from __future__ import annotations

from skywasm.report import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def measured(quick: bool, told: Callable[[str, int, int | None], object]) -> dict[str, Any]:
    """Runs the benchmark and measures time over size; half a minute to minutes, or seconds if ``quick``.

    Args:
        quick: a smoke run, whose times are rough.
        told: called with what is being done, how much of it is done, and how much there is if that is known.
    """
    import time

    from skywasm.bench import run
    from skywasm.report import curves

    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    done = 0

    def seen(row: run.Row) -> None:
        nonlocal done
        done += 1
        told(f"comparing: {row.name}", done, None)

    label, rows = run.run_cases(quick, "", seen)
    sweeps, differing = curves.measured(quick, lambda name, index, total: told(f"over size: {name}", index, total))
    result = run.pyperf(label, rows, run.machine())
    wrong = [f"{row.name}, {row.size}" if row.size else row.name for row in rows if not row.same]
    return with_section(result, {"made": made, "differing": wrong + differing, "curves": sweeps})


def with_section(result: dict[str, Any], section: dict[str, Any]) -> dict[str, Any]:
    """The result with a report's section, the summary in it made anew."""
    whole = {**result, model.SECTION: section}
    return {**whole, model.SECTION: {**section, "summary": model.summary(model.read(whole))}}
