"""From the vectors to plain calls of the artifact's exports, which a runner in any language can replay.

Every expected answer is the vector's, recorded from SkyPilot; nothing here asks the artifact. How arguments and
results cross is read from the artifact's own record, so that a function whose vectors hold its parameters needs no
line here. The file is JSON; whole numbers are decimal texts, because not every JSON reader keeps 64 bits:

- ``blobs``: byte strings in hexadecimal; everywhere else bytes are given by their place in this list.
- ``requests``, by number: ``name``, and ``room``, the cell with the address of the room that the answer is written to
  (its length is in the next cell), or null.
- ``cases``: ``name``; ``kind``: ``answer``, ``refusal`` (a case that is Python's) or ``batch``; ``host``: what is
  answered; ``calls``, made one after the other.
- ``host`` has, by the request's number, a list of ``[first, last, answer]``, of which the first counts whose ends
  enclose the request's first argument. An answer is a number; ``{"text": blob}``, to be written into the room;
  ``{"file": blob}``, to be read on from request to request (the answer is then how many bytes were written); or null:
  the host raises, and the call is not resumed. What has no answer must not be asked: that fails the case.
- A call has ``export``; ``slots``, those left out being 0 and null being the length of the input; ``input``: blobs,
  or ``"output"`` for the bytes that the call before gave, to be joined.
- It expects ``result``, the number itself or ``"raised"``; or ``bytes``, the blob that the result names, null for any
  (a hash's state, which only the artifact understands). Where ``refusable`` is true, -1 will do as well.
- It may also expect ``cells``: a number in each; ``pointed``: a blob at the address in each; ``input_after``: a blob
  that the input must begin with after the call.
"""

from __future__ import annotations

import struct

from vectors import forms

from engines import crossings, machine
from skywasm.crossing import convention
from skywasm.crossing.interface import DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from skywasm.crossing.interface import Function, Interface, Request

    Case = dict[str, Any]

RAISED = "raised"
PYTHON_ONLY = "python_only"
LOWEST, HIGHEST = -(2**63), 2**63 - 1
# Arguments of requests that take two cells.
_PAIRS = ("room", "bytes", "str")


class Blobs:
    """Byte strings, each kept once."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}

    def add(self, data: bytes) -> int:
        return self.places.setdefault(data, len(self.places))


# --- how a value crosses


_TYPES = {
    "bool": bool,
    "buffer": bytes,
    "bytes": (bytes, list),
    "float": float,
    "int": int,
    "size": int,
    "str": str,
    "text": str,
}
_BOUNDS = {"int": (LOWEST, HIGHEST), "size": (0, 2**32 - 1)}


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of the very type that a kind carries, and within its bounds."""
    if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "bool"):
        return False
    lowest, highest = _BOUNDS.get(kind, (None, None))
    return lowest is None or lowest <= value <= highest


def text_bytes(text: str) -> bytes:
    """A text as it crosses."""
    return text.encode("utf-8", "surrogatepass")


