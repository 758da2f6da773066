"""Replays calls with wasmtime-py: natively, with Pulley, and on aarch64 under an emulator.

    python wasmtime_replay.py CORE_WASM CALLS_JSON [TARGET]

Prints one line of JSON. It needs wasmtime and, on the path for modules, skywasm: the engine has the configuration
that the package gives it. ``tests/engines/calls.py`` describes the calls.
"""

from __future__ import annotations

import json
import platform
import sys

import wasmtime

from skywasm import _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NEVER = 2**62
_U32 = 0xFFFFFFFF


class Mismatch(Exception):
    """The artifact's answer is not the recorded one."""


class Host:
    """What a case's machine answers; what it has no answer for is noted."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.failed = int(document["host_failed"])
        self.blobs: list[bytes] = document["blobs"]
        self.guest: Any = None
        self.begin({})

    def begin(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.position = 0
        self.unasked: list[str] = []

    def function(self, name: str) -> Any:
        return lambda _no_answer, key, pointer, room: self._answer(name, key, pointer, room)

    def _answer(self, name: str, key: int, pointer: int, room: int) -> int:
        known = self.answers.get(name, {})
        found = next((one for first, last, one in known.get("ranges", ()) if first <= key <= last), known.get("else"))
        if found is None:
            self.unasked.append(f"{name}({key}) was called, and the case has no answer")
            return self.failed
        if isinstance(found, str):
            return int(found)
        if "text" in found:
            data = self.blobs[found["text"]][:room]
        else:
            data = self.blobs[found["file"]][self.position : self.position + room]
            self.position += len(data)
        self.guest.memory.write(self.guest.store, data, pointer)
        return len(data)


class Guest:
    """One instance of the artifact."""

    def __init__(self, engine: Any, module: Any, host: Host, document: dict[str, Any]) -> None:
        self.again = int(document["again"])
        self.blobs = host.blobs
        self.store = wasmtime.Store(engine)
        self.store.set_epoch_deadline(_NEVER)
        linker = wasmtime.Linker(engine)
        kind = wasmtime.FuncType([wasmtime.ValType.i64()] * 4, [wasmtime.ValType.i64()])
        for entry in module.imports:
            linker.define_func(entry.module, entry.name, kind, host.function(entry.name))
        host.guest = self
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports["memory"]
        self.exports["_initialize"](self.store)
        self.output = b""

    def bytes_at(self, pointer: int, length: int) -> bytes:
        if pointer + length > self.memory.data_len(self.store):
            raise Mismatch(f"{length} bytes at {pointer} lie outside the memory")
        return bytes(self.memory.read(self.store, pointer, pointer + length))

    def problem(self, calls: list[dict[str, Any]]) -> str | None:
        """Makes a case's calls; what is wrong with the first that is not as recorded."""
        export = ""
        try:
            for call in calls:
                export = call["export"]
                self.call(call)
        except (Mismatch, wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return f"{export}: {error}"
        return None

    def call(self, call: dict[str, Any]) -> None:
        """Makes a call and compares."""
        parts = call.get("input", ())
        data = b"".join(self.output if part == "output" else self.blobs[part] for part in parts)
        address = self.exports["sky_input"](self.store, len(data), 0, 0, 0)
        if address < 0:
            raise Mismatch(f"sky_input gave {address}")
        self.memory.write(self.store, data, address)
        arguments = [len(data) if text is None else int(text) for text in call["arguments"]]
        export, again = self.exports[call["export"]], 0
        while (result := export(self.store, *arguments, again)) == self.again:
            again = 1
        if "number" in call:
            if result != int(call["number"]):
                raise Mismatch(f"{result} instead of {call['number']}")
        else:
            self._compare_bytes(result, call)
        if "memory" in call:
            want = self.blobs[call["memory"]]
            if self.bytes_at(address, len(want)) != want:
                raise Mismatch("the input buffer holds other bytes than recorded")

    def _compare_bytes(self, result: int, call: dict[str, Any]) -> None:
        if result < 0:
            raise Mismatch(f"status {result} instead of bytes")
        self.output = self.bytes_at(result >> 32 & _U32, result & _U32)
        if "bytes" in call and self.output != self.blobs[call["bytes"]]:
            raise Mismatch(f"{self.output[:40]!r} instead of {self.blobs[call['bytes']][:40]!r}")


def config(target: str | None) -> Any:
    """The package's configuration, for another target than this machine where one is named."""
    made = wasmtime.Config()
    for name, value in _engine.CONFIGURATION:
        setattr(made, name, value)
    if target:
        made.target = target
    return made


def main(core: str, calls: str, target: str | None = None) -> None:
    with open(calls, encoding="ascii") as file:
        document = json.load(file)
    document["blobs"] = [bytes.fromhex(text) for text in document["blobs"]]
    engine = wasmtime.Engine(config(target))
    module = wasmtime.Module.from_file(engine, core)
    host = Host(document)
    guest = Guest(engine, module, host, document)
    passed, failures = {"answer": 0, "refusal": 0, "batch": 0}, []
    for case in document["cases"]:
        host.begin(case["host"])
        problem = guest.problem(case["calls"])
        if host.unasked or problem:
            failures.append(f"{case['name']}: {(host.unasked or [problem])[0]}")
            guest = Guest(engine, module, host, document)
        else:
            passed[case["kind"]] += 1
    version = _engine.wasmtime_version(_engine.wasmtime_package())
    print(json.dumps({"version": version, "processor": platform.machine(), "passed": passed, "failures": failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
