"""``skywasm run``: a program with the drop-in on, and nothing changed in the environment."""

from __future__ import annotations

import errno
import os
import sys

from skywasm.cli import _output
from skywasm.cli._command import FINE, Command, Failure, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn

_PROGRAM = "skywasm run"
# What shells answer for these.
CANNOT_RUN = 126
NOT_FOUND = 127
# Read by skypilot/run/sitecustomize.py, as is the form of its value.
VARIABLE = "SKYWASM_RUN"
_UNKNOWN_ENDING = (
    "its name does not end as a program's does (PATHEXT); name the program that reads it, as in: "
    "skywasm run -- notepad {}"
)


def environment() -> dict[str, str]:
    """The environment of the program: it and all that it starts with this Python find our ``sitecustomize``.

    Raises:
        Failure: skywasm lies in an archive, where no interpreter can look for it.
    """
    from skywasm import skypilot

    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "skypilot", "run")
    if not os.path.isfile(os.path.join(folder, "sitecustomize.py")):
        raise Failure(f"{folder} is no folder on disk; install skywasm with pip to use this command")
    if os.pathsep in folder:
        raise Failure(
            f"{folder} has a {os.pathsep!r} in its name, which PYTHONPATH cannot hold; `skywasm enable` does without it"
        )
    # An empty entry would be the current folder.
    ahead = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != folder]
    place = f"{sys.version_info[0]}.{sys.version_info[1]}:{','.join(skypilot.MODULES)}:{sys.prefix}"
    return {**os.environ, "PYTHONPATH": os.pathsep.join([folder, *ahead]), VARIABLE: place}


def resolve(words: Sequence[str]) -> list[str] | None:
    """The program to start and its arguments; None when there is no such program.

    Options and script files go to this Python. A name is looked for beside this Python first, then on PATH.
    """
    word = words[0]
    if word.startswith("-") or (os.path.isfile(word) and _is_script(word)):
        return [sys.executable, *words]
    found = _named(word) if os.path.dirname(word) else _found(word)
    return None if found is None or not os.path.exists(found) else [found, *words[1:]]


def _no_program(path: str) -> str:
    """Why what is there cannot be run, and what to do; empty where nothing is there, or nothing is wrong."""
    if os.path.isdir(path):
        return "it is a folder; name a program in it"
    if os.path.exists(path) and not os.path.isfile(path):
        # Not even opened: a named pipe would wait for somebody to write to it.
        return "it is no file but a named pipe, socket or device"
    if os.name == "nt" and os.path.isfile(path) and not _is_script(path):
        # Every file may be executed there; the name says whether it can be.
        return "" if _named(path) != path or _has_ending(path) else _UNKNOWN_ENDING.format(path)
    if not os.path.isfile(path) or _is_script(path) or (os.path.dirname(path) and os.access(path, os.X_OK)):
        return ""
    if os.access(path, os.X_OK):
        return f"the current folder is not searched for programs; to run it, write {os.path.join(os.curdir, path)}"
    if not os.access(path, os.R_OK):
        return "you may not read or execute it"
    return f"it is not executable; name the program that reads it, as in: skywasm run -- sh {path}"


def _is_script(path: str) -> bool:
    """Whether a file is a Python program by its name; one that can be executed says itself by what."""
    return os.path.normcase(path).endswith((".py", ".pyw"))


def _endings() -> list[str]:
    """What the names of programs end in on Windows."""
    return os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").lower().split(os.pathsep) if os.name == "nt" else []


