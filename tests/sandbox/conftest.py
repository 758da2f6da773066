"""Rules hold for a process and for good: what these tests set is taken back behind their scenes."""

from __future__ import annotations

import pytest

from skywasm import _dispatch, _policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The process as it was before ``skywasm.sandbox`` was first used."""
    yield
    _policy._process.clear()
    _policy.armed = _policy.timed = False
    _policy._bound = 0
    _dispatch.rebind()
