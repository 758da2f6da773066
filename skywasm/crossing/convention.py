"""The convention between host and guest: the numbers that both sides know.

``wasm-core/guest/src/wire.rs`` holds them for Rust; ``tests/contract`` compares the two. docs/ARCHITECTURE.md tells
what they mean.
"""

from __future__ import annotations

VERSION = 2
"""What the record's line ``skywasm 2`` says."""

SECTION = b"skywasm.interface"
"""The custom section with the record."""

SLOTS = 8
"""Parameters of every export, each an i64; the result is one too and takes the first one's place."""

SLOT_ANSWER = 0
"""The parameter of ``skywasm.resume`` that is the answer to what was asked."""

SLOT_INPUT = 7
"""The parameter that says where the input lies: 0 for the window, else where ``skywasm.reserve`` has made room."""

WINDOW = 32 * 1024
"""Bytes of the input window. What takes longer to work through gives the GIL away, so there is no other bound for
that.
"""

OUTPUT = 64 * 1024
"""Bytes of the output window."""

IN_WINDOW = 2**29
"""A result of bytes that lie in the output window is this and their number; elsewhere ``pointer << 32 | length``."""

CELLS = 16
CELL_RESULT = 0
CELL_REQUEST = 1
CELL_ARGUMENTS = 2
CELL_OFFSETS = 9
CELL_LEFT = 10
CELL_LEFT_COUNT = 11
CELL_COUNT = 12

E_INPUT = -1
"""The guest leaves the call to the reference."""
E_LIMIT = -2
"""A buffer would exceed the guest's memory."""
E_PROTOCOL = -3
"""The call does not follow the convention."""
AGAIN = -(2**32)
"""A slice of the work is done: ``skywasm.resume`` goes on with it."""
ASK = AGAIN - 1
"""The guest has a request in its cells: ``skywasm.resume`` goes on, with the answer as its first parameter. No error
number of a system is as low, so that an answer which a trap leaves in its slot does not ask once more.
"""

BUFFERS = "skywasm.buffers"
RESERVE = "skywasm.reserve"
RESUME = "skywasm.resume"

# How the items of a batch lie in the input, and what comes out.
JOINED = 0
OFFSETS32 = 1
OFFSETS64 = 2
FIXED8 = 3
NULLS = 4
OFFSETS_OUT = 8
SEPARATOR_SHIFT = 8
COUNT_SHIFT = 16

TEXT_LIMIT = 16 * 1024 * 1024
"""Most bytes of one input that crosses."""

MEMORY_LIMIT = 64 * 1024 * 1024
"""Bytes of linear memory an instance may grow to."""

KEEP_LIMIT = 8 * 1024 * 1024
"""An instance whose memory has grown beyond this is dropped after the call: memory never shrinks."""

I64_MAX = 2**63 - 1
