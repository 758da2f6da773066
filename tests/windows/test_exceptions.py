"""Exceptions from another thread at random moments: each comes out as itself, and what follows is right.

The same as ``make torture`` throws on Linux, here where every Python for Windows runs it too.
"""

from __future__ import annotations

import os

import pytest
from torture import interrupts

pytest.importorskip("wasmtime")
COUNT = int(os.environ.get("SKYWASM_TEST_EXCEPTIONS", "300"))


@pytest.mark.timeout(3600)
def test_exceptions_from_another_thread(rng: object) -> None:
    """Raw calls, requests and all else between them are left and entered again without a wrong answer."""
    seed = int(getattr(rng, "number", 0))
    found = interrupts.asynchronous_exceptions(COUNT, seed)
    print(f"{COUNT} exceptions: {found.note}")
    assert found.problems == []
