"""What this process may use of the machine: ports, CPUs, memory."""

from __future__ import annotations

import os

from host_shims import facts
from host_shims.struck import let_out
from skywasm.errors import NeedsReference
from skywasm.functions.declare import COMMON, PYTHON, crossing, function
from skywasm.loading import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SYSTEM_CALLS = "system calls are all there is"

CGROUP_V2 = 2
"""The version of the cgroup hierarchy that has one tree for all controllers."""

FACT_CPU_MAX = 1
FACT_CPU_QUOTA = 2
FACT_CPU_PERIOD = 3
FACT_MEMINFO = 4
FACT_MEMORY_MAX = 5
FACT_MEMORY_LIMIT = 6

CGROUP_FILES = {
    FACT_CPU_MAX: "cpu.max",
    FACT_CPU_QUOTA: "cpu/cpu.cfs_quota_us",
    FACT_CPU_PERIOD: "cpu/cpu.cfs_period_us",
    FACT_MEMORY_MAX: "memory.max",
    FACT_MEMORY_LIMIT: "memory/memory.limit_in_bytes",
}

CPU_LIMIT_VARIABLE = "SKYPILOT_POD_CPU_CORE_LIMIT"
MEMORY_GB_VARIABLE = "SKYPILOT_POD_MEMORY_GB_LIMIT"
MEMORY_BYTES_VARIABLE = "SKYPILOT_POD_MEMORY_BYTES_LIMIT"
_PORT_END = 65535
_GB = 1024**3


@function(
    replaces=COMMON,
    auto=PYTHON,
    why=SYSTEM_CALLS,
    asks=("ports",),
    examples={
        "free": lambda place: (place.taken_ports(1) + 1,),
        "200 taken": lambda place: (place.taken_ports(200),),
    },
)
def find_free_port(start_port: int) -> int:
    """Find the first free TCP port from ``start_port`` on.

    Args:
        start_port: the first port to try, at least 0. Port 65535 is never tried.

    Returns:
        A port that could be bound on all IPv4 addresses just now; another program may take it at any time. It
        may lie far above ``start_port``.

    Raises:
        OSError: no port is free.
        OverflowError: a negative port.
        TypeError: not an integer.

    Cost: about 7 us, and 2 us for each port that is taken.

    Source: ``sky.utils.common_utils.find_free_port``.
    """
    ports = range(start_port, _PORT_END)
    if not ports:
        raise _no_free_port()
    probe = _new_probe()
    try:
        port = _first_free(probe, ports)
    finally:
        probe.close()
    if port is None:
        raise _no_free_port()
    return port


def _new_probe() -> Any:
    # Imported under the lock that a fork waits for, and not where it is needed first.
    late("socket")
    return facts.port_socket()


def _first_free(probe: Any, ports: range) -> int | None:
    # A function of its own: see hash_file.
    bind = facts.port_bind
    for port in ports:
        if bind(probe, port) == 0:
            return port
    return None


def _no_free_port() -> OSError:
    """SkyPilot's error for a search that came to the end."""
    return OSError("No free ports available.")


@crossing(find_free_port)
def _port_through_the_artifact(core: Any) -> Callable[..., int]:
    def road(start_port: int) -> int:
        ports = range(start_port, _PORT_END)
        if not ports:
            raise _no_free_port()
        if ports[0] < 0:
            raise NeedsReference
        # Made when the artifact asks for the first port: it may be denied that.
        probe: Any = None

        def port_bind(port: int) -> int:
            nonlocal probe
            if probe is None:
                probe = _new_probe()
            return -facts.port_bind(probe, port)

        try:
            return core.call("find_free_port", ports[0], given={"port_bind": port_bind}, release=True)  # type: ignore[no-any-return]
        except NeedsReference:
            raise _no_free_port() from None
        finally:
            if probe is not None:
                probe.close()

    return road


@function(replaces=COMMON, auto=PYTHON, why=SYSTEM_CALLS, asks=("cpu",), examples={"": ()})
def get_cpu_count() -> int:
    """Count the CPUs this process may use.

    Returns:
        ``SKYPILOT_POD_CPU_CORE_LIMIT`` when it is set, else the least of the online CPUs, the affinity mask and the
        cgroup's quota in whole CPUs. A quota below one CPU gives 0: use ``max(1, n)``.

    Raises:
        ValueError: the variable is no number.
        OverflowError: the variable is infinite.

    Cost: about 20 us on Linux, most of it two kernel files that are read at each call.

    Source: ``sky.utils.common_utils.get_cpu_count``.
    """
    override = _cpu_override()
    if override is not None:
        return override
    count: Any = facts.cpu_online()
    for limit in (facts.cpu_affinity(), _quota_cpus()):
        if limit is not None:
            count = min(count, limit)
    return count  # type: ignore[no-any-return]


