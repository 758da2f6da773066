"""The functions, a file a subject. Each is declared once: its docstring, its row of the table, and its body in Python.

The body answers where the artifact does not, and is what the artifact's answers are compared with. It is written from
the behaviour of SkyPilot 0.14.1, warts included; where it differs the docstring says so. It needs neither wasmtime nor
the artifact. Facts of the machine come from ``host_shims``.
"""

from __future__ import annotations

import sys

# The order is that of the table.
# isort: off
from skywasm.functions.declare import BY_NAME, ROWS
from skywasm.functions import numbers, text, hashing, tails, machine, mounts, processes
# isort: on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["BY_NAME", "ROWS", "hashing", "machine", "mounts", "numbers", "processes", "reference", "tails", "text"]

reference: Any = type(sys)(
    "skywasm.reference", "The functions' bodies by name: Python, whichever road the public ones take."
)
reference.__all__ = [row.name for row in ROWS]
for _row in ROWS:
    setattr(reference, _row.name, _row.reference)
