"""Answers of routes are compared although other programs take ports and end meanwhile."""

from __future__ import annotations

import pytest

from skywasm.bench import measure


def answering(*answers: object) -> measure.Call:
    """A call that gives one answer after the other."""
    left = list(answers)
    return measure.Call(lambda: left.pop(0), ())


@pytest.mark.parametrize("name", ["find_free_port", "batch.is_process_alive"])
def test_what_asks_the_machine_is_asked_again(name: str) -> None:
    """A port that is taken between two routes' searches makes no difference; one that always differs does."""
    assert measure.agree({"before": answering(1, 2, 2), "after": answering(2, 1, 2)}, name)
    assert not measure.agree({"before": answering(*[1] * 9), "after": answering(*[2] * 9)}, name)


@pytest.mark.parametrize("name", ["base36_encode", "batch.base36_encode", "batch.hash_strings"])
def test_what_does_not_is_asked_once(name: str) -> None:
    """A function of its arguments alone must be right the first time."""
    assert not measure.agree({"before": answering(1, 2), "after": answering(2, 2)}, name)
