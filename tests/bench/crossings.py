"""The crossing beside an earlier one, in one process: ``python tests/bench/crossings.py [REVISION] [--update PAGE]``.

Takes the package of an earlier revision out of git under another name, so that both run side by side, checks that both
answer alike, and prints the table of docs/BENCHMARKS.md. Times are minima of interleaved repeats.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import timeit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEFORE = "6508325"
_REPEATS = 200
_REPEAT_S = 0.001
_BEGIN, _END = "<!-- crossings: begin -->", "<!-- crossings: end -->"
_DIGITS = "d41d8cd98f00b204e9800998ecf8427e"
_TEXT = ("Launching a cluster named train with 8 nodes on the first cloud that has them " * 3)[:200]


class Side:
    """What is timed of one version: a statement and its names."""

    def __init__(self, statement: str, **names: Any) -> None:
        self.timer = timeit.Timer(statement, globals=names)
        self.answer = eval(statement.rpartition(";")[2].strip(), names)
        took = self.timer.timeit(3) / 3
        self.number = max(int(_REPEAT_S / took), 1)
        self.seconds: list[float] = []

    def run(self) -> None:
        """One repeat."""
        self.seconds.append(self.timer.timeit(self.number) / self.number)


class Row:
    """A comparison, and the most that the ratio may be; ``most_s`` bounds the time itself."""

    def __init__(self, what: str, before: Side, after: Side, most: float, most_s: float | None = None) -> None:
        self.what = what
        self.before = before
        self.after = after
        self.most = most
        self.most_s = most_s

    def line(self) -> str:
        """The row of the table."""
        old, new = min(self.before.seconds), min(self.after.seconds)
        spread = statistics.quantiles(self.after.seconds, n=4)[2] / new - 1
        asked = f"{self.most:.2f}" if self.most_s is None else f"at most {shown(self.most_s)}"
        return f"| {self.what} | {shown(old)} | {shown(new)} | {new / old:.2f} | {asked} | {spread:.0%} |"


def unpack(revision: str, folder: str) -> None:
    """The package of a revision as ``skywasm_before``, with its own host functions."""
    command = ["git", "-C", str(ROOT), "archive", revision, "skywasm", "host_shims"]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder)
    for path in pathlib.Path(folder).rglob("*.py"):
        path.write_text(re.sub(r"\b(skywasm|host_shims)\b(?!-|/)", r"\1_before", path.read_text()))
    for name in ("skywasm", "host_shims"):
        os.rename(os.path.join(folder, name), os.path.join(folder, name + "_before"))


def calls() -> Iterator[tuple[str, str, tuple[Any, ...], float]]:
    """Public calls in ``wasm`` mode: what, the function, its arguments, the ratio asked for."""
    odd = [f"{number:032x}" for number in range(10_000)]
    odd[5_000] = " 0xFF "
    yield "(str)->str, base36 of an MD5", "base36_encode", (_DIGITS,), 0.85
    yield "(str,int,bool)->str, truncate 200 characters", "truncate_long_string", (_TEXT,), 0.40
    yield "(float,int)->str", "format_float", (3.14159,), 0.40
    yield "host round trip, is_process_alive", "is_process_alive", (os.getpid(),), 0.70
    yield "a batch of one item", "batch.base36_encode", ([_DIGITS],), 0.40
    yield "a batch of 10,000 with one odd item", "batch.base36_encode", (odd,), 0.15


def wasm_rows(before: Any, after: Any) -> Iterator[Row]:
    """The rows for ``wasm`` mode."""
    raw, made = _before_internals(), _after_internals()
    yield Row("empty raw call", raw["call"], made["call"], 0.65)
    for what, name, arguments, most in calls():
        yield Row(what, *(_call(module, name, arguments) for module in (before, after)), most)
    yield Row("a new instance", raw["instance"], made["instance"], 0.20)
    yield Row("`fresh=True`: a new instance for every call", raw["instance"], made["fresh"], 1, 45e-6)


def python_rows(before: Any, after: Any) -> Iterator[Row]:
    """The rows where Python answers."""
    for what, name, arguments in (
        ("short `truncate_long_string`, Python", "truncate_long_string", ("sky launch",)),
        ("`format_float`, Python", "format_float", (3.14159,)),
    ):
        yield Row(what, *(_call(module, name, arguments) for module in (before, after)), 1.0)


def _call(module: Any, name: str, arguments: tuple[Any, ...]) -> Side:
    function = module
    for part in name.split("."):
        function = getattr(function, part)
    names = [f"a{index}" for index in range(len(arguments))]
    return Side(f"f({', '.join(names)})", f=function, **dict(zip(names, arguments)))


def _before_internals() -> dict[str, Side]:
    runtime = importlib.import_module("skywasm_before._runtime")
    instance, engine = runtime.borrow(), runtime.engine()
    return {
        "call": Side(
            "enter(*call)", enter=instance.keep_gil, call=instance.arguments["sky_abi_version"], kept=instance
        ),
        "instance": Side("make(engine) and None", make=runtime._instance, engine=engine),
    }


def _after_internals() -> dict[str, Side]:
    core = importlib.import_module("skywasm.routes.core")
    places = importlib.import_module("skywasm.crossing.instance")
    module = core.core()
    seat = module.borrow()
    call = seat[places.INSTANCE].bind(module.index("skywasm.buffers"))
    roads, calls = (importlib.import_module(f"skywasm.crossing.{name}") for name in ("roads", "calls"))
    content, digest = core.artifact()
    host = importlib.import_module("skywasm.machine").HOST
    fresh = importlib.import_module("skywasm.crossing.module").Module(
        content, "core.wasm", host, digest=digest, fresh=True
    )
    return {
        "call": Side("enter(*call)", enter=seat[places.ENTER], call=call, kept=seat),
        "instance": Side("make() and None", make=module.new_seat),
        "fresh": Side(
            "road(a) and None", road=roads.road(calls.Way(fresh, "base36_encode", None, True), {}), a=_DIGITS
        ),
    }


def shown(seconds: float) -> str:
    """A time with three digits."""
    for unit, size in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def imported(folder: str) -> Row:
    """``import skywasm`` in a new process each."""
    sides = []
    for name, path in (("skywasm_before", folder), ("skywasm", str(ROOT))):
        code = f"import sys; sys.path.insert(0, {path!r})\nimport time; b = time.perf_counter(); import {name}\n"
        code += "print(time.perf_counter() - b)"
        side = Side("None")
        side.seconds = []
        sides.append((side, code))
    # With compiled files, as an installed package has them.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(30):
        for side, code in sides:
            command = [sys.executable, "-c", code]
            run = subprocess.run(command, capture_output=True, check=True, cwd=folder, env=variables)
            side.seconds.append(float(run.stdout))
    return Row("`import skywasm`", sides[0][0], sides[1][0], 1.0)


def table(revision: str) -> str:
    """Measures, and gives the table."""
    lines = [
        f"CPython {sys.version.split()[0]} on {os.uname().machine}; before: revision {revision}.",
        "",
        "| call | before | now | times | asked | spread of now |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        unpack(revision, folder)
        sys.path[:0] = [str(ROOT), folder]
        versions = [importlib.import_module(name) for name in ("skywasm_before", "skywasm")]
        for version in versions:
            importlib.import_module(version.__name__ + ".batch")
        for mode, made in (("wasm", wasm_rows), ("python", python_rows)):
            for version in versions:
                version.set_backend(mode)
                version.warm_up()
            for row in made(*versions):
                if row.before.answer != row.after.answer:
                    raise AssertionError(f"{row.what}: {row.before.answer!r}, {row.after.answer!r}")
                for _ in range(_REPEATS):
                    row.before.run()
                    row.after.run()
                lines.append(row.line())
                print(lines[-1], file=sys.stderr, flush=True)
        lines.append(imported(folder).line())
    return "\n".join(lines)


def main() -> None:
    """Measures, prints the table, and puts it into a page where one is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("revision", nargs="?", default=BEFORE)
    parser.add_argument("--update", type=pathlib.Path, help="the page whose table is replaced")
    arguments = parser.parse_args()
    text = table(arguments.revision)
    print(text)
    if arguments.update is not None:
        page = arguments.update.read_text(encoding="utf-8")
        head, _, rest = page.partition(_BEGIN)
        arguments.update.write_text(f"{head}{_BEGIN}\n\n{text}\n\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
