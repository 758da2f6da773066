"""A result that is damaged in any place makes a report or one clear line with exit status 2, and never a traceback."""

from __future__ import annotations

import contextlib
import copy
import json
import random

import pytest
from cli.program import run

from report import results
from skywasm.cli import _report
from skywasm.cli._command import UsageError
from skywasm.report import model, result

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

ROUNDS = 400
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 5e-324, 10**400, -(10**400), 2**63, 1e18, 1e-15, float("nan"), float("inf")),
    *("", "x", "\ud800", "[before]", "1e5", "a\nb", "\x1b[31m", [], {}, [1], [[]], [1, 2, 3], {"a": 1}),
)
ADDED = ("x", "skywasm_x", "skywasm_date", "skywasm_least", "skywasm_reachable", "skywasm_against")


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything that is in a value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*above, key)
        yield from paths(value[key], (*above, key))


def damage(whole: Any, dice: random.Random) -> None:
    """Takes something away, doubles it, adds to it, or puts junk in its place."""
    *above, last = dice.choice(list(paths(whole)))
    place = whole
    for key in above:
        place = place[key]
    how = dice.random()
    if how < 0.25:
        del place[last]
    elif how < 0.35 and isinstance(place, list):
        place.insert(last, copy.deepcopy(place[last]))
    elif how < 0.45 and isinstance(place, dict):
        place[dice.choice(ADDED)] = dice.choice(JUNK)
    else:
        place[last] = copy.deepcopy(dice.choice(JUNK))


@pytest.mark.parametrize("seed", range(4))
def test_any_damage(seed: int) -> None:
    """What is read can be written in all forms; what cannot be read is refused in one line."""
    dice = random.Random(seed)
    taken, refusals = 0, []
    for _ in range(ROUNDS):
        whole = results.whole()
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            with contextlib.suppress(IndexError):
                damage(whole, dice)
        whole = json.loads(json.dumps(whole))
        try:
            report = _report._report(whole, "result.json")
        except UsageError as error:
            refusals.append(str(error))
            continue
        taken += 1
        assert _report._text(report, _report._file_console())
        assert json.dumps(result.with_section(whole, whole.get(model.SECTION, {})))
    assert taken
    assert all(one.startswith("result.json is JSON of another kind: ") for one in refusals)
    assert all("\n" not in one and len(one) < 600 for one in refusals)


def one_part(whole: Any) -> None:
    whole["skywasm_report"]["curves"][0]["points"]["before"][1] = [10]


def many_digits(whole: Any) -> None:
    whole["benchmarks"][0]["runs"][0]["values"][0] = 10**400


def too_far_apart(whole: Any) -> None:
    for point in whole["skywasm_report"]["curves"][0]["points"]["wasm"]:
        point[1] = 5e-324


@pytest.mark.parametrize("damaged", [one_part, many_digits, too_far_apart])
@pytest.mark.parametrize("form", ["text", "json"])
def test_exit_status_2(damaged: Any, form: str, tmp_path: pathlib.Path) -> None:
    """The program says which file it is and what belongs there."""
    whole = results.whole()
    damaged(whole)
    path = results.written(tmp_path, whole)
    done = run("report", "--from", path, "--format", form)
    assert (done.status, done.out) == (2, "")
    assert done.has_no_traceback()
    assert f"error: {path} is JSON of another kind: " in done.err


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 100_000, b"null", b"[]", b'"x"']
)
def test_what_is_no_result_at_all(content: bytes, tmp_path: pathlib.Path) -> None:
    """Bytes that are no JSON, and JSON that is no object."""
    (tmp_path / "x").write_bytes(content)
    done = run("report", "--from", str(tmp_path / "x"))
    assert (done.status, done.out, done.has_no_traceback()) == (2, "", True)


def test_what_is_nested_too_deeply(tmp_path: pathlib.Path) -> None:
    """Additions of others are handed on, unless that is too much."""
    whole = {**results.whole(), "addition": "deep"}
    text = json.dumps(whole).replace('"deep"', "[" * 900 + "]" * 900)
    (tmp_path / "x").write_text(text)
    done = run("report", "--from", str(tmp_path / "x"), "--format", "json")
    assert done.status in (0, 2)
    assert done.has_no_traceback()
