"""What a test puts in the place of things that SkyPilot's functions rest on is seen with the drop-in as without."""

# ruff: noqa: PLW0108, PT008 - functions are looked up when they are called, which is what is tested
from __future__ import annotations

import hashlib
import io
import os
import socket
import sys
import types
from unittest import mock

import psutil
import pytest
from property.oracle import common_utils, subprocess_utils

from skywasm import errors, sandbox, skypilot

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator
    from typing import Any

resource = pytest.importorskip("resource")

MODULE = common_utils.__name__


class Busy(socket.socket):
    """Binds no port below 31,005."""

    def bind(self, address: Any) -> None:
        if address[1] < 31_005:
            raise OSError("taken")
        super().bind(address)


def one_cpu(path: Any, *rest: Any, original: Any = open, **named: Any) -> Any:
    """Files of a cgroup that has one CPU."""
    for part, text in (("cpu.max", "100000 100000"), ("cfs_quota", "100000"), ("cfs_period", "100000")):
        if part in str(path):
            return io.StringIO(text)
    return original(path, *rest, **named)


PATCHED: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "open gives bytes": (
        lambda: mock.patch("builtins.open", lambda *a, **k: io.BytesIO(b"virtual")),
        lambda: common_utils.hash_file("/no/such/file", "md5").hexdigest(),
    ),
    "open refuses": (
        lambda: mock.patch("builtins.open", side_effect=PermissionError(13, "no")),
        lambda: common_utils.hash_file(os.devnull, "md5").name,
    ),
    "open refuses a tail": (
        lambda: mock.patch("builtins.open", side_effect=PermissionError(13, "no")),
        lambda: common_utils.read_last_n_lines(os.devnull, 1),
    ),
    "hashlib.new": (
        lambda: mock.patch("hashlib.new", lambda name: hashlib.sha1()),
        lambda: common_utils.hash_file(os.devnull, "md5").name,
    ),
    "os.path.exists": (
        lambda: mock.patch("os.path.exists", return_value=False),
        lambda: common_utils.read_last_n_lines(os.devnull, 1),
    ),
    "socket.socket": (lambda: mock.patch("socket.socket", Busy), lambda: common_utils.find_free_port(31_000)),
    "socket.socket.bind": (
        lambda: mock.patch("socket.socket.bind", side_effect=OSError("in use")),
        lambda: common_utils.find_free_port(65_530),
    ),
    "a quota": (lambda: mock.patch("builtins.open", one_cpu), lambda: common_utils.get_cpu_count()),
    "psutil": (lambda: mock.patch("psutil.cpu_count", return_value=3), lambda: common_utils.get_cpu_count()),
    "os.cpu_count": (
        lambda: mock.patch("os.cpu_count", return_value=77),
        lambda: subprocess_utils.get_parallel_threads(),
    ),
}


@pytest.fixture
def _on() -> Iterator[None]:
    skypilot.install()
    yield
    skypilot.uninstall()


def outcome(name: str) -> tuple[str, Any]:
    patch, ask = PATCHED[name]
    with patch():
        try:
            return "gives", ask()
        except Exception as error:
            return "raises", (type(error), str(error))


@pytest.mark.parametrize("name", PATCHED)
def test_what_is_patched_is_seen(name: str) -> None:
    """With the drop-in a patched primitive has the same effect as without, and none once it is gone."""
    own = outcome(name)
    skypilot.install()
    try:
        assert outcome(name) == own
        assert common_utils.hash_file(os.devnull, "md5").hexdigest() == hashlib.md5().hexdigest()
    finally:
        skypilot.uninstall()


DENIED: dict[str, Callable[[], Any]] = {
    "an unknown algorithm": lambda: common_utils.hash_file("/no/such/file", "blake3"),
    "a file": lambda: common_utils.hash_file(os.devnull, "md5"),
    "a tail": lambda: common_utils.read_last_n_lines(os.devnull, 1),
    "a port": lambda: common_utils.find_free_port(31_000),
    "CPUs": lambda: common_utils.get_cpu_count(),
    "memory": lambda: common_utils.get_mem_size_gb(),
    "mounts": lambda: subprocess_utils.get_max_workers_for_file_mounts({"/there": "/"}),
}


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("name", DENIED)
@pytest.mark.parametrize("patched", [False, True])
def test_a_denial_holds_for_what_stands_in(name: str, patched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers, SkyPilot's own function too, what is denied is refused."""
    if patched:
        for module, function in ((psutil, "cpu_count"), (psutil, "virtual_memory"), (socket, "socket"), (os, "open")):
            original = getattr(module, function)
            monkeypatch.setattr(module, function, lambda *a, original=original, **k: original(*a, **k))
    monkeypatch.setattr(resource, "getrlimit", lambda which: (800, 800))
    with sandbox.deny(*sandbox.CAPABILITIES), pytest.raises(errors.CapabilityError):
        DENIED[name]()


STUBS = (
    mock.MagicMock(),
    types.SimpleNamespace(),
    object(),
    mock.MagicMock(__spec__=None),
    types.ModuleType("other"),
    5,
)


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: type(stub).__name__)
def test_a_stub_in_a_modules_place(stub: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Imports go on, status() says what is there, and the drop-in can be taken off and put on."""
    (tmp_path / "imported_beside_a_stub.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, MODULE, stub)
    assert skypilot.install()
    try:
        sys.modules.pop("imported_beside_a_stub", None)
        __import__("imported_beside_a_stub")
        state = skypilot.status()["functions"]["hash_file"]
        assert state["state"] == "original"
        assert state["reason"]
    finally:
        assert skypilot.uninstall()
