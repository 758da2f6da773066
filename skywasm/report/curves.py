"""Measures time over size, for each way that a call can go.

A function whose first example begins with a text grows by it, a batch by its items. The others are told below.
"""

from __future__ import annotations

import gc
from typing import NamedTuple

import skywasm
from skywasm import batch
from skywasm.batch import strings
from skywasm.bench import cases, items, measure, run
from skywasm.bench.originals import Originals
from skywasm.bench.workplace import Workplace
from skywasm.crossing import items as in_python
from skywasm.functions import BY_NAME, ROWS
from skywasm.routes import bind, core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from skywasm.functions.declare import Row

    Function = Callable[..., Any]
    # The sizes, what they count, what grows, and what makes the arguments of a size.
    Growth = tuple[Sequence[int], str, str, Callable[[int], Sequence[Any]]]

_QUICK_ROUNDS = 3
# Quick runs stop here: a smoke run takes seconds.
_QUICK_ITEMS = 1000
_QUICK_BYTES = 1 << 20
_CHARACTERS = tuple(2**power for power in range(1, 13))
_BATCHES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)


class Sweep(NamedTuple):
    """One function over its sizes. ``make`` gives the arguments for a size, ``routes`` are the contestants."""

    function: str
    what: str
    unit: str
    sizes: Sequence[int]
    make: Callable[[int], Sequence[Any]]
    routes: dict[str, Function]


def _lines(place: Workplace) -> Growth:
    sizes = (1, 10, 100, 1000) if place.quick else (1, 10, 100, 1000, 10_000)
    return sizes, "lines", "the end of a log file", lambda n: (place.log(), n)


def _bytes(place: Workplace) -> Growth:
    limit = _QUICK_BYTES if place.quick else 4 * _QUICK_BYTES
    sizes = [n for n in (1 << power for power in range(10, 23, 2)) if n <= limit]
    return sizes, "bytes", "MD5 of one file", lambda n: (place.file(n), "md5")


# By function, where what grows is no text among the arguments.
_GROWING: dict[str, Callable[[Workplace], Growth]] = {"read_last_n_lines": _lines, "hash_file": _bytes}


