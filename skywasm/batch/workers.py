"""Spreading groups of items over threads or an executor, and telling how far the work is."""

from __future__ import annotations

import _thread
import os
import sys

from host_shims.struck import let_out
from skywasm.crossing.items import at_index
from skywasm.loading import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future
    from typing import Any, Union

    Progress = Union[bool, Callable[[int, int], object], None]
    Groups = list[tuple[int, Sequence[Any]]]


# Types of digests and of lines.
_GOOD = frozenset((str, list))
# On Windows Ctrl-C does not end a wait, so each has to be a short one.
_SHORT_S = 0.1 if os.name == "nt" else None


class Bar:
    """Tells how far the work is: to a callable, or as a bar on standard error."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._call = progress if callable(progress) else None
        self._total = total
        self._done = 0
        self._bar: Any = None
        if progress and self._call is None:
            from rich.console import Console
            from rich.progress import Progress as RichProgress

            # Drawn anew at each step and not by a thread, which a system may not grant.
            self._bar = RichProgress(console=Console(file=sys.stderr), transient=True, auto_refresh=False)
            self._task = self._bar.add_task("hashing", total=total)

    def __enter__(self) -> Bar:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def collect(self, results: list[Any], first: int, done: list[Any]) -> None:
        """Takes the results of a group; an exception among them gets the index of its item."""
        results[first : first + len(done)] = done
        # Looked for in C first: for small files a loop in Python would show.
        if not _GOOD.issuperset(map(type, done)):
            for index, result in enumerate(done, first):
                if isinstance(result, Exception):
                    at_index(result, index)
        self._done += len(done)
        if self._bar is not None:
            self._bar.advance(self._task, len(done))
            self._bar.refresh()
        if self._call is not None:
            self._call(self._done, self._total)


def in_threads(
    count: int, groups: Groups, work_on: Callable[[Sequence[Any]], list[Any]], results: list[Any], bar: Bar
) -> None:
    """Works through the groups in daemon threads: Ctrl-C ends the call at once, whatever a file blocks on.

    Where the system grants no thread, this one does the work.
    """
    waiting = late("collections").deque(groups)
    queue = late("queue")
    finished, ended = queue.SimpleQueue(), queue.SimpleQueue()

    def work() -> None:
        try:
            while waiting:
                try:
                    first, group = waiting.popleft()
                except IndexError:
                    # Another thread was faster.
                    return
                try:
                    finished.put((first, work_on(group), None))
                except BaseException as error:
                    finished.put((first, [], error))
        finally:
            ended.put(None)

    try:
        started = _started(count, work)
        if not started:
            work()
        for _ in groups:
            first, done, error = _next_of(finished)
            if error is not None:
                raise error
            bar.collect(results, first, done)
    finally:
        # After an exception no more groups are begun.
        waiting.clear()
    for _ in range(started):
        _next_of(ended)


def _next_of(queue: Any) -> Any:
    """What comes next out of a queue. Ctrl-C ends the wait on every system."""
    empty = late("queue").Empty
    while True:
        try:
            return queue.get(timeout=_SHORT_S)
        except empty as error:  # noqa: PERF203 - a wait, not work
            let_out(error, "queue", "_queue")


def _result_of(future: Future[list[Any]]) -> list[Any]:
    """What an executor's task comes to, likewise."""
    futures = late("concurrent.futures")
    # A cluster's client may have futures of its own, which know how to wait.
    if _SHORT_S is not None and isinstance(future, futures.Future):
        while not futures.wait((future,), _SHORT_S).done:
            pass
    return future.result()


def _started(count: int, work: Callable[[], None]) -> int:
    """Starts as many threads as the system grants, up to a number; how many those are.

    They are plain ones: what a signal handler raises while ``threading`` sets its own up comes out as something else.
    """
    for started in range(count):
        try:
            _thread.start_new_thread(work, ())
        except RuntimeError as error:  # noqa: PERF203 - few, and each may be the last
            let_out(error)
            return started
    return count


def spread(
    executor: Executor, groups: Groups, task: Callable[[Sequence[Any]], tuple[Any, ...]], results: list[Any], bar: Bar
) -> None:
    """Gives each group to an executor; ``task`` is what is submitted for it."""
    futures: list[tuple[int, Future[list[Any]]]] = [(first, executor.submit(*task(group))) for first, group in groups]
    try:
        for first, future in futures:
            bar.collect(results, first, _result_of(future))
    except BaseException:
        # After Ctrl-C, or an executor that broke, no more groups are begun.
        for _, future in futures:
            future.cancel()
        raise
