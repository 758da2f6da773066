"""Measures time over size, for each way that a call can go."""

from __future__ import annotations

import gc
import hashlib
import tempfile
from typing import NamedTuple

import skywasm
from skywasm import _batched, _lists, _runtime, _sandboxed, batch, reference
from skywasm.bench import cases, measure, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

_QUICK_ROUNDS = 3
# Quick runs stop here: a smoke run takes seconds.
_QUICK_ITEMS = 1000
_QUICK_BYTES = 1 << 20


class Sweep(NamedTuple):
    """One function over its sizes. ``make`` gives the arguments for a size, ``routes`` are the contestants."""

    function: str
    what: str
    unit: str
    sizes: Sequence[int]
    make: Callable[[int], Sequence[Any]]
    routes: dict[str, Callable[..., Any]]


def _scalar(
    originals: cases.Originals,
    name: str,
    what: str,
    unit: str,
    sizes: Sequence[int],
    make: Callable[[int], Sequence[Any]],
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> Sweep:
    routes = {
        "before": originals.function(name),
        "python": getattr(reference, name),
        "wasm": getattr(_sandboxed, name),
        "auto": getattr(skywasm, name),
    }
    return Sweep(name, what, unit, sizes, make, {route: wrap(function) for route, function in routes.items()})


def _hexdigest(function: Callable[..., Any]) -> Callable[[str, str], str]:
    def digest(path: str, alg: str) -> str:
        result: str = function(path, alg).hexdigest()
        return result

    return digest


def _scalars(originals: cases.Originals, place: cases.Workplace) -> Iterator[Sweep]:
    digits = hashlib.sha512(b"skywasm").hexdigest() * 8
    sizes: Sequence[int] = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
    yield _scalar(originals, "base36_encode", "one number", "digits", sizes, lambda n: (digits[:n],))
    text = "Launching a cluster named train with 8 nodes on the first cloud that has them " * 150
    sizes = (10, 30, 100, 300, 1000, 3000, 10_000)
    yield _scalar(originals, "truncate_long_string", "one text", "characters", sizes, lambda n: (text[:n],))
    sizes = (1, 10, 100, 1000) if place.quick else (1, 10, 100, 1000, 10_000)
    yield _scalar(originals, "read_last_n_lines", "the end of a log file", "lines", sizes, lambda n: (place.log, n))
    limit = _QUICK_BYTES if place.quick else 4 * _QUICK_BYTES
    sizes = [n for n in (1 << power for power in range(10, 23, 2)) if n <= limit]

    def file(n: int) -> Sequence[Any]:
        return place.write(f"sweep{n}", place.content(n)), "md5"

    yield _scalar(originals, "hash_file", "MD5 of one file", "bytes", sizes, file, _hexdigest)


def _in_python(function: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda items: _lists.one_by_one(function, items)


def _batches(originals: cases.Originals, place: cases.Workplace) -> Iterator[Sweep]:
    sizes = [n for n in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if n <= _QUICK_ITEMS or not place.quick]
    numbers = cases.md5s(sizes[-1])
    text = "Launching a cluster named train with 8 nodes on the first cloud that has them " * 3
    inputs: tuple[tuple[str, str, list[Any], Callable[[Sequence[Any]], list[Any]]], ...] = (
        ("base36_encode", "MD5s", numbers, _batched.base36_encode),
        (
            "format_float",
            "floats",
            [place.random.random() * 1000 for _ in range(sizes[-1])],
            lambda items: _batched.format_float(items, 1),
        ),
        (
            "truncate_long_string",
            "texts of 200 characters",
            [text[i % 30 : i % 30 + 200] for i in range(sizes[-1])],
            lambda items: _batched.truncate_long_string(items, 35, False),
        ),
    )
    for name, what, items, crossed in inputs:
        routes = {
            "before": cases.looped(originals.function(name)),
            "python": _in_python(getattr(reference, name)),
            "wasm": crossed,
            "auto": getattr(batch, name),
        }
        yield Sweep(f"batch.{name}", what, "items", sizes, lambda n, items=items: (items[:n],), routes)  # type: ignore[misc]
    yield _hash_strings(sizes, numbers)
    yield _hash_files(originals, place)


def _hash_strings(sizes: Sequence[int], texts: list[str]) -> Sweep:
    def before(items: Sequence[str], _alg: str) -> list[str]:
        return [hashlib.md5(item.encode()).hexdigest() for item in items]  # noqa: S324

    routes = {
        "before": before,
        "python": _lists.hash_strings,
        "wasm": _batched.hash_strings,
        "auto": batch.hash_strings,
    }
    what = "MD5 of texts of 32 bytes"
    return Sweep("batch.hash_strings", what, "items", sizes, lambda n: (texts[:n], "md5"), routes)


def _hash_files(originals: cases.Originals, place: cases.Workplace) -> Sweep:
    sizes = (1, 3, 10, 30) if place.quick else (1, 3, 10, 30, 100, 300)
    paths = place.files("sweep-many", sizes[-1], 16 * 1024)
    routes = {
        "before": cases.looped(_hexdigest(originals.function("hash_file")), "md5"),
        "python": cases.looped(_hexdigest(reference.hash_file), "md5"),
        "auto": lambda items: batch.hash_files(items, "md5"),
    }
    return Sweep("batch.hash_files", "MD5 of files of 16 KiB", "items", sizes, lambda n: (paths[:n],), routes)


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
    originals = cases.Originals()
    curves, differing = [], []
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="skywasm-report-") as folder:
        place = cases.Workplace(folder, quick)
        try:
            sweeps = [*_scalars(originals, place), *_batches(originals, place)]
            for index, sweep in enumerate(sweeps):
                seen(sweep.function, index, len(sweeps))
                points = _points(sweep, quick)
                if points is None:
                    differing.append(f"{sweep.function} over {sweep.unit}")
                else:
                    about = {"function": sweep.function, "what": sweep.what, "unit": sweep.unit}
                    curves.append({**about, "points": points})
        finally:
            place.close()
            gc.unfreeze()
    return curves, differing


def _points(sweep: Sweep, quick: bool) -> dict[str, list[tuple[int, float]]] | None:
    """Sizes and seconds by route; None where the routes' answers differ."""
    routes = {
        route: function for route, function in sweep.routes.items() if route != "wasm" or _runtime.loaded() is not None
    }
    points: dict[str, list[tuple[int, float]]] = {route: [] for route in routes}
    for size in sweep.sizes:
        arguments = sweep.make(size)
        calls = {route: measure.Call(function, arguments) for route, function in routes.items()}
        answers = [call.once() for call in calls.values()]
        if any(answer != answers[0] for answer in answers):
            return None
        timings = measure.compare(calls, _QUICK_ROUNDS if quick else run.ROUNDS, quick)
        for route, timing in timings.items():
            points[route].append((size, timing.seconds))
    return points
