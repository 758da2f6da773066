"""How much may be transferred at once: threads, and the descriptors that folders take."""

from __future__ import annotations

from host_shims import facts
from host_shims.paths import is_directory
from host_shims.struck import let_out
from skywasm.errors import NeedsReference, TrapError
from skywasm.functions.declare import BY_NAME, PYTHON, SUBPROCESS, crossing, function
from skywasm.functions.machine import SYSTEM_CALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from host_shims.contract import PathOrFd

_LOW_FD_LIMIT = 1024
_RESERVED_FDS = 100
_FDS_PER_ENTRY = 5
# No cloud's name comes near.
_LONG_NAME = 10_000
_warned_low_limit = False


@function(replaces=SUBPROCESS, auto=PYTHON, why=SYSTEM_CALLS, asks=("cpu",), examples={"": ("kubernetes",)})
def get_parallel_threads(cloud_str: str | None = None) -> int:
    """Tell how many worker threads to start.

    Args:
        cloud_str: a cloud's name; ``"kubernetes"`` in any letter case gets four times as many.

    Returns:
        One less than ``os.cpu_count()``, at least 4. Affinity and cgroups do not count.

    Raises:
        AttributeError: a name that is not text.

    Cost: that of ``os.cpu_count()``, about 6 us.

    Source: ``sky.utils.subprocess_utils.get_parallel_threads``.
    """
    threads = max(4, (facts.cpu_count() or 1) - 1)
    return threads * 4 if cloud_str and cloud_str.lower() == "kubernetes" else threads


def _crossing_name(cloud_str: Any) -> str:
    """A cloud's name that crosses, empty for none."""
    if cloud_str and (type(cloud_str) is not str or len(cloud_str) > _LONG_NAME):
        raise NeedsReference
    return cloud_str or ""


@crossing(get_parallel_threads)
def _threads_through_the_artifact(core: Any) -> Callable[..., int]:
    def road(cloud_str: str | None = None) -> int:
        return core.call("get_parallel_threads", _crossing_name(cloud_str))  # type: ignore[no-any-return]

    return road


def warn_low_fd_limit(limit: float) -> None:
    """Says once a process that file mounts will be slow, as SkyPilot does."""
    global _warned_low_limit
    if limit < _LOW_FD_LIMIT and not _warned_low_limit:
        _warned_low_limit = True
        from skywasm import log

        log.logger().warning(
            "Open file descriptor limit (%s) is low. File sync to remote clusters may be slow. Consider increasing "
            "the limit using `ulimit -n <number>` or modifying system limits.",
            limit,
        )


def _mount_entries(source: Any) -> int | None:
    """Entries of a file mount's source when it is a directory, else None."""
    # listdir takes None and -1 for the current folder.
    if source is not None and not isinstance(source, int):
        # Listing alone tells a directory from the rest; only a refusal needs a second look.
        try:
            return facts.entry_count(source)
        except (OSError, ValueError) as error:
            let_out(error)
            if not is_directory(source):
                return None
            raise
        except TypeError as error:
            let_out(error)
    return facts.entry_count(source) if is_directory(source) else None


@function(
    replaces=SUBPROCESS,
    auto=PYTHON,
    why=SYSTEM_CALLS,
    asks=("cpu", "files", "limits"),
    examples={
        "20 small folders": lambda place: (place.mounts(20, 5),),
        "folder, file": lambda place: ({"/data": place.folder_of(60), "/log": place.log()}, "kubernetes"),
    },
)
def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    """Tell how many file mounts may be transferred at once under the limit of open files.

    Args:
        common_file_mounts: sources by destination. For each directory five descriptors an entry are reckoned.
        cloud_str: as for ``get_parallel_threads``.

    Returns:
        At least 1, at most ``get_parallel_threads(cloud_str)``. A limit below 1,024 is logged once a process.

    Raises:
        OSError: a directory cannot be listed.
        AttributeError, TypeError: arguments of other types.

    Cost: that of listing each folder, about 7 us for one of few entries.

    Source: ``sky.utils.subprocess_utils.get_max_workers_for_file_mounts``.
    """
    limit = facts.open_files_limit()
    warn_low_fd_limit(limit)
    most = 1
    for source in common_file_mounts.values():
        entries = _mount_entries(source)
        if entries is not None and entries > most:
            most = entries
    workers = max((limit - _RESERVED_FDS) // (most * _FDS_PER_ENTRY), 1)
    return min(workers, _threads(cloud_str))


# The body, whichever road the public function takes.
_threads: Callable[..., int] = BY_NAME["get_parallel_threads"].reference


def entries_of(paths: Sequence[Any]) -> Callable[[int, bool], int]:
    """What answers ``dir_entries`` for these paths, whose handles are their places."""

    def dir_entries(handle: int, must: bool) -> int:
        if not 0 <= handle < len(paths):
            raise TrapError("the artifact named a path that it was not given")
        if must:
            return facts.entry_count(paths[handle])
        entries = _mount_entries(paths[handle])
        return -1 if entries is None else entries

    return dir_entries


@crossing(get_max_workers_for_file_mounts)
def _workers_through_the_artifact(core: Any) -> Callable[..., int]:
    def road(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
        name = _crossing_name(cloud_str)
        paths = list(common_file_mounts.values())
        given = {"dir_entries": entries_of(paths)}
        return core.call("get_max_workers_for_file_mounts", len(paths), name, given=given)  # type: ignore[no-any-return]

    return road


@function(auto=PYTHON, why=SYSTEM_CALLS, asks=("files",), examples={"5 entries": lambda place: (place.folder_of(5),)})
def estimate_fd_for_directory(path: PathOrFd) -> int:
    """Estimate the file descriptors that the transfer of a directory takes: five an entry.

    Args:
        path: the directory; hidden entries count, those of sub-directories do not.

    Returns:
        The number, 0 for an empty directory.

    Raises:
        OSError: it cannot be listed.

    Cost: that of listing the directory, about 7 us for one of few entries.

    Source: not in SkyPilot; the estimate is the one inside ``get_max_workers_for_file_mounts``.
    """
    return facts.entry_count(path) * _FDS_PER_ENTRY


@crossing(estimate_fd_for_directory)
def _estimate_through_the_artifact(core: Any) -> Callable[..., int]:
    def road(path: PathOrFd) -> int:
        return core.call("estimate_fd_for_directory", 0, given={"dir_entries": entries_of((path,))})  # type: ignore[no-any-return]

    return road
