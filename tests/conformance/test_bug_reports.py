"""Inputs from public bug reports of SkyPilot, wasmtime and others, over every backend.

``bug_reports.json`` names each report. A case runs in its own interpreter, so that one that crashes fails alone.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BACKENDS

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CASES = json.loads(Path(__file__).with_name("bug_reports.json").read_text("utf-8"))["cases"]
RUN = [case for case in CASES if case["snippet"] and case["expect_repr"] is not None]
# With the engine loaded, or the backend auto would do nothing else than python.
IMPORTS = {"auto": "import skywasm as sw; sw.warm_up()"}
PLAIN_IMPORT = "import skywasm as sw"
MARK = "@@"
LONGEST_S = 120


def _interpreter(backend: str, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in an interpreter of its own with this backend; a variable that is empty is removed."""
    variables = {**os.environ, "SKYWASM_BACKEND": backend, **environment}
    kept = {name: value for name, value in variables.items() if value}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=LONGEST_S, check=False)


@pytest.mark.parametrize("backend_name", BACKENDS)
@pytest.mark.parametrize("case", RUN, ids=[case["id"] for case in RUN])
def test_bug_report(case: dict[str, Any], backend_name: str) -> None:
    """What the report complains of does not happen: the snippet's result is the expected one."""
    source = IMPORTS.get(backend_name, PLAIN_IMPORT)
    code = f"{source}\nSW_IMPORT = {source!r}\n{case['snippet']}\nprint({MARK!r} + ascii(result))"
    done = _interpreter(backend_name, code)
    results = [line[len(MARK) :] for line in done.stdout.splitlines() if line.startswith(MARK)]
    assert results, f"{case['symptom']}\nexit {done.returncode}: {done.stderr[-2000:]}"
    want = eval(case["expect_repr"], {"inf": math.inf, "nan": math.nan})
    assert results[-1] == ascii(want), case["expect"]


def test_no_report_is_left_out() -> None:
    """Every case runs above or has its assertions below."""
    rest = {case["id"] for case in CASES} - {case["id"] for case in RUN}
    assert rest == {"extra-02", "extra-03", "extra-04", "extra-10"}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_extra_02_exceptions_of_host_functions(
    backend: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a host function raises comes out unchanged, and the next call is answered."""
    import host_shims

    raised = kind("from the host")

    def interrupted(pid: int) -> int:
        raise raised

    with monkeypatch.context() as patch:
        patch.setattr(host_shims.facts, "process_signal", interrupted)
        # Chosen again, because the shortest roads look at the facts when the backend is chosen.
        with skywasm.use_backend(backend), pytest.raises(kind) as caught:
            skywasm.is_process_alive(os.getpid())
    assert caught.value is raised
    assert skywasm.is_process_alive(os.getpid()) is True


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_extra_03_no_writable_home(backend_name: str) -> None:
    """Without a home to write to, import and calls work."""
    code = IMPORTS.get(backend_name, PLAIN_IMPORT) + "; print(sw.base36_encode('ff'))"
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/x", "SKYWASM_CACHE_DIR": ""}
    done = _interpreter(backend_name, code, **nowhere)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "73", "")


def test_extra_03_import_makes_no_folder(tmp_path: Path) -> None:
    """Importing leaves a home as it was."""
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "SKYWASM_CACHE_DIR": ""}
    done = _interpreter("auto", PLAIN_IMPORT + "; print(sw.base36_encode('ff'))", **places)
    assert done.stdout.strip() == "73"
    assert list(tmp_path.iterdir()) == []


UNUSABLE = {
    # On Windows what the interpreter was built for counts.
    "unknown machine": (
        "import sys; sys.version = sys.version.replace('AMD64', 'Intel')"
        if sys.platform == "win32"
        else "import platform; platform.machine = lambda: 'riscv64'"
    ),
    "not installed": "import sys; sys.modules['wasmtime'] = None",
    "library does not load": "import ctypes\ndef refuse(*a): raise OSError('gone')\nctypes.cdll.LoadLibrary = refuse",
}


@pytest.mark.parametrize("breakage", UNUSABLE.values(), ids=list(UNUSABLE))
def test_extra_04_unusable_wasmtime(breakage: str) -> None:
    """Where wasmtime cannot be imported ``auto`` answers in Python and says why; ``wasm`` says so in its error."""
    pytest.importorskip("wasmtime", reason="wasmtime is not installed")
    report = "info = sw.get_backend_info(); print(sw.base36_encode('ff'), info['backend'], info['reason'], sep='|')"
    done = _interpreter("auto", f"{breakage}\nimport skywasm as sw; sw.warm_up()\n{report}")
    answer, used, reason = done.stdout.strip().split("|")
    assert (answer, used, done.returncode) == ("73", "python", 0)
    assert "wasmtime" in reason
    attempt = "try: sw.base36_encode('ff')\nexcept sw.errors.CoreUnavailableError as error: print(error)"
    done = _interpreter("wasm", f"{breakage}\nimport skywasm as sw\n{attempt}")
    assert "wasmtime" in done.stdout, done.stderr


def test_extra_10_no_compiler_flag_by_name() -> None:
    """The engine's configuration names no compiler flag and no target: an unknown one would abort the process."""
    pytest.importorskip("wasmtime", reason="wasmtime is not installed")
    watched = ("cranelift_flag_set", "cranelift_flag_enable", "cranelift_enable", "target")
    code = "\n".join(
        [
            "import wasmtime",
            "def refuse(*a): raise SystemExit('a flag was set by name')",
            "refused = property(fget=lambda config: refuse, fset=refuse)",
            f"for name in {watched!r}:",
            "    if hasattr(wasmtime.Config, name): setattr(wasmtime.Config, name, refused)",
            "import skywasm as sw; print(sw.base36_encode('ff'))",
        ]
    )
    done = _interpreter("wasm", code, SKYWASM_CACHE="0")
    assert (done.stdout.strip(), done.returncode) == ("73", 0), done.stderr


def test_extra_10_the_processor_is_in_the_cache_key() -> None:
    """Compiled code is kept per processor, since its flags are the processor's."""
    from skywasm.crossing.engine import cache

    assert cache.processor()
    assert cache.key("a", cache.processor()) != cache.key("a", "another processor")
