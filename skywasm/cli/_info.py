"""``skywasm info``: what is installed, what it may do, and where each call goes."""

from __future__ import annotations

import platform

from skywasm.cli import _findings, _output
from skywasm.cli._command import FINE, Command, add_json, require_known_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import Any

_ROUTES = {"wasm": "sandbox", "python": "Python", "mixed": "both"}
_CALL_PATHS = {
    "raw": "raw: the engine's C API, the fast one",
    "public": "public: wasmtime-py's own classes, the slow one (`skywasm check` says why)",
}
_DISTRIBUTIONS = ("wasmtime", "rich", "psutil", "skypilot")


def _versions() -> dict[str, str | None]:
    from skywasm import __version__

    found = {name: _findings.distribution_version(name) for name in _DISTRIBUTIONS}
    return {"skywasm": __version__, "Python": platform.python_version(), **found}


def _engine() -> tuple[Any, str | None]:
    """The engine, loaded even where the mode would not, or the reason why there is none."""
    from skywasm import _runtime
    from skywasm.errors import SkyPilotError

    try:
        return _runtime.engine(), None
    except SkyPilotError as error:
        return None, str(error)


def _artifact() -> dict[str, Any]:
    """The file itself, whether or not it is intact."""
    import hashlib

    from skywasm import _engine
    from skywasm.cli._info_features import features
    from skywasm.errors import CoreUnavailableError

    about: dict[str, Any] = {"path": _engine.location(_engine.ARTIFACT), "bytes": None, "sha256": None}
    about.update(features=None, provenance={})
    try:
        content = _engine.package_data(_engine.ARTIFACT)
        about["bytes"], about["sha256"] = len(content), hashlib.sha256(content).hexdigest()
        about["provenance"] = _engine.provenance()
        about["features"] = features(content)
    except (CoreUnavailableError, IndexError, ValueError):
        # What could be found out before is shown.
        pass
    return about


def _gather() -> dict[str, Any]:
    import skywasm
    from skywasm import _cache, _registry

    engine, problem = _engine()
    info = skywasm.get_backend_info()
    if problem is not None:
        info["backend"] = "none" if info["mode"] == "wasm" else "python"
        info["reason"] = problem
    elif info["mode"] == "auto":
        info = skywasm.get_backend_info(load=True)
    return {
        "versions": _versions(),
        "system": _findings.system(),
        **{key: info[key] for key in ("mode", "backend", "reason", "call_path")},
        "artifact": _artifact(),
        "abi": info["abi"],
        "imports": info["imports"],
        "exports": [] if engine is None else [entry.name for entry in engine.public().module.exports],
        "cache": {"folder": _cache.folder(), "state": info["cache"]},
        "routes": [{"function": row.name, "route": row.auto, "why": row.why} for row in _registry.ROWS],
    }


def _facts(about: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The first part of the screen: name and value."""
    versions, artifact, cache = about["versions"], about["artifact"], about["cache"]
    yield "Python", f"{versions['Python']} on {about['system']}"
    yield "wasmtime", versions["wasmtime"] or "not installed"
    yield "SkyPilot", versions["skypilot"] or "not installed"
    yield "mode", about["mode"]
    yield "backend", f"{about['backend']}: {about['reason']}"
    yield "call path", _CALL_PATHS.get(about["call_path"], "none, because the engine does not load")
    yield "cache", f"{cache['folder']} ({cache['state'] or 'not asked'})" if cache["folder"] else "off by SKYWASM_CACHE"
    yield "artifact", artifact["path"]
    yield "size", "cannot be read" if artifact["bytes"] is None else f"{artifact['bytes']:,} bytes"
    yield "SHA-256", artifact["sha256"] or "cannot be read"
    known = artifact["features"] is not None
    yield "features", (", ".join(artifact["features"]) or "none") if known else "cannot be read"
    yield "ABI", f"version {about['abi']}"
    for name, value in artifact["provenance"].items():
        if not name.endswith(("-sha256", "-blake2b")):
            yield name, value


def _print(about: dict[str, Any]) -> None:
    console = _output.console()

    def section(title: str, rows: Sequence[tuple[str, ...]]) -> None:
        console.print()
        _output.print_text(console, title, "bold")
        _output.print_columns(console, rows, indent=2)

    _output.print_text(console, f"skywasm {about['versions']['skywasm']}", "bold")
    _output.print_columns(console, list(_facts(about)), indent=2)
    section("What the artifact may ask of the machine: its imports, by capability", _imports(about["imports"]))
    exports = ", ".join(about["exports"]) or "unknown, because the engine does not load"
    section("What it offers: its exports", [(exports,)])
    section(
        "Where a single call goes in auto mode, once the engine is loaded",
        [(row["function"], _ROUTES[row["route"]], row["why"]) for row in about["routes"]],
    )


def _imports(by_name: dict[str, str]) -> list[tuple[str, ...]]:
    by_capability: dict[str, list[str]] = {}
    for name, capability in by_name.items():
        by_capability.setdefault(capability, []).append(name)
    return [(capability, ", ".join(names)) for capability, names in by_capability.items()]


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    about = _gather()
    if options.json:
        _output.write_json(about)
    else:
        _print(about)
    return FINE


COMMAND = Command(
    name="info",
    summary="show versions, backend, artifact, imports, exports and routes",
    description="Show what is installed, which backend answers and why, and what the artifact may ask the machine.",
    example="  skywasm info\n  skywasm info --json | jq -r .artifact.sha256",
    fine="shown, also when the sandbox does not work: that is for `skywasm check` to judge",
    wrong="the output could not be written",
    add_arguments=add_json,
    run=_run,
)
