"""What the machine of a case answers: its facts, as ``tests/vectors/README.md`` describes them, by request.

A request whose fact bears its name needs no line here.
"""

from __future__ import annotations

from vectors import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from engines.calls import Blobs
    from skywasm.crossing.interface import Interface, Request

    Case = dict[str, Any]
    Ranges = list[tuple[str, str, Any]]

NO_ENTRY = -2
ADDRESS_IN_USE = -98
UNKNOWN = -1
MEMINFO = 4
FILES = {
    1: "cpu.max",
    2: "cpu/cpu.cfs_quota_us",
    3: "cpu/cpu.cfs_period_us",
    5: "memory.max",
    6: "memory/memory.limit_in_bytes",
}
# The fact of a request that is called otherwise.
FACTS = {
    "cpu_cgroup_version": "cgroup_version",
    "cpu_text": "files",
    "limits_open_files": "open_files_limit",
    "memory_cgroup_version": "cgroup_version",
    "memory_text": "files",
    "port_bind": "taken",
}


def _always(answer: Any) -> tuple[str, str, Any]:
    return str(-(2**63)), str(2**63 - 1), answer


def _only(key: int, answer: Any) -> tuple[str, str, Any]:
    return str(key), str(key), answer


def raises(case: Case) -> bool:
    """Whether what a case raises is raised by the host: a directory is missing that must be there."""
    return "raises" in case and None in case.get("facts", {}).get("dir_entries", ())


def _texts(case: Case, blobs: Blobs) -> Ranges:
    facts = case["facts"]
    known = {number: facts["files"][name] for number, name in FILES.items() if name in facts["files"]}
    if "meminfo" in facts:
        known[MEMINFO] = facts["meminfo"]
    there = [_only(number, {"text": blobs.add(forms.fact_bytes(text))}) for number, text in known.items()]
    return [*there, _always(str(NO_ENTRY))]


def _ports(case: Case, blobs: Blobs) -> Ranges:
    taken = [(str(first), str(last), str(ADDRESS_IN_USE)) for first, last in case["facts"]["taken"]]
    return [*taken, _always("0")]


def _entries(case: Case, blobs: Blobs) -> Ranges:
    missing = None if raises(case) else str(UNKNOWN)
    counts = enumerate(case["facts"]["dir_entries"])
    return [_only(handle, missing if count is None else str(count)) for handle, count in counts]


# Facts that are no plain answers.
_FORMS: dict[str, Callable[[Case, Blobs], Ranges]] = {
    "cpu_text": _texts,
    "dir_entries": _entries,
    "memory_text": _texts,
    "port_bind": _ports,
    "process_signal": lambda case, blobs: [_always(str(-case["facts"]["process_signal"]))],
}


def _plain(request: Request, fact: Any, blobs: Blobs) -> Ranges:
    """A fact that is the answer: a number, or a text where the request has room for one."""
    value = forms.decode(fact)
    if value is None:
        return [_always(str(UNKNOWN))]
    if any(kind == "room" for _, kind in request.parameters):
        return [_always({"text": blobs.add(value if isinstance(value, bytes) else str(value).encode())})]
    return [_always(str(int(value)))]


def host(case: Case, interface: Interface, blobs: Blobs) -> dict[str, Ranges]:
    """The answers to what the artifact may ask in a case, by the request's number."""
    answers = {}
    for number, request in interface.requests.items():
        fact = FACTS.get(request.name, request.name)
        if request.name == "file_read" and "content" in case:
            answers[str(number)] = [_always({"file": blobs.add(forms.content(case["content"]))})]
        elif fact in case.get("facts", {}):
            form = _FORMS.get(request.name)
            answers[str(number)] = (
                form(case, blobs) if form is not None else _plain(request, case["facts"][fact], blobs)
            )
    return answers
