"""Runs the migration on texts, and programs before and after it."""

from __future__ import annotations

import textwrap

import pytest

pytest.importorskip("libcst")

from skywasm.migrate import one_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Collection
    from typing import Any

    from skywasm.migrate._names import Reached
    from skywasm.migrate.one_file import Outcome


def text_of(source: str) -> str:
    """An indented text of a test as the text of a file."""
    return textwrap.dedent(source).lstrip("\n")


def outcome(
    source: str | bytes,
    folder: pathlib.Path,
    name: str = "program.py",
    reached: Collection[Reached] = (),
    keep_imports: bool = False,
) -> Outcome:
    """What becomes of a file of this text (dedented) or of these bytes, which is put into ``folder``."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source if isinstance(source, bytes) else text_of(source).encode())
    result = one_file.migrate(str(path), reached, keep_imports)
    assert not result.problem, result.problem
    return result


def moved(source: str, folder: pathlib.Path, name: str = "program.py", **how: Any) -> str:
    """The text that becomes of a file; a second run would not change it."""
    result = outcome(source, folder, name, **how)
    assert result.changed is (result.uses + result.imported > 0)
    again = outcome(result.after, folder, name, **how)
    assert again.after == result.after, "a second run changes more"
    return result.after.decode()


def notes(source: str, folder: pathlib.Path, name: str = "program.py", **how: Any) -> list[tuple[int, str]]:
    """Lines and kinds of what is left to the user."""
    return [(note.line, note.kind) for note in outcome(source, folder, name, **how).notes]


def result_of(source: str | bytes) -> Any:
    """Runs a program with SkyPilot itself and gives what it calls ``result``."""
    pytest.importorskip("sky")
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "program.py", "exec"), namespace)
    return namespace["result"]
