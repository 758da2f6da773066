"""The checks of the sandbox itself: wasmtime, the artifact, the engine, its answers. They do not ask for the backend.

A check that cannot be made because an earlier one failed is skipped, so that each problem shows once.
"""

from __future__ import annotations

import sysconfig
import time

from skywasm.cli._findings import FAILED, NEWER_PYTHON, OK, SKIPPED, WARNING, Finding, python_is_too_old, system
from skywasm.crossing.engine import cache, setup
from skywasm.errors import CoreUnavailableError, SkyPilotError
from skywasm.functions import ROWS
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skywasm.crossing.module import Module

OLDEST_WASMTIME = "50.0.1"
_INSTALL = f"pip install --upgrade 'wasmtime>={OLDEST_WASMTIME}'"
_REINSTALL = "pip install --force-reinstall skywasm"

# https://docs.wasmtime.dev/stability-tiers.html, the targets that wasmtime has wheels for.
_TIERS = {
    "x86_64 Linux": 1,
    "x86_64 macOS": 1,
    "x86_64 Windows": 1,
    "aarch64 Linux": 2,
    "aarch64 macOS": 2,
    "aarch64 Windows": 3,
}
_TIER_OF_OTHER_C_LIBRARIES = 3


def run() -> tuple[list[Finding], bool]:
    """All findings, and whether the engine runs."""
    findings = [_wasmtime(), _artifact()]
    ready = all(finding.state != FAILED for finding in findings)
    module, finding = (
        _load() if ready else (None, Finding("engine", SKIPPED, "not tried: it needs wasmtime and the artifact"))
    )
    if module is None:
        rest = [Finding(name, SKIPPED, "not tried: it needs the engine") for name in ("imports", "answers", "cache")]
        return [*findings, finding, *rest], False
    return [*findings, finding, _imports(module), _answers(), _cache_state(module)], True


def _wasmtime() -> Finding:
    try:
        # As loading does it: wasmtime's own modules are never imported.
        package = setup.wasmtime_package()
        version = setup.wasmtime_version(package)
        from skywasm.crossing.engine import library

        library.Library(package)
    except ModuleNotFoundError as error:
        fact = "is not installed" if error.name == "wasmtime" else f"cannot be used: {error}"
        return Finding("wasmtime", FAILED, fact, NEWER_PYTHON if python_is_too_old() else _INSTALL)
    except Exception as error:
        # OSError when its library is not there or does not load, and more.
        return Finding("wasmtime", FAILED, f"cannot be used: {type(error).__name__}: {error}", _INSTALL)
    if _numbers(version) < _numbers(OLDEST_WASMTIME):
        fact = f"{version} is older than {OLDEST_WASMTIME} and lacks its security fixes"
        return Finding("wasmtime", WARNING, fact, _INSTALL)
    return Finding("wasmtime", OK, f"{version}, {_tier()}")


def _numbers(version: str) -> list[int]:
    """A version to compare. Nothing is known of one without numbers, so nothing is said against it."""
    try:
        return [int(part) for part in version.split(".")[:3]]
    except ValueError:
        return _numbers(OLDEST_WASMTIME)


def _tier() -> str:
    """How well this platform is supported, in wasmtime's own words."""
    tier = _TIERS.get(system())
    if tier is None:
        return f"no support tier known for {system()}: see docs.wasmtime.dev/stability-tiers.html"
    kind = str(sysconfig.get_config_var("HOST_GNU_TYPE"))
    if "musl" in kind or "android" in kind:
        tier = _TIER_OF_OTHER_C_LIBRARIES
    return f"support tier {tier} of 3 on {system()}"


def _artifact() -> Finding:
    try:
        content, digest = core.artifact()
    except CoreUnavailableError as error:
        # The remedy below says how to reinstall.
        return Finding("artifact", FAILED, str(error).replace("; reinstall skywasm", ""), _REINSTALL)
    fact = f"{core.ARTIFACT}, {len(content):,} bytes, SHA-256 {digest[:12]}... as it was built"
    return Finding("artifact", OK, fact)


def _load() -> tuple[Module | None, Finding]:
    """The artifact with its code loaded, or None, and how that went."""
    start = time.perf_counter()
    try:
        module = core.core()
        module.world()
    except SkyPilotError as error:
        return None, Finding("engine", FAILED, str(error), "report this with the output of `skywasm info`")
    return module, Finding("engine", OK, f"loads and answers, in {(time.perf_counter() - start) * 1000:.0f} ms")


def _imports(module: Module) -> Finding:
    # Were there any, loading would have refused the artifact.
    requests = len(module.interface.requests)
    fact = f"none: no WASI, no file names, no network; it may make {requests} requests, each under a capability"
    return Finding("imports", OK, fact)


def _answers() -> Finding:
    from skywasm.cli import _answers as answers

    try:
        tally = answers.run()
    except CoreUnavailableError as error:
        return Finding("answers", FAILED, str(error).replace("; reinstall skywasm", ""), _REINSTALL)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        fact = f"{core.location(answers.VECTORS)} is damaged ({type(error).__name__}: {error})"
        return Finding("answers", FAILED, fact, _REINSTALL)
    if tally.wrong:
        fact = f"{len(tally.wrong)} of {tally.cases} known answers came out wrong, first {tally.wrong[0]}"
        return Finding("answers", FAILED, fact, "set SKYWASM_BACKEND=python until it is mended, and report this")
    fact = f"{tally.cases} of {tally.cases} known answers are right, for all {len(ROWS)} functions"
    return Finding("answers", OK, fact)


def _cache_state(module: Module) -> Finding:
    """Whether the next process is spared the compilation."""
    folder, state = cache.where(), module.world().cache
    if folder is None:
        return Finding("cache", OK, "off by SKYWASM_CACHE: each process compiles the artifact again")
    if state == "hit":
        return Finding("cache", OK, f"the compiled artifact was found in {folder}")
    if state.endswith("written"):
        return Finding("cache", OK, f"the compiled artifact is now kept in {folder}")
    return Finding(
        "cache",
        WARNING,
        f"{state}, so each process compiles the artifact again",
        f"make {folder} a folder that only you can write to, or name another one in SKYWASM_CACHE_DIR",
    )
