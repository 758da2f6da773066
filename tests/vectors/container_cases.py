"""Cases of the functions that read the machine's size through cgroup files, /proc/meminfo and the CPU list.

SkyPilot reads fixed paths, so the expected answers come from a run of it inside a mount namespace of its own, in
which those paths hold the case's facts (``namespace.py``).
"""

from __future__ import annotations

import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

CPU = "SKYPILOT_POD_CPU_CORE_LIMIT"
GIGABYTES = "SKYPILOT_POD_MEMORY_GB_LIMIT"
BYTES = "SKYPILOT_POD_MEMORY_BYTES_LIMIT"

# Those of the second tuple Python answers or refuses in its own way, so the artifact leaves them to it.
_CPU_MAX = (
    *("max 100000\n", "max", "100000 100000\n", "150000 100000\n", "50000 100000", "0 100000", "-1 100000", "100000"),
    *("100000 100000 7", "abc 5", "", "\n", " 100000   100000 ", "100_000 100000", "150000 -100000", "200000 100001"),
    *(
        "100000 x",
        "99999999999 100000",
        "max 100000 z",
        "max\t100000\n",
        "1 3",
        "300000\n100000\n",
        "300000\r\n100000",
        "300000\x1c100000",
    ),
    *(
        "+300000 100000",
        "Max 100000",
        "MAX 100000",
        "700000 100000",
        "800000 100000",
        "900000 100000",
        "799999 100000",
        "-0 5",
    ),
    *("0 0", "-5 0"),
)
_CPU_MAX_PYTHON = (
    *("100000 0", "100000 -0.0", "inf 3", "inf inf", "1e300 1", "1e400 5", "\uff11\uff10 5", "3\xa01"),
    *("\xe9 1", "1e5 100000", "250000.5 100000", ".5 .25", "3. 1.", "_1 1", "1_ 1", "0x10 1"),
    *("1e-320 1e-300", "0.0 5", "-0.0 0", "-inf 3", "3 inf", "3 -inf", "3 nan", "nan 3"),
    "1e400x 5",
)
_V1 = (
    *(("-1\n", "100000\n"), ("150000", "100000"), ("50000", "100000"), ("abc", "1"), ("100000", "0"), ("0", "100000")),
    *((" 150000 \n", " 100000 "), ("-200000", "-100000"), ("300_000", "100000"), ("", ""), ("300000", ""), ("+3", "1")),
    *(("300000", None), (None, "100000"), (None, None), ("300000", "-1"), ("max", "100000"), ("700000", "100001")),
)
_V1_PYTHON = (
    *(("250000.5", "100000"), ("3e5", "1e5"), ("nan", "1"), ("300000", "nan"), ("inf", "100000"), ("300000", "inf")),
)
_LIMITS = (
    *("max\n", "max", "1073741824\n", "1073741824", "0", "-1", "abc", "", "\n", " 1073741824 ", "1.5", "1", "4096\n"),
    *(
        "9" * 60,
        "-" + "9" * 60,
        "9223372036854771712",
        "1_073_741_824",
        "+1073741824",
        "0x40000000",
        "1e9",
        "536870912",
    ),
    *(
        "1073741824 5",
        "1\x1f",
        "\x1c1\x1c",
        "1_",
        "_1",
        "1__0",
        "--1",
        "MAX",
        "25275514879",
        "25275514880",
        "25275514881",
    ),
)
_LIMITS_PYTHON = ("\x1c496\u00a0", "\uff11\uff10", "\u0663", "\u00a05\u00a0", "\u00e9")
_TOTALS = (24683120, 1, 1024, 1048576, 2097153, 263785012, 2**42)


def _meminfo(total: int, style: int) -> str:
    if style == 0:
        return f"MemTotal:       {total} kB\nMemFree:         {total // 3} kB\nMemAvailable:   {total // 2} kB\n"
    rest = "Buffers: 12 kB\nCached: 34 kB\nSwapTotal: 0 kB\nHugePages_Total:       0\nHugePages_Free:        0\n"
    return f"MemTotal: {total:>12} kB\nMemFree:\t{total // 2} kB\n{rest}"


def _cpu_facts(online: int | None, affinity: int | None, version: int, files: Case) -> Case:
    known = {name: text for name, text in files.items() if text is not None}
    return {"cpu_online": online, "cpu_affinity": affinity, "cgroup_version": version, "files": known}


def _environment_cases(variables: list[Case]) -> list[Case]:
    return [{"args": [], "environment": variables_of, "facts": {}, "python_only": True} for variables_of in variables]


