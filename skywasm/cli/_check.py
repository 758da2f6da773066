"""``skywasm check``: a checklist a person can act on."""

from __future__ import annotations

from skywasm.cli import _enable, _findings, _output
from skywasm.cli._command import FINE, WRONG, Command, add_json
from skywasm.cli._findings import FAILED, OK, SKIPPED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from skywasm.cli._findings import Finding
    from skywasm.cli._output import Cell

_STYLES = {OK: "green", WARNING: "yellow", FAILED: "bold red", SKIPPED: "dim"}


def _findings_now() -> list[Finding]:
    from skywasm.cli import _sandbox_checks

    sandbox, runs = _sandbox_checks.run()
    return [
        _findings.python(),
        *sandbox,
        _findings.skypilot(),
        _enable.finding(),
        _findings.backend(runs),
    ]


def _verdict(findings: list[Finding]) -> str:
    """The last line: what it all comes to."""
    counts = {state: sum(finding.state == state for finding in findings) for state in _STYLES}
    if not counts[FAILED] and not counts[WARNING]:
        return f"All {len(findings)} checks are ok."
    parts = [f"{count} {state}" for state, count in counts.items() if count]
    return f"{len(findings)} checks: {', '.join(parts)}."


def _print(findings: list[Finding]) -> None:
    console = _output.console()
    rows: list[tuple[Cell, ...]] = []
    for finding in findings:
        rows.append(((finding.state, _STYLES[finding.state]), finding.name, finding.fact))
        if finding.remedy:
            rows.append(("", "", (f"fix: {finding.remedy}", "bold")))
    _output.print_columns(console, rows)
    _output.print_text(console, _verdict(findings))


def _run(options: argparse.Namespace) -> int:
    findings = _findings_now()
    failed = any(finding.state == FAILED for finding in findings)
    if options.json:
        checks = [{**finding._asdict(), "state": finding.state.lower()} for finding in findings]
        _output.write_json({"ok": not failed, "checks": checks})
    else:
        _print(findings)
    return WRONG if failed else FINE


COMMAND = Command(
    name="check",
    summary="find out whether everything works, and what to do where not",
    description="Look at Python, wasmtime, the artifact, the engine, its answers, the cache, SkyPilot, the drop-in and "
    "the chosen backend. The sandbox is tried even where it is switched off.",
    example="  skywasm check\n  skywasm check --json | jq .ok",
    fine="no check failed; warnings are worth reading",
    wrong="a check failed; the line below it says how to mend it",
    add_arguments=add_json,
    run=_run,
    usage="the command line is wrong; an unknown SKYWASM_BACKEND is a check that failed",
)
