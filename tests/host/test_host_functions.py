"""The host functions as an artifact meets them: asked from WebAssembly, over memory with guard bytes around.

The stand-in has a function for each request, which asks for it with its own arguments and gives back the answer.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

import artifacts
import pytest

import skywasm
from host_shims import facts
from skywasm import errors, machine
from skywasm.crossing import convention as c
from skywasm.functions import hashing, mounts
from skywasm.functions.machine import CGROUP_FILES, FACT_MEMINFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

pytest.importorskip("wasmtime")
from skywasm.crossing import calls  # noqa: E402 - after it is known that there is an engine
from skywasm.crossing import instance as places  # noqa: E402
from skywasm.crossing.module import Module  # noqa: E402

GUARD = 0xA5
SIZE = artifacts.PAGES * artifacts.PAGE
WHERE = 70_000
NAMES = {one.name: one.capability for one in machine.HOST}
WRITERS = ("cpu_text", "memory_text", "limits_open_files", "file_read")
# Numbers and rooms alike are handed on as they are: an argument a cell.
RECORD = "\n".join(
    [line for line in artifacts.RECORD.split("\n") if not line.startswith("fn ")]
    + [f"fn to_{name}(a:int,b:int,c:int,it:+{capability})->int" for name, capability in NAMES.items()]
)
HANDED_ON = " ".join(
    artifacts.cell(c.CELL_ARGUMENTS + at, f"(local.get ${name})") for at, name in enumerate(artifacts.NAMES[:3])
)
FORWARD = {f"to_{name}": f"{HANDED_ON} {artifacts.asking(name)}" for name in NAMES}
FORWARD[c.RESUME] = artifacts.gives("(local.get $a)")


def forwarding() -> Module:
    return Module(artifacts.compiled(artifacts.text(FORWARD, knows=False, record=RECORD)), "a proxy", machine.HOST)


class Proxy:
    """An instance whose memory is all guard bytes."""

    def __init__(self) -> None:
        self.module = forwarding()
        self.seat = self.module.borrow()
        self.instance = self.seat[places.INSTANCE]
        self.given: dict[str, Any] = {}
        self.guard()

    def guard(self) -> None:
        ctypes.memset(self.instance.base, GUARD, SIZE)

    def ask(self, name: str, *arguments: int) -> int:
        function = self.module.interface.functions["to_" + name]
        # By hand: the least number of 64 bits is none that a call lets in.
        for slot, value in enumerate((*arguments, 0, 0, 0)[:3]):
            self.seat[places.SLOTS][slot * places.SLOT_WORDS] = value
        status = self.instance.enter(self.module.index("to_" + name), None, False)
        status = calls.finish(self.module, self.seat, status, self.given, False)
        answer: int = calls.result(self.seat, function, status)
        return answer

    def written(self) -> tuple[int, bytes]:
        """Where the first byte that is no guard lies, and all bytes from there to the last one; the cells apart."""
        content = bytearray(ctypes.string_at(self.instance.base, SIZE))
        content[artifacts.CELLS_AT : artifacts.CELLS_AT + 8 * c.CELLS] = bytes([GUARD]) * 8 * c.CELLS
        left = len(content) - len(content.lstrip(bytes([GUARD])))
        return left, bytes(content[left:].rstrip(bytes([GUARD])))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with skywasm.use_backend("wasm"):
        yield Proxy()


def arguments(name: str, pointer: int, size: int) -> tuple[int, ...]:
    """What a host function that writes is asked with."""
    first = {"cpu_text": (FACT_MEMINFO,), "memory_text": (FACT_MEMINFO,), "file_read": (0,)}.get(name, ())
    return (*first, pointer, size)


def test_every_request_of_the_artifact_is_known(proxy: Proxy) -> None:
    """The host functions are the artifact's requests, with the artifact's capabilities, and no others."""
    asked = {one.name: one.capability for one in artifacts.INTERFACE.requests.values()}
    assert asked == NAMES
    assert len(machine.HOST) == len(NAMES)
    assert set(NAMES.values()) == set(machine.CAPABILITIES) == set(skywasm.sandbox.CAPABILITIES)


def test_numbers_are_the_facts(proxy: Proxy) -> None:
    """Host functions that answer with a number give the fact itself."""
    assert proxy.ask("process_signal", os.getpid()) == 0
    assert proxy.ask("cpu_online") == facts.cpu_online()
    assert proxy.ask("cpu_affinity") == (-1 if facts.cpu_affinity() is None else facts.cpu_affinity())
    assert proxy.ask("cpu_count") == os.cpu_count()
    assert proxy.ask("cpu_cgroup_version") == proxy.ask("memory_cgroup_version") == facts.cgroup_version()
    assert proxy.written() == (SIZE, b"")


def test_unknown_facts_are_minus_one(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that the system does not tell is -1, which no count can be."""
    for name in ("cpu_online", "cpu_affinity", "cpu_count"):
        monkeypatch.setattr(facts, name, lambda: None)
        assert proxy.ask(name) == -1


