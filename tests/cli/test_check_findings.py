"""The parts of `skywasm check` that need another machine, tried in this process with the machine's answers replaced."""

from __future__ import annotations

import json
import os
import sysconfig

import artifacts
import pytest
from children import copy_packages

from cli.program import run
from host_shims import facts
from skywasm.cli import _answers, _findings, _sandbox_checks
from skywasm.crossing.engine import library, setup
from skywasm.errors import TrapError
from skywasm.functions import ROWS
from skywasm.routes import bind, core

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

pytest.importorskip("wasmtime")


@pytest.mark.parametrize(
    ("system", "machine", "kind", "tier"),
    [
        ("Linux", "x86_64", "x86_64-pc-linux-gnu", 1),
        ("Darwin", "x86_64", None, 1),
        ("Windows", "AMD64", None, 1),
        ("Linux", "aarch64", "aarch64-unknown-linux-gnu", 2),
        ("Darwin", "arm64", None, 2),
        ("Windows", "ARM64", None, 3),
        ("Linux", "x86_64", "x86_64-alpine-linux-musl", 3),
        ("Linux", "aarch64", "aarch64-unknown-linux-android", 3),
    ],
)
def test_support_tiers(system: str, machine: str, kind: str | None, tier: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tier is the one that wasmtime's documentation gives the platform."""
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: kind)
    # There is this machine's only.
    monkeypatch.setattr(library, "Library", lambda package: None)
    assert f"support tier {tier} of 3" in _sandbox_checks._wasmtime().fact


def test_an_unknown_platform_has_no_invented_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a platform that is not in the table the reader is sent to wasmtime's documentation."""
    monkeypatch.setattr("platform.system", lambda: "FreeBSD")
    assert "no support tier known" in _sandbox_checks._wasmtime().fact


@pytest.mark.parametrize(("version", "state"), [("50.0.0", "warning"), ("9.0.0", "warning"), ("50.0.1", "ok")])
def test_an_old_wasmtime_is_a_warning(version: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wasmtime from before the security fixes of 50.0.1 is named with the pip line; numbers are compared as such."""
    monkeypatch.setattr(setup, "wasmtime_version", lambda package: version)
    finding = _sandbox_checks._wasmtime()
    assert finding.state == state
    assert ("pip install --upgrade" in finding.remedy) is (state == "warning")


@pytest.mark.parametrize("version", ["51.0.0", "100.2.0", "unknown"])
def test_a_newer_or_unknown_wasmtime_is_no_warning(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said against a version that is newer or cannot be told."""
    monkeypatch.setattr(setup, "wasmtime_version", lambda package: version)
    assert _sandbox_checks._wasmtime().state == "ok"


@pytest.mark.parametrize("error", [OSError("cannot load the library"), RuntimeError("unsupported architecture")])
@pytest.mark.parametrize("what", [(setup, "wasmtime_version"), (library, "Library")], ids=["version", "library"])
def test_a_wasmtime_that_does_not_load(what: Any, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever looking for wasmtime or loading its library raises becomes a failed line with the reason."""

    def broken(package: str) -> str:
        raise error

    monkeypatch.setattr(*what, broken)
    finding = _sandbox_checks._wasmtime()
    assert finding.state == "FAILED"
    assert str(error) in finding.fact


def test_an_engine_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any error of the sandbox's own while loading fails the engine line; the rest is skipped."""

    def broken() -> None:
        raise TrapError("skywasm.buffers: no answer")

    monkeypatch.setattr(core, "core", broken)
    findings, runs = _sandbox_checks.run()
    states = {finding.name: finding.state for finding in findings}
    assert runs is False
    assert states["engine"] == "FAILED"
    assert states["answers"] == "skipped"


@pytest.mark.parametrize("entry", ["wasi_snapshot_preview1.fd_write", "sky_host.port_bind"])
def test_any_import_fails(entry: str, tmp_path: pathlib.Path) -> None:
    """An artifact that imports anything is refused: the engine's line fails, and the import is named."""
    env = copy_packages(tmp_path)["env"]
    module, name = entry.split(".")
    imported = f'(import "{module}" "{name}" (func (param i32) (result i32)))'
    artifacts.install(tmp_path, artifacts.text(extra=imported))
    found = {check["name"]: check for check in json.loads(run("check", "--json", env=env).out)["checks"]}
    assert found["artifact"]["state"] == "ok"
    assert found["engine"]["state"] == "failed"
    assert entry in found["engine"]["fact"]
    assert found["imports"]["state"] == "skipped"


def test_the_python_line_warns_of_a_python_without_wasmtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.8 runs skywasm but not wasmtime: a warning that says so."""
    monkeypatch.setattr(_findings, "_OLDEST_FOR_WASMTIME", (99, 0))
    finding = _findings.python()
    assert (finding.state, finding.remedy) == ("warning", "use Python 3.9 or newer for the sandbox")


def test_vectors_leave_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running the known answers restores the host functions and the pod's variables that it replaced."""
    monkeypatch.setenv("SKYPILOT_POD_CPU_CORE_LIMIT", "7")
    monkeypatch.delenv("SKYPILOT_POD_MEMORY_GB_LIMIT", raising=False)
    before = dict(vars(facts))
    tally = _answers.run()
    assert tally.wrong == []
    assert 0 < tally.crossing < tally.cases
    assert dict(vars(facts)) == before
    assert os.environ["SKYPILOT_POD_CPU_CORE_LIMIT"] == "7"
    assert "SKYPILOT_POD_MEMORY_GB_LIMIT" not in os.environ


def test_wrong_answers_are_noticed_for_every_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that answers nothing right fails every function's cases but those that expect an error."""
    monkeypatch.setattr(bind, "crossing", lambda row, forced: lambda *_: object())
    tally = _answers.run()
    assert {line.split(":")[0] for line in tally.wrong} == {row.name for row in ROWS}
    assert len(tally.wrong) == tally.cases
