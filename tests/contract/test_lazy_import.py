"""What ``import skywasm`` does not do: it loads nothing slow and makes no folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

# Each takes longer to import than all of skywasm, or is not installed everywhere.
SLOW = {
    *("ctypes", "hashlib", "inspect", "json", "logging", "pkgutil", "platformdirs", "psutil", "re", "rich", "socket"),
    *("subprocess", "tempfile", "threading", "typing", "wasmtime"),
}
# Of our own: what belongs to the engine, and what makes code.
ENGINE = {
    *("skywasm.machine", "skywasm.crossing.calls", "skywasm.crossing.instance", "skywasm.crossing.module"),
    *("skywasm.crossing.roads", "skywasm.crossing.lists", "skywasm.crossing.engine", "skywasm.crossing.engine.library"),
}


def loaded_by(code: str, env: dict[str, str] | None = None) -> set[str]:
    """The modules that ``code`` loads beyond those that an interpreter started the same way has."""
    text = f"import sys\nbefore = set(sys.modules)\n{code}\nafter = set(sys.modules) - before\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", text + "import json\nprint(json.dumps(list(after)))"],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_import_loads_nothing_slow() -> None:
    """``import skywasm`` loads neither the engine nor any of the slow modules of the standard library."""
    loaded = loaded_by("import skywasm")
    assert "skywasm" in loaded
    assert not {name for name in loaded if name.split(".")[0] in SLOW}
    assert not loaded & ENGINE


def test_import_makes_no_code() -> None:
    """Nothing is generated before the first crossing: no text is compiled but that of modules."""
    code = """
import builtins, sys
made, whole = [], compile
def noting(source, file, *rest, **named):
    if not str(file).endswith(".py"):
        # No module whose compiled form is an older one's.
        made.append(str(file))
    return whole(source, file, *rest, **named)
builtins.compile = noting
import skywasm
skywasm.format_float(1.25), skywasm.truncate_long_string("x" * 99), skywasm.is_process_alive(1)
assert made == [], made
"""
    assert "skywasm" in loaded_by(code)


@pytest.mark.parametrize(
    "call",
    [
        "skywasm.base36_encode('ff')",
        "skywasm.format_float(1.25)",
        "skywasm.truncate_long_string('x' * 99)",
        "skywasm.is_process_alive(1)",
        "skywasm.get_backend_info()",
        "skywasm.set_backend('python')",
        "skywasm.set_backend('auto')",
    ],
)
def test_cold_calls_load_no_engine(call: str) -> None:
    """In auto, scalar calls and questions about the backend load neither wasmtime nor psutil nor rich."""
    loaded = loaded_by(f"import skywasm\n{call}")
    assert not {name for name in loaded if name.split(".")[0] in ("wasmtime", "psutil", "rich", "logging")}


def test_import_makes_no_folder(tmp_path: pathlib.Path) -> None:
    """Neither the import nor cold calls write anything below the home or the cache folder."""
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "SKYWASM_CACHE_DIR": str(tmp_path / "own")}
    loaded_by("import skywasm\nskywasm.base36_encode('ff')\nskywasm.get_backend_info()", env)
    assert list(tmp_path.iterdir()) == []
