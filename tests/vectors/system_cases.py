"""Cases of the functions that ask the machine. What the machine answers stands in the case, as ``facts``."""

from __future__ import annotations

import errno
import os
import random
import socket
import tempfile
from unittest import mock

import forms
from oracle import common_utils, subprocess_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

EPERM, ESRCH, EINVAL = 1, 3, 22
_LAST_PID = 2**31 - 1


def _case(args: list[Any], facts: Case, outcome: Case, crosses: bool = True) -> Case:
    case: Case = {"args": forms.encode(args), "facts": facts, **outcome}
    if not crosses or "raises" in case:
        case["python_only"] = True
    return case


# --- is_process_alive and estimate_fd_for_directory: not in SkyPilot, the rules are the project's own


def is_process_alive() -> list[Case]:
    """The rule of ``kill(pid, 0)``; a number that no process can have is never asked about."""
    cases = [
        _case([pid], {"process_signal": number}, {"expect": number in (0, EPERM)})
        for pid in (1, 2, 4242, 32768, 2**22, _LAST_PID)
        for number in (0, EPERM, ESRCH, EINVAL)
    ]
    impossible = (0, -1, -4242, -(2**31), 2**31, 2**31 + 1, 2**32 + 1, 2**53)
    beyond = (2**63 - 1, 2**63, 2**64 + 1, -(2**63), -(2**70), 10**30)
    cases += [_case([pid], {}, {"expect": False}, crosses=pid in impossible) for pid in (*impossible, *beyond)]
    cases.append(_case([False], {}, {"expect": False}, crosses=False))
    cases.append(_case([True], {"process_signal": 0}, {"expect": True}, crosses=False))
    for pid in ("1", 1.0, None, b"1", [1]):
        message = f"pid must be an int, not {type(pid).__name__}"
        cases.append(_case([pid], {}, {"raises": {"type": "TypeError", "message": message}}))
    return cases


def estimate_fd_for_directory() -> list[Case]:
    """Five an entry; what cannot be listed is an error."""
    cases = [_case([], {"dir_entries": [n]}, {"expect": 5 * n}) for n in (0, 1, 2, 10, 300, 65_536, 2**40)]
    return [*cases, _case([], {"dir_entries": [None]}, {"raises": {"type": "NotADirectoryError"}})]


# --- find_free_port


class _Socket(socket.socket):
    """A socket that finds the ports of a case taken and all others free; what is no port it refuses for real."""

    taken: tuple[range, ...] = ()

    def bind(self, address: Any) -> None:
        port = address[1]
        if isinstance(port, int) and 0 <= port <= 65_535:
            if any(port in ports for ports in self.taken):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            return
        super().bind(address)


def _port_case(start: Any, *taken: tuple[int, int]) -> Case:
    _Socket.taken = tuple(range(first, last + 1) for first, last in taken)
    with mock.patch("socket.socket", _Socket):
        outcome = forms.outcome(common_utils.find_free_port, start)
    crosses = type(start) is int and abs(start) <= forms.SAFE_INTEGER
    return _case([start], {"taken": [list(pair) for pair in taken]}, outcome, crosses)


def find_free_port(rng: random.Random) -> list[Case]:
    """The first free port from the start on; the last port of all is never tried."""
    cases = [_port_case(start) for start in (0, 1, 80, 8000, 46580, 65533, 65534)]
    cases += [_port_case(start) for start in (65535, 65536, 70000, 2**32 + 8000, 2**53, 2**63, 2**64, -1, -(2**40))]
    cases += [_port_case(start) for start in (8000.5, 8000.0, "8000", None, b"1", True, False)]
    cases += [_port_case(8000, (8000, last)) for last in (8000, 8001, 8199, 8510, 8511, 8512, 8513, 9023, 9024)]
    cases += [
        _port_case(65_000, (65_000, 65_533)),
        _port_case(65_000, (65_000, 65_534)),
        _port_case(65_534, (65_534, 65_534)),
    ]
    cases += [_port_case(0, (0, 1023)), _port_case(100, (200, 300)), _port_case(60_000, (0, 65_535))]
    for _ in range(40):
        start = rng.randrange(0, 65_535)
        taken, at = [], start
        for _ in range(rng.randrange(0, 5)):
            last = min(at + rng.randrange(0, 400), 65_535)
            taken.append((at, last))
            at = min(last + 1 + rng.randrange(0, 2), 65_535)
        cases.append(_port_case(start, *taken))
    return cases


