"""What follows from the declarations is what stands in the repository."""

from __future__ import annotations

import pytest

from derived import ROOT, texts


@pytest.mark.parametrize("name", list(texts()))
def test_current(name: str) -> None:
    """The file is what `make derived` would write."""
    assert (ROOT / name).read_text(encoding="utf-8") == texts()[name](), f"{name}: run `make derived`"
