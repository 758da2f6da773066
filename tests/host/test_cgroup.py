"""CPU and memory limits of cgroup v1 and v2, read from files that lie where the kernel's would.

A child mounts an empty file system over the hierarchy in a mount namespace of its own, puts each case's files
there and asks every backend; nothing of it is seen outside.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import psutil
import pytest
from children import MODES, finish, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Facts = dict[str, Any]

GB = 2**30
MACHINE_GB = psutil.virtual_memory().total / GB
V2 = {"cgroup.controllers": "cpu memory\n"}
DIRECTORY = "<directory>"
NO_LIMIT = object()


def v2_cpu(text: str) -> dict[str, str]:
    return {**V2, "cpu.max": text}


def v1_cpu(quota: str, period: str) -> dict[str, str]:
    return {"cpu/cpu.cfs_quota_us": quota, "cpu/cpu.cfs_period_us": period}


def v2_memory(text: str) -> dict[str, str]:
    return {**V2, "memory.max": text}


def v1_memory(text: str) -> dict[str, str]:
    return {"memory/memory.limit_in_bytes": text}


# Files below the hierarchy, and the CPUs that they leave: a number, NO_LIMIT, or the type of an error.
CPU: dict[str, tuple[dict[str, str], Any]] = {
    "nothing there": ({}, NO_LIMIT),
    "v2 one CPU": (v2_cpu("100000 100000\n"), 1),
    "v2 half a CPU": (v2_cpu("50000 100000\n"), 0),
    "v2 almost one": (v2_cpu("99999 100000\n"), 0),
    "v2 more than the machine": (v2_cpu("100000000 100000\n"), NO_LIMIT),
    "v2 no limit": (v2_cpu("max 100000\n"), NO_LIMIT),
    "v2 empty": (v2_cpu(""), NO_LIMIT),
    "v2 one word": (v2_cpu("100000\n"), NO_LIMIT),
    "v2 three words": (v2_cpu("100000 100000 1\n"), NO_LIMIT),
    "v2 fractions": (v2_cpu("150000.5 1e5"), 1),
    "v2 zero quota": (v2_cpu("0 100000\n"), NO_LIMIT),
    "v2 negative quota": (v2_cpu("-1 100000\n"), NO_LIMIT),
    "v2 zero period": (v2_cpu("100000 0\n"), "ZeroDivisionError"),
    "v2 not a number": (v2_cpu("nan 100000\n"), NO_LIMIT),
    "v2 infinite": (v2_cpu("inf 100000\n"), "OverflowError"),
    "v2 words": (v2_cpu("much little\n"), NO_LIMIT),
    "v2 underscores and blanks": (v2_cpu("\t100_000   100_000 \n\n"), 1),
    "v2 digits beyond ASCII": (v2_cpu("\u0661\u0660\u0660 \u0661\u0660\u0660"), 1),
    "v2 longer than a read": (v2_cpu(" " * 5000 + "100000 100000"), 1),
    "v2 not UTF-8": (v2_cpu("\udcff"), NO_LIMIT),
    "v2 a directory": (v2_cpu(DIRECTORY), NO_LIMIT),
    "v2 without the file": (V2, NO_LIMIT),
    "v2 does not read v1 files": ({**V2, **v1_cpu("100000", "100000")}, NO_LIMIT),
    "v1 one CPU": (v1_cpu("100000\n", "100000\n"), 1),
    "v1 half a CPU": (v1_cpu("50000\n", "100000\n"), 0),
    "v1 no limit": (v1_cpu("-1\n", "100000\n"), NO_LIMIT),
    "v1 zero quota": (v1_cpu("0\n", "100000\n"), NO_LIMIT),
    "v1 zero period": (v1_cpu("100000\n", "0\n"), NO_LIMIT),
    "v1 fractions": (v1_cpu("100000.0\n", "1e5\n"), 1),
    "v1 not a number": (v1_cpu("nan\n", "100000\n"), NO_LIMIT),
    "v1 without a period": ({"cpu/cpu.cfs_quota_us": "100000\n"}, NO_LIMIT),
    "v1 empty": (v1_cpu("", ""), NO_LIMIT),
    "v1 huge": (v1_cpu("9" * 30, "1"), NO_LIMIT),
    "v1 does not read v2 files": ({"cpu.max": "100000 100000\n"}, NO_LIMIT),
    "hybrid: controllers is a directory": ({"cgroup.controllers": DIRECTORY, "cpu.max": "100000 100000"}, NO_LIMIT),
}
MEMORY: dict[str, tuple[dict[str, str], Any]] = {
    "nothing there": ({}, NO_LIMIT),
    "v2 one GB": (v2_memory(f"{GB}\n"), 1.0),
    "v2 an odd number of bytes": (v2_memory(f"{GB + 1}\n"), (GB + 1) / GB),
    "v2 no limit": (v2_memory("max\n"), NO_LIMIT),
    "v2 more than the machine": (v2_memory(f"{2**62}\n"), NO_LIMIT),
    "v2 more than 64 bits": (v2_memory(f"{2**70}\n"), NO_LIMIT),
    "v2 zero": (v2_memory("0\n"), NO_LIMIT),
    "v2 negative": (v2_memory("-1\n"), NO_LIMIT),
    "v2 one byte": (v2_memory("1\n"), 1 / GB),
    "v2 empty": (v2_memory(""), NO_LIMIT),
    "v2 words": (v2_memory("plenty\n"), NO_LIMIT),
    "v2 a fraction is no number": (v2_memory(f"{GB}.0\n"), NO_LIMIT),
    "v2 underscores and blanks": (v2_memory(" 1_073_741_824 \n"), 1.0),
    "v2 digits beyond ASCII": (v2_memory("\u0661\u0660\u0662\u0664"), 1024 / GB),
    "v2 longer than a read": (v2_memory(" " * 5000 + str(GB)), 1.0),
    "v2 a directory": (v2_memory(DIRECTORY), NO_LIMIT),
    "v2 does not read v1 files": ({**V2, **v1_memory(str(GB))}, NO_LIMIT),
    "v1 one GB": (v1_memory(f"{GB}\n"), 1.0),
    "v1 no limit": (v1_memory("9223372036854771712\n"), NO_LIMIT),
    "v1 negative": (v1_memory("-1\n"), NO_LIMIT),
    "v1 does not read v2 files": ({"memory.max": f"{GB}\n"}, NO_LIMIT),
}

CHILD = """
import json, os, shutil, subprocess, sys
import skywasm
from host_shims import facts

