"""What all commands have in common: help, usage errors, closed pipes, full disks, Ctrl-C, colour."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

import skywasm
from cli import program
from cli.program import COMMANDS, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

ESCAPE = "\x1b["


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_and_the_exit_statuses(command: str) -> None:
    """`skywasm COMMAND --help` ends with 0 and shows an example of the command and what its exit statuses mean."""
    done = run(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert re.search(rf"^examples:\n  skywasm {command}", done.out, re.MULTILINE)
    for status in (0, 1, 2, 130, 141):
        assert re.search(rf"^  {status} +\S", done.out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_narrow_terminal(command: str) -> None:
    """No line of a help text is wider than 80 columns."""
    assert max(map(len, run(command, "--help", env={"COLUMNS": "80"}).out.splitlines())) <= 80


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_folded_on_a_narrow_terminal(command: str) -> None:
    """On 40 columns paragraphs and exit statuses are folded; only what is to be typed stays in one line."""
    text = run(*filter(None, [command]), "--help", env={"COLUMNS": "40"}).out
    told = text.partition("\n\n")[2]
    before, _, after = told.partition("examples:\n")
    told = before + after.partition("\n\n")[2]
    wide = [line for line in told.splitlines() if len(line) > 40]
    # Metavariables, which are not folded either.
    assert [line for line in wide if not line.startswith("  ") or not line.strip().startswith(("-", "COMMAND"))] == []


@pytest.mark.parametrize(("typed", "meant"), [("chekc", "check"), ("reprot", "report"), ("hsah", "hash")])
def test_a_mistyped_command_is_guessed(typed: str, meant: str) -> None:
    """A command that is nearly one is told with the one that was meant."""
    done = run(typed)
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith(f"skywasm: error: unknown command '{typed}'; did you mean `skywasm {meant}`?\n")


def test_an_unknown_command_lists_all() -> None:
    """A word like no command is told with all that there are."""
    done = run("zzz")
    assert done.status == 2
    assert f"unknown command 'zzz'; the commands are {', '.join(COMMANDS)}\n" in done.err


@pytest.mark.parametrize("command", ["hash", "tail"])
def test_an_empty_name_is_shown(command: str) -> None:
    """An empty name, as from a variable that is not set, shows as one."""
    assert run(command, "") == (1, "", f"skywasm {command}: '': No such file or directory\n")


def test_the_top_help_lists_every_command() -> None:
    """`skywasm --help` names each command with a line about it."""
    done = run("--help")
    assert done.status == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\w", done.out, re.MULTILINE)


def test_no_command_is_a_usage_error() -> None:
    """`skywasm` alone prints the help text as a complaint and ends with 2."""
    done = run()
    assert (done.status, done.out) == (2, "")
    assert done.err == run("--help").out


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("--nonsense",), ("check", "x"), ("info", "--jsn"), ("demo", "-q"), ("hash",), ("tail",)],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_2(arguments: tuple[str, ...]) -> None:
    """What the parser does not know is told on standard error with how the command is used."""
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: skywasm")
    assert done.has_no_traceback()


@pytest.mark.parametrize("command", ["check", "info", "demo", "bench"])
def test_an_unknown_option_shows_the_commands_own_usage(command: str) -> None:
    """What a command does not know is told with the usage of that command."""
    done = run(command, "--nonsense")
    assert done.err.startswith(f"usage: skywasm {command} ")
    assert done.err.endswith(f"skywasm {command}: error: unrecognized arguments: --nonsense\n")


def test_version() -> None:
    """`skywasm --version` prints name and version."""
    assert run("--version") == (0, f"skywasm {skywasm.__version__}\n", "")


def test_the_installed_program_is_the_module() -> None:
    """The program that the wheel installs does what `python -m skywasm` does."""
    installed = os.path.join(os.path.dirname(sys.executable), "skywasm")
    if not os.path.exists(installed):
        pytest.skip("skywasm is not installed beside this Python")
    done = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version").out


@pytest.mark.parametrize("arguments", [("info",), ("demo",), ("hash", "x"), ("tail", "x")], ids=" ".join)
def test_an_unknown_backend_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """An unknown SKYWASM_BACKEND ends every command but check with 2 and says what it may be."""
    done = run(*arguments, env={"SKYWASM_BACKEND": "rust"})
    assert (done.status, done.out) == (2, "")
    assert "SKYWASM_BACKEND is 'rust'; it must be one of auto, wasm, python" in done.err


def many_lines(folder: pathlib.Path) -> str:
    path = folder / "many.log"
    path.write_bytes(b"a line\n" * 200_000)
    return str(path)


@pytest.mark.parametrize("command", ["check", "info", "hash", "tail", "--help"])
@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_closed_pipe_is_no_traceback(command: str, buffered: str, tmp_path: pathlib.Path) -> None:
    """When the reader of the output is gone, the program ends with 141 and says nothing."""
    path = many_lines(tmp_path)
    arguments = {"hash": ("hash", path), "tail": ("tail", "-n", "150000", path)}.get(command, (command,))
    reader, writer = os.pipe()
    os.close(reader)
    process = program.start(*arguments, stdout=writer, env={"PYTHONUNBUFFERED": buffered})
    os.close(writer)
    done = program.finish(process)
    assert done.err == ""
    # argparse keeps to itself that its help text could not be written, where that shows at once.
    assert done.status == (0 if (command, buffered) == ("--help", "1") else 141)


def test_the_first_line_is_enough(tmp_path: pathlib.Path) -> None:
    """A reader that takes one line of many and leaves gets it; the program ends with 141."""
    process = program.start("tail", "-n", "150000", many_lines(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == b"a line\n"
    process.stdout.close()
    assert process.wait(program.TIMEOUT_S) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("command", ["check", "hash", "tail"])
def test_a_full_disk_is_told_in_a_line(command: str, tmp_path: pathlib.Path) -> None:
    """Output that cannot be written ends the program with 1 and the reason."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    arguments = (command,) if command == "check" else (command, many_lines(tmp_path))
    with open("/dev/full", "wb") as full:
        done = run(*arguments, stdout=full)
    assert (done.status, done.err) == (1, "skywasm: No space left on device\n")


