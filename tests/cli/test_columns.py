"""The size of the terminal as the environment tells of it: whatever it says, no text is lost."""

from __future__ import annotations

import pytest

from cli.program import on_terminal, run

COMMANDS = (("info",), ("check",), ("demo", "--quick"))


def letters(text: str) -> int:
    """How much text there is, however it is folded."""
    return len("".join(text.split()))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["0", "\u00b2", "-1", "9" * 30, "wide"])
def test_sizes_that_are_none(command: tuple[str, ...], columns: str) -> None:
    """A terminal that knows no size, and nonsense, are as no variable at all."""
    done = run(*command, env={"COLUMNS": columns, "LINES": columns})
    plain = run(*command)
    assert (done.status, done.has_no_traceback()) == (plain.status, True)
    assert abs(letters(done.out) - letters(plain.out)) <= 20  # times differ
    assert max(map(len, done.out.splitlines())) == pytest.approx(max(map(len, plain.out.splitlines())), abs=5)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["1", "5"])
def test_no_text_is_lost_where_it_is_narrow(command: tuple[str, ...], columns: str) -> None:
    """In less room than text can be folded into, lines are longer than asked for."""
    done = run(*command, env={"COLUMNS": columns})
    least = run(*command, env={"COLUMNS": "24"})
    assert abs(letters(done.out) - letters(least.out)) <= 20  # times differ
    assert done.has_no_traceback()


@pytest.mark.parametrize("columns", [0, 1])
def test_a_terminal_that_knows_no_size(columns: int) -> None:
    """COLUMNS=0 is exported by shells on a terminal without a size."""
    shown = on_terminal("info", columns=columns, env={"COLUMNS": "0"})
    assert shown.status == 0
    assert letters(shown.out) > 1000
