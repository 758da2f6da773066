"""``skywasm info``: what is installed, what it may do, and where each call goes."""

from __future__ import annotations

import platform

from skywasm.cli import _findings, _output
from skywasm.cli._command import FINE, Command, UsageError, add_json, require_known_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import Any

    from skywasm.crossing.module import Module

_ROUTES = {"wasm": "sandbox", "python": "Python", "mixed": "both"}
_DISTRIBUTIONS = ("wasmtime", "rich", "psutil", "skypilot")


def _versions() -> dict[str, str | None]:
    from skywasm import __version__

    found = {name: _findings.distribution_version(name) for name in _DISTRIBUTIONS}
    return {"skywasm": __version__, "Python": platform.python_version(), **found}


def _module() -> tuple[Module | None, str | None]:
    """The artifact, its code loaded even where the mode would not, and the reason why it could not be.

    What the artifact offers and asks can be told without the engine.
    """
    from skywasm.errors import SkyPilotError
    from skywasm.routes import core

    module = None
    try:
        module = core.core()
        module.world()
    except SkyPilotError as error:
        return module, str(error)
    return module, None


def _artifact() -> dict[str, Any]:
    """The file itself, whether or not it is intact."""
    import hashlib

    from skywasm.cli._info_features import features
    from skywasm.errors import CoreUnavailableError
    from skywasm.routes import core

    about: dict[str, Any] = {"path": core.location(core.ARTIFACT), "bytes": None, "sha256": None}
    about.update(features=None, provenance={})
    try:
        content = core.package_data(core.ARTIFACT)
        about["bytes"], about["sha256"] = len(content), hashlib.sha256(content).hexdigest()
        about["provenance"] = core.provenance()
        about["features"] = features(content)
    except (CoreUnavailableError, IndexError, ValueError):
        # What could be found out before is shown.
        pass
    return about


def _gather() -> dict[str, Any]:
    import skywasm
    from skywasm.crossing.engine import cache
    from skywasm.functions import ROWS

    module, problem = _module()
    info = skywasm.get_backend_info()
    if problem is not None:
        info["backend"] = "none" if info["mode"] == "wasm" else "python"
        info["reason"] = problem
    elif info["mode"] == "auto":
        info = skywasm.get_backend_info(load=True)
    return {
        "versions": _versions(),
        "system": _findings.system(),
        **{key: info[key] for key in ("mode", "backend", "reason")},
        "artifact": _artifact(),
        "abi": info["abi"],
        "imports": [] if module is None else [".".join(entry) for entry in module.interface.binary.imports],
        "requests": {} if module is None else {one.name: one.capability for one in module.interface.requests.values()},
        "exports": [] if module is None else list(module.interface.binary.exports),
        "cache": {"folder": cache.where(), "state": info["cache"]},
        "routes": [{"function": row.name, "route": row.auto, "why": row.why} for row in ROWS],
    }


def _facts(about: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The first part of the screen: name and value."""
    versions, artifact, cache = about["versions"], about["artifact"], about["cache"]
    yield "Python", f"{versions['Python']} on {about['system']}"
    yield "wasmtime", versions["wasmtime"] or "not installed"
    yield "SkyPilot", versions["skypilot"] or "not installed"
    yield "mode", about["mode"]
    yield "backend", f"{about['backend']}: {about['reason']}"
    yield "cache", f"{cache['folder']} ({cache['state'] or 'not asked'})" if cache["folder"] else "off by SKYWASM_CACHE"
    yield "artifact", artifact["path"]
    yield "size", "cannot be read" if artifact["bytes"] is None else f"{artifact['bytes']:,} bytes"
    yield "SHA-256", artifact["sha256"] or "cannot be read"
    known = artifact["features"] is not None
    yield "features", (", ".join(artifact["features"]) or "none") if known else "cannot be read"
    yield "ABI", f"version {about['abi']}"
    # With an import it would not be loaded, nor told about.
    yield "imports", ", ".join(about["imports"]) or ("none" if about["exports"] else "cannot be read")
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
    section("What the artifact may ask of the machine: its requests, by capability", _requests(about["requests"]))
    exports = ", ".join(about["exports"]) or "unknown, because the artifact cannot be read"
    section("What it offers: its exports", [(exports,)])
    section(
        "Where a single call goes in auto mode, once the engine is loaded",
        [(row["function"], _ROUTES[row["route"]], row["why"]) for row in about["routes"]],
    )


def _requests(by_name: dict[str, str]) -> list[tuple[str, ...]]:
    by_capability: dict[str, list[str]] = {}
    for name, capability in by_name.items():
        by_capability.setdefault(capability, []).append(name)
    return [(capability, ", ".join(names)) for capability, names in by_capability.items()]


def _show_road(options: argparse.Namespace) -> int:
    from skywasm.cli import _road
    from skywasm.functions import BY_NAME

    row = BY_NAME.get(options.road)
    if row is None:
        raise UsageError(f"there is no function {options.road!r}; there are {', '.join(BY_NAME)}")
    about = _road.about(row)
    if options.json:
        _output.write_json(about)
    else:
        _road.show(about)
    return FINE


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--road", metavar="NAME", help="show how the calls of one function go, and the code of the road"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    if options.road is not None:
        return _show_road(options)
    about = _gather()
    if options.json:
        _output.write_json(about)
    else:
        _print(about)
    return FINE


COMMAND = Command(
    name="info",
    summary="show versions, backend, artifact, requests, exports and routes",
    description="Show what is installed, which backend answers and why, and what the artifact may ask the machine.",
    example="  skywasm info\n  skywasm info --json | jq -r .artifact.sha256\n  skywasm info --road base36_encode",
    fine="shown, also when the sandbox does not work: that is for `skywasm check` to judge",
    wrong="the output could not be written, or --road finds no artifact that can be read",
    add_arguments=_add_arguments,
    usage="the command line or SKYWASM_BACKEND is wrong, or there is no function NAME",
    run=_run,
)
