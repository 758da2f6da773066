"""Real input for ``skywasm demo``: files, folders, processes and a taken port, made now and gone at the end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FOLDER_FILES = 60
# Below the range from which systems give ports to outgoing connections, so that the next ones stay as they are.
_PORTS = range(20_000, 30_000)
_TEXT = "\U0001f680 \u65e5\u672c sky launch -c dev task.yaml"


class Step(NamedTuple):
    """One function, what it is called with in a few words, and the arguments of each call."""

    function: str
    called: str
    calls: list[Any]
    racy: bool = False
    """Whether another program may change the answer between two calls."""


class Scene(NamedTuple):
    """Everything that the demo works on."""

    folder: str
    about: str
    steps: list[Step]


@contextlib.contextmanager
def scene(lines: int) -> Iterator[Scene]:
    """Makes the scene with a log of so many lines, and clears it away."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="skywasm-demo-"))
        log = os.path.join(folder, "run.log")
        content = _log(lines)
        with open(log, "wb") as file:
            file.write(content)
        about = f"a log of {lines:,} lines ({len(content):,} bytes) with emoji and broken UTF-8, "
        about += "real processes, folders, a taken port, this machine's limits"
        files = _folder(os.path.join(folder, "data"))
        port = stack.enter_context(_taken_port())
        pids, what = stack.enter_context(_processes())
        yield Scene(folder, about, [*_text_steps(log, content), *_machine_steps(log, files, port, pids, what)])


def _text_steps(log: str, content: bytes) -> list[Step]:
    digest = hashlib.sha256(content).hexdigest()
    return [
        Step("base36_encode", "the log's SHA-256, 64 digits", [[digest]]),
        Step("format_float", "0.25, 3.0, 2.675 to 2 places", [[0.25], [3.0], [2.675, 2]]),
        Step("truncate_long_string", "a line with emoji, cut to 12", [[_TEXT, 12, True]]),
        Step("hash_file", "the log, SHA-256", [[log, "sha256"]]),
        Step("read_last_n_lines", "the last 3 lines of the log", [[log, 3]]),
    ]


def _machine_steps(log: str, files: str, port: int, pids: list[int], what: str) -> list[Step]:
    mounts = {"/data": files, "/run.log": log}
    return [
        Step("find_free_port", f"from {port} on, which is taken", [[port]], racy=True),
        Step("get_cpu_count", "this machine, its cgroup", [[]], racy=True),
        Step("get_mem_size_gb", "this machine, its cgroup", [[]], racy=True),
        Step("get_parallel_threads", "for kubernetes", [["kubernetes"]]),
        Step("get_max_workers_for_file_mounts", f"a folder of {_FOLDER_FILES} files, a file", [[mounts]]),
        Step("is_process_alive", what, [[pid] for pid in pids]),
        Step("estimate_fd_for_directory", f"a folder of {_FOLDER_FILES} files", [[files]]),
    ]


def _log(lines: int) -> bytes:
    """What a training run might leave behind, the last lines the worst, and no newline at the end."""
    kinds = (
        "I 08-01 12:{:02d}:07 optimizer.py:1024] epoch {} \u2713 loss=0.{:04d}\n",
        "(worker, rank={0}) \U0001f680 \u30ce\u30fc\u30c9 {1} ready\r\n",
        "W 08-01 12:{:02d}:07 storage.py:77] retry {} after {} ms\n",
    )
    text = "".join(kinds[number % 3].format(number % 60, number, number * 7919 % 10_000) for number in range(lines - 3))
    return text.encode() + b"half a rocket: \xf0\x9f\x9a\nlatin-1: caf\xe9 \xff\xfe\n\xe2\x9c\x93 done \xf0\x9f\x8e\x89"


def _folder(path: str) -> str:
    os.mkdir(path)
    for number in range(_FOLDER_FILES):
        with open(os.path.join(path, f"part-{number:05d}"), "wb"):
            pass
    return path


@contextlib.contextmanager
def _taken_port() -> Iterator[int]:
    """A port that is really taken while the demo runs. Nothing listens on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        for port in _PORTS:
            with contextlib.suppress(OSError):
                holder.bind(("", port))
                break
        yield holder.getsockname()[1]


@contextlib.contextmanager
def _processes() -> Iterator[tuple[list[int], str]]:
    """Pids of a running process, one that has ended, and where there is such a thing a zombie; and what they are."""
    # Waits for its input to end, which it does with this process, however that comes about.
    with _python("import sys; sys.stdin.read()") as running, _python("") as ended, _python("") as zombie:
        ended.communicate()
        try:
            if _becomes_zombie(zombie.pid):
                yield [running.pid, ended.pid, zombie.pid], "running, ended and zombie pids"
            else:
                yield [running.pid, ended.pid], "a running and an ended pid"
        finally:
            running.kill()


def _python(code: str) -> subprocess.Popen[bytes]:
    # Isolated and without site: an interpreter that starts as fast as it can.
    command = [sys.executable, "-I", "-S", "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603


def _becomes_zombie(pid: int) -> bool:
    """Waits for a child to end that nobody has asked about yet; False where such a child leaves nothing behind."""
    import psutil

    if sys.platform == "win32":
        return False
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.005)
    return False
