"""The vectors once more, through the exports that take whole lists: each list is made of cases that have an answer."""

from __future__ import annotations

import struct

from vectors import forms

from engines.calls import PYTHON_ONLY, Blobs, call, text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    Case = dict[str, Any]

# What is longer is refused in a list, and goes alone.
MOST_DIGITS = 4096
# Messages of one block have a kernel of their own.
ONE_BLOCK = 55
MIDDLE = 256
MD5 = 0
_START = struct.pack("<4I", 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_RECORD = "<QQQ16s"
_BLOCK = 64


def _crossing(function: str) -> list[Case]:
    return [case for case in forms.read(function)["cases"] if PYTHON_ONLY not in case]


def _grouped(items: list[tuple[Hashable, bytes, bytes]]) -> dict[Hashable, list[tuple[bytes, bytes]]]:
    """Inputs and answers by what they have in common."""
    groups: dict[Hashable, list[tuple[bytes, bytes]]] = {}
    for key, data, answer in items:
        groups.setdefault(key, []).append((data, answer))
    return groups


def separator_of(pairs: list[tuple[bytes, bytes]]) -> int:
    """A byte that no input and no answer holds."""
    used = set().union(*(set(data) | set(answer) for data, answer in pairs))
    return next(byte for byte in (ord("\n"), *range(256)) if byte not in used)


def _joined(
    name: str, pairs: list[tuple[bytes, bytes]], blobs: Blobs, separator: int, *call_of: Any, **how: Any
) -> Case:
    between = bytes([separator])
    data = blobs.add(how.get("by", between).join(data for data, _ in pairs))
    want = blobs.add(how.get("to", between).join(answer for _, answer in pairs))
    return _batch(name, len(pairs), call(*call_of, input=[data], bytes=want))


def _batch(name: str, items: int, made: Case) -> Case:
    return {"name": f"{name} ({items} items)", "kind": "batch", "items": items, "host": {}, "calls": [made]}


def base36_encode(blobs: Blobs) -> list[Case]:
    pairs = [(text_bytes(case["args"][0]) or b"", case["expect"].encode()) for case in _crossing("base36_encode")]
    pairs = [pair for pair in pairs if len(pair[0]) <= MOST_DIGITS]
    separator = separator_of(pairs)
    export = "sky_batch_base36_encode"
    return [_joined("batch base36_encode", pairs, blobs, separator, export, None, separator)]


def format_float(blobs: Blobs) -> list[Case]:
    cases = _crossing("format_float")
    items = [(c["args"][1], struct.pack("<d", forms.decode(c["args"][0])), c["expect"].encode()) for c in cases]
    export, newline = "sky_batch_format_float", ord("\n")
    return [
        _joined(f"batch format_float, precision {precision}", pairs, blobs, newline, export, None, precision, by=b"")
        for precision, pairs in _grouped(items).items()
    ]


def truncate_long_string(blobs: Blobs) -> list[Case]:
    items = []
    for case in _crossing("truncate_long_string"):
        text, length, middle = (forms.decode(form) for form in case["args"])
        text = text.encode("utf-8", "surrogatepass")
        items.append(((length, middle), text, text_bytes(case["expect"]) or b""))
    made = []
    for (length, middle), pairs in _grouped(items).items():  # type: ignore[misc]
        separator = separator_of(pairs)
        call_of = "sky_batch_truncate_long_string", None, length, separator + MIDDLE * middle
        name = f"batch truncate_long_string to {length}{' in the middle' * middle}"
        made.append(_joined(name, pairs, blobs, separator, *call_of))
    return made


def hash_strings(blobs: Blobs) -> list[Case]:
    """Lists for each algorithm: messages of one block, and all lengths."""
    items = []
    for case in _crossing("hash_file"):
        if "length" not in case:
            data = forms.content(case["content"])
            items.append(((case["number"], case["algorithm"]), data, case["expect"].encode()))
    made = []
    for (number, name), pairs in _grouped(items).items():  # type: ignore[misc]
        for kind, chosen in (("short", [pair for pair in pairs if len(pair[0]) <= ONE_BLOCK]), ("all", pairs)):
            # The digests are joined by newlines, whatever joins the messages.
            separator = separator_of([(data, b"") for data, _ in chosen])
            call_of = "sky_batch_hash_strings", None, number, separator
            made.append(_joined(f"batch hash_strings {name}, {kind}", chosen, blobs, separator, *call_of, to=b"\n"))
    return made


def md5_lanes(blobs: Blobs) -> list[Case]:
    """The lanes: a table of all messages, whose states become their digests."""
    cases = [case for case in _crossing("hash_file") if case["number"] == MD5]
    messages = [forms.content(case["content"]) for case in cases]
    before, after, data = b"", b"", b""
    table = struct.calcsize(_RECORD) * len(messages)
    for case, message in zip(cases, messages):
        place = table + len(data), len(message), len(message)
        before += struct.pack(_RECORD, *place, _START)
        after += struct.pack(_RECORD, *place, bytes.fromhex(case["expect"]))
        data += message + bytes(-len(message) % _BLOCK)
    count = len(messages)
    made = call("sky_batch_md5", count, input=[blobs.add(before + data)], number=str(count), memory=blobs.add(after))
    return [_batch("batch md5", count, made)]


def of_vectors(blobs: Blobs) -> list[Case]:
    """All lists."""
    parts = (base36_encode, format_float, truncate_long_string, hash_strings, md5_lanes)
    return [case for part in parts for case in part(blobs)]