def _has_ending(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in _endings()


def _named(path: str) -> str:
    """The file that a path means: on Windows programs are named without their ending too."""
    if _has_ending(path) and os.path.isfile(path):
        return path
    return next((path + ending for ending in _endings() if os.path.isfile(path + ending)), path)


def _found(name: str) -> str | None:
    import shutil
    import sysconfig

    beside = [os.path.dirname(sys.executable), sysconfig.get_path("scripts")]
    return shutil.which(name, path=os.pathsep.join([*beside, os.environ.get("PATH", os.defpath)]))


def _foreign_python(path: str) -> str | None:
    """The Python of another environment that a script names in its first line, where that is plain to see."""
    try:
        with open(path, "rb") as file:
            line = file.readline(512)
    except OSError:
        return None
    words = [os.fsdecode(word) for word in line[2:].split()] if line.startswith(b"#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [_found_on_path(words[1])] if words[1:] else []
    if not words or not os.path.basename(words[0]).startswith("python"):
        return None
    return None if _is_of_this_environment(words[0]) else words[0]


def _found_on_path(name: str) -> str:
    import shutil

    return shutil.which(name) or name


def _is_of_this_environment(python: str) -> bool:
    # The folder counts: in a virtual environment python is a link to another environment's.
    folder = os.path.realpath(os.path.dirname(python))
    if folder in (os.path.realpath(os.path.dirname(sys.executable)), os.path.realpath(os.path.join(sys.prefix, "bin"))):
        return True
    return sys.prefix == sys.base_prefix and os.path.realpath(python) == os.path.realpath(sys.executable)


def become(command: Sequence[str], env: dict[str, str]) -> NoReturn:
    """Turns this process into the program, which so has the terminal and all signals to itself.

    Raises:
        OSError: it cannot be started.
    """
    import signal

    # What Python ignores, and other programs rely on.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(command[0], list(command), env)  # noqa: S606 - the user's command


def wait_for(command: Sequence[str], env: dict[str, str]) -> int:
    """Runs the program as a child. Ctrl-C is for it to answer.

    Raises:
        OSError: it cannot be started.
    """
    import contextlib
    import subprocess

    with subprocess.Popen(command, env=env) as child:  # noqa: S603 - the user's command
        while child.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):
                child.wait()
    # What ended a crashed program on Windows is a number of 32 bits without a sign, and an exit status has one.
    return child.returncode - (2**32 if child.returncode >= 2**31 else 0)


def _run(options: argparse.Namespace) -> int:
    words = options.words
    if words[:1] in (["-h"], ["--help"]):
        options.parser.print_help()
        return FINE
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise UsageError("a command is missing, as in: skywasm run -- sky status")
    if not sys.executable:
        raise Failure("this interpreter does not know its own path, so nothing can be started with it")
    command = resolve(words)
    why = _no_program(words[0] if command is None else command[0])
    if why:
        _output.complain(_PROGRAM, f"{words[0]}: {why}")
        return CANNOT_RUN
    if command is None:
        _output.complain(
            _PROGRAM, f"{words[0] or repr('')}: no such command beside {sys.executable} or on PATH, and no such file"
        )
        return NOT_FOUND
    foreign = _foreign_python(command[0])
    if foreign is not None:
        _output.complain(_PROGRAM, f"{command[0]} belongs to another Python, {foreign}: the drop-in is off in it")
    env = environment()
    _output.flush()
    try:
        return wait_for(command, env) if os.name == "nt" else become(command, env)
    except OSError as error:
        advice = "; has it a first line that says what runs it, as #!/bin/sh?" if error.errno == errno.ENOEXEC else ""
        _output.complain(_PROGRAM, f"{command[0]}: {error.strerror or error}{advice}")
        return CANNOT_RUN


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    import argparse

    parser.usage = "%(prog)s [-h] [--] COMMAND [ARGUMENT ...]"
    # Everything behind belongs to the command, its options and its own "--" included.
    parser.prefix_chars = "\0"
    parser.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="COMMAND [ARGUMENT ...]",
        help="a program beside this Python or on PATH, a script file (*.py), or options for Python as -m MODULE",
    )


COMMAND = Command(
    name="run",
    summary="run a program with the drop-in for SkyPilot on, and leave no trace",
    description="Run a program in which skywasm's functions stand in for SkyPilot's: in it, and in all processes of "
    "this same Python environment that it starts. Any program will do, a shell or make too. Nothing is written. "
    "Python's options -I, -E and -S leave the drop-in out, and SKYPILOT_USE_RUST=0 switches it off.",
    example="  skywasm run -- sky status\n  skywasm run -- python my_script.py --its-own-options\n"
    "  skywasm run -m pytest tests",
    fine="the program ended with 0; whatever its exit status is, it comes out",
    wrong="the program ended with 1, or skywasm lies in an archive, from which nothing can be started",
    usage="the program ended with 2, or the command line is wrong",
    more=(
        (CANNOT_RUN, "the program is there and cannot be executed: it is a folder, a plain text, or not allowed"),
        (NOT_FOUND, "there is no such program"),
    ),
    add_arguments=_add_arguments,
    run=_run,
)
