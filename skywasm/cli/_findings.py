"""What a check finds out, and the checks of what stands around the sandbox: Python, SkyPilot, the chosen backend."""

from __future__ import annotations

import os
import platform
import sys
from typing import NamedTuple

OK = "ok"
WARNING = "warning"
FAILED = "FAILED"
SKIPPED = "skipped"

# The release that the reference was written after and the vectors were made with.
SKYPILOT_TESTED = "0.14.1"
_OLDEST_FOR_WASMTIME = (3, 9)
NEWER_PYTHON = "use Python 3.9 or newer for the sandbox"


class Finding(NamedTuple):
    """One line of the checklist: what was looked at, how it is, and what to do about it."""

    name: str
    state: str
    fact: str
    remedy: str = ""


def distribution_version(name: str) -> str | None:
    """The version of an installed distribution, without importing it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def python() -> Finding:
    """The interpreter: wasmtime needs a newer one than skywasm does."""
    fact = f"{platform.python_version()} ({platform.python_implementation()} on {system()})"
    if python_is_too_old():
        return Finding("Python", WARNING, f"{fact}: too old for wasmtime", NEWER_PYTHON)
    return Finding("Python", OK, fact)


def python_is_too_old() -> bool:
    """Whether no wasmtime can be installed for this Python; skywasm itself runs on it."""
    return sys.version_info[:2] < _OLDEST_FOR_WASMTIME


def system() -> str:
    """The operating system and machine, as people call them."""
    name = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    return f"{machine()} {name}"


def machine() -> str:
    """The processor's architecture under one name."""
    return {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}.get(platform.machine(), platform.machine())


def skypilot() -> Finding:
    """SkyPilot beside skywasm. It is never needed, so its absence is no problem."""
    version = distribution_version("skypilot")
    if version is None:
        return Finding("SkyPilot", OK, "not installed, and not needed")
    if version == SKYPILOT_TESTED:
        return Finding("SkyPilot", OK, f"{version}, the release whose answers skywasm gives")
    return Finding("SkyPilot", OK, f"{version}; skywasm gives the answers of {SKYPILOT_TESTED}")


def backend(runs: bool) -> Finding:
    """Which backend answers in a program started now, and why; ``runs``: the sandbox does."""
    from skywasm.routes import mode as modes

    try:
        mode = modes.environment_mode()
    except ValueError as error:
        return Finding("backend", FAILED, str(error), "unset SKYWASM_BACKEND or set it to one of these")
    if mode == "python":
        return _switched_off(modes.switched_off(), runs)
    if not runs:
        if mode == "wasm":
            return Finding(
                "backend", FAILED, "wasm: every call is an error", "mend what FAILED above, or unset SKYWASM_BACKEND"
            )
        return Finding("backend", WARNING, "Python answers, because the sandbox does not run", "mend what FAILED above")
    if mode == "wasm":
        return Finding("backend", OK, "wasm: every call goes through the sandbox (SKYWASM_BACKEND=wasm)")
    return Finding("backend", OK, "auto: each call goes where it is fastest (`skywasm info` lists the routes)")


def _switched_off(by_skypilot: bool, runs: bool) -> Finding:
    variable = "SKYPILOT_USE_RUST" if by_skypilot else "SKYWASM_BACKEND"
    sandbox = "the sandbox works but is" if runs else "the sandbox is"
    fact = f"python: {sandbox} switched off by {variable}={os.environ[variable]}"
    return Finding("backend", WARNING, fact, f"unset {variable} to switch it on")
