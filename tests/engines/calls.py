"""From the vectors to plain calls of the artifact's exports, which a runner in any language can replay.

Every expected answer is the vector's, recorded from SkyPilot; nothing here asks the artifact. The file is JSON:

- ``again``, ``host_failed``: the two numbers of the calling convention that a runner needs. Numbers of 64 bits are
  decimal texts throughout, because not every JSON reader keeps them.
- ``blobs``: byte strings in hexadecimal; everywhere else bytes are given by their place in this list.
- ``cases``: ``name``; ``kind``: ``answer``, ``refusal`` (the artifact must leave the case to Python) or ``batch``;
  ``host``: what the imports answer; ``calls``, made one after the other.
- An import's answer in ``host`` is looked up by its second argument, the one behind NO_ANSWER: ``ranges`` of
  ``[first, last, answer]``, then ``else``. An answer is a number, ``{"text": blob}`` to be written to the room that
  the arguments name, or ``{"file": blob}`` to be read on from call to call; both return the length. An import that
  has no answer must not be called: that fails the case.
- A call has ``export`` and ``arguments`` (three; null is the length of the input), and may have ``input``: blobs,
  or ``"output"`` for the bytes that the call before gave, to be joined. It is repeated with the fourth argument 1 while
  the result is ``again``.
- It expects ``number``, the result itself; or ``bytes``, a blob that the result names; or, with neither, any bytes at
  all (a hash's state, which only the artifact understands). ``memory`` is a blob that the input buffer must begin with
  after the call.
"""

from __future__ import annotations

import struct

from vectors import forms

from skywasm import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Case = dict[str, Any]

NO_ENTRY = -2
ADDRESS_IN_USE = -98
# The scan gets windows of at most so many bytes, as the package asks for them.
WINDOW = 1024 * 1024
PYTHON_ONLY = "python_only"


