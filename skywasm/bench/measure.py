"""How time, CPU time and memory are taken.

A and B take turns in one process, and the minimum of many repeats counts: whatever else the machine does can only
make a sample longer. Each sample runs long enough for the clock.
"""

from __future__ import annotations

import gc
import time
import timeit

from skywasm.functions import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# Seconds that one sample should take at least; timer and loop cost well below a thousandth of it.
_SAMPLE_S = 0.002
_QUICK_SAMPLE_S = 0.0005
_TRIES = 5


class Call:
    """A function and its arguments, timed without any call in between."""

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self.function = function
        self.arguments = arguments

    def once(self) -> Any:
        """The answer; an exception is an answer too."""
        try:
            return self.function(*self.arguments)
        except Exception as error:
            return type(error).__name__, str(error)

    def timer(self, clock: Callable[[], float]) -> timeit.Timer:
        names = [f"a{index}" for index in range(len(self.arguments))]
        scope = dict(zip(names, self.arguments), f=self.function)
        return timeit.Timer(f"f({', '.join(names)})", timer=clock, globals=scope)


def agree(calls: dict[str, Call], name: str) -> bool:
    """Whether all give the same answer. ``name`` is that of the function, or of its batch.

    Another program may take a port, or end, between two of them: then those that ask the machine are asked again.
    """
    row = BY_NAME.get(name.rpartition(".")[2])
    for _ in range(_TRIES if row is not None and row.asks else 1):
        first, *others = [call.once() for call in calls.values()]
        if all(answer == first for answer in others):
            return True
    return False


class Timing:
    """What one of the contestants took for one call."""

    def __init__(self) -> None:
        self.samples_s: list[float] = []
        self.cpu_s: float = float("inf")
        self.peak_bytes = 0

    @property
    def seconds(self) -> float:
        """The shortest sample."""
        return min(self.samples_s)


def _loops(call: Call, sample_s: float) -> int:
    """How many calls make a sample."""
    timer = call.timer(time.perf_counter)
    loops = 1
    while True:
        taken = timer.timeit(loops)
        if taken >= sample_s:
            return loops
        loops = max(loops * 2, int(loops * sample_s / max(taken, 1e-9)))


def _peak_bytes(call: Call) -> int:
    """The most memory that Python had allocated at once for one call. Linear memory of the sandbox is not in it."""
    import tracemalloc

    gc.collect()
    tracemalloc.start()
    try:
        call.once()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def compare(calls: dict[str, Call], rounds: int, quick: bool = False) -> dict[str, Timing]:
    """Times the calls in turns, ``rounds`` samples each."""
    sample_s = _QUICK_SAMPLE_S if quick else _SAMPLE_S
    timings = {name: Timing() for name in calls}
    loops = {name: _loops(call, sample_s) for name, call in calls.items()}
    walls = {name: call.timer(time.perf_counter) for name, call in calls.items()}
    cpus = {name: call.timer(time.process_time) for name, call in calls.items()}
    for _ in range(rounds):
        for name, timing in timings.items():
            timing.samples_s.append(walls[name].timeit(loops[name]) / loops[name])
    for name, timing in timings.items():
        # process_time is coarser; a third of the rounds is enough for a figure beside the time.
        for _ in range(max(rounds // 3, 1)):
            timing.cpu_s = min(timing.cpu_s, cpus[name].timeit(loops[name]) / loops[name])
        timing.peak_bytes = _peak_bytes(calls[name])
    return timings


def line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The a and b of a + b * n that fit best, each point weighted by its own time."""
    weights = [1 / (seconds * seconds) for _, seconds in points]
    total = sum(weights)
    mean_n = sum(w * n for w, (n, _) in zip(weights, points)) / total
    mean_t = sum(w * t for w, (_, t) in zip(weights, points)) / total
    above = sum(w * (n - mean_n) * (t - mean_t) for w, (n, t) in zip(weights, points))
    below = sum(w * (n - mean_n) ** 2 for w, (n, _) in zip(weights, points))
    slope = above / below
    return mean_t - slope * mean_n, slope
