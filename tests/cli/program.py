"""Runs `skywasm` as a program of its own and gives what it left: exit status, output, complaints."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

import pytest
from children import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping
    from typing import Any

TIMEOUT_S = 60
COMMANDS = ("check", "info", "demo", "bench", "report", "enable", "disable", "run", "migrate", "hash", "tail")
# What would steer colour and width from the environment of whoever runs the tests.
_NEUTRAL = dict.fromkeys(
    ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "PYTHONIOENCODING", "TTY_COMPATIBLE"), ""
)
# Away from the checkout: `-m` looks for the package in the current folder first.
_ELSEWHERE = tempfile.gettempdir()


class Done(NamedTuple):
    """What a run left behind."""

    status: int
    out: str
    err: str

    def has_no_traceback(self) -> bool:
        return "Traceback" not in self.out + self.err and "Exception ignored" not in self.err


def command(*arguments: str | bytes) -> list[str | bytes]:
    return [sys.executable, "-m", "skywasm", *arguments]


def start(
    *arguments: str | bytes,
    env: Mapping[str, str] | None = None,
    cwd: pathlib.Path | None = None,
    stdout: Any = subprocess.PIPE,
    stdin: Any = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Starts the program in a session of its own, so that a signal can be sent to all that it starts."""
    return subprocess.Popen(
        command(*arguments),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment({**_NEUTRAL, **(env or {})}),
        cwd=cwd or _ELSEWHERE,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes], data: bytes | None = None) -> Done:
    """Waits for a started program."""
    out, err = process.communicate(data, timeout=TIMEOUT_S)
    if os.name == "nt":
        # As text is written there.
        out, err = (out or b"").replace(b"\r\n", b"\n"), err.replace(b"\r\n", b"\n")
    return Done(process.returncode, (out or b"").decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace"))


def run(*arguments: str | bytes, data: bytes | None = None, **how: Any) -> Done:
    """Runs the program to its end; ``data`` is its standard input. ``how`` is as for ``start``."""
    if data is not None:
        how["stdin"] = subprocess.PIPE
    return finish(start(*arguments, **how), data)


def on_terminal(*arguments: str, columns: int = 80, env: Mapping[str, str] | None = None) -> Done:
    """Runs the program on a pseudo-terminal of so many columns; what it shows comes back as output."""
    # Not on Windows, where the other functions of this module are of use all the same.
    pty = pytest.importorskip("pty")
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment({**_NEUTRAL, "TERM": "xterm-256color", **(env or {})}),
        cwd=_ELSEWHERE,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    # Reading fails once the last program has closed the other end.
    with contextlib.suppress(OSError):
        while True:
            shown += os.read(ours, 65536)
    os.close(ours)
    return Done(process.wait(TIMEOUT_S), shown.decode("utf-8").replace("\r\n", "\n"), "")


def without_wasmtime(folder: pathlib.Path) -> dict[str, str]:
    """The environment of a Python in which wasmtime cannot be found."""
    (folder / "sitecustomize.py").write_text("""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "wasmtime":
            raise ModuleNotFoundError("No module named 'wasmtime'", name="wasmtime")
sys.meta_path.insert(0, Missing())
""")
    return {"PYTHONPATH": str(folder)}
