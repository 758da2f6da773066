"""The engine where a system offers it less than Linux does: what macOS and Windows have otherwise, switched off here.

Neither initialises memory by copying on write as Linux does, and macOS maps no page that can be written and executed.
"""

from __future__ import annotations

import sys

import pytest
from children import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc and prctl")

ANSWERS = """
    import os, skywasm
    from skywasm import reference
    skywasm.set_backend(MODE)
    digits = "d41d8cd98f00b204e9800998ecf8427e"
    answers = [
        skywasm.base36_encode(digits) == reference.base36_encode(digits),
        skywasm.is_process_alive(os.getpid()),
        skywasm.batch.base36_encode([digits] * 50) == [reference.base36_encode(digits)] * 50,
        skywasm.hash_file(skywasm.__file__, "md5").hexdigest()
        == reference.hash_file(skywasm.__file__, "md5").hexdigest(),
        len(skywasm.batch.hash_files([skywasm.__file__] * 40, "md5")) == 40,
    ]
    report(answers=answers, info=skywasm.get_backend_info(load=True), warnings=warnings)
"""
# Settings that the engine is made with besides: names of wasmtime's.
WITHOUT = {
    "no copying on write": [("memory_init_cow", False)],
    "guards and moving memory": [("memory_guard_size", 65536), ("memory_may_move", True)],
}


@pytest.mark.parametrize("cache", ["", "0"])
@pytest.mark.parametrize("what", list(WITHOUT))
def test_an_engine_with_other_features(what: str, cache: str, tmp_path: pathlib.Path) -> None:
    """Where the engine runs code at instantiation instead of mapping memory, instances are made and answer right."""
    code = f"""
    from skywasm.crossing.engine import setup
    changes = dict({WITHOUT[what]!r})
    kept = tuple(one for one in setup.CONFIGURATION if one[0] not in changes)
    setup.CONFIGURATION = kept + tuple(changes.items())
    MODE = "wasm"
    """
    found = run(code + ANSWERS, env={"SKYWASM_CACHE_DIR": str(tmp_path / "cache"), "SKYWASM_CACHE": cache})
    assert found["answers"] == [True] * 5
    assert (found["info"]["backend"], found["warnings"]) == ("wasm", [])


@linux
def test_no_page_can_be_written_and_executed() -> None:
    """The engine maps its code to be read and executed, and all else to be written, as macOS wants it."""
    found = run(
        '    MODE = "wasm"\n'
        + ANSWERS
        + """
    with open("/proc/self/maps") as file:
        both = [line for line in file if "wx" in line.split()[1]]
    report(both=both)
    """
    )
    assert found["answers"] == [True] * 5
    assert found["both"] == []


# prctl's PR_SET_MDWE, and its flag by which no mapping can be made executable later.
REFUSE = """
    import ctypes
    if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0):
        report(unknown=True)
        raise SystemExit
"""


@linux
def test_a_system_that_lets_no_code_be_made() -> None:
    """Where memory cannot be made executable later, Python answers, and one warning says why."""
    found = run('    MODE = "auto"\n' + REFUSE + "    import skywasm; skywasm.warm_up()\n" + ANSWERS)
    if "unknown" in found:
        pytest.skip("this kernel has no such rule")
    assert found["answers"] == [True] * 5
    assert found["info"]["backend"] == "python"
    (warning,) = found["warnings"]
    assert warning.startswith("skywasm runs in Python: wasmtime cannot be used: ")
    assert "Permission denied" in warning


@linux
def test_it_is_told_in_wasm_mode() -> None:
    """Who insists on the sandbox is told that it cannot be had."""
    found = run(
        REFUSE
        + """
    import skywasm
    skywasm.set_backend("wasm")
    try:
        skywasm.base36_encode("ff")
    except skywasm.errors.CoreUnavailableError as error:
        report(told=str(error))
    """
    )
    if "unknown" in found:
        pytest.skip("this kernel has no such rule")
    assert found["told"].startswith("wasmtime cannot be used: ")
