"""The vectors once more, through the exports that take whole lists: each list is made of cases with one answer.

Which functions take lists, and of what, is in the artifact's record. Vectors that raise stand among the items, and must
be left to Python there.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import struct

from vectors import forms

from engines import calls, machine
from engines.calls import PYTHON_ONLY
from skywasm.crossing import convention
from skywasm.crossing.convention import FIXED8, JOINED, NULLS, OFFSETS32, OFFSETS64, OFFSETS_OUT
from skywasm.crossing.interface import DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from engines.calls import Maker
    from skywasm.crossing.interface import Function

    Case = dict[str, Any]

VARIABLE = (JOINED, JOINED | NULLS, OFFSETS32, OFFSETS32 | NULLS | OFFSETS_OUT, OFFSETS64, OFFSETS64 | NULLS)
FIXED = (FIXED8, FIXED8 | NULLS, FIXED8 | OFFSETS_OUT)
_NAMES = ("joined", "offsets of 32 bits", "offsets of 64 bits", "fixed")
_LAYOUT = 3
# What is longer takes more than one slice of work, and so is left to Python in a list.
_LONGEST = {"base36_encode": 4096}
# Every so-manieth item is missing where a list has a bitmap.
_MISSING = 3
# A list that fits neither window.
_LONG = 100_000
# Messages of one block have a kernel of their own.
_ONE_BLOCK = 55
_MD5 = 0
_START = struct.pack("<4I", 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_RECORD = "<QQQ16s"
_BLOCK = 64


@dataclasses.dataclass
class Item:
    """The bytes of an item and of its answer; ``answer`` is None for what is left to Python."""

    data: bytes
    answer: bytes | None


@dataclasses.dataclass
class Group:
    """Items that can stand in one list: the parameters they share, what is answered to them, and a word."""

    rest: Sequence[Any]
    host: Case
    word: str
    items: list[Item] = dataclasses.field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all items."""
        return sum(len(item.data) for item in self.items)


def _bytes(kind: str, value: Any) -> bytes:
    """A value as it lies in a list."""
    if kind in DATA:
        return value if isinstance(value, bytes) else calls.text_bytes(value)
    if kind == "bool":
        return bytes([value])
    return struct.pack("<d" if kind == "float" else "<q", value)


def _of_arguments(maker: Maker, name: str) -> Iterator[tuple[list[Any], Any, Case, str]]:
    """Arguments, answer (None: left to Python), case and word of each vector that crosses."""
    for case in forms.read(name)["cases"]:
        values = [forms.decode(form) for form in case["args"]]
        if not maker.fitting(name, values) or (PYTHON_ONLY in case and "raises" not in case):
            continue
        yield values, forms.decode(case.get("expect")), case, ""


def _of_strings(maker: Maker, name: str) -> Iterator[tuple[list[Any], Any, Case, str]]:
    """The files' contents as messages: the short ones apart, and all."""
    for case in forms.read("hash_file")["cases"]:
        if "expect" in case and "length" not in case:
            data = forms.content(case["content"])
            for word in ("short", "all") if len(data) <= _ONE_BLOCK else ("all",):
                yield [data, case["number"]], case["expect"], {}, f"{case['algorithm']}, {word}"


_SOURCES = {"hash_string": _of_strings}


def groups(maker: Maker, name: str) -> list[Group]:
    """The vectors of a function, by what they have in common."""
    function, made = maker.interface.functions[name], {}
    for (first, *rest), answer, case, word in _SOURCES.get(name, _of_arguments)(maker, name):
        host = machine.host(case, maker.interface, maker.blobs)
        group = made.setdefault(json.dumps([repr(rest), host, word]), Group(rest, host, word))
        data = _bytes(function.parameters[0][1], first)
        left = "raises" in case or len(data) > _LONGEST.get(name, len(data))
        group.items.append(Item(data, None if left else _bytes(function.result, answer)))
    return list(made.values())


def separator_of(items: list[Item]) -> int:
    """A byte that no item and no answer holds."""
    used = set().union(*(set(item.data) | set(item.answer or b"") for item in items))
    return next(byte for byte in (ord("\n"), *range(256)) if byte not in used)


def _offsets(parts: list[bytes], layout: str) -> bytes:
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return struct.pack(f"<{len(ends)}{layout}", *ends)


