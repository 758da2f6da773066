"""The ratios that the project asks of itself, beyond not being slower: the time before divided by skywasm's.

By function and size; of a batch the size without its number.
"""

from __future__ import annotations

LEAST: dict[str, float] = {
    "base36_encode, 32 digits": 2.5,
    "base36_encode, 64 digits": 3.5,
    "format_float, 3.14159": 0.95,
    "format_float, 16.0": 0.95,
    "format_float, 1e300": 0.95,
    "truncate_long_string, 11 characters": 0.95,
    "truncate_long_string, 200 characters": 1.8,
    "hash_file, md5 of 4 KiB": 1.6,
    "hash_file, md5 of 1 MiB": 1.0,
    "read_last_n_lines, 100 lines": 1.6,
    "read_last_n_lines, 1000 lines": 2.0,
    "read_last_n_lines, 10000 lines": 1.8,
    "find_free_port, free": 1.1,
    "find_free_port, 200 taken": 8.0,
    "get_cpu_count": 3.5,
    "get_mem_size_gb": 3.5,
    "get_parallel_threads": 1.8,
    "get_max_workers_for_file_mounts, 20 small folders": 1.5,
    "is_process_alive, alive": 0.9,
    "batch.base36_encode, MD5s": 12.0,
    "batch.format_float, floats": 3.5,
    "batch.truncate_long_string, texts of 200": 6.0,
    "batch.hash_strings, md5 of 32 bytes": 4.0,
    "batch.is_process_alive, pids, a third dead": 1.0,
    "batch.hash_files, md5, of 1 MiB, 1 thread": 3.3,
    "batch.hash_files, md5, of 1 MiB, 2 threads": 6.0,
    "batch.hash_files, md5, of 4 KiB, 1 thread": 2.4,
}
