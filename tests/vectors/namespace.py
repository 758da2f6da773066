"""Runs SkyPilot on a machine of our making: cgroup files, /proc/meminfo and the CPU list hold a case's facts.

The process re-executes itself in a mount namespace, where nothing it mounts is seen outside. Needs root and
``unshare``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Case = dict[str, Any]

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = "/proc/meminfo"
ONLINE = "/sys/devices/system/cpu/online"
_DEFAULT_ONLINE = 2


def missing() -> str:
    """Why no namespace can be made; empty when one can."""
    if sys.platform != "linux":
        return "only Linux has mount namespaces"
    if os.geteuid() != 0:
        return "mounting needs root"
    if shutil.which("unshare") is None:
        return "there is no unshare command"
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", str(CGROUP)], check=False, capture_output=True
    )
    return "" if tried.returncode == 0 else f"unshare -m refuses: {tried.stderr.decode(errors='replace').strip()}"


def answers(cases: dict[str, list[Case]]) -> dict[str, list[Case]]:
    """SkyPilot's outcome for each case of each function."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "-m", sys.executable, __file__, folder]
        done = subprocess.run(command, input=json.dumps(cases), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


class Machine:
    """The mounts. Made once in a namespace, over an empty folder; each case writes its facts into them."""

    def __init__(self, folder: Path) -> None:
        # On file systems of their own, which go with the namespace.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(CGROUP)], check=True)
        self._meminfo, self._online = folder / "meminfo", folder / "online"
        self._meminfo.write_bytes(Path(MEMINFO).read_bytes())
        self._online.write_bytes(Path(ONLINE).read_bytes())
        for source, target in ((self._meminfo, MEMINFO), (self._online, ONLINE)):
            subprocess.run(["mount", "--bind", str(source), target], check=True)

    def write(self, facts: Case) -> None:
        """Makes the machine such that it answers with these facts."""
        for entry in CGROUP.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if facts.get("cgroup_version") == 2:
            (CGROUP / "cgroup.controllers").write_text("cpu memory\n")
        for name, text in facts.get("files", {}).items():
            (CGROUP / name).parent.mkdir(exist_ok=True)
            (CGROUP / name).write_bytes(forms.fact_bytes(text))
        if "meminfo" in facts:
            self._meminfo.write_bytes(forms.fact_bytes(facts["meminfo"]))
        self._online.write_text(f"0-{(facts.get('cpu_online') or _DEFAULT_ONLINE) - 1}\n")


@contextlib.contextmanager
def _mocked(case: Case) -> Iterator[None]:
    """What mounts cannot do: an affinity wider than the machine, a system without one or without a CPU count."""
    facts = case["facts"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, case.get("environment", {})))
        if facts.get("cpu_affinity") is not None:
            cpus = set(range(facts["cpu_affinity"]))
            stack.enter_context(mock.patch("os.sched_getaffinity", return_value=cpus))
        elif "cpu_affinity" in facts:
            stack.enter_context(mock.patch("os.sched_getaffinity"))
            del os.sched_getaffinity
        if facts.get("cpu_online", _DEFAULT_ONLINE) is None:
            stack.enter_context(mock.patch("psutil.cpu_count", return_value=None))
        yield


def _inside() -> None:
    from oracle import common_utils

    warnings.simplefilter("ignore")
    machine = Machine(Path(sys.argv[1]))
    results: dict[str, list[Case]] = {}
    for function, cases in json.load(sys.stdin).items():
        results[function] = []
        for case in cases:
            machine.write(case["facts"])
            with _mocked(case):
                results[function].append(forms.outcome(getattr(common_utils, function)))
    print(json.dumps(results))


if __name__ == "__main__":
    _inside()
