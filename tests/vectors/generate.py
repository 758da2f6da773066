"""Writes the vector files: runs SkyPilot on every input and records what it answers.

    python tests/vectors/generate.py            write the files
    python tests/vectors/generate.py --check    compare them with what would be written

Inputs are fixed or come from seeded generators, so two runs write the same bytes. ``README.md`` describes the format;
``make derived`` makes the sample in the wheel. Needs Linux, root and ``unshare`` for the two functions that read
cgroup files (``namespace.py``).
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import container_cases
import file_cases
import forms
import namespace
import oracle
import pure_cases
import system_cases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
CANNOT_CHECK = 77

FORMS = [
    "Written by generate.py, never by hand; README.md beside it describes the format and who reads it.",
    "A value is plain JSON, or an object for what JSON lacks: {'int': hex} beyond 2^53, {'f64': the 64 bits in hex, "
    "'repr'}, {'utf8': hex} a text with lone surrogates as three bytes each, {'bytes': hex}.",
    "A case has 'expect', or 'raises' with the exception's type and message (none: only the type is fixed).",
    "'python_only' is true where the artifact is not asked or answers that it leaves the call to Python (status -1).",
]
CONTENT = (
    "'content' is the file, a recipe or a list of recipes to be joined: {'hex'}, {'repeat': hex, 'times'}, "
    "{'ramp': length} with byte i = i mod 251."
)
FACTS = (
    "'facts' is what the machine answers; a host function whose fact is left out must not be called. null is 'the "
    "system does not tell'. 'files' are cgroup files by name; one that is not there cannot be read (error number 2)."
)
COMMENTS = {
    "base36_encode": "'args': the hex text.",
    "format_float": "'args': the number, the precision.",
    "truncate_long_string": "'args': the text, max_length, truncate_middle.",
    "hash_file": CONTENT + " 'number' is the algorithm's number inside the artifact; 'length' the digest's where that "
    "is free. 'expect' is the digest in hex. 'artifact_only': hashlib does not know the algorithm, so the backend "
    "python refuses it with ValueError.",
    "read_last_n_lines": CONTENT + " 'start' is the offset at which the last n lines begin, which is what the "
    "artifact finds; 'expect' are the decoded lines.",
    "find_free_port": FACTS + " 'args': the start. 'taken': first and last of each range of ports that cannot be bound "
    "(error number 98).",
    "get_cpu_count": FACTS + " 'environment': variables to set.",
    "get_mem_size_gb": FACTS + " 'environment': variables to set. 'meminfo': the text of /proc/meminfo.",
    "get_parallel_threads": FACTS + " 'args': the cloud.",
    "get_max_workers_for_file_mounts": FACTS + " 'args': the cloud. 'dir_entries': entries of each mount's source in "
    "turn, null for what is no directory.",
    "is_process_alive": FACTS + " 'args': the pid. 'process_signal': error number of kill(pid, 0), 0 for success. Not "
    "in SkyPilot: the rule is the project's own.",
    "estimate_fd_for_directory": FACTS + " 'dir_entries': entries of the directory. Not in SkyPilot: the rule is the "
    "project's own.",
}


def _algorithms() -> list[tuple[int, str, int, int]]:
    """The artifact's algorithms, out of the module's own table."""
    sys.path.insert(0, str(ROOT))
    from skywasm.functions import hashing

    return [(row.number, row.name, row.digest_size, row.block_size) for row in hashing.ALGORITHMS]


def _rng(function: str) -> random.Random:
    return random.Random(f"skywasm vectors: {function}")


def all_cases() -> dict[str, list[Case]]:
    """Every case of every function, with SkyPilot's answers."""
    lists = {
        "base36_encode": pure_cases.base36_encode(_rng("base36_encode")),
        "format_float": pure_cases.format_float(_rng("format_float")),
        "truncate_long_string": pure_cases.truncate_long_string(_rng("truncate_long_string")),
        "hash_file": file_cases.hash_file(_algorithms()),
        "read_last_n_lines": file_cases.read_last_n_lines(_rng("read_last_n_lines")),
        "find_free_port": system_cases.find_free_port(_rng("find_free_port")),
        "get_cpu_count": container_cases.get_cpu_count(_rng("get_cpu_count")),
        "get_mem_size_gb": container_cases.get_mem_size_gb(_rng("get_mem_size_gb")),
        "get_parallel_threads": system_cases.get_parallel_threads(),
        "get_max_workers_for_file_mounts": system_cases.get_max_workers_for_file_mounts(_rng("mounts")),
        "is_process_alive": system_cases.is_process_alive(),
        "estimate_fd_for_directory": system_cases.estimate_fd_for_directory(),
    }
    container = {name: lists[name] for name in ("get_cpu_count", "get_mem_size_gb")}
    for name, outcomes in namespace.answers(container).items():
        for case, outcome in zip(lists[name], outcomes):
            case.update(outcome)
            if "raises" in outcome:
                case["python_only"] = True
    return lists


def texts() -> dict[Path, str]:
    """What every file should hold."""
    lists = all_cases()
    python = ".".join(map(str, sys.version_info[:2]))
    head = {"skypilot": oracle.RELEASE, "python": python}
    files = {}
    for name, cases in lists.items():
        comment = {"_comment": [*FORMS, COMMENTS[name]], "function": name, **head}
        files[forms.FOLDER / f"{name}.json"] = forms.dump(comment, {"cases": cases})
    return files


def main() -> int:
    """Writes or checks; the number of files that differ, ``CANNOT_CHECK`` where this machine cannot run it all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    problem = namespace.missing()
    if problem:
        print(f"vectors cannot be made here: {problem}")
        return CANNOT_CHECK
    stale = 0
    for path, text in texts().items():
        if not check:
            path.write_text(text, "ascii")
        elif not path.exists() or path.read_text("ascii") != text:
            print(f"{path.name} is not what generate.py would write")
            stale += 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
