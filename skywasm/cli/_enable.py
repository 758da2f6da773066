"""``skywasm enable`` and ``skywasm disable``: the drop-in in every program of an environment."""

from __future__ import annotations

import contextlib
import os
import sys

from skywasm.cli import _findings, _output
from skywasm.cli._command import FINE, Command, Failure, UsageError
from skywasm.cli._findings import OK, WARNING, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

FILE = "skywasm_dropin.pth"
_MODULE = "skywasm.skypilot.startup"
_STARTUP = os.path.join("skywasm", "skypilot", "startup.py")
# Asked of a new interpreter that sees neither PYTHONPATH nor the current folder nor the user's own packages.
_WHERE = "import importlib.util as u; s = u.find_spec('skywasm'); answer = s and s.origin or ''"
_WHO_WAITS = "import sys; answer = [f.skywasm_drop_in for f in sys.meta_path if hasattr(f, 'skywasm_drop_in')]"
_MARK = "<skywasm-answer>"
_READABLE = 0o644
_TRIES, _PAUSE_S = 20, 0.05


def pth_path() -> str:
    """Where the file goes: into this environment's own folder of packages."""
    import sysconfig

    return os.path.join(sysconfig.get_path("purelib"), FILE)


def pth_line(folder: str) -> str:
    """The line for a skywasm that lies in ``folder``. Where that is the line's own, it goes along with it: an
    environment may be copied or moved.

    It puts a finder in front, which is spelt out in ``skypilot/run/sitecustomize.py``. Every start of Python pays
    for it, and in a virtual environment it is read twice, so what can wait is a text until SkyPilot is asked for, and
    all of it is one when it has been read before. In ASCII, since the encoding of .pth files has changed.
    """
    from skywasm import skypilot

    later = (
        "try:\n"
        " from importlib.machinery import SourceFileLoader as loader\n"
        " exec(loader(__name__, __file__).get_code(__name__), globals())\n"
        " spec = find_spec(*asked)\n"
        "except Exception: pass"
    )
    answer = f"exec({later!a}, globals()) or globals().get('spec')"
    module = f"'__name__': {_MODULE!r}, '__file__': folder + {os.sep + _STARTUP!a}"
    find = (
        f"lambda name, path=None, target=None: name in {skypilot.MODULES} and "
        f"eval({answer!a}, {{{module}, 'asked': (name, path, target)}}) or None"
    )
    insert = f"sys.meta_path.insert(0, type(sys.implementation)(skywasm_drop_in=folder, find_spec={find}))"
    # What site calls the folder that it is reading.
    own = os.path.realpath(folder) == os.path.realpath(os.path.dirname(pth_path()))
    where = f"locals().get('sitedir') or {folder!a}" if own else ascii(folder)
    return (
        "import sys; hasattr(sys.meta_path[0], 'skywasm_drop_in') or "
        f"exec({insert!a}, {{'sys': sys, 'folder': {where}}})\n"
    )


