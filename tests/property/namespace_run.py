"""Compares every backend with SkyPilot on many made-up machines. Runs inside a mount namespace of its own.

    unshare -m python namespace_run.py FOLDER SEED COUNT      with tests/vectors on the path

Prints the differences as JSON. Here nothing is replaced: skywasm's own readers of /proc and /sys are at work.
"""

from __future__ import annotations

import json
import os
import random
import sys
import warnings
from pathlib import Path
from unittest import mock

import forms
import namespace
from oracle import common_utils

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BACKENDS = ("auto", "wasm", "python")
MOST_REPORTED = 12
_BLANKS = (" ", " ", " ", "\t", "\n", "\r\n", "  ", "\x0b", "\x1c", "\x1f", "\u00a0", "\x85", "")
_NUMBERS = (
    "0",
    "1",
    "-1",
    "100000",
    "150000",
    "50000",
    "250000.5",
    "1e5",
    "1_000",
    "+7",
    "0x10",
    "007",
    "9" * 25,
    ".5",
)
_WORDS = (
    "max",
    "MAX",
    "inf",
    "-inf",
    "nan",
    "1e308",
    "1e400",
    "-0",
    "1e-310",
    "abc",
    "\uff11\uff10",
    "\u0663",
    "\x00",
    "_1",
)


def _number(rng: random.Random) -> str:
    kind = rng.randrange(6)
    if kind < 3:
        return str(rng.randrange(1, 10 ** rng.randrange(1, 13)))
    return rng.choice(_NUMBERS if kind < 5 else _WORDS)


def _text(rng: random.Random, numbers: int) -> Any:
    """The text of a cgroup file: mostly as the kernel writes it, else anything; or one longer than a page."""
    kind = rng.randrange(10)
    if kind < 5:
        return " ".join(_number(rng) for _ in range(numbers)) + "\n"
    if kind < 8:
        parts = [rng.choice(_BLANKS)]
        for _ in range(rng.choice((numbers, numbers, rng.randrange(0, 4)))):
            parts += [_number(rng), rng.choice(_BLANKS)]
        return "".join(parts)
    if kind == 8:
        return {"bytes": rng.getrandbits(32).to_bytes(4, "big").hex()}
    return " " * rng.choice((4090, 4095, 4096, 4097, 9000)) + _number(rng)


def _meminfo(rng: random.Random) -> str:
    total, free = rng.randrange(1, 2 ** rng.randrange(10, 43)), rng.randrange(0, 10**6)
    lines = [f"MemTotal: {total:>14} kB", f"MemFree: {free:>15} kB", f"MemAvailable: {free} kB", "Cached: 5 kB"]
    if rng.random() < 0.1:
        rng.shuffle(lines)
    if rng.random() < 0.05:
        # psutil wants both lines; without one SkyPilot raises its KeyError.
        lines.pop(rng.randrange(2))
    return "\n".join(lines) + "\n"


def _machine(rng: random.Random) -> dict[str, Any]:
    files = {
        "cpu.max": _text(rng, 2),
        "cpu/cpu.cfs_quota_us": _text(rng, 1),
        "cpu/cpu.cfs_period_us": _text(rng, 1) if rng.random() < 0.4 else "100000\n",
        "memory.max": _text(rng, 1),
        "memory/memory.limit_in_bytes": _text(rng, 1),
    }
    kept = {name: text for name, text in files.items() if rng.random() < 0.9}
    return {
        "cgroup_version": rng.choice((1, 2, 2)),
        "files": kept,
        "meminfo": _meminfo(rng),
        "cpu_online": rng.choice((1, 2, 3, 8, 64, 1000)),
        "affinity": rng.choice((None, 1, 2, 8, 200)),
    }


def _differences(facts: dict[str, Any]) -> list[Any]:
    found = []
    for function in ("get_cpu_count", "get_mem_size_gb"):
        want = forms.outcome(getattr(common_utils, function))
        for backend in BACKENDS:
            with skywasm.use_backend(backend):
                got = forms.outcome(getattr(skywasm, function))
            if got != want:
                found.append({"function": function, "backend": backend, "want": want, "got": got, "facts": facts})
    return found


def main() -> None:
    folder, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    rng = random.Random(seed)
    machine = namespace.Machine(folder)
    found: list[Any] = []
    for _ in range(count):
        facts = _machine(rng)
        machine.write(facts)
        cpus = facts["affinity"]
        affinity = os.sched_getaffinity if cpus is None else lambda pid, cpus=cpus: set(range(cpus))
        with mock.patch("os.sched_getaffinity", affinity):
            found += _differences(facts)
        if len(found) >= MOST_REPORTED:
            break
    print(json.dumps(found))


if __name__ == "__main__":
    main()
