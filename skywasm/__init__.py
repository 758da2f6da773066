"""SkyPilot's utility functions as one WebAssembly artifact, with a pure-Python fallback."""

from __future__ import annotations

from skywasm import errors
from skywasm._dispatch import get_backend_info, set_backend, use_backend, warm_up
from skywasm.api import (
    base36_encode,
    estimate_fd_for_directory,
    find_free_port,
    format_float,
    get_cpu_count,
    get_max_workers_for_file_mounts,
    get_mem_size_gb,
    get_parallel_threads,
    hash_file,
    is_process_alive,
    read_last_n_lines,
    truncate_long_string,
)

__version__ = "0.1.0"

__all__ = [
    "base36_encode",
    "errors",
    "estimate_fd_for_directory",
    "find_free_port",
    "format_float",
    "get_backend_info",
    "get_cpu_count",
    "get_max_workers_for_file_mounts",
    "get_mem_size_gb",
    "get_parallel_threads",
    "hash_file",
    "is_process_alive",
    "read_last_n_lines",
    "set_backend",
    "truncate_long_string",
    "use_backend",
    "warm_up",
]