# --- get_parallel_threads and get_max_workers_for_file_mounts

_CLOUDS = (
    *(None, "", "aws", "kubernetes", "Kubernetes", "KUBERNETES", "k8s", " kubernetes", "kubernetes\n", "kubernete"),
    *("\u212aubernetes", "kubernete\u017f", "\u043aubernetes", "kubernetes\u0307", "\ud800", "\u0130"),
)
_COUNTS = (None, 0, 1, 2, 4, 5, 6, 8, 64, 192, 1_000_000)


def get_parallel_threads() -> list[Case]:
    """One thread less than CPUs, at least four, four times that for Kubernetes."""
    cases = []
    for count in _COUNTS:
        with mock.patch("os.cpu_count", return_value=count):
            for cloud in _CLOUDS if count in (6, 64) else (None, "kubernetes"):
                outcome = forms.outcome(subprocess_utils.get_parallel_threads, cloud)
                cases.append(_case([cloud], {"cpu_count": count}, outcome))
            if count == 6:
                for cloud in (5, True, 0, False, b"kubernetes", b"", ["kubernetes"], []):
                    outcome = forms.outcome(subprocess_utils.get_parallel_threads, cloud)
                    cases.append(_case([cloud], {"cpu_count": count}, outcome, crosses=False))
    return cases


_LIMITS = (0, 99, 100, 104, 105, 110, 256, 1023, 1024, 20_000, 65_536, 1_073_741_816, 2**63 - 1, 2**63, 2**64 - 1, -1)
_MOUNTS: tuple[list[int | None], ...] = (
    [],
    [0],
    [1],
    [2],
    [10],
    [300, 10],
    [10, 300],
    [None],
    [None, 7, None],
    [2, 3, 1],
)


def _folders(top: str, mounts: list[int | None]) -> dict[str, str]:
    """Real folders of so many entries, some hidden, some folders themselves; None is a path that is none."""
    sources = {}
    for number, entries in enumerate(mounts):
        path = os.path.join(top, f"{number}-{entries}")
        sources[f"/remote/{number}"] = path
        if entries is not None:
            os.mkdir(path)
            for entry in range(entries):
                os.mkdir(os.path.join(path, f".{entry}"))
    return sources


def _mount_case(limit: Any, mounts: list[int | None], count: int | None, cloud: Any) -> Case:
    with tempfile.TemporaryDirectory() as top, mock.patch("os.cpu_count", return_value=count):
        sources = _folders(top, mounts)
        with mock.patch("resource.getrlimit", return_value=(limit, limit)):
            outcome = forms.outcome(subprocess_utils.get_max_workers_for_file_mounts, sources, cloud)
    facts = {"open_files_limit": forms.encode(limit), "dir_entries": mounts, "cpu_count": count}
    return _case([cloud], facts, outcome, crosses=cloud is None or isinstance(cloud, str))


def get_max_workers_for_file_mounts(rng: random.Random) -> list[Case]:
    """What the descriptor limit allows for the largest source, at most the number of threads."""
    cases = [_mount_case(limit, mounts, 64, None) for limit in _LIMITS for mounts in _MOUNTS]
    cases += [
        _mount_case(20_000, [10], count, cloud) for count in (None, 2, 64) for cloud in (None, "aws", "Kubernetes")
    ]
    cases += [_mount_case(1_024, [1], 64, cloud) for cloud in (5, b"kubernetes", 0, "\ud800")]
    for _ in range(40):
        mounts = [rng.choice((None, rng.randrange(0, 60))) for _ in range(rng.randrange(0, 6))]
        cases.append(
            _mount_case(rng.randrange(0, 5_000), mounts, rng.choice(_COUNTS), rng.choice((None, "kubernetes")))
        )
    return cases