@pytest.mark.parametrize("command", ["check", "info", "demo", "hash"])
def test_ctrl_c_leaves_quietly_with_130(command: str, tmp_path: pathlib.Path) -> None:
    """Ctrl-C while a command loads the engine or waits for a file ends it with 130 and no word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Whoever imports wasmtime is kept waiting, as on a slow disk.
    (tmp_path / "sitecustomize.py").write_text(f"""
import sys
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "wasmtime":
            open({str(pipe)!r}, "rb").read()
sys.meta_path.insert(0, Slow())
""")
    arguments = ("hash", str(pipe)) if command == "hash" else (command,)
    process = program.start(*arguments, env={"PYTHONPATH": str(tmp_path)})
    # Opening succeeds once the other side is there and reads.
    with open(pipe, "wb"):
        os.killpg(process.pid, signal.SIGINT)
        assert program.finish(process) == (130, "", "")


@pytest.mark.parametrize("command", ["check", "info"])
def test_colour_on_a_terminal_only(command: str) -> None:
    """A terminal gets colour, a pipe gets none."""
    assert ESCAPE in program.on_terminal(command).out
    assert ESCAPE not in run(command).out


@pytest.mark.parametrize("command", ["check", "info"])
def test_no_color_is_honoured(command: str) -> None:
    """With NO_COLOR a terminal gets no escape sequence, and the same text."""
    plain = program.on_terminal(command, env={"NO_COLOR": "1"}).out
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", program.on_terminal(command).out)
    assert ESCAPE not in plain
    assert re.sub(r"\d+ ms", "", plain) == re.sub(r"\d+ ms", "", coloured)


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("command", ["check", "info"])
def test_screens_fit_the_terminal(command: str, columns: int) -> None:
    """No line is wider than the terminal, and none ends in blanks."""
    lines = program.on_terminal(command, columns=columns, env={"NO_COLOR": "1"}).out.splitlines()
    assert max(map(len, lines)) <= columns
    assert [line for line in lines if line != line.rstrip()] == []


def test_every_text_can_be_printed_in_ascii() -> None:
    """A pipe that holds only ASCII gets every screen, with escapes for what it cannot hold."""
    for command in ("check", "info"):
        done = run(command, env={"PYTHONIOENCODING": "ascii", "SKYWASM_CACHE_DIR": "/nowhere/caf\u00e9"})
        assert done.status == 0
        assert r"caf\xe9" in done.out


def test_closed_standard_streams_are_no_traceback() -> None:
    """Started with standard output and error closed, the program still ends with its own status."""
    done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *program.command("check")], check=False)
    assert done.returncode == 0
