"""Reads what an artifact says of itself: the lines of its section ``skywasm.interface``."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = b"skywasm.interface"
VERSION = "skywasm 2"
_HEADER = 8
_CUSTOM = 0
_SIGNATURE = re.compile(r"(\w+)\(([^)]*)\)->(\S+)")


class Function(NamedTuple):
    """An export or a request: its parameters by name and kind (capabilities are none), and the kind of its result."""

    name: str
    parameters: list[tuple[str, str]]
    result: str
    batch: bool


class Interface(NamedTuple):
    """Functions by name, and what the artifact may ask, by number."""

    functions: dict[str, Function]
    requests: dict[int, Function]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _sections(content: bytes) -> Iterator[bytes]:
    """The bodies of the sections of this name."""
    at = _HEADER
    while at < len(content):
        kind = content[at]
        size, start = _number(content, at + 1)
        at = start + size
        if kind == _CUSTOM:
            length, begin = _number(content, start)
            if content[begin : begin + length] == SECTION:
                yield content[begin + length : at]


def _function(text: str) -> Function:
    signature, *words = text.split()
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(f"the artifact's record has a signature that cannot be read: {text!r}")
    name, inner, result = match.groups()
    pairs = (part.partition(":") for part in inner.split(",") if part)
    return Function(name, [(key, kind) for key, _, kind in pairs if kind[0] != "+"], result, "batch" in words)


def read(content: bytes) -> Interface:
    """The record of an artifact.

    Raises:
        ValueError: there is none of the version that is known here.
    """
    lines = b"".join(_sections(content)).decode().splitlines()
    if VERSION not in lines:
        raise ValueError(f"the artifact has no record that begins with {VERSION!r}")
    made = Interface({}, {})
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "fn":
            function = _function(rest)
            made.functions[function.name] = function
        elif word == "ask":
            number, _, rest = rest.partition(" ")
            made.requests[int(number)] = _function(rest)
    return made
