# ruff: noqa
# mypy: ignore-errors
"""Written by `make derived` from the declarations; do not edit. What a function is while calls take another road."""


def base36_encode(hex_str):
    return _road_base36_encode(hex_str)


def format_float(num, precision):
    return _road_format_float(num, precision)


def truncate_long_string(s, max_length, truncate_middle):
    return _road_truncate_long_string(s, max_length, truncate_middle)


def hash_file(path, hash_alg):
    return _road_hash_file(path, hash_alg)


def read_last_n_lines(file_path, n, chunk_size, encoding, errors):
    return _road_read_last_n_lines(file_path, n, chunk_size, encoding, errors)


def find_free_port(start_port):
    return _road_find_free_port(start_port)


def get_cpu_count():
    return _road_get_cpu_count()


def get_mem_size_gb():
    return _road_get_mem_size_gb()


def get_parallel_threads(cloud_str):
    return _road_get_parallel_threads(cloud_str)


def get_max_workers_for_file_mounts(common_file_mounts, cloud_str):
    return _road_get_max_workers_for_file_mounts(common_file_mounts, cloud_str)


def estimate_fd_for_directory(path):
    return _road_estimate_fd_for_directory(path)


def is_process_alive(pid):
    return _road_is_process_alive(pid)