def _ask(code: str) -> Any:
    """The value of ``answer`` in a new interpreter of this environment, whatever else is printed there.

    Things in an environment print while Python starts and when it ends, replace ``sys.stdout``, or fail at the end.
    """
    import subprocess
    from ast import literal_eval

    code += f"; import os; os.write(1, ({_MARK!r} + ascii(answer) + {_MARK!r}).encode())"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(  # noqa: S603 - this Python
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    parts = done.stdout.split(_MARK)
    if len(parts) < 3:  # noqa: PLR2004 - before, answer, behind
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise Failure(f"{sys.executable} does not start as it should: {last}")
    return literal_eval(parts[1])


def installed_folder() -> str:
    """The folder that this environment's own skywasm lies in, whichever copy is running now.

    Raises:
        Failure: it has none.
    """
    origin: str = _ask(_WHERE)
    folder = os.path.dirname(os.path.dirname(origin))
    if origin and os.path.isfile(os.path.join(folder, _STARTUP)):
        return folder
    running = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    raise Failure(
        f"skywasm is not among the packages of {sys.prefix}; the one running now is {running}.\n"
        f"Install it there first: {sys.executable} -m pip install skywasm"
    )


def _require_environment(options: argparse.Namespace) -> None:
    if sys.prefix == sys.base_prefix and not options.system:
        raise UsageError(
            f"{sys.prefix} is no virtual environment. Activate the one that SkyPilot is installed in, or give "
            "--system to switch the drop-in on for everybody who uses this Python"
        )
    _require_own_program()


def _require_own_program() -> None:
    """Refuses the program in an environment that was copied: its first line still names the other one's Python."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
    if os.path.isfile(os.path.join(folder, "pyvenv.cfg")) and os.path.realpath(folder) != os.path.realpath(sys.prefix):
        python = os.path.join(folder, os.path.relpath(sys.executable, sys.prefix))
        raise UsageError(
            f"{sys.argv[0]} is run by the Python of {sys.prefix}: {folder} was copied from there. "
            f"To mean the copy: {python} -m skywasm"
        )


def _write(path: str, line: str) -> None:
    """Writes the file in one step: an interpreter that starts meanwhile reads all of it or none."""
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "x", encoding="ascii") as file:
            file.write(line)
        _let_read(draft)
        _insist(lambda: os.replace(draft, path))
    except OSError as error:
        _forget(draft)
        raise Failure(f"{path} cannot be written: {error.strerror or error}") from None


def _insist(work: Callable[[], None]) -> None:
    """Does what Windows refuses for as long as an interpreter that is starting reads the file."""
    import time

    for _ in range(_TRIES if os.name == "nt" else 0):
        try:
            return work()
        except PermissionError:  # noqa: PERF203 - few tries
            time.sleep(_PAUSE_S)
    return work()


def _let_read(path: str) -> None:
    """Lets everybody read it who may look into its folder, whatever the umask: Python passes over what it cannot read.

    Raises:
        OSError: it is somebody else's.
    """
    if os.stat(path).st_mode & _READABLE != _READABLE:
        os.chmod(path, _READABLE)


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)


def current_line(path: str) -> str | None:
    """What the file holds; None when it cannot be read, mostly because there is none."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def _enable(options: argparse.Namespace) -> int:
    _require_environment(options)
    path, folder = pth_path(), installed_folder()
    line = pth_line(folder)
    is_there = current_line(path) == line
    if is_there:
        with contextlib.suppress(OSError):
            _let_read(path)
    else:
        _write(path, line)
    waiting = _ask(_WHO_WAITS)
    if not waiting:
        _forget(path)
        raise Failure(f"a new Python does not read {path}, so the file was removed again")
    skypilot = _findings.distribution_version("skypilot")
    rows = [
        ("kept" if is_there else "wrote", f"{path}, one line"),
        ("skywasm", os.path.join(waiting[0], "skywasm")),
        ("SkyPilot", skypilot or "not installed yet; nothing happens until it is"),
        ("undo", "skywasm disable"),
        ("off once", "SKYPILOT_USE_RUST=0 in a program's environment"),
    ]
    console = _output.console()
    _output.print_text(console, f"The drop-in is on in {sys.prefix}, for every program that starts from now on.")
    _output.print_columns(console, rows, indent=2)
    return FINE


def _disable(_: argparse.Namespace) -> int:
    _require_own_program()
    path = pth_path()
    try:
        _insist(lambda: os.remove(path))
        was_there = True
    except FileNotFoundError:
        was_there = False
    except OSError as error:
        raise Failure(f"{path} cannot be removed: {error.strerror or error}") from None
    console = _output.console()
    if was_there:
        _output.print_text(console, f"The drop-in is off in {sys.prefix}, for every program that starts from now on.")
        _output.print_columns(console, [("removed", path)], indent=2)
    else:
        _output.print_text(console, f"The drop-in was not on in {sys.prefix}: there is no {path}")
    _tell_of_others(path)
    return FINE


def finding() -> Finding:
    """How the drop-in stands in a program started like this one, for `skywasm check`."""
    from skywasm import skypilot
    from skywasm.routes import mode

    path = pth_path()
    line = current_line(path)
    is_written = line is not None
    if not any(map(skypilot.is_waiting, sys.meta_path)):
        if is_written:
            fact = f"off: {path} is there, but is not for the skywasm in {skypilot.FOLDER}"
            return Finding("drop-in", WARNING, fact, "run `skywasm enable` again, or `skywasm disable`")
        return Finding("drop-in", OK, "off; `skywasm enable` switches it on here, `skywasm run` for one program")
    if mode.switched_off():
        return Finding("drop-in", OK, f"off by SKYPILOT_USE_RUST={os.environ['SKYPILOT_USE_RUST']}")
    if line is not None and _MODULE not in line:
        # It names a file that is gone, and does nothing.
        return Finding("drop-in", WARNING, f"{path} was written by another version", "run `skywasm enable` again")
    return Finding("drop-in", OK, f"on through {path}" if is_written else "on in this process by `skywasm run`")


def _tell_of_others(path: str) -> None:
    """Names a file that another environment, whose packages this one sees, has its own copy of."""
    import site

    for folder in site.getsitepackages():
        other = os.path.join(folder, FILE)
        if os.path.exists(other) and os.path.realpath(other) != os.path.realpath(path):
            _output.complain("skywasm disable", f"it is still on through {other}, which belongs to another environment")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--system",
        action="store_true",
        help="also where this Python is no virtual environment, for everybody who uses it",
    )


ENABLE = Command(
    name="enable",
    summary="switch the drop-in for SkyPilot on in this environment, for good",
    description="Have skywasm's functions stand in for SkyPilot's in every program that this environment's Python "
    "runs. One file of one line is written, into the environment's own folder of packages; it is read when Python "
    "starts and does nothing until SkyPilot is imported. It names the skywasm that is installed in the environment, "
    "whatever PYTHONPATH and the current folder hold.",
    example="  skywasm enable\n  skywasm check | grep drop-in",
    fine="the drop-in is on; the output says what was written and where",
    wrong="it is as it was: the file could not be written, or skywasm is not installed in this environment",
    add_arguments=_add_arguments,
    run=_enable,
)

DISABLE = Command(
    name="disable",
    summary="switch the drop-in off again; nothing is left behind",
    description="Remove the file that `skywasm enable` has written. Programs that are running keep what they have.",
    example="  skywasm disable",
    fine="the drop-in is off, or never was on",
    wrong="the file could not be removed",
    add_arguments=_add_arguments,
    run=_disable,
)