class Blobs:
    """Byte strings, each kept once."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}

    def add(self, data: bytes) -> int:
        return self.places.setdefault(data, len(self.places))


def call(export: str, *arguments: int | None, **rest: Any) -> Case:
    """A call; of its three arguments those that are left out are 0."""
    padded = [*arguments, 0, 0, 0][:3]
    return {"export": export, "arguments": [None if one is None else str(one) for one in padded], **rest}


def text_bytes(form: Any) -> bytes | None:
    """A text as it crosses; None for what is no text."""
    value = forms.decode(form)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None


def bits(double: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", double))[0])


# --- what the machine answers


def _numbers(values: list[int]) -> list[Any]:
    return [[place, place, str(value)] for place, value in enumerate(values)]


def _texts(files: Case, names: dict[int, str], blobs: Blobs) -> list[Any]:
    present = [(number, name) for number, name in names.items() if name in files]
    return [[number, number, {"text": blobs.add(forms.fact_bytes(files[name]))}] for number, name in present]


def host(facts: Case, must: bool, blobs: Blobs) -> Case:
    """The imports' answers for a case's facts. ``must`` says that a missing directory is a failure."""
    answers: Case = {}
    for name in ("cpu_online", "cpu_affinity", "cpu_count"):
        if name in facts:
            answers[name] = {"else": "-1" if facts[name] is None else str(forms.decode(facts[name]))}
    if "process_signal" in facts:
        answers["process_signal"] = {"else": str(-facts["process_signal"])}
    if "cgroup_version" in facts:
        for name in ("cpu_cgroup_version", "memory_cgroup_version"):
            answers[name] = {"else": str(facts["cgroup_version"])}
        texts = _texts(facts["files"], _abi.CGROUP_FILES, blobs)
        if "meminfo" in facts:
            texts.append(
                [_abi.FACT_MEMINFO, _abi.FACT_MEMINFO, {"text": blobs.add(forms.fact_bytes(facts["meminfo"]))}]
            )
        answers["cpu_text"] = answers["memory_text"] = {"ranges": texts, "else": str(NO_ENTRY)}
    if "taken" in facts:
        answers["port_bind"] = {"ranges": [[*ends, str(ADDRESS_IN_USE)] for ends in facts["taken"]], "else": "0"}
    if "dir_entries" in facts:
        missing = _abi.HOST_FAILED if must else -1
        entries = [missing if count is None else count for count in facts["dir_entries"]]
        answers["dir_entries"] = {"ranges": _numbers(entries)}
    if "open_files_limit" in facts:
        digits = b"%d" % forms.decode(facts["open_files_limit"])
        answers["limits_open_files"] = {"else": {"text": blobs.add(digits)}}
    return answers


# --- one function each: the calls of a case, or None where the artifact is not asked


def _refusable(case: Case, blobs: Blobs, encoded: Callable[[Any], bytes]) -> Case:
    """What a call that gives bytes is held to: the refusal, or the recorded result."""
    return {"number": str(_abi.E_INPUT)} if PYTHON_ONLY in case else {"bytes": blobs.add(encoded(case["expect"]))}


def base36_encode(case: Case, blobs: Blobs) -> list[Case] | None:
    digits = text_bytes(case["args"][0])
    if digits is None:
        return None
    want = _refusable(case, blobs, str.encode)
    return [call("sky_base36_encode", None, input=[blobs.add(digits)], **want)]


def format_float(case: Case, blobs: Blobs) -> list[Case] | None:
    number, precision = (forms.decode(form) for form in case["args"])
    if type(number) is not float or type(precision) is not int or abs(precision) > _abi.I64_MAX:
        return None
    # An integral value needs no precision, so the artifact answers with any, though it is not asked.
    if PYTHON_ONLY in case and number.is_integer():
        return None
    want = _refusable(case, blobs, str.encode)
    return [call("sky_format_float", bits(number), precision, **want)]


def truncate_long_string(case: Case, blobs: Blobs) -> list[Case] | None:
    if PYTHON_ONLY in case:
        return None
    text, length, middle = case["args"]
    want = {"bytes": blobs.add(text_bytes(case["expect"]) or b"")}
    data = blobs.add(text_bytes(text) or b"")
    return [call("sky_truncate_long_string", None, forms.decode(length), int(middle), input=[data], **want)]


def hash_file(case: Case, blobs: Blobs) -> list[Case] | None:
    """Both roads: read through the host, and handed over in two parts. Each ends in the recorded digest."""
    if PYTHON_ONLY in case:
        return None
    data, number = forms.content(case["content"]), case["number"]
    parts = [blobs.add(data[: len(data) // 2]), blobs.add(data[len(data) // 2 :])]
    want = {"bytes": blobs.add(bytes.fromhex(case["expect"]))}
    digest = call("sky_hash_digest", None, number, case.get("length", 0), input=["output"], **want)
    return [
        call("sky_hash_file", 0, number),
        digest,
        call("sky_hash_update", None, number, 0, input=parts[:1]),
        call("sky_hash_update", None, number, 1, input=["output", parts[1]]),
        digest,
    ]


def read_last_n_lines(case: Case, blobs: Blobs) -> list[Case] | None:
    """Windows from the file's end, as the package reads them, until the recorded start is reached."""
    if PYTHON_ONLY in case:
        return None
    data, start = forms.content(case["content"]), case["start"]
    # The newline that ends the last line does not begin another.
    wanted = forms.decode(case["n"]) + data.endswith(b"\n")
    calls, end = [], len(data)
    while end > 0 and wanted > 0:
        at = max(end - WINDOW, 0)
        # The newline before the first line is the last that is found.
        reached = at < start
        found = data.count(b"\n", max(at, start - 1), end)
        want = struct.pack("<QQ", found, start - at if reached else 0)
        window = blobs.add(data[at:end])
        calls.append(call("sky_read_last_n_lines", None, wanted, input=[window], bytes=blobs.add(want)))
        wanted -= found
        end = at
        if reached:
            break
    return calls or [call("sky_read_last_n_lines", None, wanted, input=[blobs.add(b"")], bytes=blobs.add(bytes(16)))]


def find_free_port(case: Case, blobs: Blobs) -> list[Case] | None:
    start = case["args"][0]
    if type(start) is not int:
        return None
    want = str(_abi.E_INPUT) if PYTHON_ONLY in case else str(case["expect"])
    return [call("sky_find_free_port", start, number=want)]


