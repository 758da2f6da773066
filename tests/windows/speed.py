"""The crossing in a Python for Windows beside this one, in alternating runs: ``make windows WINDOWS=--speed``.

The machine's own call is left out of the host round trip: what is measured is the way to it and back.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windows.runs import Place

ROUNDS = 12
# What Windows may take of Linux' time.
MOST = 1.5
CALLS = {
    "base36_encode, 32 digits": "skywasm.base36_encode('d41d8cd98f00b204e9800998ecf8427e')",
    "host round trip, is_process_alive": "skywasm.is_process_alive(4)",
}
CHILD = f"""
import json, timeit, skywasm
from host_shims import facts
facts.process_signal = lambda pid: 0
found = {{}}
with skywasm.use_backend("wasm"):
    for what, call in {CALLS!r}.items():
        assert eval(call) in ("ck2u8j60r58fu0sgyxrigm3cu", True), eval(call)
        times = timeit.repeat(call, globals=globals(), repeat=40, number=2000)
        found[what] = min(times) / 2000
print(json.dumps(found))
"""


def _here() -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", CHILD], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _there(place: Place) -> dict[str, float]:
    status, out = place.run("-c", CHILD)
    if status:
        raise SystemExit(out)
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


def rows(place: Place) -> list[tuple[str, float, float, float]]:
    """For each call the microseconds here and there, and the median of the ratios of neighbouring runs."""
    pairs = [(_here(), _there(place)) for _ in range(ROUNDS)]
    told = []
    for what in CALLS:
        here, there = ([pair[side][what] * 1e6 for pair in pairs] for side in (0, 1))
        ratio = statistics.median(two / one for one, two in zip(here, there))
        told.append((what, min(here), min(there), ratio))
    return told


def table(found: Sequence[tuple[str, float, float, float]], version: str) -> list[tuple[str, ...]]:
    """The same as cells, with a head."""
    head = ("call in the mode wasm", "CPython for Windows", "Linux", "Windows", "ratio")
    return [
        head,
        *((what, version, f"{one:.2f} us", f"{two:.2f} us", f"{ratio:.2f}") for what, one, two, ratio in found),
    ]


def run(place: Place) -> tuple[list[tuple[str, ...]], bool]:
    """The table, and whether Windows is quick enough."""
    found = rows(place)
    return table(found, place.python.version), all(row[-1] <= MOST for row in found)
