"""The host functions as an artifact meets them: called from WebAssembly, over memory with guard bytes around.

The stand-in artifact hands its arguments on to one import each and gives back what the host answered.
"""

from __future__ import annotations

import os
import sys

import artifacts
import pytest

import skywasm
from host_shims import facts
from skywasm import _abi, _host_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator
    from typing import Any

pytest.importorskip("wasmtime")
GUARD = 0xA5
SIZE = 2 * artifacts.PAGE
WHERE = 70_000
WRITERS = ("cpu_text", "memory_text", "limits_open_files", "file_read")
IMPORTS = "\n".join(
    f'(import "sky_host" "{name}" (func ${name} (param i64 i64 i64 i64) (result i64)))' for name in _abi.IMPORTS
)
FORWARD = {
    f"sky_to_{name}": f"(call ${name} (i64.const {_abi.NO_ANSWER}) (local.get $a) (local.get $b) (local.get $c))"
    for name in _abi.IMPORTS
}


class Proxy:
    """An instance whose memory is all guard bytes."""

    def __init__(self, path: str) -> None:
        self.instance = artifacts.instance(artifacts.text(FORWARD, extra=IMPORTS), path)
        self.context = self.instance.context
        self.view = self.instance.view
        self.view[:] = bytes([GUARD]) * len(self.view)

    def ask(self, name: str, a: int = 0, b: int = 0, c: int = 0) -> int:
        answer: int = self.instance.call("sky_to_" + name, a, b, c)
        return answer

    def written(self) -> tuple[int, bytes]:
        """Where the first byte that is no guard lies, and all bytes from there to the last one."""
        content = bytes(self.view)
        left = len(content) - len(content.lstrip(bytes([GUARD])))
        return left, content[left:].rstrip(bytes([GUARD]))