ROOT = "/sys/fs/cgroup"
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", ROOT], check=True)

def put(files):
    for name in os.listdir(ROOT):
        path = os.path.join(ROOT, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    for name, text in files.items():
        path = os.path.join(ROOT, name)
        os.makedirs(path if text == "<directory>" else os.path.dirname(path), exist_ok=True)
        if text != "<directory>":
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)

def outcome(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__

for name, files in json.loads(sys.stdin.read()).items():
    put(files)
    cpu, memory = {}, {}
    for mode in MODES:
        with skywasm.use_backend(mode):
            cpu[mode], memory[mode] = outcome(skywasm.get_cpu_count), outcome(skywasm.get_mem_size_gb)
    report(**{name: {"cpu": cpu, "memory": memory, "version": facts.cgroup_version()}})
put({})
report(unlimited=skywasm.get_cpu_count())
"""


@pytest.fixture(scope="module")
def found() -> Facts:
    """What every backend says to every case, from one child."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("there are no mount namespaces here")
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/sys/fs/cgroup"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"mounting over the cgroup files is not permitted: {tried.stderr.strip()}")
    cases = {f"cpu: {name}": files for name, (files, _) in CPU.items()}
    cases.update({f"memory: {name}": files for name, (files, _) in MEMORY.items()})
    child = start(CHILD, prefix=["unshare", "-m"])
    assert child.stdin is not None
    child.stdin.write(json.dumps(cases))
    return finish(child)


@pytest.mark.parametrize("name", CPU)
def test_cpus(found: Facts, name: str) -> None:
    """The quota in whole CPUs limits the count, in every backend alike; what is no limit leaves the machine's."""
    expected = CPU[name][1]
    if expected is NO_LIMIT:
        expected = found["unlimited"]
    elif isinstance(expected, int):
        expected = min(expected, found["unlimited"])
    assert found[f"cpu: {name}"]["cpu"] == dict.fromkeys(MODES, expected)


@pytest.mark.parametrize("name", MEMORY)
def test_memory(found: Facts, name: str) -> None:
    """The limit cuts the machine's memory, in every backend alike and to the last byte."""
    expected = MACHINE_GB if MEMORY[name][1] is NO_LIMIT else min(MEMORY[name][1], MACHINE_GB)
    assert found[f"memory: {name}"]["memory"] == dict.fromkeys(MODES, expected)


def test_version(found: Facts) -> None:
    """The hierarchy is version 2 exactly where ``cgroup.controllers`` is a file, else 1."""
    for name, (files, _) in CPU.items():
        version = 2 if files.get("cgroup.controllers", DIRECTORY) != DIRECTORY else 1
        assert found[f"cpu: {name}"]["version"] == version, name
