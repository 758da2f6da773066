"""The arguments of every function's examples, as the declarations have them, made at a workplace."""

from __future__ import annotations

import os
import pathlib

from skywasm.bench.workplace import Workplace, arguments
from skywasm.functions import BY_NAME, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FOLDER", "Workplace", "first", "other", "others", "seen", "told"]

FOLDER = str(pathlib.Path(__file__).resolve().parent)


def seen(how: dict[str, Any] | None = None) -> dict[str, Any]:
    """How to start a child that can import this module; ``how`` is what else there is to say."""
    how = dict(how or {})
    env = dict(how.get("env") or {})
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (env.get("PYTHONPATH", ""), FOLDER)))
    return {**how, "env": env}


def first(place: Workplace) -> dict[str, tuple[Any, ...]]:
    """Arguments by the name of the function: those of its first example."""
    return {row.name: arguments(next(iter(row.examples.values())), place) for row in ROWS}


def others(place: Workplace) -> dict[str, tuple[Any, ...]]:
    """As ``first``, and none that is an example itself where that is not made of files, ports or processes."""
    return {row.name: other(first(place)[row.name]) if row.crossing is None else first(place)[row.name] for row in ROWS}


def told(name: str, result: Any) -> Any:
    """What of a function's result is the same each time: a hash's digest, and of a free port only that it is one."""
    if hasattr(result, "hexdigest"):
        return result.hexdigest()
    return type(result) if "ports" in BY_NAME[name].asks else result


def other(example: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments near those of an example: texts are a digit longer, and floats are larger by one."""
    return tuple(
        value + "0" if isinstance(value, str) else value + 1.0 if isinstance(value, float) else value
        for value in example
    )
