"""Every Python that can be had, with the oldest and the newest of what skywasm stands on. `make pythons` runs all.

An interpreter that is not on this machine is skipped, and named. Those of pyenv are found without being on the path.
Arguments after `--` go to pytest in place of the quick selection: `nox -s tests-3.13 -- tests`. Each session that
passes with the quick selection leaves a row; `nox -s table` puts the rows into docs/PYTHONS.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import time
import xml.etree.ElementTree as ET

import nox

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.append(str(ROOT / "tests"))
from fuzz import table as tables  # noqa: E402 - found by the line above

PYENV = pathlib.Path(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")))
# Behind what is on the path: pyenv's shims refuse versions that are not chosen.
os.environ["PATH"] = os.pathsep.join(
    [*(str(path) for path in sorted(PYENV.glob("versions/*/bin"))), os.environ.get("PATH", "")]
)

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "free_threaded", "oldest", "fallback", "pypy", "musl", "emscripten"]
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
# What asks for the sandbox by name has nothing to ask where it cannot run.
WITHOUT_SANDBOX = "not wasm"
# Where PyPy differs from CPython, and SkyPilot on PyPy with it: how int() and format() read their arguments, names
# and messages of hashes and codecs, no os.waitid. And what counts on the reason why there is no sandbox.
PYPY_ITSELF = (
    "not format_float and not impossible_precisions and not get_cpu_count and not other_spellings and not zombie"
    " and not stopped_process and not with_one_warning and not blake3_without"
    " and not case-08 and not case-09 and not case-10 and not case-13"
)

# Strikes at each call with each kind of exception, where tests/torture/every_opcode.py sets no other bound.
OPCODES = 1_000_000
OPCODES_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
KINDS = ("OwnTimeout", "OwnError", "OwnInterrupt")
OPCODES_COLUMNS = ("Python", "mode", "calls", "places", "exceptions", "in Python's own gaps", "seconds", "failures")
# Built without OpenSSL, hashlib does not know these. And musl counts as online what the affinity mask leaves.
MUSL_ITSELF = (
    "not case-08 and not SHA-256 and not sha512_2 and not (test_vectors and hash_file) and not hashing_in_many_threads"
    " and not other_algorithms_are_hashlibs and not affinity_follows"
)

DOCUMENT = ROOT / "docs" / "PYTHONS.md"
RELIABILITY = ROOT / "docs" / "RELIABILITY.md"
COMMAND = "nox -s table"
COLUMNS = ("session", "Python", "wasmtime", "psutil", "backend", "passed", "skipped")
NOX = (sys.executable, "-m", "nox")
ROWS = ROOT / ".nox" / "rows"
FACTS = """
import json, platform, sys, sysconfig, importlib.metadata as metadata
import skywasm
name = platform.python_implementation()
if name == "PyPy":
    name += " {}.{}.{}".format(*sys.pypy_version_info) + ","
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    name += ", free-threaded,"
found = {one.metadata["Name"]: one.version for one in metadata.distributions()}
backend = skywasm.get_backend_info(load=True)["backend"]
print(json.dumps([f"{name} {platform.python_version()}", found.get("wasmtime", "none"), found["psutil"], backend]))
"""


def _digest() -> str:
    return hashlib.sha256((ROOT / "skywasm" / "core.wasm").read_bytes()).hexdigest()


def _keep(session: nox.Session, *cells: str) -> None:
    """The row of a session that passed."""
    ROWS.mkdir(parents=True, exist_ok=True)
    (ROWS / f"{session.name}.json").write_text(json.dumps([_digest(), session.name, *cells]), encoding="utf-8")


def check(
    session: nox.Session, selection: list[str], *options: str, backend: str = "wasm", python: str = "python"
) -> None:
    """The backend is the expected one, the wheel's own check (of the sandbox), then the tests."""
    (ROWS / f"{session.name}.json").unlink(missing_ok=True)
    facts = json.loads(str(session.run(python, "-c", FACTS, silent=True, external=True)))
    session.log("%s, wasmtime %s, psutil %s, backend %s", *facts)
    if facts[-1] != backend:
        session.error(f"the backend is {facts[-1]}, it should be {backend}")
    if backend == "wasm":
        session.run(python, "-m", "skywasm", "check", external=True)
    report = pathlib.Path(session.create_tmp()) / "tests.xml"
    options = (*PYTEST, f"--junitxml={report}", *options)
    session.run(python, "-m", "pytest", *options, *(session.posargs or selection), external=True)
    if not session.posargs:
        (suite,) = ET.parse(report).getroot()  # noqa: S314 - pytest's own
        skipped = int(suite.attrib["skipped"])
        _keep(session, *facts, f"{int(suite.attrib['tests']) - skipped:,}", f"{skipped:,}")


@nox.session(python=["3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"])
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
    check(session, QUICK, "-k", WITHOUT_SANDBOX, backend="python")


