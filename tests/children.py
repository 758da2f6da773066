"""Runs pieces of Python in a process of their own, for what would harm or change the process of the tests."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import textwrap

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# What can be tested here: an interpreter too old for the engine still runs everything in Python.
MODES = ("auto", "wasm", "python") if importlib.util.find_spec("wasmtime") else ("auto", "python")
PACKAGES = pathlib.Path(skywasm.__file__).parent.parent
TIMEOUT_S = 60

# Every child may call report(name=value, ...); run() gives the values back. `warnings` collects what skywasm logs,
# MODES are the backends that this interpreter has.
_PRELUDE = """
import json as _json, logging as _logging, sys as _sys
warnings = []
class _Keep(_logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())
_logging.getLogger("skywasm").addHandler(_Keep(_logging.WARNING))
MODES = %r
def report(**facts):
    _sys.stdout.write("REPORT " + _json.dumps(facts, default=repr) + chr(10))
    _sys.stdout.flush()
"""
_PRELUDE = _PRELUDE.replace("%r", repr(MODES))


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with ``env`` on top; an empty value there removes a variable."""
    changes = dict(env or {})
    kept = {name: value for name, value in os.environ.items() if name not in changes}
    return {**kept, **{name: value for name, value in changes.items() if value}}


def script(code: str) -> str:
    """The text of a child: what all children share, then ``code``."""
    own = textwrap.dedent(code).lstrip("\n")
    # Indented, it would become part of the function above it and never run.
    assert not own.startswith(" "), own
    return _PRELUDE + own


def start(
    code: str,
    *,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    options: Sequence[str] = (),
    args: Sequence[str] = (),
    cwd: str | None = None,
) -> subprocess.Popen[str]:
    """Starts a child in a session of its own, so that ``stop`` reaches whatever it forked."""
    return subprocess.Popen(
        [*prefix, sys.executable, *options, "-c", script(code), *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        cwd=cwd,
        start_new_session=True,
    )


def stop(child: subprocess.Popen[str]) -> None:
    """Ends a child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def finish(child: subprocess.Popen[str], status: int = 0, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Waits for a child, holds its exit status against ``status`` and gives all that it reported."""
    try:
        out, err = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        raise AssertionError(f"the child did not end in {timeout_s} s\n{out[-2000:]}\n{err[-4000:]}") from None
    assert child.returncode == status, f"exit status {child.returncode}\n{out[-2000:]}\n{err[-4000:]}"
    facts: dict[str, Any] = {"stderr": err}
    for line in out.splitlines():
        if line.startswith("REPORT "):
            facts.update(json.loads(line[len("REPORT ") :]))
    return facts


def run(code: str, *, status: int = 0, timeout_s: float = TIMEOUT_S, **how: Any) -> dict[str, Any]:
    """Runs a child to its end. ``how`` is as for ``start``; result and checks as for ``finish``."""
    return finish(start(code, **how), status, timeout_s)


def copy_packages(folder: pathlib.Path) -> dict[str, Any]:
    """Copies both packages into ``folder``, to be damaged there; gives how to start a child that imports the copy."""
    for name in ("skywasm", "host_shims"):
        shutil.copytree(PACKAGES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Coverage is measured on the packages themselves, not on copies that are gone when it is reported.
    env = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COVERAGE_PROCESS_START": ""}
    # A child also imports from its current folder.
    return {"env": env, "cwd": str(folder)}