def _of_the_machine(export: str, layout: str) -> Callable[[Case, Blobs], list[Case] | None]:
    def calls(case: Case, blobs: Blobs) -> list[Case] | None:
        # A variable that overrides the machine is read in Python.
        if "environment" in case:
            return None
        return [call(export, **_refusable(case, blobs, lambda result: struct.pack(layout, forms.decode(result))))]

    return calls


def _cloud(case: Case, blobs: Blobs) -> list[int]:
    return [blobs.add(text_bytes(case["args"][0]) or b"")]


def get_parallel_threads(case: Case, blobs: Blobs) -> list[Case] | None:
    if PYTHON_ONLY in case:
        return None
    return [call("sky_get_parallel_threads", None, input=_cloud(case, blobs), number=str(case["expect"]))]


def get_max_workers_for_file_mounts(case: Case, blobs: Blobs) -> list[Case] | None:
    if PYTHON_ONLY in case:
        return None
    mounts, want = len(case["facts"]["dir_entries"]), str(case["expect"])
    return [call("sky_get_max_workers_for_file_mounts", None, mounts, input=_cloud(case, blobs), number=want)]


def is_process_alive(case: Case, blobs: Blobs) -> list[Case] | None:
    if PYTHON_ONLY in case:
        return None
    return [call("sky_is_process_alive", forms.decode(case["args"][0]), number=str(int(case["expect"])))]


def estimate_fd_for_directory(case: Case, blobs: Blobs) -> list[Case] | None:
    # No directory: the host function fails, with the exception that counts.
    want = _abi.E_HOST if PYTHON_ONLY in case else case["expect"]
    return [call("sky_estimate_fd_for_directory", 0, number=str(want))]


FUNCTIONS: dict[str, Callable[[Case, Blobs], list[Case] | None]] = {
    "base36_encode": base36_encode,
    "estimate_fd_for_directory": estimate_fd_for_directory,
    "find_free_port": find_free_port,
    "format_float": format_float,
    "get_cpu_count": _of_the_machine("sky_get_cpu_count", "<q"),
    "get_max_workers_for_file_mounts": get_max_workers_for_file_mounts,
    "get_mem_size_gb": _of_the_machine("sky_get_mem_size_gb", "<d"),
    "get_parallel_threads": get_parallel_threads,
    "hash_file": hash_file,
    "is_process_alive": is_process_alive,
    "read_last_n_lines": read_last_n_lines,
    "truncate_long_string": truncate_long_string,
}


def _replayed(function: str, place: int, case: Case, blobs: Blobs) -> Case | None:
    calls = FUNCTIONS[function](case, blobs)
    if calls is None:
        if PYTHON_ONLY not in case:
            raise ValueError(f"tests/vectors/{function}.json: case {place} crosses, but makes no call: {case}")
        return None
    answers = host(case.get("facts", {}), function == "estimate_fd_for_directory", blobs)
    if function == "hash_file":
        answers["file_read"] = {"else": {"file": blobs.add(forms.content(case["content"]))}}
    kind = "refusal" if PYTHON_ONLY in case else "answer"
    return {"name": f"{function} {place}", "function": function, "kind": kind, "host": answers, "calls": calls}


def of_vectors(blobs: Blobs, every: int = 1) -> tuple[list[Case], int]:
    """The cases of all vector files, and how many cases Python answers without asking the artifact.

    Args:
        blobs: takes the byte strings.
        every: 1 for all cases, else a sample: each ``every``-th of a function.
    """
    cases, apart = [], 0
    for path in sorted(forms.FOLDER.glob("*.json")):
        function = path.stem
        if function not in FUNCTIONS:
            raise ValueError(
                f"{path.name} is a function that tests/engines/calls.py does not know; add it to FUNCTIONS"
            )
        for place, case in enumerate(forms.read(function)["cases"]):
            if place % every:
                continue
            replayed = _replayed(function, place, case, blobs)
            apart += replayed is None
            cases += [replayed] if replayed else []
    return cases, apart


def document(cases: list[Case], blobs: Blobs) -> Case:
    """The file for the runners."""
    return {
        "again": str(_abi.AGAIN),
        "host_failed": str(_abi.HOST_FAILED),
        "blobs": [data.hex() for data in blobs.places],
        "cases": cases,
    }
