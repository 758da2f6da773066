"""The functions whose vectors do not hold the artifact's parameters one to one: what each case of theirs becomes."""

from __future__ import annotations

import struct

from vectors import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from engines.calls import Maker

    Case = dict[str, Any]

# The scan gets windows of at most so many bytes, as the package asks for them.
WINDOW = 1024 * 1024
# The bytes that the call before gave.
OUTPUT = "output"


def hash_file(maker: Maker, case: Case) -> list[Case] | None:
    """Three ways to the recorded digest: read through the host, handed over in two parts, and at once."""
    if "expect" not in case:
        return None
    data, number, digest = forms.content(case["content"]), case["number"], bytes.fromhex(case["expect"])
    parts, any_state = (data[: len(data) // 2], data[len(data) // 2 :]), {"bytes": None}
    last = maker.call("hash_digest", ([OUTPUT], number, case.get("length", 0)), **maker.bytes(digest))
    calls = [
        maker.call("hash_file", (0, number), **any_state),
        last,
        maker.call("hash_update", (parts[0], number, False), **any_state),
        maker.call("hash_update", ([OUTPUT, parts[1]], number, True), **any_state),
        last,
    ]
    if "length" not in case:
        calls.append(maker.call("hash_string", (data, number), **maker.bytes(digest.hex().encode())))
    return calls


def read_last_n_lines(maker: Maker, case: Case) -> list[Case] | None:
    """Windows from the file's end, as the package reads them, until the recorded start is reached."""
    if "start" not in case:
        return None
    data, start = forms.content(case["content"]), case["start"]
    # The newline that ends the last line does not begin another.
    wanted = forms.decode(case["n"]) + data.endswith(b"\n")
    calls, end = [], len(data)
    while (end > 0 and wanted > 0) or not calls:
        at = max(end - WINDOW, 0)
        # The newline before the first line is the last that is found.
        reached = at < start
        found = data.count(b"\n", max(at, start - 1), end)
        answer = struct.pack("<QQ", found, start - at if reached else 0)
        calls.append(maker.call("read_last_n_lines", (data[at:end], wanted), **maker.bytes(answer)))
        wanted -= found
        end = 0 if reached else at
    return calls


def _cloud(case: Case) -> Any:
    """The name of a cloud, which may be None in Python."""
    name = forms.decode(case["args"][0])
    return "" if name is None else name


def get_parallel_threads(maker: Maker, case: Case) -> list[Case] | None:
    """No cloud crosses as an empty name."""
    return maker.asked("get_parallel_threads", case, [_cloud(case)])


def get_max_workers_for_file_mounts(maker: Maker, case: Case) -> list[Case] | None:
    """The mounts' sources are handles, and so cross as their number."""
    values = [len(case["facts"]["dir_entries"]), _cloud(case)]
    return maker.asked("get_max_workers_for_file_mounts", case, values)


def estimate_fd_for_directory(maker: Maker, case: Case) -> list[Case] | None:
    """The directory is a handle."""
    return maker.asked("estimate_fd_for_directory", case, [0])


OWN: dict[str, Callable[[Maker, Case], list[Case] | None]] = {
    "estimate_fd_for_directory": estimate_fd_for_directory,
    "get_max_workers_for_file_mounts": get_max_workers_for_file_mounts,
    "get_parallel_threads": get_parallel_threads,
    "hash_file": hash_file,
    "read_last_n_lines": read_last_n_lines,
}