def plain(kind: str, value: Any) -> int:
    """A value that is no bytes, as a slot or cell has it."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0]) if kind == "float" else int(value)


def kinds(function: Function | Request) -> list[str]:
    """The kinds of parameters."""
    return [kind for _, kind in function.parameters]


class Maker:
    """Makes calls of an artifact's functions, as its record tells how."""

    def __init__(self, interface: Interface, blobs: Blobs) -> None:
        self.interface = interface
        self.blobs = blobs

    def fitting(self, name: str, values: Sequence[Any]) -> bool:
        """Whether these values are of the kinds that a function takes."""
        wanted = kinds(self.interface.functions[name])
        return len(wanted) == len(values) and all(map(fits, wanted, values))

    def call(self, name: str, values: Sequence[Any], **expected: Any) -> Case:
        """A call of a function with these values; bytes may be a list of byte strings and ``crossings.OUTPUT``."""
        if not self.fitting(name, values):
            raise ValueError(f"these are no arguments for {name}: {values!r:.200}")
        slots: list[str | None] = []
        pieces: list[int | str] = []
        for kind, value in zip(kinds(self.interface.functions[name]), values):
            if kind not in (*DATA, "buffer"):
                slots.append(str(plain(kind, value)))
                continue
            parts = value if isinstance(value, list) else [value if isinstance(value, bytes) else text_bytes(value)]
            if kind != "buffer":
                # The bytes of another call are as many as they are; nothing else is then in the input.
                slots.append(None if crossings.OUTPUT in parts else str(sum(map(len, parts))))
            pieces += [part if part == crossings.OUTPUT else self.blobs.add(part) for part in parts]
        return {"export": name, "slots": slots, "input": pieces, **expected}

    def bytes(self, data: bytes) -> Case:
        """What a call is held to that gives these bytes."""
        return {"bytes": self.blobs.add(data)}

    def result(self, name: str, value: Any) -> Case:
        """What a call of a function is held to that gives this value."""
        kind = self.interface.functions[name].result
        if kind in DATA:
            return self.bytes(value if isinstance(value, bytes) else text_bytes(value))
        number = str(plain(kind, value))
        return {"result": "0", "cells": {"0": number}} if kind in ("int", "float") else {"result": number}

    def asked(self, name: str, case: Case, values: Sequence[Any]) -> list[Case] | None:
        """The call that a case becomes, or none where the artifact is not asked.

        What raises, or gives what cannot cross, has to be left to Python; of other cases that are Python's the artifact
        may know the answer.
        """
        # A variable that overrides the machine is read in Python.
        if "environment" in case or not self.fitting(name, values):
            return None
        expect = forms.decode(case.get("expect"))
        crosses = "expect" in case and fits(self.interface.functions[name].result, expect)
        if PYTHON_ONLY in case and not crosses:
            return [self.call(name, values, result=RAISED if machine.raises(case) else str(convention.E_INPUT))]
        made = self.call(name, values, **self.result(name, expect))
        return [{**made, "refusable": True} if PYTHON_ONLY in case else made]

    def calls(self, name: str, case: Case) -> list[Case] | None:
        """The calls that a case becomes, or none where the artifact is not asked."""
        own = crossings.OWN.get(name)
        if own is not None:
            return own(self, case)
        if name not in self.interface.functions:
            raise ValueError(f"tests/vectors/{name}.json is of a function that the artifact's record does not have")
        return self.asked(name, case, [forms.decode(form) for form in case["args"]])


def _replayed(name: str, place: int, case: Case, maker: Maker) -> Case | None:
    calls = maker.calls(name, case)
    if calls is None:
        if PYTHON_ONLY not in case:
            raise ValueError(f"tests/vectors/{name}.json: case {place} crosses, but makes no call: {case}")
        return None
    kind = "refusal" if PYTHON_ONLY in case else "answer"
    host = machine.host(case, maker.interface, maker.blobs)
    return {"name": f"{name} {place}", "function": name, "kind": kind, "host": host, "calls": calls}


def of_vectors(maker: Maker, every: int = 1) -> tuple[list[Case], int]:
    """The cases of all vector files, and how many cases Python answers without asking the artifact.

    Args:
        maker: makes the calls.
        every: 1 for all cases, else a sample: each ``every``-th of a function.
    """
    replayed = [
        _replayed(path.stem, place, case, maker)
        for path in sorted(forms.FOLDER.glob("*.json"))
        for place, case in enumerate(forms.read(path.stem)["cases"])
        if place % every == 0
    ]
    cases = [case for case in replayed if case is not None]
    return cases, len(replayed) - len(cases)


def document(cases: list[Case], maker: Maker) -> Case:
    """The file for the runners."""
    return {
        "requests": {str(number): _request(request) for number, request in maker.interface.requests.items()},
        "blobs": [data.hex() for data in maker.blobs.places],
        "cases": cases,
    }


def _request(request: Request) -> Case:
    cell, room = convention.CELL_ARGUMENTS, None
    for kind in kinds(request):
        room = cell if kind == "room" else room
        cell += 2 if kind in _PAIRS else 1
    return {"name": request.name, "room": room}