def test_error_numbers_are_negative(proxy: Proxy) -> None:
    """A refused signal and a file that cannot be read come as negative error numbers."""
    assert proxy.ask("process_signal", 2**31 - 1) == -3
    missing = [fact for fact, name in CGROUP_FILES.items() if not os.path.exists("/sys/fs/cgroup/" + name)]
    for fact in missing:
        assert proxy.ask("cpu_text", fact, WHERE, 100) == -2
    assert proxy.written() == (SIZE, b"")


def test_texts_are_written_into_their_room_and_no_further(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is longer than its room is cut there; not one byte beside the room changes."""
    text = b"MemTotal: 7 kB\nMemFree: 1 kB\n"
    monkeypatch.setattr(facts, "meminfo", lambda: text)
    for size in (0, 1, len(text) - 1, len(text), len(text) + 1, 1000):
        proxy.guard()
        length = proxy.ask("memory_text", FACT_MEMINFO, WHERE, size)
        assert length == min(size, len(text))
        assert proxy.written() == ((WHERE, text[:size]) if size else (SIZE, b""))


def test_the_limit_of_open_files_is_text(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit comes in decimal digits, because some systems' does not fit 64 bits."""
    for limit in (1024, 2**64 - 1, -1, 10**30):
        monkeypatch.setattr(facts, "open_files_limit", lambda limit=limit: limit)
        proxy.guard()
        length = proxy.ask("limits_open_files", WHERE, 64)
        assert proxy.written() == (WHERE, b"%d" % limit)
        assert length == len(b"%d" % limit)


def test_files_are_read_into_their_room(proxy: Proxy, tmp_path: pathlib.Path) -> None:
    """A read fills at most its room, goes on where the last one ended, and gives 0 at the end."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    with open(path, "rb", 0) as file:
        proxy.given = {"file_read": hashing.reads(file)}
        assert proxy.ask("file_read", 0, WHERE, 60) == 60
        assert proxy.written() == (WHERE, bytes(range(60)))
        assert proxy.ask("file_read", 0, SIZE - 60, 60) == 40
        assert proxy.instance.take(SIZE - 60, 40) == bytes(range(60, 100))
        assert proxy.ask("file_read", 0, WHERE, 60) == 0


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("pointer", "size"),
    [(SIZE, 1), (SIZE - 3, 4), (-1, 4), (WHERE, -1), (0, SIZE + 1), (2**32 - 4, 8), (2**62, 2**62), (-(2**63), 4)],
)
def test_rooms_outside_memory_are_refused(proxy: Proxy, name: str, pointer: int, size: int) -> None:
    """A room that does not lie inside the artifact's memory is a trap: nothing is written, and nothing was read."""
    with open(sys.executable, "rb", 0) as file:
        proxy.given = {"file_read": hashing.reads(file)}
        with pytest.raises(errors.TrapError, match="beyond"):
            proxy.ask(name, *arguments(name, pointer, size))
        assert file.tell() == 0
    assert proxy.written() == (SIZE, b"")


@pytest.mark.parametrize("name", WRITERS)
def test_rooms_at_the_end_of_memory_are_used(proxy: Proxy, name: str) -> None:
    """A room that ends with the memory is a good one."""
    with open(sys.executable, "rb", 0) as file:
        proxy.given = {"file_read": hashing.reads(file)}
        assert proxy.ask(name, *arguments(name, SIZE - 4, 4)) > 0


def test_handles_that_were_not_given_are_refused(proxy: Proxy, tmp_path: pathlib.Path) -> None:
    """No number reaches a file or folder that the call was not given."""
    for handle in (0, 1, -1, 3, 2**62):
        for name in ("file_read", "dir_entries"):
            with pytest.raises(errors.TrapError, match="not given"):
                proxy.ask(name, handle, WHERE, 10)
    proxy.given = {"dir_entries": mounts.entries_of((tmp_path, str(tmp_path / "missing")))}
    assert proxy.ask("dir_entries", 0, 1) == 0
    assert proxy.ask("dir_entries", 1, 0) == -1
    for handle in (-1, -2, 2, 2**32):
        with pytest.raises(errors.TrapError, match="not given"):
            proxy.ask("dir_entries", handle, 0)
    with open(sys.executable, "rb", 0) as file:
        proxy.given = {"file_read": hashing.reads(file)}
        for handle in (1, -1, file.fileno() or 1, 2**32):
            with pytest.raises(errors.TrapError, match="not given"):
                proxy.ask("file_read", handle, WHERE, 10)
    assert proxy.written() == (SIZE, b"")


@pytest.mark.parametrize("fact", [0, 7, -1, 2**62, -(2**63)])
@pytest.mark.parametrize("name", ["cpu_text", "memory_text"])
def test_unknown_texts_are_refused(proxy: Proxy, name: str, fact: int) -> None:
    """A number that stands for no text reads no file."""
    with pytest.raises(errors.TrapError, match=f"text {fact}"):
        proxy.ask(name, fact, WHERE, 100)
    assert proxy.written() == (SIZE, b"")


@pytest.mark.parametrize("port", [2**32 + 20_000, -1, 2**62])
def test_ports_are_asked_for_in_a_search_only(proxy: Proxy, port: int) -> None:
    """Outside a search there is no socket to try a port on; in one, a port that is none is refused, not wrapped."""
    with pytest.raises(errors.TrapError, match="outside a search"):
        proxy.ask("port_bind", 20_000)
    with contextlib.closing(facts.port_socket()) as probe:
        proxy.given = {"port_bind": lambda port: -facts.port_bind(probe, port)}
        with pytest.raises(OverflowError):
            proxy.ask("port_bind", port)


def test_a_search_uses_one_socket_and_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request of a search tries its port on the same socket, which is closed however the search ends."""
    made: list[Any] = []
    tried: list[tuple[Any, int]] = []
    whole = facts.port_socket

    def port_socket() -> Any:
        made.append(whole())
        return made[-1]

    def port_bind(probe: Any, port: int) -> int:
        tried.append((probe, port))
        if len(tried) == 5:
            raise ZeroDivisionError("on purpose")
        return 98 if len(tried) != 4 else 0

    monkeypatch.setattr(facts, "port_socket", port_socket)
    monkeypatch.setattr(facts, "port_bind", port_bind)
    with skywasm.use_backend("wasm"):
        assert skywasm.find_free_port(20_000) == 20_003
        with pytest.raises(ZeroDivisionError):
            skywasm.find_free_port(30_000)
    assert len(made) == 2
    assert [(probe is made[port >= 30_000], port) for probe, port in tried] == [
        (True, port) for port in (20_000, 20_001, 20_002, 20_003, 30_000)
    ]
    assert [probe.fileno() for probe in made] == [-1, -1]


@pytest.mark.parametrize("answer", [2**63, 2**64, -(2**63) - 1, 10**30])
def test_answers_that_do_not_fit_are_the_references(proxy: Proxy, answer: int) -> None:
    """What 64 bits cannot carry is never cut: the call is left to the reference."""
    proxy.given = {"cpu_count": lambda: answer}
    with pytest.raises(errors.NeedsReference):
        proxy.ask("cpu_count")


@pytest.mark.parametrize("answer", [None, "1", 1.5, b"1", [1]])
def test_answers_that_are_no_numbers_are_traps(proxy: Proxy, answer: Any) -> None:
    """What is no number is the host function's fault, and never reaches the artifact."""
    proxy.given = {"cpu_count": lambda: answer}
    with pytest.raises(errors.TrapError, match="no int"):
        proxy.ask("cpu_count")


@pytest.mark.parametrize("answer", [2**63 - 1, -(2**63), 0, True])
def test_every_answer_of_64_bits_arrives(proxy: Proxy, answer: int) -> None:
    """The whole range comes through unchanged: no number of it means anything to the crossing."""
    proxy.given = {"cpu_count": lambda: answer}
    assert proxy.ask("cpu_count") == answer


@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, RecursionError, ZeroDivisionError, ValueError]
)
@pytest.mark.parametrize("general", [False, True])
def test_what_a_host_function_raises_comes_out(
    kind: type[BaseException], general: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of any kind comes out of the call as the object it was, and the next call is right."""
    error = kind("from the host")
    raised: list[BaseException | None] = [error, None]

    def once(*_: Any) -> int:
        now = raised.pop(0)
        if now is not None:
            raise now
        return 100

    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        monkeypatch.setattr(facts, "cpu_count", once)
        monkeypatch.setattr(facts, "process_signal", once)
        # One goes by hand through the general call, the other by a generated road.
        call = skywasm.get_parallel_threads if general else lambda: skywasm.is_process_alive(1)
        with pytest.raises(kind) as caught:
            call()
        assert caught.value is error
        assert call() == (99 if general else False)
