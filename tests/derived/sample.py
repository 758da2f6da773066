"""``skywasm/vectors.json``: some cases of each file of ``tests/vectors``, for the command ``skywasm check``."""

from __future__ import annotations

import json

from derived import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

FOLDER = ROOT / "tests" / "vectors"
_CASES = 12
_CASE_BYTES = 400


def some(cases: list[Case]) -> list[Case]:
    """Some cases, evenly spread: a quarter of them answered by Python alone, none that is long."""
    short = [case for case in cases if len(str(case)) <= _CASE_BYTES]
    python_only = [case for case in short if "python_only" in case]
    crossing = [case for case in short if "python_only" not in case]
    chosen = _spread(python_only, _CASES // 4)
    numbers = sorted({case["number"] for case in crossing if "number" in case})
    if numbers:
        # One of each algorithm counts for more than an even spread; each at another length.
        rows = [[case for case in crossing if case["number"] == number] for number in numbers]
        crossing = [row[(3 * place + 5) % len(row)] for place, row in enumerate(rows)]
    return _spread(crossing, _CASES - len(chosen)) + chosen


def _spread(cases: list[Case], wanted: int) -> list[Case]:
    if len(cases) <= wanted:
        return cases
    return [cases[number * len(cases) // wanted] for number in range(wanted)]


def text() -> str:
    """The file's text."""
    from skywasm.functions import ROWS

    files = {row.name: json.loads((FOLDER / f"{row.name}.json").read_text()) for row in ROWS}
    comment = [
        "A sample of tests/vectors for the command `skywasm check`, written by `make derived`. Cases by function."
    ]
    for name, file in files.items():
        comment += [f"{name}: {line}" for line in file["_comment"] if not any(line in other for other in comment)]
    lists = (
        f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(case) for case in some(file["cases"])) + "\n ]"
        for name, file in files.items()
    )
    return "{\n" + f' "_comment": {json.dumps(comment, indent=2)},\n' + ",\n".join(lists) + "\n}\n"
