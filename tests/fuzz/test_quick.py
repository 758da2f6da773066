"""The fuzzing in its quick form, and that it notices, makes smaller and repeats what is wrong."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import SeededRandom

from fuzz import __main__ as command
from fuzz import shrink, table

pytest.importorskip("wasmtime")
pytest.importorskip("sky", reason="SkyPilot is not installed")
if sys.platform != "linux":
    pytest.skip("the cases are made for Linux", allow_module_level=True)

import skywasm
from fuzz import blocks, plain
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skywasm.functions.declare import Row

TESTS = pathlib.Path(__file__).resolve().parent.parent
CASES = 2_000


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    line = [sys.executable, "-m", "fuzz", *arguments]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def test_every_function_is_fuzzed() -> None:
    """The command, the targets and the functions are the same list, with none that there is not."""
    assert sorted(command.FUNCTIONS) == sorted(blocks.TARGETS) == sorted(row.name for row in ROWS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xdist_group("ports") if name == "find_free_port" else ())
        for name in command.FUNCTIONS
    ],
)
def test_no_difference(name: str, rng: SeededRandom) -> None:
    """2,000 generated cases give SkyPilot's outcome in every backend."""
    seed = rng.randrange(2**31)
    found = blocks.run(name, seed, CASES)
    assert found["reports"] == []
    assert found["differences"] == 0
    assert (found["cases"], found["compared"]) == (CASES, 3 * CASES)
    # Neither all answers nor all errors: the generator is worth its name.
    assert 0 < found["errors"] < CASES * 0.7


@pytest.mark.parametrize("row", [row for row in ROWS if row.crossing is None], ids=lambda row: row.name)
def test_no_difference_by_the_declaration_alone(row: Row, rng: SeededRandom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function without a target of its own is fuzzed against its body, by what its declaration says."""
    monkeypatch.setitem(blocks.TARGETS, row.name, plain.of(row))
    found = blocks.run(row.name, rng.randrange(2**31), CASES)
    assert found["reports"] == []
    assert (found["differences"], found["compared"]) == (0, 3 * CASES)
    assert 0 < found["errors"] < CASES * 0.7


def test_the_command_in_a_made_up_container(tmp_path: pathlib.Path) -> None:
    """The command fuzzes in a worker with a machine of its own, prints a table and logs what ran."""
    log = tmp_path / "log"
    done = _run("--function", "get_mem_size_gb", "--cases", "300", "--seed", "5", "--log", str(log))
    assert done.returncode == 0, done.stderr
    found = json.loads(log.read_text())
    assert (found["cases"], found["seed"], found["differences"]) == (500, 5, 0)
    assert found["mounted"] is command._can_mount()
    assert "get_mem_size_gb" in done.stdout


def test_a_difference_is_made_small_and_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong answer for some texts is found, shrunk to the character that matters, and found again by its number."""
    whole = skywasm.truncate_long_string

    def broken(text: object, *others: object) -> object:
        answer = whole(text, *others)  # type: ignore[arg-type]
        return answer + "!" if isinstance(text, str) and "\u2028" in text else answer

    monkeypatch.setattr(skywasm, "truncate_long_string", broken)
    counts: collections.Counter[str] = collections.Counter()
    with blocks.opened("truncate_long_string") as target:
        reports = blocks.run_block(target, 1, 0, counts)
    # One of each kind, and all are counted.
    assert [report["backend"] for report in reports if "str" in report["got"]] == list(blocks.BACKENDS)
    assert counts["differences"] > len(reports)
    assert r"('\u2028'" in reports[0]["call"]
    number = reports[0]["case"]
    assert reports[0]["replay"].endswith(f"--seed 1 --case {number}")
    call, found, good = blocks.replay("truncate_long_string", 1, number)
    assert r"\u2028" in call
    assert not good
    assert found["python"] != found["SkyPilot 0.14.1"]
    monkeypatch.undo()
    assert blocks.replay("truncate_long_string", 1, number)[2]


@pytest.mark.parametrize("name", ["base36_encode", "hash_file", "read_last_n_lines", "get_parallel_threads"])
def test_the_same_seed_makes_the_same_cases(name: str) -> None:
    """A block depends on its seed and number alone, and others are other blocks."""
    with blocks.opened(name) as target:
        one, other = blocks.cases(target, 3, 9), blocks.cases(target, 3, 8)
        assert repr(blocks.cases(target, 3, 9)) == repr(one) != repr(other)


def test_shrinking() -> None:
    """The smallest case that still fails keeps the number of its elements."""
    small = shrink.shrunk(("some text with an x in it", 999, [3, 4, 5]), lambda case: "x" in case[0] and case[1] > 7)
    assert small == ("x", 8, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--function", "nope"], "invalid choice"),
        (["--cases", "0"], "at least 1"),
        (["--case", "3"], "one --function"),
        (["--update", "no-such-file"], "is not a file"),
    ],
)
def test_bad_arguments(arguments: list[str], words: str) -> None:
    """Bad arguments are refused with status 2 and a word on what is wanted."""
    done = _run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_table_goes_between_the_marks(tmp_path: pathlib.Path) -> None:
    """A document keeps all but what stands between the marks; one without them is refused."""
    document = tmp_path / "page.md"
    document.write_text("before\n")
    assert "put them where" in table.missing_marks(document, "make fuzz")
    document.write_text("before\n" + "\nold\n".join(table.marks("make fuzz")) + "\nafter\n")
    assert table.missing_marks(document, "make fuzz") == ""
    table.update(document, "make fuzz", table.markdown([("a", "b"), ("c", "1")], (1,)))
    begin, end = table.marks("make fuzz")
    assert document.read_text() == f"before\n{begin}\n\n| a | b |\n| --- | ---: |\n| c | 1 |\n\n{end}\nafter\n"
