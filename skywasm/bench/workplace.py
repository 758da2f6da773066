"""What functions are called with: files, folders, ports and processes, made when asked for, gone at the end.

The examples of a function that needs such things are callables, which are given a workplace and give the arguments.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.functions.declare import Example

_LINES, _QUICK_LINES = 20_000, 2_000
# Below the range from which systems give ports to outgoing connections, so that the next ones stay as they are.
_PORTS = range(21_000, 32_000)
_PATIENCE_S = 10


class Workplace:
    """A context manager; ``quick`` makes large things smaller. What is asked for twice is the same thing."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.random: random.Random = random.Random(20260101)
        self._made: dict[Any, Any] = {}
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Workplace:
        self.folder: str = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="skywasm-workplace-"))
        return self

    def __exit__(self, *exception: object) -> None:
        self._ends.close()

    def _once(self, make: Any, *key: Any) -> Any:
        name = (make.__name__, *key)
        if name not in self._made:
            self._made[name] = make(*key)
        return self._made[name]

    def content(self, count: int) -> bytes:
        """So many random bytes, the same in every run."""
        return self.random.getrandbits(8 * count).to_bytes(count, "little")

    def write(self, name: str, content: bytes) -> str:
        """Writes a file into the folder; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def file(self, size: int) -> str:
        """A file of so many random bytes."""
        path: str = self._once(self._file, size)
        return path

    def _file(self, size: int) -> str:
        return self.write(f"{size}-bytes", self.content(size))

    def files(self, prefix: str, count: int, size: int) -> list[str]:
        """So many files of so many random bytes each."""
        return [self.write(f"{prefix}{number}", self.content(size)) for number in range(count)]

    def log(self) -> str:
        """A log file as a service leaves it: text with an accent or arrow here and there."""
        path: str = self._once(self._log)
        return path

    def _log(self) -> str:
        words = ("Launching", "cluster", "node", "rsync", "→", "ready", "é", "worker", "setup")
        lines = (
            f"I 01-01 00:{i // 60 % 60:02}:{i % 60:02} provisioner.py:{i % 700}] "
            + " ".join(self.random.choices(words, k=7))
            for i in range(_QUICK_LINES if self.quick else _LINES)
        )
        return self.write("service.log", ("\n".join(lines) + "\n").encode())

    def broken_log(self) -> str:
        """A log file as training runs leave it: emoji, carriage returns, at the end broken UTF-8 and no newline."""
        path: str = self._once(self._broken_log)
        return path

    def _broken_log(self) -> str:
        kinds = (
            "I 08-01 12:{:02d}:07 optimizer.py:1024] epoch {} \u2713 loss=0.{:04d}\n",
            "(worker, rank={0}) \U0001f680 \u30ce\u30fc\u30c9 {1} ready\r\n",
            "W 08-01 12:{:02d}:07 storage.py:77] retry {} after {} ms\n",
        )
        count = _QUICK_LINES if self.quick else _LINES
        text = "".join(kinds[i % 3].format(i % 60, i, i * 7919 % 10_000) for i in range(count))
        end = b"half a rocket: \xf0\x9f\x9a\nlatin-1: caf\xe9 \xff\xfe\n\xe2\x9c\x93 done \xf0\x9f\x8e\x89"
        return self.write("run.log", text.encode() + end)

    def folder_of(self, entries: int) -> str:
        """A folder of so many empty files."""
        path: str = self._once(self._folder_of, entries, "folder")
        return path

    def _folder_of(self, entries: int, name: str) -> str:
        path = os.path.join(self.folder, f"{name}-of-{entries}")
        os.mkdir(path)
        for number in range(entries):
            self.write(os.path.join(path, f"part-{number:05d}"), b"")
        return path

    def mounts(self, folders: int, entries: int) -> dict[str, str]:
        """Sources of file mounts by destination: so many folders of so many files each."""
        return {
            f"/remote/{number}": self._once(self._folder_of, entries, f"mount-{number}") for number in range(folders)
        }

    def taken_ports(self, count: int) -> int:
        """The first of ``count`` ports in a row that are taken. Nothing listens on them.

        Raises:
            OSError: so many are not free in a row.
        """
        first: int = self._once(self._taken_ports, count)
        return first

    def _taken_ports(self, count: int) -> int:
        for start in range(_PORTS.start, _PORTS.stop, count):
            with contextlib.ExitStack() as probes:
                try:
                    for port in range(start, start + count):
                        probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                        probe.bind(("", port))
                except OSError:
                    continue
                self._ends.push(probes.pop_all())
                return start
        raise OSError(f"no {count} free ports in a row on this machine")

    def ended_pid(self) -> int:
        """The pid of a process that has ended and left nothing."""
        pid: int = self._once(self._ended_pid)
        return pid

    def _ended_pid(self) -> int:
        with _python() as child:
            child.communicate()
        return child.pid

    def zombie_pid(self) -> int:
        """The pid of a process that has ended and whose end nobody has asked about, where there is such a thing."""
        pid: int = self._once(self._zombie_pid)
        return pid

    def _zombie_pid(self) -> int:
        child = self._ends.enter_context(_python())
        _await_zombie(child)
        return child.pid


def _python() -> subprocess.Popen[bytes]:
    # Isolated and without site: an interpreter that starts as fast as it can.
    command = [sys.executable, "-I", "-S", "-c", ""]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _await_zombie(child: subprocess.Popen[bytes]) -> None:
    """Waits for a child to end without asking about it; other systems leave nothing behind, and there it is asked."""
    import psutil

    if sys.platform == "win32":
        child.wait()
        return
    give_up = time.monotonic() + _PATIENCE_S
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
        time.sleep(0.005)


def arguments(example: Example, place: Workplace) -> tuple[Any, ...]:
    """The arguments of an example."""
    return example(place) if callable(example) else example
