"""What is compared: every function, scalar and batch, small to large, with the route taken and those not taken.

A function's cases are its examples, and its batch's are lists of ``items``.
"""

from __future__ import annotations

import hashlib

from skywasm import batch
from skywasm.bench import floors, goals, items, originals, workplace
from skywasm.bench.measure import Call
from skywasm.functions import BY_NAME, ROWS
from skywasm.routes import bind, core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from skywasm.bench.originals import Originals
    from skywasm.bench.workplace import Workplace
    from skywasm.functions.declare import Row

    Function = Callable[..., Any]


class Case:
    """One comparison: the function replaced against skywasm's, and skywasm's other routes.

    ``least`` is the ratio that the project asks of itself, None where it asks for none beyond not being slower; it
    stands under ``goal``, by default the case's key. ``floor`` is what the system takes by itself.
    """

    def __init__(
        self,
        name: str,
        size: str,
        before: Call,
        after: Call,
        routes: dict[str, Call] | None = None,
        against: str = "",
        floor: Call | None = None,
        goal: str | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self.before = before
        self.after = after
        self.routes: dict[str, Call] = routes or {}
        self.least: float | None = goals.LEAST.get(goal or self.key)
        self.against = against
        self.floor = floor

    @property
    def key(self) -> str:
        """Name and size in one."""
        return f"{self.name}, {self.size}" if self.size else self.name


def digesting(function: Function, answer: object) -> Function:
    """The function itself; with the digest taken where its answer is a hash object."""
    return (lambda *args: function(*args).hexdigest()) if hasattr(answer, "hexdigest") else function


def whole(row: Row, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of all parameters, in order."""
    code, defaults = row.reference.__code__, bind.defaults(row)
    return (*arguments, *(defaults[name] for name in code.co_varnames[len(arguments) : code.co_argcount]))


def through_wasm(row: Row) -> Function | None:
    """The function through the artifact, whatever the mode, with all parameters; None where that cannot be."""
    return None if core.if_loaded() is None else bind.crossing(row, forced=True)


def _scalars(row: Row, replaced: Originals, place: Workplace) -> Iterator[Case]:
    for size, example in row.examples.items():
        arguments = workplace.arguments(example, place)
        answer = Call(row.reference, arguments).once()
        routes = {"python": Call(digesting(row.reference, answer), arguments)}
        wasm = through_wasm(row)
        if wasm is not None:
            routes["wasm"] = Call(digesting(wasm, answer), whole(row, arguments))
        yield Case(
            row.name,
            size,
            Call(digesting(replaced.function(row), answer), arguments),
            Call(digesting(row.function, answer), arguments),
            routes,
            originals.against(row),
            floors.of(row.name, arguments),
        )
    yield from _compared_otherwise(row, place)


def _compared_otherwise(row: Row, place: Workplace) -> Iterator[Case]:
    """The first example beside something else, where there is such a thing."""
    if row.name in originals.OTHERS:
        word, other = originals.OTHERS[row.name]
        size, example = next(iter(row.examples.items()))
        arguments = workplace.arguments(example, place)
        yield Case(
            row.name,
            f"{size}, against {word}",
            Call(other.function, arguments),
            Call(row.function, arguments),
            against=other.what,
        )


def looped(function: Function, *rest: Any) -> Callable[[Sequence[Any]], list[Any]]:
    """What a program does without batches: the scalar function in a list comprehension."""
    if rest:
        return lambda items: [function(item, *rest) for item in items]
    return lambda items: [function(item) for item in items]


def batch_of(row: Row) -> Function:
    """The public batch of a function that has one."""
    return getattr(batch, row.name)  # type: ignore[no-any-return]


def _batches(row: Row, replaced: Originals, place: Workplace) -> Iterator[Case]:
    count = 1000 if place.quick else 10_000
    name = f"batch.{row.name}"
    for what, some in items.lists(row, place, count):
        yield Case(
            name,
            f"{count:,} {what}",
            Call(looped(replaced.function(row)), (some,)),
            Call(batch_of(row), (some,)),
            {"scalar loop": Call(looped(row.function), (some,))},
            originals.against(row) and f"a loop over {originals.against(row)}",
            goal=f"{name}, {what}",
        )


def _strings(place: Workplace) -> Iterator[Case]:
    count = 1000 if place.quick else 10_000
    yield Case(
        "batch.hash_strings",
        f"md5 of {count:,} of 32 bytes",
        Call(hashed, (items.md5s(count), "md5")),
        Call(batch.hash_strings, (items.md5s(count), "md5")),
        against="hashlib in a loop",
        goal="batch.hash_strings, md5 of 32 bytes",
    )


def hashed(texts: Sequence[str], _alg: str) -> list[str]:
    """The MD5s of texts, as a program without skywasm would take them."""
    return [hashlib.md5(text.encode()).hexdigest() for text in texts]


def hash_one(function: Function) -> Callable[[str, str], str]:
    """The digest of one file, by a function that gives a hash object."""

    def digest(path: str, alg: str) -> str:
        result: str = function(path, alg).hexdigest()
        return result

    return digest


def _many_files(replaced: Originals, place: Workplace) -> Iterator[Case]:
    one = hash_one(replaced.function(BY_NAME["hash_file"]))
    for name, count, size in (
        ("1 MiB", 8 if place.quick else 200, 1 << 20),
        ("4 KiB", 50 if place.quick else 5_000, 4096),
    ):
        paths = place.files(f"many-{size}-", count, size)
        for threads in (1, 2):
            what = f"{name}, {threads} thread{'' if threads == 1 else 's'}"
            yield Case(
                "batch.hash_files",
                f"md5, {count:,} of {what}",
                Call(looped(one, "md5"), (paths,)),
                Call(_hash_files(threads), (paths, "md5")),
                goal=f"batch.hash_files, md5, of {what}",
            )


def _hash_files(threads: int) -> Callable[[Sequence[str], str], list[str]]:
    return lambda paths, alg: batch.hash_files(paths, alg, threads=threads)


def all_cases(replaced: Originals, place: Workplace) -> Iterator[Case]:
    """Every case, each made when its turn comes."""
    for row in ROWS:
        yield from _scalars(row, replaced, place)
    for row in ROWS:
        if row.batch is not None:
            yield from _batches(row, replaced, place)
    yield from _strings(place)
    yield from _many_files(replaced, place)


def growing(place: Workplace, most: int) -> Iterator[tuple[str, Callable[[int], Call]]]:
    """Batches whose cost is measured over their size, up to ``most`` items."""
    for row in ROWS:
        lists = items.lists(row, place, most) if row.batch is not None else iter(())
        for _, some in lists:
            yield f"batch.{row.name}", _beginnings(batch_of(row), some)
            break
    numbers = items.md5s(most)
    yield "batch.hash_strings", lambda n: Call(batch.hash_strings, (numbers[:n], "md5"))


def _beginnings(function: Function, some: Sequence[Any]) -> Callable[[int], Call]:
    return lambda n: Call(function, (some[:n],))
