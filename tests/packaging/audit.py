"""Licences, and known vulnerabilities of packages and crates. `make audit` runs it.

Two parts ask databases on other machines. Where one gives no answer, that part is reported as not asked: silence
is no clean audit.

Exit status: 0 when every part was asked and is clean; 1 when something was found; 3 when nothing was found, but a
part could not be asked. (make itself ends with 2 in both cases, and names the status.)
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / ".venv" / "release" / "bin"
CLEAN, FOUND, NOT_ASKED = "clean", "FOUND", "NOT ASKED"
STATUS = {CLEAN: 0, FOUND: 1, NOT_ASKED: 3}
_LAST_WORDS = 300

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Outcome = tuple[str, str]


def _ran(command: list[str], cwd: pathlib.Path = ROOT) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr.strip() or done.stdout.strip() or "it said nothing")[-_LAST_WORDS:].split())


def _json(done: subprocess.CompletedProcess[str]) -> Any:
    """What a program printed as JSON; None when it printed none."""
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def licences() -> Outcome:
    """The tests of licences and of the bill of materials, which need no network."""
    tests = [f"tests/packaging/{name}.py" for name in ("test_licences", "test_sbom")]
    done = _ran([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests])
    last = (done.stdout.strip().splitlines() or [_said(done)])[-1]
    return (FOUND if done.returncode else CLEAN), last if not done.returncode else f"{last}\n{done.stdout}"


def of_packages(done: subprocess.CompletedProcess[str]) -> Outcome:
    """What pip-audit's report says."""
    report = _json(done)
    if report is None or not report.get("dependencies"):
        return NOT_ASKED, _said(done)
    packages = report["dependencies"]
    found = [f"{one['name']} {one['version']}: {hit['id']}" for one in packages for hit in one.get("vulns", ())]
    unknown = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    if found:
        return FOUND, ", ".join(found)
    if unknown:
        return NOT_ASKED, f"{len(unknown)} of {len(packages)} packages: {'; '.join(unknown)}"
    return CLEAN, f"{len(packages)} packages"


def packages() -> Outcome:
    """The declared dependencies and what they lead to, against PyPI's advisories."""
    return of_packages(_ran([str(RELEASE / "pip-audit"), "--progress-spinner", "off", "--format", "json", "."]))


def of_crates(done: subprocess.CompletedProcess[str]) -> Outcome:
    """What cargo-audit's report says."""
    report = _json(done)
    if report is None or not report.get("database", {}).get("advisory-count"):
        missing = "no such command" in done.stderr
        return NOT_ASKED, "install it with `cargo install cargo-audit --locked`" if missing else _said(done)
    hits = [*report["vulnerabilities"]["list"], *(hit for kind in report["warnings"].values() for hit in kind)]
    if hits:
        named = (f"{hit['package']['name']} {hit['package']['version']}" for hit in hits)
        return FOUND, ", ".join(
            f"{name}: {(hit.get('advisory') or hit).get('id', 'yanked')}" for name, hit in zip(named, hits)
        )
    return CLEAN, f"{report['lockfile']['dependency-count']} crates"


def crates() -> Outcome:
    """Every locked crate, against RustSec's advisories; one without maintenance or withdrawn counts too."""
    return of_crates(_ran(["cargo", "audit", "--json"], ROOT / "wasm-core"))


PARTS = {
    "licences, bill of materials": licences,
    "Python packages (pip-audit)": packages,
    "Rust crates (cargo audit)": crates,
}


def verdict(outcomes: dict[str, Outcome]) -> tuple[int, str]:
    """The exit status, and the sentence that goes with it."""
    states = [state for state, _ in outcomes.values()]
    if FOUND in states:
        return STATUS[FOUND], "audit: something was found."
    silent = [name for name, (state, _) in outcomes.items() if state == NOT_ASKED]
    if silent:
        return STATUS[
            NOT_ASKED
        ], f"audit: INCOMPLETE. Nothing is known of: {'; '.join(silent)}. This is no clean audit."
    return STATUS[CLEAN], "audit: every part was asked and is clean."


def main() -> int:
    """Runs all parts, whatever comes of each."""
    outcomes = {}
    for name, part in PARTS.items():
        outcomes[name] = part()
        print(f"{name}: {': '.join(outcomes[name])}", flush=True)
    status, sentence = verdict(outcomes)
    print(sentence, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
