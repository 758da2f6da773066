"""What the artifact failed at, so that Python answered for it: counted, told once, and remembered where all of it
failed.
"""

from __future__ import annotations

from skywasm import log

counts: dict[str, int] = {}
"""Calls that Python answered for the artifact, by the name of the function."""

reason: str | None = None
"""Why the engine is not tried any more in ``auto`` mode; None while it may be."""


def count(name: str) -> None:
    """Takes note of a call that Python answers."""
    counts[name] = counts.get(name, 0) + 1


def tell(name: str, error: Exception) -> None:
    """Says once why Python answers a call."""
    log.warn_once(f"skywasm answers {name} in Python: {type(error).__name__}: {error}")


def give_up(error: Exception) -> None:
    """The engine failed to load: trying at every call would make each take as long as loading does."""
    global reason
    reason = str(error)
    log.warn_once(f"skywasm runs in Python: {error}")


def forget() -> None:
    """The engine may be tried again."""
    global reason
    reason = None
