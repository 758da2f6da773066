"""Many files: those worth parsing are found first, then parsed by several processes at once."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from typing import NamedTuple

from skywasm.migrate import _names, _walk, one_file
from skywasm.migrate.one_file import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

# Below so many bytes to parse, more processes would take longer to start than they save.
_WORTH_PROCESSES = 400_000
_MOST_PROCESSES = 8


class Scan(NamedTuple):
    """What a first look at all files gives: how many there are, which to parse, which could not be read."""

    files: int
    paths: list[str]
    size: int
    reached: frozenset[_names.Reached]
    problems: list[Outcome]


def scan(paths: Sequence[str]) -> Scan:
    """Reads every file that the paths stand for."""
    count, size = 0, 0
    wanted: list[str] = []
    reached: set[_names.Reached] = set()
    problems: list[Outcome] = []
    for path, problem in _walk.files(paths):
        try:
            if problem:
                raise OSError(problem)
            data = one_file.read(path)[0]
        except OSError as error:
            problems.append(Outcome(path, problem=error.strerror or str(error)))
            continue
        except MemoryError:
            problems.append(Outcome(path, problem="there is too little memory to read it"))
            continue
        count += 1
        reached |= _names.reached_through_others(data)
        if _names.is_worth_parsing(data):
            wanted.append(path)
            size += len(data)
    return Scan(count, wanted, size, frozenset(reached), problems)


def outcomes(found: Scan, keep_imports: bool, started: Callable[[], None]) -> Iterator[Outcome]:
    """What becomes of each file to parse, in order; ``started`` is called before the first one."""
    work = functools.partial(one_file.migrate, reached=found.reached, keep_imports=keep_imports)
    processes = min(os.cpu_count() or 1, len(found.paths), _MOST_PROCESSES)
    if processes <= 1 or found.size < _WORTH_PROCESSES or not _has_current_folder():
        started()
        yield from map(work, found.paths)
        return
    from concurrent.futures.process import BrokenProcessPool

    with _executor(processes) as executor, contextlib.closing(_OneByOne(work)) as alone:
        with _without_interrupts():
            futures = [executor.submit(work, path) for path in found.paths]
        started()
        try:
            for path, future in zip(found.paths, futures):
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    # Of this file or of another that was being parsed.
                    outcome = alone(path)
                yield outcome
        finally:
            for future in futures:
                future.cancel()


class _OneByOne:
    """Files one after the other in one process, until one ends it: that one is to blame, and costs only itself."""

    def __init__(self, work: Callable[[str], Outcome]) -> None:
        self._work = work
        self._executor: Executor | None = None

    def __call__(self, path: str) -> Outcome:
        from concurrent.futures.process import BrokenProcessPool

        with _without_interrupts():
            self._executor = self._executor or _executor(1)
            future = self._executor.submit(self._work, path)
        try:
            return future.result()
        except BrokenProcessPool:
            self.close()
            return Outcome(path, problem="the process that parsed it was ended: a crash, or too little memory")

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None


def _has_current_folder() -> bool:
    """Processes want to start in it, and it may have been deleted."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _executor(processes: int) -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Spawned, for this process may have threads.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)


def _begin() -> None:
    """In a worker: Ctrl-C is the main process's. A pool that loses its workers in the middle says so at length."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Lets processes start with Ctrl-C ignored, so that none tells of it while Python starts in it."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        # Only the main thread may; in another one Ctrl-C does not arrive.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
