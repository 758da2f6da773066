"""What is run in a Python for Windows, and what came of it."""

from __future__ import annotations

import collections
import json
import time
import xml.etree.ElementTree as ET
from typing import NamedTuple

from windows import pythons, wine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from windows.pythons import Python

# What differs from one Python to the next; and the folders that the first Python runs besides.
CHOICE = ("conformance", "unit", "contract", "host", "sandbox", "windows")
FOLDERS = (*CHOICE, "faults", "batch", "property", "hammer", "migrate", "report", "bench")
# The vectors in all backends, the machine's facts, and what is Windows' alone.
QUICK = ("conformance/test_vectors.py", "host", "windows")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "windows.differences", "--timeout=300", "--tb=short")
FACTS = (
    "import json, platform, importlib.metadata as m, skywasm; "
    "print(json.dumps([platform.python_version(), *map(m.version, ('wasmtime', 'psutil')), "
    "skywasm.get_backend_info(load=True)['backend']]))"
)


class Outcome(NamedTuple):
    """What came of a folder of tests: how many passed, were skipped, differed under Wine; what failed."""

    python: str
    tests: str
    passed: int
    skipped: int
    differing: int
    failed: int
    seconds: float


class Place:
    """A Python for Windows that is ready, and how to run it."""

    def __init__(self, python: Python, folder: Path) -> None:
        self.python = python
        self.folder = folder
        self.wine = wine.Wine(folder / "prefix")
        self.wine.make()
        self.home = pythons.made(python, folder)

    def run(self, *words: str, **more: str) -> tuple[int, str]:
        """Runs this Python in the checkout, with more variables in its environment."""
        env = {"PYTHONPATH": wine.path(pythons.ROOT / "tests"), "COLUMNS": "110", **more}
        return self.wine.run([str(self.home / "python.exe"), *words], env, cwd=pythons.ROOT)

    def facts(self) -> list[str]:
        """Versions of Python, wasmtime and psutil, and the backend that answers.

        Raises:
            SystemExit: it does not start.
        """
        status, out = self.run("-c", FACTS)
        if status:
            raise SystemExit(f"Python {self.python.version} does not start under Wine:\n{out}")
        facts: list[str] = json.loads(out.splitlines()[-1])
        return facts

    def tested(self, tests: str, exceptions: int) -> tuple[Outcome, str]:
        """Runs a folder of tests; what came of it, and what pytest said. So many exceptions are thrown into calls."""
        report = self.folder / f"{self.python.key}.xml"
        report.unlink(missing_ok=True)
        start = time.monotonic()
        words = (*PYTEST, f"--junitxml={wine.path(report)}", f"tests/{tests}")
        _, out = self.run(*words, SKYWASM_TEST_EXCEPTIONS=str(exceptions))
        seconds = time.monotonic() - start
        if not report.is_file():
            # The interpreter itself has ended.
            return Outcome(self.python.key, tests, 0, 0, 0, 1, seconds), out
        return counted(self.python.key, tests, report, seconds), out


def counted(key: str, tests: str, report: Path, seconds: float) -> Outcome:
    """The outcome that a report of pytest's tells."""
    (suite,) = ET.parse(report).getroot()
    kinds: collections.Counter[str] = collections.Counter()
    for case in suite.iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            kinds["failed"] += 1
        elif skipped is not None:
            kinds["differing" if skipped.get("type") == "pytest.xfail" else "skipped"] += 1
        else:
            kinds["passed"] += 1
    return Outcome(key, tests, kinds["passed"], kinds["skipped"], kinds["differing"], kinds["failed"], seconds)


def of(python: Python) -> tuple[str, ...]:
    """The folders of tests that a Python runs."""
    return FOLDERS if python is pythons.PYTHONS[0] else CHOICE