def get_cpu_count(rng: random.Random) -> list[Case]:
    """Online CPUs, affinity and cgroup quotas of both versions, well-formed and not; the pod's variable."""
    cases: list[Case] = []

    def add(online: int | None, affinity: int | None, version: int, crosses: bool = True, **files: Any) -> None:
        names = {"v2": "cpu.max", "quota": "cpu/cpu.cfs_quota_us", "period": "cpu/cpu.cfs_period_us"}
        facts = _cpu_facts(online, affinity, version, {names[key]: text for key, text in files.items()})
        cases.append({"args": [], "facts": facts, **({} if crosses else {"python_only": True})})

    for online, affinity in ((1, 1), (8, 8), (8, 3), (3, 8), (192, None), (2, 1)):
        for version in (0, 1, 2):
            add(online, affinity, version)
    for text in _CPU_MAX:
        add(8, 8, 2, v2=text)
    for text in _CPU_MAX_PYTHON:
        add(8, 8, 2, crosses=False, v2=text)
    add(8, 8, 2, crosses=False, v2={"bytes": "ff2031"})
    for quota, period in _V1:
        add(8, 8, 1, quota=quota, period=period)
    for quota, period in _V1_PYTHON:
        add(8, 8, 1, crosses=False, quota=quota, period=period)
    # Each version's files do not count under the other.
    add(8, 8, 1, v2="100000 100000")
    add(8, 8, 2, quota="100000", period="100000")
    add(8, 8, 2, v2="200000 100000", quota="100000", period="100000")
    add(None, 4, 0, crosses=False)
    add(None, None, 0, crosses=False)
    for _ in range(60):
        quota, period = rng.randrange(1, 2_000_000), rng.choice((100_000, 50_000, rng.randrange(1_000, 1_000_000)))
        version = rng.choice((1, 2))
        files = {"v2": f"{quota} {period}\n"} if version == 2 else {"quota": f"{quota}\n", "period": f"{period}\n"}
        add(rng.randrange(1, 64), rng.choice((None, rng.randrange(1, 64))), version, **files)
    values = (
        "4",
        "0.5",
        "2.9",
        "-2",
        " 4 ",
        "4_0",
        "1e3",
        "500m",
        "",
        "nan",
        "inf",
        "0x4",
        "\uff14",
        "1e400",
        "abc",
        "-0.9",
    )
    return cases + _environment_cases([{CPU: value} for value in values])


def get_mem_size_gb(rng: random.Random) -> list[Case]:
    """Total memory, cgroup limits of both versions, well-formed and not; the pod's variables."""
    cases: list[Case] = []

    def add(total: int, version: int, crosses: bool = True, style: int = 0, **files: Any) -> None:
        names = {"v2": "memory.max", "v1": "memory/memory.limit_in_bytes"}
        known = {names[key]: text for key, text in files.items()}
        facts = {"meminfo": _meminfo(total, style), "cgroup_version": version, "files": known}
        cases.append({"args": [], "facts": facts, **({} if crosses else {"python_only": True})})

    for total in _TOTALS:
        for version in (0, 1, 2):
            add(total, version, style=version % 2)
    for text in _LIMITS:
        add(_TOTALS[0], 2, v2=text)
        add(_TOTALS[0], 1, v1=text)
    for text in _LIMITS_PYTHON:
        add(_TOTALS[0], 2, crosses=False, v2=text)
    add(_TOTALS[0], 2, crosses=False, v2={"bytes": "ff31"})
    # Each version's file does not count under the other.
    add(_TOTALS[0], 1, v2="1073741824")
    add(_TOTALS[0], 2, v1="1073741824")
    for _ in range(60):
        total = rng.randrange(1, 2**32)
        limit = f"{rng.choice((rng.randrange(1, 2**40), total * 1024 + rng.randrange(-1, 2)))}\n"
        version = rng.choice((1, 2))
        add(total, version, style=rng.randrange(2), **{f"v{version}": limit})
    values = ("16", "0.5", "-1", "inf", "nan", "8Gi", "", " 4 ", "4_0", "1e400", "-0.0")
    variables: list[Case] = [{GIGABYTES: value} for value in values]
    variables += [{BYTES: value} for value in ("1073741824", "1.5e9", "9223372036854771712", "1Gi", "", "nan", "-1")]
    variables += [
        {GIGABYTES: "2", BYTES: "1073741824"},
        {GIGABYTES: "x", BYTES: "1073741824"},
        {GIGABYTES: "3", BYTES: "x"},
    ]
    return cases + _environment_cases(variables)