def _growth(row: Row, place: Workplace) -> Growth | None:
    """How a function grows; None where it does not."""
    if row.name in _GROWING:
        return _GROWING[row.name](place)
    example = next(iter(row.examples.values()), ())
    if row.asks or callable(example) or not example or not isinstance(example[0], str):
        return None
    longest = max((one[0] for one in row.examples.values() if not callable(one)), key=len)
    text = longest * (_CHARACTERS[-1] // max(len(longest), 1) + 1)
    return _CHARACTERS, "characters", "one text", lambda n: (text[:n], *example[1:])


def _scalars(replaced: Originals, place: Workplace) -> Iterator[Sweep]:
    for row in ROWS:
        growth = _growth(row, place)
        if growth is None:
            continue
        sizes, unit, what, make = growth
        answer = measure.Call(row.reference, make(sizes[0])).once()
        routes = {"before": replaced.function(row), "python": row.reference}
        wasm = cases.through_wasm(row)
        if wasm is not None:
            routes["wasm"] = _filled(wasm, row)
        routes["auto"] = row.function
        yield Sweep(
            row.name,
            what,
            unit,
            sizes,
            make,
            {route: cases.digesting(function, answer) for route, function in routes.items()},
        )


def _filled(wasm: Function, row: Row) -> Function:
    """A road, which takes all parameters, for the arguments that are given."""
    return lambda *args: wasm(*cases.whole(row, args))


def _sizes(place: Workplace) -> list[int]:
    return [n for n in _BATCHES if n <= _QUICK_ITEMS or not place.quick]


def _batches(replaced: Originals, place: Workplace) -> Iterator[Sweep]:
    sizes = _sizes(place)
    for row in ROWS:
        lists = items.lists(row, place, sizes[-1]) if row.batch is not None else iter(())
        for what, some in lists:
            routes = {"before": cases.looped(replaced.function(row)), "python": _one_by_one(row)}
            if core.if_loaded() is not None:
                routes["wasm"] = _crossed(row)
            routes["auto"] = cases.batch_of(row)
            yield Sweep(f"batch.{row.name}", what, "items", sizes, _beginnings(some), routes)
            break
    yield _hash_strings(sizes)
    yield _hash_files(replaced, place)


def _one_by_one(row: Row) -> Function:
    if row.batch is not None and row.batch.in_python is not None:
        return row.batch.in_python
    return lambda some: in_python.one_by_one(row.reference, some, 0)


def _crossed(row: Row) -> Function:
    """The batch through the artifact, whatever the mode."""
    from skywasm.crossing import list_roads, lists

    scalar = bind.crossing(row, forced=True)
    many = lists.Many(core.core(), row.exports[0], scalar, lambda *_: [], True)
    road = list_roads.road(many, bind.defaults(row))
    return lambda some: road(*cases.whole(row, (some,)))


def _beginnings(some: Sequence[Any]) -> Callable[[int], Sequence[Any]]:
    return lambda n: (some[:n],)


def _hash_strings(sizes: Sequence[int]) -> Sweep:
    texts = items.md5s(sizes[-1])
    routes: dict[str, Function] = {"before": cases.hashed, "python": strings.in_python}
    if core.if_loaded() is not None:
        routes["wasm"] = strings.crossing
    routes["auto"] = batch.hash_strings
    what = "MD5 of texts of 32 bytes"
    return Sweep("batch.hash_strings", what, "items", sizes, lambda n: (texts[:n], "md5"), routes)


def _hash_files(replaced: Originals, place: Workplace) -> Sweep:
    row = BY_NAME["hash_file"]
    sizes = (1, 3, 10, 30) if place.quick else (1, 3, 10, 30, 100, 300)
    paths = place.files("sweep-many", sizes[-1], 16 * 1024)
    routes = {
        "before": cases.looped(cases.hash_one(replaced.function(row)), "md5"),
        "python": cases.looped(cases.hash_one(row.reference), "md5"),
        "auto": lambda some: batch.hash_files(some, "md5"),
    }
    return Sweep("batch.hash_files", "MD5 of files of 16 KiB", "items", sizes, _beginnings(paths), routes)


def measured(
    quick: bool, seen: Callable[[str, int, int], object] = lambda _name, _done, _total: None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Measures all curves, each size with the routes taking turns.

    Args:
        quick: fewer and shorter samples, and no large sizes.
        seen: called with the function's name, how many curves are done, and how many there are.

    Returns:
        The curves as ``model.read`` takes them, and the names of those whose answers differed, which are not timed.
    """
    skywasm.warm_up()
    replaced = Originals()
    curves, differing = [], []
    gc.collect()
    gc.freeze()
    try:
        with Workplace(quick) as place:
            sweeps = [*_scalars(replaced, place), *_batches(replaced, place)]
            for index, sweep in enumerate(sweeps):
                seen(sweep.function, index, len(sweeps))
                points = _points(sweep, quick)
                if points is None:
                    differing.append(f"{sweep.function} over {sweep.unit}")
                else:
                    about = {"function": sweep.function, "what": sweep.what, "unit": sweep.unit}
                    curves.append({**about, "points": points})
    finally:
        gc.unfreeze()
    return curves, differing


def _points(sweep: Sweep, quick: bool) -> dict[str, list[tuple[int, float]]] | None:
    """Sizes and seconds by route; None where the routes' answers differ."""
    points: dict[str, list[tuple[int, float]]] = {route: [] for route in sweep.routes}
    for size in sweep.sizes:
        arguments = sweep.make(size)
        calls = {route: measure.Call(function, arguments) for route, function in sweep.routes.items()}
        if not measure.agree(calls, sweep.function):
            return None
        timings = measure.compare(calls, _QUICK_ROUNDS if quick else run.ROUNDS, quick)
        for route, timing in timings.items():
            points[route].append((size, timing.seconds))
    return points
