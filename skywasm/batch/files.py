"""Hashing many files: MD5 in the artifact's eight lanes, anything else a file at a time, in threads or an executor.

A file that cannot be opened or read costs only its own result: an exception stands where the digest would.
"""

from __future__ import annotations

import errno
import os

from host_shims.struck import let_out
from skywasm.batch import workers
from skywasm.crossing import rules
from skywasm.crossing.items import at_index
from skywasm.errors import CoreUnavailableError, SkyPilotError, TrapError
from skywasm.functions import BY_NAME, hashing
from skywasm.loading import late
from skywasm.routes import bind
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor
    from typing import Any

    from skywasm.batch.workers import Progress

_MOST_THREADS = 8
# Files a group: enough to fill the lanes, few enough to share the work evenly.
_GROUP = 256
# Types of digests and of lines.
_GOOD = frozenset((str, list))
_LEAST_GROUP = 16
# So many files decide whether threads pay, by the average of their sizes in bytes.
_SAMPLE = 8
_SMALL = 48 * 1024
# A file or two are hashed sooner than lanes are set up.
_FEW = 2
_STEPS = 8
# What can be wrong with a file, its path, its bytes or the other arguments. All else is the program's own matter.
_FAULTS = (OSError, ValueError, TypeError, AttributeError, LookupError, AssertionError, RuntimeError)
# Modules of Python whose exceptions are a file's result: an unknown algorithm, bytes that cannot be decoded.
_ANSWERS = ("hashlib", "codecs", "encodings")


def _all_well(results: list[Any]) -> bool:
    # In C: for small files a loop in Python would show.
    return _GOOD.issuperset(map(type, results))


def without_exceptions(results: list[Any]) -> list[Any]:
    """The results, or the first exception among them, raised."""
    if _all_well(results):
        return results
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def hash_one(path: Any, alg: str, index: int) -> Any:
    """The digest of one file, or the exception."""
    try:
        return BY_NAME["hash_file"].function(path, alg).hexdigest()
    except SkyPilotError:
        # The sandbox's own matter, not this file's.
        raise
    except _FAULTS as error:
        let_out(error, *_ANSWERS)
        return at_index(error, index)


def tail_one(path: Any, n: int, index: int) -> Any:
    """The last lines of one file, or the exception."""
    try:
        return BY_NAME["read_last_n_lines"].function(path, n)
    except SkyPilotError:
        raise
    except _FAULTS as error:
        let_out(error, *_ANSWERS)
        return at_index(error, index)


def hash_group(
    paths: Sequence[Any], alg: str, lanes: bool, carried: tuple[frozenset[str], float | None] | None = None
) -> list[Any]:
    """The digests of a group of files, or exceptions. A plain function, so that an executor can carry it anywhere.

    ``carried`` are the rules of the context that asked for it, where that is another.
    """
    if carried is not None:
        done: list[Any] = rules.taken_over(carried, lambda: hash_group(paths, alg, lanes))
        return done
    if not lanes or modes.mode() == "python":
        return [hash_one(path, alg, index) for index, path in enumerate(paths)]
    results: list[Any] = [None] * len(paths)
    try:
        late("skywasm.batch.md5_files").Md5Lanes(paths, results, lambda path, index: hash_one(path, alg, index)).run()
    except (TrapError, CoreUnavailableError) as error:
        if modes.mode() == "wasm":
            raise
        bind.fell_back("batch.hash_files", error)
        for index, path in enumerate(paths):
            # What has a result keeps it: a descriptor that was given is used up by then.
            if results[index] is None:
                results[index] = _python_one(path, alg, index)
    return results


def _python_one(path: Any, alg: str, index: int) -> Any:
    try:
        return BY_NAME["hash_file"].reference(path, alg).hexdigest()
    except _FAULTS as error:
        let_out(error, *_ANSWERS)
        return at_index(error, index)


def _checked(alg: Any) -> bool:
    """Raises for an algorithm that no file could be hashed with; True when the lanes can take it."""
    mode = modes.mode()
    lower = alg.lower() if isinstance(alg, str) else ""
    if mode == "wasm":
        algorithm = hashing.require(alg)
        hashing.refuse_free_length(algorithm.name, algorithm.digest_size)
    elif lower != "blake3" or mode == "python":
        hashlib = late("hashlib")

        # Also what the host's policy refuses is refused here, whoever would do the hashing.
        known = hashing.python_hash(alg) if type(alg) is str else hashlib.new(alg)
        hashing.refuse_free_length(known.name, known.digest_size)
    return lower == "md5" and mode != "python"


def _workers(threads: int | None, paths: Sequence[Any]) -> int:
    if threads is None:
        if len(paths) <= _LEAST_GROUP or _are_small(paths[:: len(paths) // _SAMPLE]):
            return 1
        from host_shims import facts

        return min(facts.cpu_affinity() or facts.cpu_count() or 1, _MOST_THREADS)
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    return threads


def _are_small(paths: Sequence[Any]) -> bool:
    """Whether these files are so small that threads would wait for each other at every system call."""
    return sum(map(_size, paths)) < len(paths) * _SMALL


def _size(path: Any) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, TypeError, ValueError) as error:
        let_out(error)
        return 0


def hash_files(
    paths: Sequence[Any], alg: str, threads: int | None, executor: Executor | None, progress: Progress
) -> list[Any]:
    """As ``batch.hash_files``, with an exception in place of each digest that there is none of."""
    if executor is not None and threads is not None:
        raise ValueError("threads counts for skywasm's own threads; with an executor, set its workers instead")
    lanes = _checked(alg)
    if lanes and modes.mode() == "auto" and not bind.batch_may_cross((len(paths) - _FEW) * _SAVED_FILE):
        lanes = False
    most = _workers(threads, paths) if executor is None or threads is not None else _MOST_THREADS
    size = _group_size(len(paths), most, bool(progress))
    groups = [(first, paths[first : first + size]) for first in range(0, len(paths), size)]
    results: list[Any] = [None] * len(paths)
    count = min(most, len(groups))
    with workers.Bar(progress, len(paths)) as bar:
        if executor is None and count <= 1:
            for first, group in groups:
                bar.collect(results, first, hash_group(group, alg, lanes))
        elif executor is not None:
            workers.spread(
                executor, groups, lambda group: (hash_group, group, alg, lanes, rules.carried()), results, bar
            )
        else:
            carried = rules.carried()
            workers.in_threads(count, groups, lambda group: hash_group(group, alg, lanes, carried), results, bar)
    if executor is None:
        _again(paths, alg, results)
    return results


# Microseconds that the lanes save a file of a few KiB.
_SAVED_FILE = 10.0


def _group_size(files: int, workers: int, told: bool) -> int:
    """Files a group: all lanes busy, every worker with some groups, and some steps to tell progress by."""
    steps = _STEPS if told else 1
    return max(min(files // (workers * steps), _GROUP), _LEAST_GROUP)


def _short_of_descriptors(result: Any) -> bool:
    return isinstance(result, OSError) and result.errno in (errno.EMFILE, errno.ENFILE)


def _again(paths: Sequence[Any], alg: str, results: list[Any]) -> None:
    """Hashes one by one what found no descriptor left, now that nobody holds any."""
    for index, result in enumerate(results):
        if _short_of_descriptors(result) and not isinstance(paths[index], int):
            results[index] = hash_one(paths[index], alg, index)
