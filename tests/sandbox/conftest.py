"""Rules hold for a process and for good: what these tests set is taken back behind their scenes."""

from __future__ import annotations

import pytest

from skywasm.crossing import rules
from skywasm.routes import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The process as it was before ``skywasm.sandbox`` was first used."""
    yield
    rules._process.clear()
    rules.armed = rules.timed = False
    rules._laid = 0
    bind.rebind()
