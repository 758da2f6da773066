"""Runs the known answers of ``vectors.json`` through the sandbox, for ``skywasm check``.

The file describes its format in its first entry. A case may name what the machine answers; for such a case the
functions of ``host_shims`` are replaced while it runs, so that every machine gives the same answers.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import struct
import tempfile

from host_shims import facts
from skywasm.functions import ROWS
from skywasm.routes import bind, core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from skywasm.functions.declare import Row

VECTORS = "vectors.json"

# Variables of this beginning change what functions answer.
_VARIABLES = "SKYPILOT_POD_"
_PLAIN_FACTS = ("process_signal", "cpu_online", "cpu_affinity", "cpu_count", "cgroup_version", "open_files_limit")
# What a case says beside arguments.
_ABOUT_THE_CASE = {
    "args",
    "artifact_only",
    "content",
    "environment",
    "expect",
    "facts",
    "note",
    "python_only",
    "raises",
}
# No such paths exist, so what is no directory among the facts is none for the operating system either.
_SOURCE = os.path.join(os.sep, "skywasm-check", "nothing", "{}")


class Tally:
    """How many cases were right, how many of them were answered inside the artifact, and what was wrong."""

    def __init__(self) -> None:
        self.cases = 0
        self.crossing = 0
        self.wrong: list[str] = []


def run() -> Tally:
    """Runs every case.

    Raises:
        CoreUnavailableError: there is no such file in the package.
        ValueError: the file is damaged.
    """
    vectors = json.loads(core.package_data(VECTORS))
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="skywasm-check-") as folder:
        path = os.path.join(folder, "content")
        for row in ROWS:
            function = bind.crossing(row, forced=True)
            for case in vectors[row.name]:
                _run_case(row, function, case, path, tally)
    return tally


def _run_case(row: Row, function: Any, case: dict[str, Any], path: str, tally: Tally) -> None:
    with _environment(case.get("environment", {})), _machine(case.get("facts")):
        try:
            answer = _digested(function(*_arguments(row, case, path)), case)
        except Exception as error:
            right = type(error).__name__ == case.get("raises", {}).get("type")
            got = f"{type(error).__name__}: {error}"
        else:
            right = "expect" in case and _same(answer, _decoded(case["expect"]))
            got = repr(answer)
    tally.cases += 1
    tally.crossing += not case.get("python_only", False)
    if not right:
        wanted = repr(_decoded(case["expect"])) if "expect" in case else case["raises"]["type"]
        tally.wrong.append(f"{row.name}: wanted {wanted[:60]}, got {got[:60]}")


def _arguments(row: Row, case: dict[str, Any], path: str) -> list[Any]:
    """The arguments of all parameters: those that are named by the case or stand for something there, then ``args``."""
    named = _named(case, path)
    code, defaults = row.reference.__code__, bind.defaults(row)
    given = iter(_decoded(case.get("args", [])))
    parameters = code.co_varnames[: code.co_argcount]
    return [named[name] if name in named else next(given, defaults.get(name)) for name in parameters]


def _named(case: dict[str, Any], path: str) -> dict[str, Any]:
    """Arguments by the name of the parameter."""
    named = {name: _decoded(value) for name, value in case.items() if name not in _ABOUT_THE_CASE}
    if "algorithm" in named:
        named["hash_alg"] = named["algorithm"]
    if "content" in case:
        with open(path, "wb") as file:
            file.write(_content(case["content"]))
        named["path"] = named["file_path"] = path
    entries = case.get("facts", {}).get("dir_entries")
    if entries is not None:
        sources = [_SOURCE.format(number) for number in range(len(entries))]
        named["path"] = sources[0] if sources else ""
        named["common_file_mounts"] = {f"/remote{source}": source for source in sources}
    return named


def _digested(answer: Any, case: dict[str, Any]) -> Any:
    """The answer; of a hash object the digest."""
    if not hasattr(answer, "hexdigest"):
        return answer
    return answer.hexdigest(case["length"]) if "length" in case else answer.hexdigest()


def _same(answer: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(answer, float) and math.isnan(answer)
    return type(answer) is type(wanted) and bool(answer == wanted)


def _decoded(form: Any) -> Any:
    """The Python value of a JSON form."""
    if isinstance(form, list):
        return [_decoded(item) for item in form]
    if not isinstance(form, dict):
        return form
    if "int" in form:
        return int(form["int"], 16)
    if "f64" in form:
        return struct.unpack(">d", bytes.fromhex(form["f64"]))[0]
    if "utf8" in form:
        return bytes.fromhex(form["utf8"]).decode("utf-8", "surrogatepass")
    return bytes.fromhex(form["bytes"])


def _content(recipe: Any) -> bytes:
    """The bytes of a file."""
    if isinstance(recipe, list):
        return b"".join(map(_content, recipe))
    if "hex" in recipe:
        return bytes.fromhex(recipe["hex"])
    if "repeat" in recipe:
        return bytes.fromhex(recipe["repeat"]) * int(recipe["times"])
    return bytes(number % 251 for number in range(recipe["ramp"]))


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """The pod's variables as the case has them, and no others."""
    changed = {*variables, *(name for name in os.environ if name.startswith(_VARIABLES))}
    before = {name: os.environ.pop(name, None) for name in changed}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def _machine(answers: dict[str, Any] | None) -> Iterator[None]:
    """The machine as the case has it; left alone when the case says nothing of it."""
    if answers is None:
        yield
        return
    replaced = _Machine(answers).functions()
    before = {name: getattr(facts, name) for name in replaced}
    try:
        for name, function in replaced.items():
            setattr(facts, name, function)
        yield
    finally:
        for name, function in before.items():
            setattr(facts, name, function)


class _Machine:
    """Functions of ``host_shims`` that answer from a case's facts."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self._bind = facts.port_bind

    def functions(self) -> dict[str, Any]:
        """The replacements by name."""
        named = {name: self._plain(name) for name in _PLAIN_FACTS}
        asked = (self.cgroup_text, self.meminfo, self.entry_count, self.port_bind)
        return {**named, **{function.__name__: function for function in asked}}

    def _plain(self, name: str) -> Any:
        return lambda *_: _decoded(self._answers[name])

    def meminfo(self) -> bytes:
        text: str = self._answers["meminfo"]
        return text.encode()

    def cgroup_text(self, name: str) -> bytes:
        text = _decoded(self._answers["files"].get(name))
        if text is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return text if isinstance(text, bytes) else text.encode()

    def entry_count(self, path: Any) -> int:
        count: int | None = self._answers["dir_entries"][int(os.path.basename(path))]
        if count is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return count

    def port_bind(self, probe: Any, port: int) -> int:
        if not 0 <= port < 2**16:
            # What is no port is refused by the real function.
            return self._bind(probe, port)
        return errno.EADDRINUSE if any(first <= port <= last for first, last in self._answers["taken"]) else 0