def _bitmap(there: list[bool]) -> bytes:
    whole = sum(1 << place for place, one in enumerate(there) if one)
    return whole.to_bytes((len(there) + 63) // 64 * 8, "little")


def _input(form: int, data: list[bytes], there: list[bool], between: bytes) -> list[bytes]:
    """The parts of a list as it goes in: offsets, bitmap, data."""
    layout = form & _LAYOUT
    before = _offsets(data, "i" if layout == OFFSETS32 else "q") if layout in (OFFSETS32, OFFSETS64) else b""
    bitmap = _bitmap(there) if form & NULLS else b""
    separators = [b"", *[between if layout == JOINED else b""] * (len(data) - 1)]
    return [before + bitmap, *itertools.chain.from_iterable(zip(separators, data))]


def _expected(
    maker: Maker, function: Function, form: int, items: list[Item], there: list[bool], between: bytes
) -> Case:
    """What comes out; an item that is missing, or left to Python, has an empty result or zero."""
    nothing = b"" if function.result in DATA else bytes(1 if function.result == "bool" else 8)
    answers = [item.answer if one and item.answer is not None else nothing for item, one in zip(items, there)]
    left = [place for place, item in enumerate(items) if there[place] and item.answer is None]
    joined = function.result in DATA and not form & OFFSETS_OUT
    pointed = {str(convention.CELL_OFFSETS): maker.blobs.add(_offsets(answers, "i"))} if form & OFFSETS_OUT else {}
    if left:
        pointed[str(convention.CELL_LEFT)] = maker.blobs.add(struct.pack(f"<{len(left)}i", *left))
    return {
        **maker.bytes((between if joined else b"").join(answers)),
        "cells": {str(convention.CELL_LEFT_COUNT): str(len(left)), str(convention.CELL_COUNT): str(len(items))},
        "pointed": pointed,
    }


def _list(maker: Maker, function: Function, group: Group, form: int, long: bool = False) -> Case:
    """One list in one form; a long one repeats its items."""
    items = group.items * (_LONG // max(group.size, 1) + 1 if long else 1)
    separator = separator_of(items)
    there = [not form & NULLS or place % _MISSING != 0 for place in range(len(items))]
    between = bytes([separator])
    parts = [part for part in _input(form, [item.data for item in items], there, between) if part]
    # A count is left out where the items themselves tell it.
    count = len(items) if form & NULLS or form & _LAYOUT in (OFFSETS32, OFFSETS64) else 0
    slots = [None, str(form | separator << convention.SEPARATOR_SHIFT | count << convention.COUNT_SHIFT)]
    slots += [str(calls.plain(kind, value)) for kind, value in zip(calls.kinds(function)[1:], group.rest)]
    expected = _expected(maker, function, form, items, there, between)
    call = {"export": f"{function.name}[]", "slots": slots, "input": list(map(maker.blobs.add, parts)), **expected}
    how = f"{_NAMES[form & _LAYOUT]}{', nulls' * bool(form & NULLS)}{', offsets out' * bool(form & OFFSETS_OUT)}"
    shared = " ".join(map(str, [*group.rest, group.word])).strip()
    name = f"{function.name}[] {shared} ({len(items)} items, {how})"
    return _batch(name, function.name, len(items), call, group.host)


def _batch(name: str, function: str, items: int, call: Case, host: Case) -> Case:
    return {"name": name, "function": function, "kind": "batch", "items": items, "host": host, "calls": [call]}


def lists(maker: Maker, function: Function) -> list[Case]:
    """A function's lists: the forms in turn, all forms of the first, and of one repeated until it fits no window."""
    found = groups(maker, function.name)
    chosen = VARIABLE if function.parameters[0][1] in DATA else FIXED
    if function.result not in DATA:
        chosen = tuple(form for form in chosen if not form & OFFSETS_OUT)
    made = [_list(maker, function, group, form) for group in found[:1] for form in chosen]
    made += [_list(maker, function, group, form) for group, form in zip(found[1:], itertools.cycle(chosen))]
    # Thousands of questions to the host would show nothing new.
    short = [group for group in found if group.size < _LONG and not group.host]
    most = max(short, key=lambda group: len(group.items), default=None)
    return made + [_list(maker, function, most, form, long=True) for form in chosen if most is not None]


def md5_lanes(maker: Maker) -> Case:
    """The lanes: a table of all messages, whose states become their digests."""
    cases = [case for case in forms.read("hash_file")["cases"] if case.get("number") == _MD5]
    messages = [forms.content(case["content"]) for case in cases]
    before, after, data = b"", b"", b""
    table = struct.calcsize(_RECORD) * len(messages)
    for case, message in zip(cases, messages):
        place = table + len(data), len(message), len(message)
        before += struct.pack(_RECORD, *place, _START)
        after += struct.pack(_RECORD, *place, bytes.fromhex(case["expect"]))
        data += message + bytes(-len(message) % _BLOCK)
    count = len(messages)
    call = maker.call("md5_parts", (count, before + data), result=str(count), input_after=maker.blobs.add(after))
    return _batch(f"md5_parts ({count} items)", "md5_parts", count, call, {})


def of_vectors(maker: Maker) -> list[Case]:
    """All lists."""
    taking = [function for function in maker.interface.functions.values() if function.batch]
    return [*(case for function in taking for case in lists(maker, function)), md5_lanes(maker)]
