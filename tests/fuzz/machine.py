"""The functions that ask the machine. Each case changes it: the kernel's files, variables, counts, ports, pids."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from unittest import mock

from property.strategies import Text

from fuzz import containers
from fuzz.dice import Dice
from fuzz.outcomes import RAISED, outcome
from fuzz.target import Target, subprocess_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzz.outcomes import Outcome
    from fuzz.target import Case

VARIABLES = ("SKYPILOT_POD_CPU_CORE_LIMIT", "SKYPILOT_POD_MEMORY_GB_LIMIT", "SKYPILOT_POD_MEMORY_BYTES_LIMIT")
VALUES = ("4", "0.5", " 4 ", "4_0", "1e3", "500m", "", "nan", "inf", "-inf", "1e400", "0x4", "\uff14", "-0.0", "\u0663")
CGROUP = "/sys/fs/cgroup"
CLOUDS = ("kubernetes", "KUBERNETES", "Kubernetes", "aws", "k8s", "\u212aubernetes", "kubernete\u017f", "\ud800", "")
ENTRIES = (0, 1, 2, 7, 40)
LAST_PID = 2**31 - 1
# Below the range from which the kernel hands out ports.
FIRST_PORT, LAST_START = 15_000, 30_000


def _variable(dice: Dice) -> str | None:
    kind = dice.below(4)
    if kind == 0:
        return str(dice.pick(VALUES))
    value = repr(dice.double()) if kind == 1 else str(dice.number())[:400]
    value = dice.changed(value, "0123456789._e+- infa\u0663\x1c\xa0") if dice.chance(2) else value
    return value.replace("\0", "")


class _Container(Target):
    """Made-up containers: what cgroup files, /proc/meminfo, the CPU list, the affinity and the variables hold."""

    varies = "cgroup files, meminfo, CPU list, affinity, environment"
    namespace = True
    variables: tuple[str, ...] = ()

    def open(self, folder: str) -> None:
        self._files: dict[str, int] = {}
        self._texts: dict[str, bytes | None] = {}
        self._mounted = bool(os.environ.get("SKYWASM_TEST_NAMESPACE"))
        if self._mounted:
            from vectors import namespace

            namespace.Machine(Path(folder))
            self._roots = {"meminfo": f"{folder}/meminfo", "online": f"{folder}/online"}
            os.makedirs(f"{CGROUP}/cpu")
            os.makedirs(f"{CGROUP}/memory")
        self._cpus: set[int] | None = None
        whole = os.sched_getaffinity
        self._patch = mock.patch(
            "os.sched_getaffinity", lambda pid: whole(pid) if self._cpus is None else set(self._cpus)
        )
        self._patch.start()

    def close(self) -> None:
        self._patch.stop()
        for name in VARIABLES:
            os.environ.pop(name, None)

    def begin(self, dice: Dice) -> None:
        self._facts = containers.machine(dice)

    def case(self, dice: Dice) -> Case:
        # Most cases differ from the one before in one fact; files are what takes the time.
        other = containers.machine(dice)
        name = dice.pick(sorted(self._facts))
        self._facts = other if dice.chance(20) else {**self._facts, name: other[name]}
        environment = tuple(_variable(dice) if dice.chance(4) else None for _ in self.variables)
        return (environment, *self._facts.items())

    def apply(self, case: Case) -> None:
        for name, value in zip(self.variables, case[0]):
            if value is None:
                os.environ.pop(name, None)
            elif os.environ.get(name) != value:
                os.environ[name] = value
        facts = dict(case[1:])
        cpus = facts.pop("affinity", None)
        self._cpus = None if cpus is None else set(range(cpus))
        if self._mounted:
            for name, text in facts.items():
                self._put(name, text)

    def _put(self, name: str, text: bytes | None) -> None:
        if name in self._texts and self._texts[name] == text:
            return
        path = self._roots.get(name) or f"{CGROUP}/{name}"
        self._texts[name] = text
        if text is None:
            if name in self._files:
                os.close(self._files.pop(name))
            if os.path.exists(path):
                os.unlink(path)
            return
        if name not in self._files:
            self._files[name] = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(self._files[name], 0)
        os.pwrite(self._files[name], text, 0)

    def arguments(self, case: Case) -> Case:
        return ()

    def shown(self, case: Case) -> str:
        return f"skywasm.{self.name}() with {dict(zip(self.variables, case[0]))!a} and {dict(case[1:])!a}"


class CpuCount(_Container):
    """Made-up containers for the number of CPUs."""

    name = "get_cpu_count"
    variables = VARIABLES[:1]


class MemSize(_Container):
    """Made-up containers for the size of memory."""

    name = "get_mem_size_gb"
    variables = VARIABLES[1:]


class Threads(Target):
    """Every number of CPUs with every cloud."""

    name = "get_parallel_threads"
    varies = "os.cpu_count, cloud"

    def open(self, folder: str) -> None:
        self._count: int | None = 1
        self._patch = mock.patch("os.cpu_count", self._cpu_count)
        self._patch.start()

    def close(self) -> None:
        self._patch.stop()

    def _cpu_count(self) -> int | None:
        return self._count

    @staticmethod
    def cloud(dice: Dice) -> Any:
        kind = dice.below(8)
        if kind < 3:
            return None
        if kind == 3:
            return dice.junk() if dice.chance(2) else dice.text(12, 300)
        cloud = dice.pick(CLOUDS)
        return Text(cloud) if kind == 4 else dice.changed(cloud) if kind == 5 else cloud

    @staticmethod
    def count(dice: Dice) -> int | None:
        return None if dice.chance(12) else dice.below(300) if dice.random() < 0.8 else dice.number()

    def case(self, dice: Dice) -> Case:
        return (self.count(dice), self.cloud(dice))

    def apply(self, case: Case) -> None:
        self._count = case[0]

    def arguments(self, case: Case) -> Case:
        return case[1:]

    def theirs(self, case: Case) -> Outcome:
        return outcome(subprocess_utils.get_parallel_threads, *self.arguments(case))

    def shown(self, case: Case) -> str:
        return f"skywasm.{self.name}({case[1]!a}) with os.cpu_count() == {case[0]}"


class Workers(Threads):
    """Real folders and what is none, under any limit of open files."""

    name = "get_max_workers_for_file_mounts"
    varies = "mounts, limit of open files, os.cpu_count, cloud"

    def open(self, folder: str) -> None:
        super().open(folder)
        folders = [os.path.join(folder, str(entries)) for entries in ENTRIES]
        for path, entries in zip(folders, ENTRIES):
            for entry in range(entries):
                os.makedirs(f"{path}/.{entry}")
            os.makedirs(path, exist_ok=True)
        with open(f"{folder}/file", "wb"):
            pass
        os.symlink(folders[-1], f"{folder}/link")
        os.symlink(f"{folder}/loop", f"{folder}/loop")
        others = [f"{folder}/{name}" for name in ("file", "link", "loop", "gone")]
        self._sources = (
            *folders * 3,
            *others,
            os.fsencode(folders[2]),
            Path(folders[3]),
            "s3://bucket/key",
            "",
            "a\0b",
        )
        self._sources += ("\ud800", "x" * 5000, 10**6, -1, None, 1.5, [folders[0]], object)
        self._limit = 1024
        self._limits = mock.patch("resource.getrlimit", self._getrlimit)
        self._limits.start()

    def _getrlimit(self, resource: int) -> tuple[int, int]:
        return (self._limit, self._limit)

    def close(self) -> None:
        self._limits.stop()
        super().close()

    def case(self, dice: Dice) -> Case:
        mounts = [dice.pick(self._sources) for _ in range(dice.below(4))]
        limit = dice.below(5000) - 5 if dice.random() < 0.8 else dice.number()
        return (self.count(dice), dice.junk() if dice.chance(60) else mounts, self.cloud(dice), limit)

    def apply(self, case: Case) -> None:
        self._count, self._limit = case[0], case[3]

    def arguments(self, case: Case) -> Case:
        mounts = case[1]
        # A list stands for a mapping; what is neither is passed as it is.
        return ({f"/remote/{at}": mounts[at] for at in range(len(mounts))} if type(mounts) is list else mounts, case[2])

    def theirs(self, case: Case) -> Outcome:
        return outcome(subprocess_utils.get_max_workers_for_file_mounts, *self.arguments(case))

    def shown(self, case: Case) -> str:
        call = ", ".join(map(ascii, self.arguments(case)))
        return f"skywasm.{self.name}({call}) with os.cpu_count() == {case[0]} and a limit of {case[3]} files"


class Port(Target):
    """Starts among ports that are really taken, at the end of the range, and what is no port."""

    name = "find_free_port"
    varies = "start, ports taken"
    shared_machine = True

    def open(self, folder: str) -> None:
        self._held: list[socket.socket] = []
        self._first = FIRST_PORT

    def begin(self, dice: Dice) -> None:
        self.close()
        self._first = FIRST_PORT + dice.below(LAST_START - FIRST_PORT)
        for offset in range(12):
            if dice.chance(2):
                probe = socket.socket()
                try:
                    probe.bind(("", self._first + offset))
                    self._held.append(probe)
                except OSError:
                    probe.close()

    def close(self) -> None:
        for probe in self._held:
            probe.close()
        self._held = []

    def case(self, dice: Dice) -> Case:
        kind = dice.below(16)
        if kind == 0:
            return (dice.number(),)
        if kind == 1:
            return (dice.junk(),)
        if kind == 2:
            return (65_530 + dice.below(10),)
        return (self._first + dice.below(14) if kind < 11 else FIRST_PORT + dice.below(LAST_START - FIRST_PORT),)


class Alive(Target):
    """Pids of every kind: this process, its threads and children, zombies, others, and what is no pid."""

    name = "is_process_alive"
    oracle = "os.kill(pid, 0)"
    shared_machine = True

    def open(self, folder: str) -> None:
        self._zombie = subprocess.Popen([sys.executable, "-c", ""])
        os.waitid(os.P_PID, self._zombie.pid, os.WEXITED | os.WNOWAIT)
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._end.wait)
        self._thread.start()
        thread = self._thread.native_id or 0
        self._known = (os.getpid(), os.getppid(), 1, 2, 0, -1, self._zombie.pid, gone.pid, thread)

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._zombie.wait()

    def case(self, dice: Dice) -> Case:
        kind = dice.below(8)
        if kind < 2:
            return (dice.pick(self._known) + (dice.below(9) - 4 if kind else 0),)
        if kind == 2:
            return (dice.junk(),)
        return (dice.below(4_200_000) if kind < 6 else dice.number(),)

    def theirs(self, case: Case) -> Outcome:
        pid = case[0]
        if not isinstance(pid, int):
            return (RAISED, "TypeError", f"pid must be an int, not {type(pid).__name__}", None, "NoneType")
        if not 0 < pid <= LAST_PID:
            return ("bool", False)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ("bool", False)
        except PermissionError:
            pass
        return ("bool", True)
