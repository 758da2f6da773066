"""Debian's Python for aarch64 and the aarch64 wheels in a folder, to be run by qemu's user emulation.

Nothing is installed on this machine: apt works on lists of its own in the folder, and packages are unpacked, not
installed. It needs apt and dpkg, but no root.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

PLATFORM = "manylinux2014_aarch64"
QEMU = ("qemu-aarch64-static", "qemu-aarch64")
LONGEST_STEP_S = 900
_LAST_WORDS = 400


class Missing(Exception):
    """An engine that cannot be had here; the text says why and what helps."""


@dataclasses.dataclass
class Emulated:
    """A Python for aarch64: how it is started, the folder of its packages, the version of the emulator."""

    python: list[str]
    packages: Path
    version: str


def ran(command: list[str], what: str, cwd: Path | None = None) -> str:
    """Runs a step of making a runner and gives what it printed; a failure means that the engine is missing."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=LONGEST_STEP_S, check=True)
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip())[-_LAST_WORDS:]
        raise Missing(f"{what} cannot be made, {Path(command[0]).name} said: {' '.join(said.split())}") from None
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Missing(f"{what} cannot be made: {error}") from None
    return done.stdout


def _apt_options(folder: Path, architecture: str) -> list[str]:
    """Apt with a state of its own, in which nothing is installed."""
    state = folder / f"apt-{architecture}"
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Dir::Cache": state / "cache",
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
    }
    return [f"-o{name}={value}" for name, value in options.items()]


def _unpack(package: str, architecture: str, folder: Path, into: Path) -> None:
    """Unpacks a Debian package and what it depends on."""
    options, what = _apt_options(folder, architecture), f"{package} for {architecture}"
    ran(["apt-get", *options, "-qq", "update"], what)
    ran(["apt-get", *options, "-qq", "-y", "--download-only", "--no-install-recommends", "install", package], what)
    archives = sorted((folder / f"apt-{architecture}" / "cache" / "archives").glob("*.deb"))
    if not archives:
        raise Missing(f"{what}: apt-get fetched no package")
    for archive in archives:
        ran(["dpkg", "-x", str(archive), str(into)], what)
    shutil.rmtree(folder / f"apt-{architecture}")


def _qemu(folder: Path) -> str:
    installed = next(filter(None, map(shutil.which, QEMU)), None)
    if installed:
        return installed
    emulator = folder / "qemu"
    if not emulator.exists():
        architecture, part = ran(["dpkg", "--print-architecture"], "qemu").strip(), folder / "qemu.part"
        _unpack("qemu-user-static", architecture, folder, part)
        found = next((path for name in QEMU for path in part.glob(f"usr/bin/{name}")), None)
        if found is None:
            raise Missing("the package qemu-user-static holds no emulator for aarch64")
        # The other processors' take ten times the room.
        found.rename(emulator)
        shutil.rmtree(part)
    return str(emulator)


def _root(folder: Path) -> Path:
    root = folder / "root"
    if not root.exists():
        part = folder / "root.part"
        _unpack("python3", "arm64", folder, part)
        # Newer releases ship everything below usr, and base-files, which has the links, is not unpacked.
        for name in ("lib", "bin"):
            if not (part / name).exists():
                (part / name).symlink_to(f"usr/{name}")
        part.rename(root)
    return root


def _packages(folder: Path, python_version: str) -> Path:
    """The wheels of skywasm's dependencies, wasmtime in the version that is installed here."""
    wanted = [one for one in importlib.metadata.requires("skywasm") or () if not one.startswith("wasmtime")]
    version = importlib.metadata.version("wasmtime")
    packages = folder / f"packages-{python_version}-wasmtime-{version}"
    if not packages.exists():
        part = folder / "packages.part"
        where = ["--platform", PLATFORM, "--python-version", python_version, "--only-binary=:all:"]
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(part), *where]
        ran([*command, f"wasmtime=={version}", *wanted], "the aarch64 wheels")
        part.rename(packages)
    return packages


def prepare(folder: Path) -> Emulated:
    """What it takes to run Python on aarch64; made in ``folder`` unless it is there.

    Raises:
        Missing: where this machine cannot have it.
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool} is not installed: the emulated machine is made of Debian packages")
    folder.mkdir(parents=True, exist_ok=True)
    for part in folder.glob("*.part"):
        shutil.rmtree(part)
    qemu, root = _qemu(folder), _root(folder)
    python = (root / "usr" / "bin" / "python3").resolve()
    match = re.fullmatch(r"python(\d+\.\d+)", python.name)
    if match is None:
        raise Missing(f"{python} is not the Python that was expected (python3.N); remove {folder} and try again")
    packages = _packages(folder, match[1])
    words = ran([qemu, "--version"], "qemu").split()
    return Emulated([qemu, "-L", str(root), str(python), "-S"], packages, words[2] if len(words) > 2 else "")
