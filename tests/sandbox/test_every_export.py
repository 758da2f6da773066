"""An artifact in which every function traps: each public function, scalar and batch, is unharmed by it."""

from __future__ import annotations

import artifacts
import pytest
from children import copy_packages, run

import examples
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")

# Arguments that cross in every case.
CALLS = """
import skywasm, examples
from skywasm import batch, reference
from skywasm.functions import BY_NAME, ROWS
place = examples.Workplace(quick=True).__enter__()
FILE = skywasm.__file__
ARGUMENTS = examples.others(place)
def told(result):
    return result.hexdigest() if hasattr(result, "hexdigest") else result
CALLS = {name: lambda api, name=name: told(getattr(api, name)(*ARGUMENTS[name])) for name in ARGUMENTS}
BATCHES = {
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
for row in ROWS:
    if row.batch is not None:
        BATCHES[row.name] = (
            lambda row=row: getattr(batch, row.name)([ARGUMENTS[row.name][0]] * 50, *ARGUMENTS[row.name][1:]),
            lambda row=row: [row.reference(*ARGUMENTS[row.name])] * 50,
        )
def outcome(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


def test_auto_is_right_all_the_same(tmp_path: pathlib.Path) -> None:
    """In auto every answer is the reference's, and so is the next."""
    how = examples.seen(copy_packages(tmp_path))
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
    how = examples.seen(copy_packages(tmp_path))
    artifacts.install(tmp_path, artifacts.text())
    found = run(
        CALLS
        + """
skywasm.set_backend("wasm")
# A stand-in answers what asks and is asked when it is loaded.
answered = [row.name for row in ROWS if row.asks and row.crossing is None]
scalars = {name: outcome(call, skywasm) for name, call in CALLS.items() if name not in answered}
batches = {name: outcome(call) for name, (call, want) in BATCHES.items()}
report(scalars=scalars, batches=batches, answered=answered)
report(right=skywasm.base36_encode("f" * 16), info=skywasm.get_backend_info())
""",
        **how,
    )
    for name, kind in {**found["scalars"], **found["batches"]}.items():
        word, export, _ = f"{kind} : ".split(": ", 2)
        assert word == "TrapError", (name, kind)
        assert export.rpartition("[]")[0] or export in artifacts.INTERFACE.functions, (name, kind)
    assert sorted([*found["scalars"], *found["answered"]]) == sorted(row.name for row in ROWS)
    assert found["right"] == "3w5e11264sgsf"
    assert found["info"]["fallbacks"] == {}
