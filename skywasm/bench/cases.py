"""What is compared: every function, scalar and batch, small to large, with the route taken and those not taken."""

from __future__ import annotations

import array
import hashlib
import os
import random
import socket
import subprocess
import sys

import skywasm
from skywasm import _registry, _sandboxed, batch, reference
from skywasm.bench import floors
from skywasm.bench.measure import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


class Case:
    """One comparison: the function replaced against skywasm's, and skywasm's other routes.

    ``least`` is the ratio that the project asks of itself, None where it asks for none beyond not being slower.
    ``floor`` is what the system takes by itself.
    """

    def __init__(
        self,
        name: str,
        size: str,
        before: Call,
        after: Call,
        routes: dict[str, Call] | None = None,
        least: float | None = None,
        against: str = "",
        floor: Call | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self.before = before
        self.after = after
        self.routes: dict[str, Call] = routes or {}
        self.least = least
        self.against = against
        self.floor = floor

    @property
    def key(self) -> str:
        """Name and size in one."""
        return f"{self.name}, {self.size}" if self.size else self.name


class Originals:
    """SkyPilot's functions where it is installed, else the fallback's."""

    def __init__(self) -> None:
        self.modules: dict[str, Any] = {}
        # Where the drop-in is at work, skywasm would be timed against itself.
        skywasm.skypilot.uninstall()
        try:
            from importlib import import_module

            for row in _registry.ROWS:
                if row.patches is not None and row.patches not in self.modules:
                    self.modules[row.patches] = import_module(row.patches)
            import sky

            self.label: str = f"SkyPilot {sky.__version__}"
        except ImportError:
            self.modules = {}
            self.label = "skywasm's own Python fallback (SkyPilot is not installed)"

    def function(self, name: str) -> Callable[..., Any]:
        module = self.modules.get(_registry.BY_NAME[name].patches or "")
        return getattr(module, name) if module is not None else getattr(reference, name)  # type: ignore[no-any-return]


def kill_0(pid: int) -> bool:
    """is_process_alive's rules over os.kill, as a program without skywasm would write them."""
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    if not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def entries_times_five(path: str) -> int:
    """estimate_fd_for_directory's rule, as a program without skywasm would write it."""
    return len(os.listdir(path)) * 5


class Workplace:
    """A folder with the files that the cases read, and the ports and processes they ask for."""

    def __init__(self, folder: str, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.random: random.Random = random.Random(20260101)
        self.sockets: list[socket.socket] = []
        self.log: str = self.write("service.log", self._log_lines(2_000 if quick else 20_000))
        self.small: str = self.write("4KiB", self.content(4096))
        self.large: str = self.write("1MiB", self.content(1 << 20))

    def content(self, count: int) -> bytes:
        return self.random.getrandbits(8 * count).to_bytes(count, "little")

    def write(self, name: str, content: bytes) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def _log_lines(self, count: int) -> bytes:
        words = ("Launching", "cluster", "node", "rsync", "→", "ready", "é", "worker", "setup")
        lines = (
            f"I 01-01 00:{i // 60 % 60:02}:{i % 60:02} provisioner.py:{i % 700}] "
            + " ".join(self.random.choices(words, k=7))
            for i in range(count)
        )
        return ("\n".join(lines) + "\n").encode()

    def files(self, prefix: str, count: int, size: int) -> list[str]:
        return [self.write(f"{prefix}{i}", self.content(size)) for i in range(count)]

    def mounts(self, folders: int, entries: int) -> dict[str, str]:
        mounts = {}
        for i in range(folders):
            path = os.path.join(self.folder, f"mount{i}")
            os.makedirs(path, exist_ok=True)
            for j in range(entries):
                self.write(os.path.join(path, str(j)), b"")
            mounts[f"/remote/{i}"] = path
        return mounts

    def taken_ports(self, count: int) -> int:
        """The first of ``count`` ports in a row that are taken."""
        for start in range(21_000, 60_000, count):
            probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
            try:
                for offset, probe in enumerate(probes):
                    probe.bind(("", start + offset))
            except OSError:
                for probe in probes:
                    probe.close()
                continue
            self.sockets += probes
            return start
        raise OSError(f"no {count} free ports in a row on this machine")

    def dead_pid(self) -> int:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        return child.pid

    def close(self) -> None:
        for probe in self.sockets:
            probe.close()


def _scalar(
    originals: Originals,
    name: str,
    size: str,
    arguments: Sequence[Any],
    least: float | None,
    floor: Call | None = None,
) -> Case:
    return Case(
        name,
        size,
        Call(originals.function(name), arguments),
        Call(getattr(skywasm, name), arguments),
        {"python": Call(getattr(reference, name), arguments), "wasm": Call(getattr(_sandboxed, name), arguments)},
        least,
        floor=floor,
    )


def _pure(originals: Originals) -> Iterator[Case]:
    digits = hashlib.sha512(b"skywasm").hexdigest() * 8
    for count, least in ((2, None), (32, 2.5), (64, 3.5), (1000, None)):
        yield _scalar(originals, "base36_encode", f"{count} digits", (digits[:count],), least)
    for value, size in ((3.14159, "3.14159"), (16.0, "16.0"), (1e300, "1e300")):
        yield _scalar(originals, "format_float", size, (value,), 0.95)
    line = "Launching a cluster named train with 8 nodes on the first cloud that has them " * 3
    yield _scalar(originals, "truncate_long_string", "11 characters", (line[:11],), 0.95)
    yield _scalar(originals, "truncate_long_string", "200 characters", (line[:200],), 1.8)
    yield _scalar(originals, "truncate_long_string", "200 characters, in the middle", (line[:200], 35, True), None)


def _hexdigest(hash_file: Callable[..., Any]) -> Callable[[str, str], str]:
    def digest(path: str, alg: str) -> str:
        result: str = hash_file(path, alg).hexdigest()
        return result

    return digest


def _files(originals: Originals, place: Workplace) -> Iterator[Case]:
    sizes = (
        ("md5", "4 KiB", place.small, 1.6),
        ("md5", "1 MiB", place.large, 1.0),
        ("sha256", "1 MiB", place.large, None),
    )
    for alg, size, path, least in sizes:
        arguments = (path, alg)
        yield Case(
            "hash_file",
            f"{alg} of {size}",
            Call(_hexdigest(originals.function("hash_file")), arguments),
            Call(_hexdigest(skywasm.hash_file), arguments),
            {
                "python": Call(_hexdigest(reference.hash_file), arguments),
                "wasm": Call(_hexdigest(_sandboxed.hash_file), arguments),
            },
            least,
            floor=floors.md5(path) if path == place.small else None,
        )
    for count, least in ((10, None), (100, 1.6), (1000, 2.0), (10_000, 1.8)):
        tail = sum(len(line.encode()) for line in reference.read_last_n_lines(place.log, count)) + 1
        floor = floors.tail(place.log, tail)
        yield _scalar(originals, "read_last_n_lines", f"{count} lines", (place.log, count), least, floor)


def _machine(originals: Originals, place: Workplace) -> Iterator[Case]:
    yield _scalar(originals, "find_free_port", "free", (place.taken_ports(1) + 1,), 1.1)
    yield _scalar(originals, "find_free_port", "200 taken", (place.taken_ports(200),), 8.0)
    yield _scalar(originals, "get_cpu_count", "", (), 3.5, floors.cpu_count())
    yield _scalar(originals, "get_mem_size_gb", "", (), 3.5, floors.mem_size())
    yield _scalar(originals, "get_parallel_threads", "", ("kubernetes",), 1.8, floors.parallel_threads())
    mounts = place.mounts(20, 5)
    floor = floors.mounts(list(mounts.values()))
    yield _scalar(originals, "get_max_workers_for_file_mounts", "20 small folders", (mounts,), 1.5, floor)
    pid = os.getpid()
    alive = _scalar(originals, "is_process_alive", "alive", (pid,), 0.9)
    alive.before, alive.against = Call(kill_0, (pid,)), "os.kill with the same rules"
    yield alive
    import psutil

    yield Case(
        "is_process_alive",
        "alive, against psutil",
        Call(psutil.pid_exists, (pid,)),
        Call(skywasm.is_process_alive, (pid,)),
        against="psutil.pid_exists, whose rule for thread ids is another",
    )
    folder = next(iter(mounts.values()))
    estimate = _scalar(originals, "estimate_fd_for_directory", "5 entries", (folder,), None)
    estimate.before, estimate.against = Call(entries_times_five, (folder,)), "os.listdir with the same rule"
    yield estimate


def looped(function: Callable[..., Any], *rest: Any) -> Callable[[Sequence[Any]], list[Any]]:
    """What a program does without batches: the scalar function in a list comprehension."""
    if rest:
        return lambda items: [function(item, *rest) for item in items]
    return lambda items: [function(item) for item in items]


def md5s(count: int) -> list[str]:
    """Hexadecimal MD5s."""
    return [hashlib.md5(str(i).encode()).hexdigest() for i in range(count)]


def _batches(originals: Originals, place: Workplace) -> Iterator[Case]:
    count = 1000 if place.quick else 10_000
    numbers = md5s(count)
    many = f"{count:,}"
    yield _batch("base36_encode", f"{many} MD5s", originals.function("base36_encode"), numbers, 12.0)
    floats = [place.random.random() * 1000 for _ in range(count)]
    yield _batch("format_float", f"{many} floats", originals.function("format_float"), floats, 3.5)
    doubles = array.array("d", floats)
    yield _batch("format_float", f"{many} doubles in an array", originals.function("format_float"), doubles, None)
    line = "Launching a cluster named train with 8 nodes on the first cloud that has them " * 3
    texts = [line[i % 50 : i % 50 + 200] for i in range(count)]
    yield _batch("truncate_long_string", f"{many} of 200", originals.function("truncate_long_string"), texts, 6.0)
    yield Case(
        "batch.hash_strings",
        f"md5 of {many} of 32 bytes",
        Call(lambda items: [hashlib.md5(item.encode()).hexdigest() for item in items], (numbers,)),
        Call(batch.hash_strings, (numbers, "md5")),
        least=4.0,
        against="hashlib in a loop",
    )
    dead = place.dead_pid()
    pids = [dead if i % 3 == 0 else os.getpid() for i in range(1000)]
    yield Case(
        "batch.is_process_alive",
        "1,000 pids, a third dead",
        Call(looped(kill_0), (pids,)),
        Call(batch.is_process_alive, (pids,)),
        least=1.0,
        against="a loop over os.kill with the same rules",
    )


def _batch(name: str, size: str, original: Callable[..., Any], items: Sequence[Any], least: float | None) -> Case:
    return Case(
        f"batch.{name}",
        size,
        Call(looped(original), (items,)),
        Call(getattr(batch, name), (items,)),
        {"scalar loop": Call(looped(getattr(skywasm, name)), (items,))},
        least,
    )


def _many_files(originals: Originals, place: Workplace) -> Iterator[Case]:
    hash_file = _hexdigest(originals.function("hash_file"))
    large, small = (8, 50) if place.quick else (200, 5_000)
    big = place.files("big", large, 1 << 20)
    little = place.files("little", small, 4096)
    for paths, size, threads, least in (
        (big, f"{large} of 1 MiB, 1 thread", 1, 3.3),
        (big, f"{large} of 1 MiB, 2 threads", 2, 6.0),
        (little, f"{small:,} of 4 KiB, 1 thread", 1, 2.4),
        (little, f"{small:,} of 4 KiB, 2 threads", 2, None),
    ):
        yield Case(
            "batch.hash_files",
            f"md5, {size}",
            Call(looped(hash_file, "md5"), (paths,)),
            Call(_hash_files(threads), (paths, "md5")),
            least=least,
        )


def _hash_files(threads: int) -> Callable[[Sequence[str], str], list[str]]:
    return lambda paths, alg: batch.hash_files(paths, alg, threads=threads)


def all_cases(originals: Originals, place: Workplace) -> Iterator[Case]:
    """Every case, each made when its turn comes."""
    yield from _pure(originals)
    yield from _files(originals, place)
    yield from _machine(originals, place)
    yield from _batches(originals, place)
    yield from _many_files(originals, place)


def growing() -> Iterator[tuple[str, Callable[[int], Call]]]:
    """Batches whose cost is measured over their size."""
    numbers = md5s(10_000)
    floats = [i / 7 for i in range(10_000)]
    texts = ["a text of words that is longer than the limit by a little"] * 10_000
    yield "batch.base36_encode", lambda n: Call(batch.base36_encode, (numbers[:n],))
    yield "batch.format_float", lambda n: Call(batch.format_float, (floats[:n],))
    yield "batch.truncate_long_string", lambda n: Call(batch.truncate_long_string, (texts[:n],))
    yield "batch.hash_strings", lambda n: Call(batch.hash_strings, (numbers[:n], "md5"))
