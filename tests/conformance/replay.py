"""Runs a vector's case with a backend, with the case's facts in place of the machine's."""

from __future__ import annotations

import errno
import os
import socket
import sys
import types

from vectors import forms

import skywasm
from host_shims import facts as platform_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

    Case = dict[str, Any]

FILE_FUNCTIONS = ("hash_file", "read_last_n_lines")
FUNCTIONS = sorted(path.stem for path in forms.FOLDER.glob("*.json"))


def _forbidden(name: str) -> Any:
    def asked(*_: Any) -> Any:
        raise AssertionError(f"{name} was asked for, and the case has no such fact")

    return asked


def _of_host_shims(function: Any) -> Any:
    """The function as one of host_shims: what others raise there is taken for a signal handler's."""
    own = {**function.__globals__, "__name__": "host_shims.case"}
    return types.FunctionType(function.__code__, own, function.__name__, None, function.__closure__)


class Facts:
    """``host_shims.facts`` as a case has it. What the case does not have must not be asked for."""

    def __init__(self, facts: Case) -> None:
        self.facts = facts

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in platform_facts.__all__:
            patch.setattr(platform_facts, name, self._answer(name))

    def _answer(self, name: str) -> Any:
        plain = {"entry_count": "dir_entries", "cgroup_text": "files", "port_bind": "taken", "port_socket": "taken"}
        key = plain.get(name, name)
        if key not in self.facts:
            return _forbidden(name)
        if name in plain:
            answer = getattr(self, name)
            return types.MethodType(_of_host_shims(answer.__func__), self) if hasattr(answer, "__func__") else answer
        value = self.facts[key]
        answer = forms.fact_bytes(value) if name == "meminfo" else forms.decode(value)
        return lambda *_: answer

    def cgroup_text(self, name: str) -> bytes:
        try:
            return forms.fact_bytes(self.facts["files"][name])
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None

    def entry_count(self, path: str) -> int:
        entries = self.facts["dir_entries"][int(path)]
        if entries is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return entries  # type: ignore[no-any-return]

    @staticmethod
    def port_socket() -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def port_bind(self, probe: socket.socket, port: int) -> int:
        if not 0 <= port <= 65_535:
            # Refused by Python itself, with the message that counts.
            probe.bind(("", port))
        return errno.EADDRINUSE if any(first <= port <= last for first, last in self.facts["taken"]) else 0


def _arguments(function: str, case: Case, file: Path) -> list[Any]:
    if function == "hash_file":
        return [str(file), forms.decode(case["algorithm"])]
    if function == "read_last_n_lines":
        return [str(file), *(forms.decode(case[name]) for name in ("n", "chunk_size", "encoding", "errors"))]
    arguments = forms.decode(case["args"])
    if function == "get_max_workers_for_file_mounts":
        # Entries are looked up by this name: paths that exist nowhere.
        return [{f"/{place}": str(place) for place in range(len(case["facts"]["dir_entries"]))}, *arguments]
    return ["0"] if function == "estimate_fd_for_directory" else arguments  # type: ignore[no-any-return]


def _digest(case: Case, hash_object: Any) -> str:
    return hash_object.hexdigest(case["length"]) if "length" in case else hash_object.hexdigest()  # type: ignore[no-any-return]


def run(function: str, case: Case, backend: str, file: Path, patch: pytest.MonkeyPatch) -> Case:
    """What ``function`` comes to on this case, as the case would record it."""
    if "content" in case:
        file.write_bytes(forms.content(case["content"]))
    for variable, value in case.get("environment", {}).items():
        patch.setenv(variable, value)
    if "facts" in case:
        Facts(case["facts"]).install(patch)
    arguments = _arguments(function, case, file)
    call = getattr(skywasm, function)
    # Chosen again, because the shortest roads look at the facts when the backend is chosen.
    with skywasm.use_backend(backend):
        if function == "hash_file":
            return forms.outcome(lambda: _digest(case, call(*arguments)))
        return forms.outcome(call, *arguments)


def difference(vectors: Case, case: Case, got: Case, backend: str) -> str | None:
    """How an outcome differs from the case's; None when it does not.

    What the artifact alone can answer is a ValueError where Python answers. Messages are Python's own here and
    there, so they count on the minor version of CPython that recorded them; messages that a case leaves out are not
    fixed.
    """
    want = {key: case[key] for key in ("expect", "raises") if key in case}
    if "artifact_only" in case and skywasm.get_backend_info(load=True)["backend"] == "python":
        want = {"raises": {"type": "ValueError"}}
    if want == got:
        return None
    if "raises" in want and "raises" in got and want["raises"]["type"] == got["raises"]["type"]:
        version = ".".join(map(str, sys.version_info[:2]))
        same_python = sys.implementation.name == "cpython" and vectors["python"] == version
        if not same_python or "message" not in want["raises"]:
            return None
    return f"{ {key: value for key, value in case.items() if key not in want} }\n    want {want}\n    got  {got}"
