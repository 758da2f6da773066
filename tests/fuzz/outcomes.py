"""What a call comes to, in a form that is quick to compare and loses nothing that counts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Outcome = tuple[Any, ...]

RAISED = "raises"


def outcome(call: Callable[..., Any], *args: Any) -> Outcome:
    """The type and value of a result, or an exception's type, message, number and cause."""
    try:
        result = call(*args)
    except Exception as error:
        cause = type(error.__cause__).__name__
        return (RAISED, type(error).__name__, str(error), getattr(error, "errno", None), cause)
    kind = type(result)
    if kind is float:
        # nan is not equal to itself, and 0.0 is to -0.0.
        return ("float", repr(result))
    if hasattr(result, "hexdigest"):
        size = (16,) if result.digest_size == 0 else ()
        return ("hash", result.name, result.digest_size, result.block_size, result.hexdigest(*size))
    return (kind.__name__, result)


def raised(found: Outcome) -> bool:
    """Whether a call ended in an exception."""
    return found[0] == RAISED and len(found) > 2


def shown(found: Outcome, most: int = 300) -> str:
    """An outcome as a line of the report."""
    text = f"raises {found[1]}({found[2]!a}) number {found[3]} from {found[4]}" if raised(found) else ascii(found)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
