"""`make audit`: a database that gives no answer is told from one that knows of nothing."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import subprocess

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tests" / "packaging" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = _audit()


def _done(report: object = None, error: str = "", status: int = 1) -> subprocess.CompletedProcess[str]:
    """What a program left behind: the databases cannot be had everywhere."""
    return subprocess.CompletedProcess([], status, "" if report is None else json.dumps(report), error)


def _packages(*packages: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return _done({"dependencies": packages, "fixes": []})


FINE = {"name": "rich", "version": "15.0.0", "vulns": []}
BAD = {"name": "wasmtime", "version": "50.0.0", "vulns": [{"id": "GHSA-1", "fix_versions": ["50.0.1"]}]}
UNKNOWN = {"name": "psutil", "skip_reason": "Dependency not found on PyPI and could not be audited"}
PIP_AUDIT = [
    (_packages(FINE), "clean", "1 packages"),
    (_packages(FINE, BAD, UNKNOWN), "FOUND", "wasmtime 50.0.0: GHSA-1"),
    (_packages(FINE, UNKNOWN), "NOT ASKED", "1 of 2 packages: psutil"),
    (_packages(), "NOT ASKED", "dependencies"),
    (_done(error="ConnectionError: no route"), "NOT ASKED", "no route"),
    (_done(), "NOT ASKED", "said nothing"),
]


def _crates(count: int = 900, hits: list[Any] | None = None, warnings: object = None) -> Any:
    return _done(
        {
            "database": {"advisory-count": count},
            "lockfile": {"dependency-count": 81},
            "vulnerabilities": {"list": hits or []},
            "warnings": warnings or {},
        }
    )


PACKAGE = {"name": "digest", "version": "0.1.0"}
CARGO_AUDIT = [
    (_crates(), "clean", "81 crates"),
    (_crates(hits=[{"package": PACKAGE, "advisory": {"id": "RUSTSEC-1"}}]), "FOUND", "digest 0.1.0: RUSTSEC-1"),
    (_crates(warnings={"yanked": [{"package": PACKAGE, "advisory": None}]}), "FOUND", "digest 0.1.0: yanked"),
    (_crates(count=0), "NOT ASKED", "database"),
    (_done(error="error: couldn't fetch advisory database"), "NOT ASKED", "fetch advisory database"),
    (_done(error="error: no such command: `audit`"), "NOT ASKED", "cargo install cargo-audit --locked"),
]


@pytest.mark.parametrize(("done", "state", "said"), PIP_AUDIT)
def test_pip_audit_is_understood(done: subprocess.CompletedProcess[str], state: str, said: str) -> None:
    """A package that the database does not know, or a database that is silent, is not asked; a hit is found."""
    outcome = audit.of_packages(done)
    assert outcome[0] == state
    assert said in outcome[1]


@pytest.mark.parametrize(("done", "state", "said"), CARGO_AUDIT)
def test_cargo_audit_is_understood(done: subprocess.CompletedProcess[str], state: str, said: str) -> None:
    """The same for crates: an empty database and a missing program are no clean audit."""
    outcome = audit.of_crates(done)
    assert outcome[0] == state
    assert said in outcome[1]


@pytest.mark.parametrize(
    ("states", "status", "sentence"),
    [
        (("clean", "clean"), 0, "every part was asked"),
        (("clean", "NOT ASKED"), 3, "INCOMPLETE. Nothing is known of: b."),
        (("FOUND", "NOT ASKED"), 1, "found"),
    ],
)
def test_the_status_tells_them_apart(states: tuple[str, str], status: int, sentence: str) -> None:
    """0, 1 and 3, each with its sentence; what was found counts for more than what was not asked."""
    found = audit.verdict(dict(zip("ab", ((state, "") for state in states))))
    assert found[0] == status
    assert sentence in found[1]


def test_a_program_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Without pip-audit that part is not asked, and the others still are."""
    monkeypatch.setattr(audit, "RELEASE", tmp_path)
    state, said = audit.packages()
    assert (state, "pip-audit" in said) == ("NOT ASKED", True)