@nox.session(python=["pypy3.11"])
def pypy(session: nox.Session) -> None:
    """PyPy, whose ctypes cannot do what the sandbox needs: pure Python answers."""
    session.install("-e", ".", *TOOLS)
    check(session, QUICK, "-k", f"{WITHOUT_SANDBOX} and {PYPY_ITSELF}", backend="python")


@nox.session(python=False)
def musl(session: nox.Session) -> None:
    """Debian's Python built against musl, with the wheels for musl, and without OpenSSL."""
    if shutil.which("apt-get") is None:
        session.skip("it is made of Debian's packages")
    session.run("bash", str(ROOT / "tests" / "musl" / "python.sh"), external=True)
    check(session, QUICK, "-k", MUSL_ITSELF, python=str(ROOT / ".venv-musl" / "bin" / "python3"))


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
    (ROWS / f"{session.name}.json").unlink(missing_ok=True)
    said = str(session.run("node", script, str(folder), str(wheel), external=True, silent=True))
    session.log(said)
    version, passed, skipped = re.search(
        r"^Python (\S+) .*\n(\d+) passed, 0 failed, (\d+) skipped", said, re.M
    ).groups()
    _keep(session, f"CPython {version} in Pyodide", "none", "none", "python", f"{passed} answers", skipped)


def _struck(session: nox.Session, mode: str, most: int) -> list[str]:
    """The cells of one mode's strikes at every opcode."""
    how = json.dumps({"mode": mode, "kinds": KINDS, "most": most, "first": 1})
    began = time.monotonic()
    env = {"PYTHONPATH": str(ROOT / "tests")}
    said = str(session.run("python", "-m", "torture.every_opcode", how, env=env, silent=True))
    found = json.loads(said.rpartition("REPORT ")[2])
    for wrong in found["wrong"]:
        session.warn(wrong)
    gaps = ", ".join(f"{count:,} {why}" for why, count in sorted(found["gaps"].items())) or "0"
    numbers = [f"{found[key]:,}" for key in ("calls", "moments", "done")]
    return [mode, *numbers, gaps, f"{time.monotonic() - began:.0f}", str(len(found["wrong"]))]


@nox.session(python=OPCODES_PYTHONS)
def opcodes(session: nox.Session) -> None:
    """An exception of three kinds at every opcode of every public call; ``-- 50`` for so many of a call at most."""
    session.install("-e", ".")
    most = int(session.posargs[0]) if session.posargs else OPCODES
    kept = ROWS / f"{session.name}.json"
    kept.unlink(missing_ok=True)
    version = str(session.run("python", "-c", "import platform; print(platform.python_version())", silent=True)).strip()
    rows = [[version, *_struck(session, mode, most)] for mode in ("wasm", "auto", "python")]
    if most == OPCODES:
        ROWS.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps([_digest(), session.name, rows]), encoding="utf-8")
    if any(row[-1] != "0" for row in rows):
        session.error("not every exception came out as itself, with nothing left behind")


def _kept_rows(known: list[str]) -> tuple[dict[str, list], str]:
    """What sessions have left with this artifact, and the names of those that have left nothing."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in ROWS.glob("*.json")]
    made = {row[1]: row for row in rows if row[0] == _digest() and row[1] in known}
    return made, ", ".join(name for name in known if name not in made) or "none"


@nox.session(python=False)
def opcodes_table(session: nox.Session) -> None:
    """The table of docs/RELIABILITY.md, from the rows of ``opcodes`` that were made with this artifact."""
    known = [f"opcodes-{python}" for python in OPCODES_PYTHONS]
    made, missing = _kept_rows(known)
    rows = [tuple(row) for name in known if name in made for row in made[name][2]]
    text = tables.markdown([OPCODES_COLUMNS, *rows], range(2, 8))
    text += "\n\nOf calls with up to 1,732 opcodes each one, of longer ones evenly spread; places are where CPython"
    text += f"\nlooks for signals then. Sessions without a result: {missing}."
    text += f"\n\nMade with the artifact of SHA-256 `{_digest()}`."
    tables.update(RELIABILITY, "make torture: opcodes", text)
    session.log("%s: %d rows; without a result: %s", RELIABILITY.relative_to(ROOT), len(rows), missing)


@nox.session(python=False)
def table(session: nox.Session) -> None:
    """docs/PYTHONS.md, from the rows of the sessions that passed with this artifact."""
    listed = json.loads(str(session.run(*NOX, "--list", "--json", "-f", __file__, external=True, silent=True)))
    known = [one["session"] for one in listed if one["name"] != "table"]
    made, missing = _kept_rows(known)
    text = tables.markdown([COLUMNS, *(made[name][1:] for name in known if name in made)], (5, 6))
    text += f"\n\nSessions without a result: {missing}."
    text += f"\n\nMade with the artifact of SHA-256 `{_digest()}`."
    tables.update(DOCUMENT, COMMAND, text)
    session.log("%s: %d rows; without a result: %s", DOCUMENT.relative_to(ROOT), len(made), missing)
