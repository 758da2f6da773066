"""Every Python that can be had, with the oldest and the newest of what skywasm stands on. `make pythons` runs all.

An interpreter that is not on this machine is skipped, and named. Those of pyenv are found without being on the path.
Arguments after `--` go to pytest in place of the quick selection: `nox -s tests-3.13 -- tests`.
"""

from __future__ import annotations

import os
import pathlib
import shutil

import nox

ROOT = pathlib.Path(__file__).resolve().parent
PYENV = pathlib.Path(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")))
# Behind what is on the path: pyenv's shims refuse versions that are not chosen.
os.environ["PATH"] = os.pathsep.join(
    [*(str(path) for path in sorted(PYENV.glob("versions/*/bin"))), os.environ.get("PATH", "")]
)

nox.needs_version = ">=2025.2.9"
# PyPy is asked for by name: its compiler refuses `global` for a name with an annotation, and skywasm has some.
nox.options.sessions = ["tests", "free_threaded", "oldest", "fallback", "emscripten"]
nox.options.reuse_venv = "yes"
# virtualenv no longer makes environments for Python 3.8; each Python's own venv does.
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

# What differs from one Python to the next: text, numbers, files, processes, ctypes, fallback. Below a minute each.
QUICK = ["tests/unit", "tests/conformance", "tests/contract", "tests/host", "tests/faults", "tests/sandbox"]
# SkyPilot is left out: it holds packages back, and what is right is in the vectors.
TOOLS = ["pytest>=8", "pytest-timeout>=2", "pytest-xdist>=3"]
OPTIONAL = ["blake3>=1", "hypothesis>=6", "numpy>=1.24"]
NEWEST = ["wasmtime", "psutil", "platformdirs", "rich"]
# The lower bounds of pyproject.toml; tests/packaging compares.
OLDEST = ["wasmtime==50.0.1", "psutil==5.9.0", "platformdirs==3.0.0", "rich==12.0.0"]
PYTEST = ("-q", "-p", "no:cacheprovider", "--timeout=120")


def check(session: nox.Session, selection: list[str]) -> None:
    """The wheel's own check, then the tests."""
    session.run("python", "-c", "import sys, skywasm; print(sys.version, skywasm.get_backend_info(load=True))")
    session.run("skywasm", "check")
    session.run("python", "-m", "pytest", *PYTEST, *(session.posargs or selection))


@nox.session(python=["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """A Python that wasmtime supports, with the newest of everything."""
    session.install("-e", ".", *TOOLS, *OPTIONAL)
    session.install("--upgrade", *NEWEST)
    check(session, QUICK)


@nox.session(python=["3.13t", "3.14t"])
def free_threaded(session: nox.Session) -> None:
    """A Python without the global lock: the same, and threads that hammer one pool."""
    session.install("-e", ".", *TOOLS)
    check(session, [*QUICK, "tests/hammer"])


@nox.session(python="3.9")
def oldest(session: nox.Session) -> None:
    """The oldest Python with the oldest of everything that is allowed."""
    session.install("-e", ".", *TOOLS, *OPTIONAL, *OLDEST)
    check(session, QUICK)


@nox.session(python="3.8")
def fallback(session: nox.Session) -> None:
    """Python 3.8, which wasmtime does not support: pure Python answers."""
    session.install("-e", ".", *TOOLS)
    session.run("python", "-c", "import skywasm; assert skywasm.get_backend_info(load=True)['backend'] == 'python'")
    # What asks for the sandbox by name has nothing to ask here.
    session.run("python", "-m", "pytest", *PYTEST, "-k", "not wasm", *(session.posargs or QUICK))


@nox.session(python=["pypy3.9", "pypy3.10", "pypy3.11"])
def pypy(session: nox.Session) -> None:
    """PyPy, by the public way into wasmtime or by none."""
    session.install("-e", ".", *TOOLS)
    check(session, ["tests/unit", "tests/conformance", "tests/host"])


@nox.session(python="3.11")
def emscripten(session: nox.Session) -> None:
    """The wheel in Pyodide: the newest Python, on a system that no module of host_shims is for."""
    if shutil.which("npm") is None:
        session.skip("npm is not installed")
    session.install("build", "hatchling>=1.28")
    folder = pathlib.Path(session.create_tmp())
    session.run("python", "-m", "build", "-q", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT))
    (wheel,) = (folder / "dist").glob("*.whl")
    session.run("npm", "install", "--silent", "--prefix", str(folder), "pyodide@314", external=True)
    script = str(ROOT / "tests" / "packaging" / "pyodide.mjs")
    session.run("node", script, str(folder), str(wheel), external=True)
