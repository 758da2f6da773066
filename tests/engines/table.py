"""The outcomes as a table: for the terminal, and for the documentation."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from engines import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from engines.rows import Outcome

BEGIN = "<!-- make engines: begin -->"
END = "<!-- make engines: end -->"
COLUMNS = ("engine", "version", "processor", "vectors passed", "lists passed", "seconds")
MOST_SHOWN = 10


class Totals(NamedTuple):
    """How many cases there are."""

    answers: int
    refusals: int
    batches: int
    # What Python answers without asking the artifact.
    apart: int

    @property
    def vectors(self) -> int:
        return self.answers + self.refusals


def good(outcome: Outcome, totals: Totals) -> bool:
    """Whether the engine gave every answer, and left out none."""
    passed = outcome.passed
    lists = totals.batches if outcome.engine.lists else 0
    counts = {"answer": totals.answers, "refusal": totals.refusals, "batch": lists}
    return outcome.missing is None and not outcome.failures and passed == counts


def cells(outcome: Outcome, totals: Totals) -> tuple[str, ...]:
    """A row of the table."""
    name = outcome.engine.name
    if outcome.missing is not None:
        return (name, "missing, see below", "", "0", "0", "")
    passed = outcome.passed
    vectors = f"{passed.get('answer', 0) + passed.get('refusal', 0):,} of {totals.vectors:,}"
    lists = f"{passed.get('batch', 0):,} of {totals.batches:,}" if outcome.engine.lists else "not asked"
    return (name, outcome.version or "failed, see below", outcome.processor, vectors, lists, f"{outcome.seconds:.1f}")


def summary(totals: Totals) -> str:
    """What the numbers count."""
    return (
        f"Vectors: {totals.vectors:,}, of which {totals.answers:,} are answers and {totals.refusals:,} are left to "
        f"Python, or answered as Python does. Another {totals.apart:,} are Python's alone (other types, variables that "
        "override the machine, errors) and make no call."
    )


def problems(outcomes: list[Outcome], totals: Totals) -> list[str]:
    """One line for each thing that is not as it should be; at most ten an engine."""
    lines = []
    for outcome in outcomes:
        name = f"{outcome.engine.key}:"
        if outcome.missing is not None:
            lines.append(f"{name} missing: {outcome.missing}")
            continue
        lines += [f"{name} {failure}" for failure in outcome.failures[:MOST_SHOWN]]
        more = len(outcome.failures) - MOST_SHOWN
        if more > 0:
            lines.append(f"{name} and {more} more")
        if not outcome.failures and not good(outcome, totals):
            lines.append(f"{name} the runner left out cases: {outcome.passed} passed, expected are {totals}")
    return lines


def plain(outcomes: list[Outcome], totals: Totals) -> str:
    """The table for a terminal."""
    lines = [COLUMNS, *(cells(outcome, totals) for outcome in outcomes)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join(texts) + "\n\n" + summary(totals) + "\n"


def markdown(outcomes: list[Outcome], totals: Totals) -> str:
    """What stands between the marks in the documentation."""
    digest = hashlib.sha256(rows.CORE.read_bytes()).hexdigest()
    lines = [COLUMNS, ("---", "---", "---", "---:", "---:", "---:"), *(cells(one, totals) for one in outcomes)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{text}\n\n{summary(totals)}\n\nMade with the artifact of SHA-256 `{digest}`."


def has_marks(document: Path) -> bool:
    """Whether a document can be given the table."""
    return document.is_file() and END in document.read_text(encoding="utf-8").partition(BEGIN)[2]


def update(document: Path, outcomes: list[Outcome], totals: Totals) -> None:
    """Puts the table between the marks of a document that has them."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n\n{markdown(outcomes, totals)}\n\n{END}{after}", encoding="utf-8")
