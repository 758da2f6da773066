"""SkyPilot's own functions, and the comparison of what two calls come to.

``sky`` is imported once a session, when the first test module that imports this one is collected.
"""

from __future__ import annotations

import warnings

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

with warnings.catch_warnings():
    # Its dependencies use what their own dependencies have deprecated.
    warnings.simplefilter("ignore")
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    from sky.utils import common_utils, subprocess_utils

__all__ = ["assert_same", "common_utils", "outcome", "subprocess_utils"]


def _described(result: Any) -> str:
    """All that counts about a result, as text: floats with all their digits, surrogates escaped."""
    if hasattr(result, "hexdigest"):
        size = (16,) if result.digest_size == 0 else ()
        return f"{result.name} {result.digest_size} {result.block_size} {result.hexdigest(*size)}"
    return f"{type(result).__name__} {result!a}"


def outcome(call: Callable[[], Any]) -> str:
    """What a call comes to: its result, or its exception's type, message and cause."""
    try:
        result = call()
    except Exception as error:
        cause = type(error.__cause__).__name__
        return f"raises {type(error).__name__}({str(error)!a}) number {getattr(error, 'errno', None)} from {cause}"
    return _described(result)


def assert_same(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Both calls come to the same."""
    got, want = outcome(ours), outcome(theirs)
    assert got == want, f"\n  ours   {got}\n  theirs {want}"
