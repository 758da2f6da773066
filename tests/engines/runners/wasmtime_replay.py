"""Replays calls with wasmtime-py: natively, with Pulley, and on aarch64 under an emulator.

    python wasmtime_replay.py CORE_WASM CALLS_JSON [TARGET]

Prints one line of JSON. It needs wasmtime and, on the path for modules, skywasm: the engine has the configuration
that the package gives it. ``tests/engines/calls.py`` describes the calls.
"""

from __future__ import annotations

import json
import platform
import struct
import sys

import wasmtime

from skywasm.crossing.engine import setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NEVER = 2**62
_U32 = 0xFFFFFFFF
_SLOTS = 8
# Sizes of the static regions: the windows for input and output, the cells.
_REGIONS = (32 * 1024, 64 * 1024, 16 * 8)
_IN_WINDOW = 2**29
_REFUSED, _AGAIN, _ASK = -1, -(2**32), -(2**32) - 1
_REQUEST_CELL, _ARGUMENT_CELL = 1, 2
_UNIFORM = (["i64"] * _SLOTS, ["i64"])


class Mismatch(Exception):
    """The artifact's answer is not the recorded one."""


class Guest:
    """One instance of the artifact."""

    def __init__(self, engine: Any, module: Any, document: dict[str, Any]) -> None:
        self.blobs: list[bytes] = document["blobs"]
        self.requests = document["requests"]
        self.store = wasmtime.Store(engine)
        self.store.set_epoch_deadline(_NEVER)
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self.memory = self.exports["memory"]
        if "_initialize" in self.exports:
            self.exports["_initialize"](self.store)
        self.regions = [self.invoke("skywasm.buffers", which) for which in range(len(_REGIONS))]
        for address, size in zip(self.regions, _REGIONS):
            self.bytes_at(address, size)
        self.output = b""
        self.host: dict[str, Any] = {}
        self.position = 0

    def invoke(self, export: str, *slots: int) -> int:
        function = self.exports.get(export)
        if function is None:
            raise Mismatch("there is no such export")
        return int(function(self.store, *slots, *[0] * (_SLOTS - len(slots))))

    def bytes_at(self, pointer: int, length: int) -> bytes:
        if not 0 <= pointer <= pointer + length <= self.memory.data_len(self.store):
            raise Mismatch(f"{length} bytes at {pointer} lie outside the memory")
        return bytes(self.memory.read(self.store, pointer, pointer + length))

    def cells(self) -> tuple[int, ...]:
        return struct.unpack("<16q", self.bytes_at(self.regions[2], _REGIONS[2]))

    def problem(self, case: dict[str, Any]) -> str | None:
        """Makes a case's calls; what is wrong with the first that is not as recorded."""
        self.host, self.position, export = case["host"], 0, ""
        try:
            for call in case["calls"]:
                export = call["export"]
                self.call(call)
        except (Mismatch, wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return f"{export}: {error}"
        return None

    def call(self, call: dict[str, Any]) -> None:
        """Makes a call and compares."""
        data = b"".join(self.output if part == "output" else self.blobs[part] for part in call["input"])
        large = self.invoke("skywasm.reserve", len(data)) if len(data) > _REGIONS[0] else 0
        address = large or self.regions[0]
        self.bytes_at(address, len(data))
        self.memory.write(self.store, data, address)
        slots = [len(data) if text is None else int(text) for text in call["slots"]]
        result = self.finished(self.invoke(call["export"], *slots, *[0] * (_SLOTS - 1 - len(slots)), large))
        self.compare(call, result)
        if "input_after" in call:
            self.compare_bytes("the input afterwards", address, call["input_after"])
        if large:
            self.invoke("skywasm.reserve", 0)

    def finished(self, result: int) -> int | str:
        """Goes on until there is a result, or the host raises."""
        while result in (_AGAIN, _ASK):
            answer = self.answer() if result == _ASK else 0
            if answer is None:
                return "raised"
            result = self.invoke("skywasm.resume", answer)
        return result

    def answer(self) -> int | None:
        """The host's answer to the request in the cells; None where it raises."""
        cells = self.cells()
        number, key = str(cells[_REQUEST_CELL]), cells[_ARGUMENT_CELL]
        request = self.requests.get(number, {"name": f"request {number}"})
        found = [one for first, last, one in self.host.get(number, ()) if int(first) <= key <= int(last)]
        if not found:
            raise Mismatch(f"{request['name']}({key}) was asked, and the case has no answer")
        if not isinstance(found[0], dict):
            return None if found[0] is None else int(found[0])
        pointer, room = cells[request["room"] : request["room"] + 2]
        self.bytes_at(pointer, room)
        ((form, blob),) = found[0].items()
        start = self.position if form == "file" else 0
        data = self.blobs[blob][start : start + room]
        self.position += len(data) if form == "file" else 0
        self.memory.write(self.store, data, pointer)
        return len(data)

    def compare(self, call: dict[str, Any], result: int | str) -> None:
        if call.get("refusable") and result == _REFUSED:
            return
        if "result" in call:
            if str(result) != call["result"]:
                raise Mismatch(f"{result} instead of {call['result']}")
        elif isinstance(result, str) or result < 0:
            raise Mismatch(f"{result} instead of bytes")
        else:
            self.compare_output(result, call["bytes"])
        cells = self.cells()
        for cell, want in call.get("cells", {}).items():
            if cells[int(cell)] != int(want):
                raise Mismatch(f"{cells[int(cell)]} instead of {want} in cell {cell}")
        for cell, blob in call.get("pointed", {}).items():
            self.compare_bytes(f"what cell {cell} names", cells[int(cell)], blob)

    def compare_output(self, result: int, blob: int | None) -> None:
        pointer, length = result >> 32, result & _U32
        if pointer == 0:
            pointer, length = self.regions[1], length - _IN_WINDOW
            if not 0 <= length <= _REGIONS[1]:
                raise Mismatch(f"{length} bytes cannot be in the window")
        self.output = self.bytes_at(pointer, length)
        if blob is not None and self.output != self.blobs[blob]:
            raise Mismatch(f"{self.output[:40]!r} instead of {self.blobs[blob][:40]!r}")

    def compare_bytes(self, what: str, pointer: int, blob: int) -> None:
        want = self.blobs[blob]
        if self.bytes_at(pointer, len(want)) != want:
            raise Mismatch(f"{what} differs from what was recorded")


def broken_promise(module: Any) -> str | None:
    """What the module has that it must not have."""
    for entry in module.imports:
        return f"the artifact imports {entry.module}.{entry.name}"
    for entry in module.exports:
        kind = entry.type
        signature = [list(map(str, part)) for part in (getattr(kind, "params", ()), getattr(kind, "results", ()))]
        wanted = {"memory": [[], []], "_initialize": [[], []]}.get(entry.name, list(_UNIFORM))
        if signature != wanted or isinstance(kind, wasmtime.MemoryType) != (entry.name == "memory"):
            return f"the artifact's export {entry.name} is of another type"
    return None


def config(target: str | None) -> Any:
    """The package's configuration, for another target than this machine where one is named."""
    made = wasmtime.Config()
    for name, value in setup.CONFIGURATION:
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
    guest = Guest(engine, module, document) if broken_promise(module) is None else sys.exit(broken_promise(module))
    regions = guest.regions
    passed, failures = {"answer": 0, "refusal": 0, "batch": 0}, []
    for case in document["cases"]:
        problem = guest.problem(case)
        if problem:
            failures.append(f"{case['name']}: {problem}")
            guest = Guest(engine, module, document)
        else:
            passed[case["kind"]] += 1
    if Guest(engine, module, document).regions != regions or guest.regions != regions:
        sys.exit("the windows are not where they are in another instance")
    version = setup.wasmtime_version(setup.wasmtime_package())
    print(json.dumps({"version": version, "processor": platform.machine(), "passed": passed, "failures": failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
