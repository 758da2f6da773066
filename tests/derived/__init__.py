"""What follows from the declarations and is kept in the repository: type stubs, and the sample of vectors.

``make derived`` writes it, a test compares.
"""

from __future__ import annotations

import pathlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]


def texts() -> dict[str, Callable[[], str]]:
    """The files, and what makes the text of each."""
    from derived import forwarders, sample, stubs

    return {
        "skywasm/__init__.pyi": stubs.top,
        "skywasm/batch/__init__.pyi": stubs.batch,
        "skywasm/functions/_forwarders.py": forwarders.text,
        "skywasm/vectors.json": sample.text,
    }
