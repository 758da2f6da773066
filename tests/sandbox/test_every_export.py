"""An artifact in which every function traps: each public function, scalar and batch, is unharmed by it."""

from __future__ import annotations

import artifacts
import pytest
from children import copy_packages, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")

# Arguments that cross in every case.
CALLS = """
import os, skywasm
from skywasm import batch, reference
FILE = skywasm.__file__
FOLDER = os.path.dirname(FILE)
CALLS = {
    "base36_encode": lambda api: api.base36_encode("f" * 32),
    "format_float": lambda api: api.format_float(0.25),
    "truncate_long_string": lambda api: api.truncate_long_string("a text " * 50),
    "hash_file": lambda api: api.hash_file(FILE, "md5").hexdigest(),
    "read_last_n_lines": lambda api: api.read_last_n_lines(FILE, 300),
    "find_free_port": lambda api: api.find_free_port(65_535 - 3) > 0,
    "get_cpu_count": lambda api: api.get_cpu_count(),
    "get_mem_size_gb": lambda api: api.get_mem_size_gb(),
    "get_parallel_threads": lambda api: api.get_parallel_threads("kubernetes"),
    "get_max_workers_for_file_mounts": lambda api: api.get_max_workers_for_file_mounts({"/a": FOLDER}),
    "is_process_alive": lambda api: api.is_process_alive(os.getppid()),
    "estimate_fd_for_directory": lambda api: api.estimate_fd_for_directory(FOLDER),
}
BATCHES = {
    "base36_encode": (lambda: batch.base36_encode(["f" * 32] * 50), lambda: ["f5lxx1zz5pnorynqglhzmsp33"] * 50),
    "format_float": (lambda: batch.format_float([0.25] * 50), lambda: ["0.2"] * 50),
    "truncate_long_string": (
        lambda: batch.truncate_long_string(["0123456789"] * 50, 7, True),
        lambda: ["01...89"] * 50,
    ),
    "hash_strings": (lambda: batch.hash_strings(["a"] * 50, "md5"), lambda: ["0cc175b9c0f1b6a831c399e269772661"] * 50),
    "hash_files": (
        lambda: batch.hash_files([FILE] * 50, "md5"),
        lambda: [reference.hash_file(FILE, "md5").hexdigest()] * 50,
    ),
    "read_last_n_lines": (
        lambda: batch.read_last_n_lines([FILE] * 3, 300),
        lambda: [reference.read_last_n_lines(FILE, 300)] * 3,
    ),
}
def outcome(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


def test_auto_is_right_all_the_same(tmp_path: pathlib.Path) -> None:
    """In auto every answer is the reference's, and so is the next."""
    how = copy_packages(tmp_path)
    artifacts.install(tmp_path, artifacts.text())
    found = run(
        CALLS
        + """
skywasm.warm_up()
wrong = [name for name, call in CALLS.items() for _ in range(2) if outcome(call, skywasm) != outcome(call, reference)]
wrong += [name for name, (call, want) in BATCHES.items() for _ in range(2) if outcome(call) != want()]
report(wrong=wrong, warnings=warnings, backend=skywasm.get_backend_info()["backend"])
""",
        **how,
    )
    assert found["wrong"] == []
    assert found["backend"] == "wasm"
    assert len(found["warnings"]) == len(set(found["warnings"]))
    assert all("TrapError" in one for one in found["warnings"])


def test_wasm_mode_tells_each(tmp_path: pathlib.Path) -> None:
    """In wasm mode each call is a TrapError that names the export, and the process goes on to the next."""
    how = copy_packages(tmp_path)
    artifacts.install(tmp_path, artifacts.text(pages=32))
    found = run(
        CALLS
        + """
skywasm.set_backend("wasm")
scalars = {name: outcome(call, skywasm) for name, call in CALLS.items() if name != "is_process_alive"}
batches = {name: outcome(call) for name, (call, want) in BATCHES.items()}
report(scalars=scalars, batches=batches, right=skywasm.base36_encode("f" * 16), info=skywasm.get_backend_info())
""",
        **how,
    )
    for name, kind in {**found["scalars"], **found["batches"]}.items():
        assert str(kind).startswith("TrapError: sky_"), (name, kind)
    assert len(found["scalars"]) == 11
    assert found["right"] == "3w5e11264sgsf"
    assert found["info"]["fallbacks"] == {}
