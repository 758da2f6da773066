"""A sample of what ``make opcodes`` does: an exception at some opcodes of every public call, in each mode."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from children import MODES
from conftest import SeededRandom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if sys.platform != "linux":
    pytest.skip("needs Linux's signals and procfs", allow_module_level=True)

TESTS = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("OwnTimeout", "OwnError", "OwnInterrupt")


def struck(before: str = "", **how: object) -> dict[str, Any]:
    """What the strikes find; ``before`` is code that runs first, and may put other calls in their place."""
    code = f"from torture import every_opcode\n{before}\nevery_opcode.main()"
    line = [sys.executable, "-c", code, json.dumps({"kinds": KINDS, **how})]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.rpartition("REPORT ")[2])
    return found


@pytest.mark.parametrize("mode", MODES)
def test_some_opcodes_of_every_call(mode: str, rng: SeededRandom) -> None:
    """The very exception comes out of each, the next answer is right, and nothing is left behind."""
    found = struck(mode=mode, most=8, first=rng.randrange(10_000))
    assert found["wrong"] == []
    assert found["calls"] > 40
    assert found["done"] > 900
    assert set(found["gaps"]) <= {"entrance of __exit__", "import system"}


def test_what_swallows_is_noticed() -> None:
    """A call that takes the exception for an answer, and one that leaves something behind, are found out."""
    before = """
import os
def swallows():
    try:
        return sum(range(5))
    except Exception:
        return False
def leaves():
    at = os.open(os.devnull, os.O_RDONLY)
    sum(range(5))
    os.close(at)
every_opcode.cases = lambda mode, place: {work.__name__: every_opcode.Case(work) for work in (swallows, leaves)}
"""
    wrong = struck(before, mode="python", most=100, first=0)["wrong"]
    assert any("swallows, OwnTimeout: gave False" in one for one in wrong)
    assert any("leaves, OwnError: descriptors" in one for one in wrong)
