# Written by `make derived` from the declarations; do not edit.

from skywasm import batch as batch
from skywasm import errors as errors
from skywasm import reference as reference
from skywasm import sandbox as sandbox
from skywasm import skypilot as skypilot
from skywasm.functions.hashing import hash_file as hash_file
from skywasm.functions.machine import find_free_port as find_free_port
from skywasm.functions.machine import get_cpu_count as get_cpu_count
from skywasm.functions.machine import get_mem_size_gb as get_mem_size_gb
from skywasm.functions.mounts import estimate_fd_for_directory as estimate_fd_for_directory
from skywasm.functions.mounts import get_max_workers_for_file_mounts as get_max_workers_for_file_mounts
from skywasm.functions.mounts import get_parallel_threads as get_parallel_threads
from skywasm.functions.numbers import base36_encode as base36_encode
from skywasm.functions.numbers import format_float as format_float
from skywasm.functions.processes import is_process_alive as is_process_alive
from skywasm.functions.tails import read_last_n_lines as read_last_n_lines
from skywasm.functions.text import truncate_long_string as truncate_long_string
from skywasm.routes.backend import set_backend as set_backend
from skywasm.routes.backend import use_backend as use_backend
from skywasm.routes.backend import warm_up as warm_up
from skywasm.routes.info import get_backend_info as get_backend_info

__all__ = [
    "batch",
    "errors",
    "get_backend_info",
    "sandbox",
    "set_backend",
    "skypilot",
    "use_backend",
    "warm_up",
    "base36_encode",
    "format_float",
    "truncate_long_string",
    "hash_file",
    "read_last_n_lines",
    "find_free_port",
    "get_cpu_count",
    "get_mem_size_gb",
    "get_parallel_threads",
    "get_max_workers_for_file_mounts",
    "estimate_fd_for_directory",
    "is_process_alive",
]

__version__: str
