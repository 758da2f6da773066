"""The calling convention of the artifact, declared once for Python.

``wasm-core/src/abi.rs`` and ``error.rs`` hold the same numbers for Rust; ``tests/contract`` compares them,
and compares both with the imports and exports of the committed ``core.wasm``.

Every export is ``(i64, i64, i64, i64) -> i64``; so is every import, whose first parameter is ``NO_ANSWER``.
"""

from __future__ import annotations

ABI_VERSION = 1

NO_ANSWER = -(2**63)
"""First parameter of every import. A host function that is cut short leaves it behind as its result."""

HOST_FAILED = -(2**20)
"""Result of a host function that raised; the exception is kept beside the instance."""

AGAIN = -100
"""Result of an export that has more to do: call it again with the last argument 1."""

E_INPUT = -1
E_LIMIT = -2
E_HOST = -3
E_CUT_SHORT = -4
E_PROTOCOL = -5

WINDOW = 64 * 1024
"""Bytes that the input and output buffers hold from the start."""

TEXT_LIMIT = 16 * 1024 * 1024
"""Most bytes of one text that crosses (UTF-8); the artifact's memory is bounded by 64 MiB."""

MEMORY_LIMIT = 64 * 1024 * 1024
"""Bytes of linear memory an instance may grow to."""

KEEP_LIMIT = 8 * 1024 * 1024
"""An instance whose memory has grown beyond this is dropped after the call: memory never shrinks."""

I64_MAX = 2**63 - 1

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

IMPORT_MODULE = "sky_host"

IMPORTS = {
    "process_signal": "process",
    "cpu_online": "cpu",
    "cpu_affinity": "cpu",
    "cpu_count": "cpu",
    "cpu_cgroup_version": "cpu",
    "cpu_text": "cpu",
    "memory_cgroup_version": "memory",
    "memory_text": "memory",
    "port_bind": "ports",
    "file_read": "files",
    "dir_entries": "files",
    "limits_open_files": "limits",
}
"""Every import of the artifact and the capability it belongs to."""

RUNTIME_EXPORTS = ("memory", "_initialize", "sky_abi_version", "sky_input", "sky_output")
"""Exports that serve the calling convention rather than one function."""
