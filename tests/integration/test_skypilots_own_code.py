"""SkyPilot's own code gives the same with the drop-in as without it, wherever it uses the functions."""

from __future__ import annotations

import importlib.util

import pytest

from integration.places import FIRST_PORT, MODES, answers
from integration.sky_calls import CASES
from integration.sky_watch import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# One worker of pytest's, so that SkyPilot is imported once a mode.
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("sky") is None, reason="SkyPilot is not installed"),
    pytest.mark.xdist_group("integration"),
]
BACKENDS = MODES[1:]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came out in all modes."""
    return answers(tmp_path_factory.mktemp("skypilot"), FIRST_PORT)


@pytest.mark.parametrize("name", CASES)
def test_skypilot_alone_answers(answered: dict[str, dict[str, Any]], name: str) -> None:
    """Each case is one that works, and goes through functions of SkyPilot's that the drop-in replaces."""
    found = answered["off"]["cases"][name]
    assert "error" not in found
    assert {whose for _, whose, _ in found["seen"]} == {"sky"}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CASES)
def test_the_same_with_the_drop_in(answered: dict[str, dict[str, Any]], name: str, backend: str) -> None:
    """The answer is the same, and so is what each function gave; it was skywasm's that was called each time."""
    alone, found = answered["off"]["cases"][name], answered[backend]["cases"][name]
    assert found.get("gave", found.get("error")) == alone["gave"]
    ours, theirs = ([(function, gave) for function, _, gave in one["seen"]] for one in (found, alone))
    # How often a port is looked for depends on what other programs take.
    assert set(map(repr, ours)) == set(map(repr, theirs)) if name == "ports" else ours == theirs
    assert {whose for _, whose, _ in found["seen"]} == {"skywasm"}


def test_no_function_is_left_out(answered: dict[str, dict[str, Any]]) -> None:
    """The cases use all functions that SkyPilot has."""
    used = {function for found in answered["off"]["cases"].values() for function, _, _ in found["seen"]}
    assert used == set(NAMES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_are_replaced(answered: dict[str, dict[str, Any]], backend: str) -> None:
    """After all of this, all are skywasm's and no module of SkyPilot's has kept one of its own."""
    status = answered[backend]["status"]
    states = {function: found["state"] for function, found in status["functions"].items()}
    assert {function for function, state in states.items() if state == "replaced"} == set(NAMES)
    assert status["elsewhere"] == []