@pytest.fixture(params=["raw", "public"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with skywasm.use_backend("wasm"):
        yield Proxy(request.param)


def arguments(proxy: Proxy, name: str, pointer: int, size: int) -> tuple[int, int, int]:
    """What a host function that writes is asked with."""
    first = {"cpu_text": _abi.FACT_MEMINFO, "memory_text": _abi.FACT_MEMINFO}.get(name, 0)
    return first, pointer, size


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
    missing = [fact for fact, name in _abi.CGROUP_FILES.items() if not os.path.exists("/sys/fs/cgroup/" + name)]
    for fact in missing:
        assert proxy.ask("cpu_text", fact, WHERE, 100) == -2
    assert proxy.context.error is None
    assert proxy.written() == (SIZE, b"")


def test_texts_are_written_into_their_room_and_no_further(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is longer than its room is cut there; not one byte beside the room changes."""
    text = b"MemTotal: 7 kB\nMemFree: 1 kB\n"
    monkeypatch.setattr(facts, "meminfo", lambda: text)
    for size in (0, 1, len(text) - 1, len(text), len(text) + 1, 1000):
        proxy.view[:] = bytes([GUARD]) * SIZE
        length = proxy.ask("memory_text", _abi.FACT_MEMINFO, WHERE, size)
        assert length == min(size, len(text))
        assert proxy.written() == ((WHERE, text[:size]) if size else (SIZE, b""))


def test_the_limit_of_open_files_is_text(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit comes in decimal digits, because some systems' does not fit 64 bits."""
    for limit in (1024, 2**64 - 1, -1, 10**30):
        monkeypatch.setattr(facts, "open_files_limit", lambda limit=limit: limit)
        proxy.view[:] = bytes([GUARD]) * SIZE
        length = proxy.ask("limits_open_files", 0, WHERE, 64)
        assert proxy.written() == (WHERE, b"%d" % limit)
        assert length == len(b"%d" % limit)


def test_files_are_read_into_their_room(proxy: Proxy, tmp_path: pathlib.Path) -> None:
    """A read fills at most its room, goes on where the last one ended, and gives 0 at the end."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    with open(path, "rb", 0) as file:
        proxy.context.file = file
        assert proxy.ask("file_read", 0, WHERE, 60) == 60
        assert proxy.written() == (WHERE, bytes(range(60)))
        assert proxy.ask("file_read", 0, SIZE - 60, 60) == 40
        assert bytes(proxy.view[SIZE - 60 : SIZE - 20]) == bytes(range(60, 100))
        assert proxy.ask("file_read", 0, WHERE, 60) == 0


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("pointer", "size"),
    [(SIZE, 1), (SIZE - 3, 4), (-1, 4), (WHERE, -1), (0, SIZE + 1), (2**32 - 4, 8), (2**62, 2**62), (-(2**63), 4)],
)
def test_rooms_outside_memory_are_refused(proxy: Proxy, name: str, pointer: int, size: int) -> None:
    """A room that does not lie inside the artifact's memory is refused: nothing is written and the error is kept."""
    with open(sys.executable, "rb", 0) as file:
        proxy.context.file = file
        assert proxy.ask(name, *arguments(proxy, name, pointer, size)) == _abi.HOST_FAILED
    assert "outside its memory" in str(proxy.context.error)
    assert proxy.written() == (SIZE, b"")


@pytest.mark.parametrize("name", WRITERS)
def test_rooms_at_the_end_of_memory_are_used(proxy: Proxy, name: str) -> None:
    """A room that ends with the memory is a good one."""
    with open(sys.executable, "rb", 0) as file:
        proxy.context.file = file
        assert proxy.ask(name, *arguments(proxy, name, SIZE - 4, 4)) > 0


def test_handles_that_were_not_given_are_refused(proxy: Proxy, tmp_path: pathlib.Path) -> None:
    """No number reaches a file or folder that the call was not given."""
    for handle in (0, 1, -1, 3, 2**62):
        assert proxy.ask("file_read", handle, WHERE, 10) == _abi.HOST_FAILED
        assert proxy.ask("dir_entries", handle, 0) == _abi.HOST_FAILED
    proxy.context.paths = (tmp_path, str(tmp_path / "missing"))
    assert proxy.ask("dir_entries", 0, 1) == 0
    assert proxy.ask("dir_entries", 1, 0) == -1
    for handle in (-1, -2, 2, 2**32):
        assert proxy.ask("dir_entries", handle, 0) == _abi.HOST_FAILED
    with open(os.devnull, "rb", 0) as file:
        proxy.context.file = file
        for handle in (1, -1, file.fileno() or 1, 2**32):
            assert proxy.ask("file_read", handle, WHERE, 10) == _abi.HOST_FAILED
    assert proxy.written() == (SIZE, b"")


@pytest.mark.parametrize("fact", [0, 7, -1, 2**62, -(2**63)])
@pytest.mark.parametrize("name", ["cpu_text", "memory_text"])
def test_unknown_texts_are_refused(proxy: Proxy, name: str, fact: int) -> None:
    """A number that stands for no text reads no file."""
    assert proxy.ask(name, fact, WHERE, 100) == _abi.HOST_FAILED
    assert proxy.written() == (SIZE, b"")


def test_ports_are_tried_on_one_socket(proxy: Proxy) -> None:
    """Each call of a search tries its port on the same socket; a port that is none is refused, not wrapped."""
    assert proxy.ask("port_bind", 2**32 + 20000) == _abi.HOST_FAILED
    assert isinstance(proxy.context.error, OverflowError)
    probe = proxy.context.probe
    assert proxy.ask("port_bind", -1) == _abi.HOST_FAILED
    assert proxy.context.probe is probe
    proxy.context.clear()
    assert proxy.context.probe is None
    assert probe.fileno() == -1


@pytest.mark.parametrize("answer", [2**63, 2**64, -(2**63), _abi.HOST_FAILED, _abi.HOST_FAILED - 1, None, "1"])
@pytest.mark.parametrize("path", ["raw", "public"])
def test_answers_that_do_not_fit_become_failures(path: str, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a host function gives back beyond the range, or what is no number, is HOST_FAILED."""
    monkeypatch.setitem(_host_link.HOST_FUNCTIONS, "cpu_count", lambda context, a, b, c: answer)
    with skywasm.use_backend("wasm"):
        assert Proxy(path).ask("cpu_count") == _abi.HOST_FAILED


@pytest.fixture
def renewed() -> Iterator[Callable[[], None]]:
    """Makes the next call use a new instance, and the one after the test too."""
    from skywasm import _runtime

    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        yield _runtime.pool.clear
        _runtime.pool.clear()


@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, RecursionError, ZeroDivisionError]
)
def test_what_a_host_function_raises_comes_out(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch, renewed: Callable[[], None]
) -> None:
    """An exception of any kind comes out of the call as the object it was, and the next call is right."""
    error = kind("from the host")
    answers: list[BaseException | None] = [error, None]

    def once(context: Any, a: int, b: int, c: int) -> int:
        raised = answers.pop(0)
        if raised is not None:
            raise raised
        return 100

    monkeypatch.setitem(_host_link.HOST_FUNCTIONS, "cpu_count", once)
    renewed()
    with pytest.raises(kind) as caught:
        skywasm.get_parallel_threads()
    assert caught.value is error
    assert skywasm.get_parallel_threads() == 99
