"""The table of public functions. One row each; lists elsewhere are derived from it or held against it by tests.

Imports nothing, and names callables by their dotted names, so that reading it loads nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMON = "sky.utils.common_utils"
SUBPROCESS = "sky.utils.subprocess_utils"

PYTHON = "python"
WASM = "wasm"
MIXED = "mixed"


class Row:
    """One public function.

    ``auto`` is where a scalar call goes in ``auto`` mode once the engine is loaded, and ``why`` the measured
    reason. ``patches`` is the SkyPilot module whose function it replaces, None for an addition. ``exports`` are
    the functions of the artifact it needs, ``capabilities`` what those may ask of the host.
    """

    __slots__ = ("auto", "capabilities", "exports", "name", "patches", "why")

    def __init__(
        self,
        name: str,
        patches: str | None,
        auto: str,
        why: str,
        capabilities: tuple[str, ...] = (),
        helpers: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.patches = patches
        self.auto = auto
        self.why = why
        self.capabilities = capabilities
        self.exports = ("sky_" + name, *helpers)

    def implementation(self, module: Any) -> Any:
        """This function in a module that has all twelve."""
        return getattr(module, self.name)


ROWS = (
    Row("base36_encode", COMMON, WASM, "the crossing costs less than the conversion in Python"),
    Row("format_float", COMMON, PYTHON, "the work takes less time than the crossing"),
    Row("truncate_long_string", COMMON, PYTHON, "string methods of CPython are faster than the crossing"),
    Row(
        "hash_file",
        COMMON,
        MIXED,
        "hashlib uses the processor's own instructions; blake3 it does not know",
        ("files",),
        ("sky_hash_update", "sky_hash_digest"),
    ),
    Row("read_last_n_lines", COMMON, PYTHON, "making the lines costs more than finding them"),
    Row("find_free_port", COMMON, PYTHON, "system calls are all there is", ("ports",)),
    Row("get_cpu_count", COMMON, PYTHON, "system calls are all there is", ("cpu",)),
    Row("get_mem_size_gb", COMMON, PYTHON, "system calls are all there is", ("memory",)),
    Row("get_parallel_threads", SUBPROCESS, PYTHON, "system calls are all there is", ("cpu",)),
    Row(
        "get_max_workers_for_file_mounts",
        SUBPROCESS,
        PYTHON,
        "system calls are all there is",
        ("cpu", "files", "limits"),
    ),
    Row("is_process_alive", None, PYTHON, "system calls are all there is", ("process",)),
    Row("estimate_fd_for_directory", None, PYTHON, "system calls are all there is", ("files",)),
)

BY_NAME = {row.name: row for row in ROWS}
