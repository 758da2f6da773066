"""Deadlines at the ends of what a number of seconds may be."""

from __future__ import annotations

import math

import pytest

from skywasm import sandbox


@pytest.mark.parametrize("seconds", [10**400, -(10**400), math.inf, -math.inf, math.nan, 0, -1.0])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    """A number beyond all floats is a ValueError as infinity is."""
    with pytest.raises(ValueError, match="positive, finite"):
        sandbox.limits(deadline_s=seconds)