def _cpu_override() -> int | None:
    """CPUs as the pod's environment sets them, None when it does not."""
    limit = os.environ.get(CPU_LIMIT_VARIABLE)
    if limit is None:
        return None
    try:
        return int(float(limit))
    except ValueError as error:
        let_out(error)
        raise ValueError(f"Failed to parse the number of CPUs from {limit}") from error


def _cgroup_number(fact: int, parse: Callable[[str], Any]) -> Any:
    """A number out of a cgroup file; None for a file that cannot be read or holds none, as for "max"."""
    try:
        return parse(facts.cgroup_text(CGROUP_FILES[fact]).decode().strip())
    except (OSError, ValueError) as error:
        let_out(error)
        return None


def _two_floats(text: str) -> tuple[float, float] | None:
    quota, period = text.split()
    return None if quota == "max" else (float(quota), float(period))


def _quota_cpus() -> int | None:
    """Whole CPUs of the cgroup's quota; 0 for less than one."""
    if facts.cgroup_version() == CGROUP_V2:
        limits = _cgroup_number(FACT_CPU_MAX, _two_floats)
        if limits is None or not limits[0] > 0:
            return None
        return int(limits[0] / limits[1])
    # Mostly -1, for no limit; then the period need not be read.
    quota = _cgroup_number(FACT_CPU_QUOTA, float)
    if quota is None or not quota > 0:
        return None
    period = _cgroup_number(FACT_CPU_PERIOD, float)
    if period is None or not period > 0:
        return None
    return int(quota / period)


@crossing(get_cpu_count)
def _cpus_through_the_artifact(core: Any) -> Callable[..., int]:
    def road() -> int:
        override = _cpu_override()
        return override if override is not None else core.call("get_cpu_count")

    return road


@function(replaces=COMMON, auto=PYTHON, why=SYSTEM_CALLS, asks=("memory",), examples={"": ()})
def get_mem_size_gb() -> float:
    """Tell how much memory this process may use, in units of 2**30 bytes.

    Returns:
        ``SKYPILOT_POD_MEMORY_GB_LIMIT`` or ``SKYPILOT_POD_MEMORY_BYTES_LIMIT`` when one is set, else the smaller of
        the machine's memory and the cgroup's limit.

    Raises:
        ValueError: a variable is no number.

    Cost: about 25 us on Linux, most of it two kernel files that are read at each call.

    Source: ``sky.utils.common_utils.get_mem_size_gb``.
    """
    override = _memory_override()
    if override is not None:
        return override
    total = _memory_total()
    limit = _cgroup_number(FACT_MEMORY_MAX if facts.cgroup_version() == CGROUP_V2 else FACT_MEMORY_LIMIT, int)
    if limit is not None and limit > 0:
        total = min(total, limit)
    return total / _GB


def _memory_override() -> float | None:
    """Memory in GB (2**30 bytes) as the pod's environment sets it, None when it does not."""
    for variable, unit, divisor in ((MEMORY_GB_VARIABLE, "GB", 1), (MEMORY_BYTES_VARIABLE, "bytes", _GB)):
        limit = os.environ.get(variable)
        if limit is not None:
            try:
                return float(limit) / divisor
            except ValueError as error:
                let_out(error)
                raise ValueError(f"Failed to parse the memory size from {limit} ({unit})") from error
    return None


def _memory_total() -> int:
    """Bytes of memory as psutil reads them, which wants the free memory to be told as well."""
    text = facts.meminfo()
    start = text.find(b"MemTotal:")
    if start >= 0 and b"MemFree:" in text:
        try:
            return int(text[start + 9 : text.index(b"kB", start)]) * 1024
        except ValueError as error:
            let_out(error)
    return late("psutil").virtual_memory().total  # type: ignore[no-any-return]


@crossing(get_mem_size_gb)
def _memory_through_the_artifact(core: Any) -> Callable[..., float]:
    def road() -> float:
        override = _memory_override()
        return override if override is not None else core.call("get_mem_size_gb")

    return road
