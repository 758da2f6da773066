"""What runs have found, kept so that the table of the documentation can be made of several with the same artifact."""

from __future__ import annotations

import hashlib
import json

from fuzz import table as tables

from windows import differences, pythons, runs
from windows.runs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

CORE = pythons.ROOT / "skywasm" / "core.wasm"
COLUMNS = ("tests", "Python", "passed", "skipped", "differ under Wine", "failed", "seconds")


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    numbers = (outcome.passed, outcome.skipped, outcome.differing, outcome.failed)
    return (outcome.tests, f"CPython {outcome.python}", *(f"{one:,}" for one in numbers), f"{outcome.seconds:.0f}")


def digest() -> str:
    """The artifact's SHA-256, for which rows count."""
    return hashlib.sha256(CORE.read_bytes()).hexdigest()


def keep(folder: Path, kind: str, name: str, value: Any) -> None:
    """Keeps what was found, under a name."""
    (folder / "rows").mkdir(exist_ok=True)
    path = folder / "rows" / f"{kind}-{name.replace('/', '-')}.json"
    path.write_text(json.dumps([digest(), value]), encoding="utf-8")


def kept(folder: Path, kind: str, name: str) -> Any:
    """What was kept with this artifact; None where nothing was."""
    path = folder / "rows" / f"{kind}-{name.replace('/', '-')}.json"
    if not path.is_file():
        return None
    made_with, value = json.loads(path.read_text(encoding="utf-8"))
    return value if made_with == digest() else None


def wanted() -> list[tuple[str, str]]:
    """Pythons and their folders of tests, which make the whole table."""
    return [(python.key, tests) for python in pythons.PYTHONS for tests in runs.of(python)]


def missing(folder: Path) -> list[str]:
    """What has no result yet."""
    lacking = [f"{tests} with {key}" for key, tests in wanted() if kept(folder, key, tests) is None]
    keys = [python.key for python in pythons.PYTHONS]
    return lacking + [
        f"{what} of {key}" for key in keys for what in ("facts", "speed") if kept(folder, what, key) is None
    ]


def document(folder: Path) -> str:
    """The table for the documentation, with what it was made with and what differs."""
    found = [kept(folder, key, tests) for key, tests in wanted()]
    outcomes = [Outcome(*one) for one in found if one is not None]
    lines = [tables.markdown([COLUMNS, *map(cells, outcomes)], range(2, len(COLUMNS))), ""]
    facts = [one for one in (kept(folder, "facts", python.key) for python in pythons.PYTHONS) if one]
    lines += [f"Without a result: {', '.join(missing(folder)) or 'none'}.", ""]
    lines += [f"- {fact}" for fact, _ in facts]
    lines += [
        "",
        f"Under {', '.join(dict.fromkeys(one for _, one in facts))}, with the artifact of SHA-256 `{digest()}`.",
        "",
    ]
    times = [one for one in (kept(folder, "speed", python.key) for python in pythons.PYTHONS) if one]
    if times:
        lines += ["The crossing beside this machine's own Python, in alternating runs:", ""]
        lines += [tables.markdown([times[0][0], *(row for table in times for row in table[1:])], range(2, 5)), ""]
    lines += ["What differs because of Wine, and not because of Windows:", ""]
    lines += [f"- {one.about()}: {one.reason}." for one in differences.WINE]
    lines += [f"- CPython {one.key}: {one.lacks}." for one in pythons.PYTHONS if one.lacks]
    lines += ["", "What is left out on Windows itself, besides tests that name what only POSIX systems have:", ""]
    lines += [f"- {one.about()}: {one.reason}." for one in (*differences.WINDOWS, *differences.OPENSSL_1)]
    return "\n".join(lines)
