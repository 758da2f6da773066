"""The seven engines: how each runner is made and started, and what comes of it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from engines import aarch64
from engines.aarch64 import Missing, ran

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
RUNNERS = FOLDER / "runners"
BUILD = FOLDER / ".build"
CORE = ROOT / "skywasm" / "core.wasm"
CRATE = ROOT / "wasm-core"
LONGEST_RUN_S = 900
_LAST_WORDS = 2000
_PROCESSORS = {"x64": "x86_64", "amd64": "x86_64", "AMD64": "x86_64", "arm64": "aarch64"}
_WASMTIME = str(RUNNERS / "wasmtime_replay.py")
# The package's own road, which has to be the raw one.
_PACKAGE = """
import sys, skywasm
from skywasm import cli
sys.exit(cli.main(["check"]) or skywasm.get_backend_info()["call_path"] != "raw")
"""


@dataclasses.dataclass
class Runner:
    """How to start a runner: its command, to which artifact and calls are added, and variables.

    ``processor`` is what the table says of it, with ``{}`` for what the runner says.
    """

    command: list[str]
    target: list[str] = dataclasses.field(default_factory=list)
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    processor: str = "{}"
    # A command that must succeed too.
    also: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Engine:
    """One row of the table.

    ``quick`` tells whether the quick form has it, ``lists`` whether it is asked whole lists; ``built`` is what
    ``prepare`` leaves behind.
    """

    key: str
    name: str
    prepare: Callable[[], Runner]
    quick: bool = True
    lists: bool = True
    built: Path | None = None


@dataclasses.dataclass
class Outcome:
    """What an engine made of the calls. ``missing`` is the reason why it could not run."""

    engine: Engine
    version: str = ""
    processor: str = ""
    passed: dict[str, int] = dataclasses.field(default_factory=dict)
    failures: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    missing: str | None = None


def _tool(name: str, remedy: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{name} is not installed ({remedy})")
    return path


def _wasmtime(target: str = "") -> Callable[[], Runner]:
    def prepare() -> Runner:
        try:
            import wasmtime  # noqa: F401
        except Exception as error:
            raise Missing(f"wasmtime cannot be imported: {error} (pip install wasmtime)") from None
        processor = f"{target} on {{}}" if target else "{}"
        return Runner([sys.executable, _WASMTIME], [target] if target else [], {"PYTHONPATH": str(ROOT)}, processor)

    return prepare


def _aarch64() -> Runner:
    made = aarch64.prepare(BUILD / "aarch64")
    environment = {"PYTHONPATH": f"{made.packages}{os.pathsep}{ROOT}", "SKYWASM_CACHE": "0"}
    processor = f"{{}} under qemu {made.version}"
    return Runner([*made.python, _WASMTIME], [], environment, processor, [*made.python, "-c", _PACKAGE])


def _node() -> Runner:
    return Runner([_tool("node", "apt-get install nodejs, 16.4 or newer"), str(RUNNERS / "node_replay.mjs")])


def _wazero() -> Runner:
    go, program = _tool("go", "1.25 or newer, https://go.dev/dl"), BUILD / "wazero-replay"
    ran([go, "build", "-mod=readonly", "-o", str(program), "."], "wazero", cwd=RUNNERS / "wazero")
    return Runner([str(program)])


def _wasmi() -> Runner:
    cargo, target = _tool("cargo", "1.88 or newer, https://rustup.rs"), BUILD / "wasmi"
    ran([cargo, "build", "--release", "--locked", "--target-dir", str(target)], "wasmi", cwd=RUNNERS / "wasmi")
    return Runner([str(target / "release" / "wasmi-replay")])


def _native() -> Runner:
    cargo = _tool("cargo", "1.88 or newer, https://rustup.rs")
    ran([cargo, "test", "--no-run", "--locked", "--test", "vectors"], "the native tests", cwd=CRATE)
    return Runner([sys.executable, str(RUNNERS / "native_replay.py")])


ENGINES = (
    Engine("cranelift", "wasmtime, Cranelift", _wasmtime()),
    Engine("pulley", "wasmtime, Pulley", _wasmtime("pulley64")),
    Engine("aarch64", "wasmtime, Cranelift", _aarch64, False, built=BUILD / "aarch64"),
    Engine("node", "Node", _node),
    Engine("wazero", "wazero", _wazero, built=BUILD / "wazero-replay"),
    Engine("wasmi", "wasmi", _wasmi, built=BUILD / "wasmi"),
    Engine("native", "native Rust, no WebAssembly", _native, lists=False, built=CRATE / "target" / "debug"),
)
BY_KEY = {engine.key: engine for engine in ENGINES}


def outcome(engine: Engine, calls: Path, core: Path = CORE) -> Outcome:
    """Makes the runner and runs it. What goes wrong is in the outcome.

    Args:
        engine: the row.
        calls: the file that ``engines.calls.document`` describes.
        core: the artifact.
    """
    try:
        runner = engine.prepare()
    except Missing as reason:
        return Outcome(engine, missing=str(reason))
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **runner.environment}
    start = time.perf_counter()
    try:
        line = json.loads(_said([*runner.command, str(core), str(calls), *runner.target], environment))
        if runner.also:
            _said(runner.also, environment)
    except _Broken as reason:
        return Outcome(engine, failures=[str(reason)])
    seconds = time.perf_counter() - start
    processor = runner.processor.format(_PROCESSORS.get(line["processor"], line["processor"]))
    return Outcome(engine, line["version"], processor, line["passed"], line["failures"], seconds)


class _Broken(Exception):
    """A runner that came to no result."""


def _said(command: list[str], environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise _Broken(f"the runner failed: {error}") from None
    if done.returncode:
        said = (done.stderr.strip() + "\n" + done.stdout.strip()).strip()[-_LAST_WORDS:]
        raise _Broken(f"the runner ended with status {done.returncode}: {said}")
    return done.stdout
