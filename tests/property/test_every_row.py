"""Every function by its declaration alone: the artifact and the batch against the body, and what tools see of it.

A function that is added is tested here without another line.
"""

from __future__ import annotations

import doctest
import inspect
import pickle
from typing import Any

import pytest
from children import MODES
from hypothesis import given
from hypothesis import strategies as st

import skywasm
from property import strategies
from skywasm import batch
from skywasm.bench.workplace import Workplace, arguments
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skywasm.functions.declare import Row

PLAIN = [row for row in ROWS if row.crossing is None]
BATCHED = [row for row in PLAIN if row.batch is not None]
# Around what crosses as 64 bits. Larger than small and smaller than these, they may stand for gigabytes.
_EDGES = st.sampled_from((2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**30))
_OF: dict[str, st.SearchStrategy[Any]] = {
    "str": st.one_of(strategies.TEXTS, strategies.TEXTS.map(strategies.Text), strategies.HEX),
    "bytes": st.binary(max_size=90),
    "float": st.one_of(strategies.FLOATS, strategies.FLOATS.map(strategies.Number)),
    "int": st.one_of(st.integers(-5, 70), _EDGES),
    "bool": st.booleans(),
    "None": st.none(),
}


def each(rows: list[Row]) -> Any:
    """The parameters of a test for each of these rows."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def _of(annotation: str) -> st.SearchStrategy[Any]:
    """Values of an annotated type, and some of another."""
    known = [_OF[one.strip()] for one in annotation.split("|") if one.strip() in _OF]
    return st.one_of(*known, *known, strategies.JUNK)


def _near(value: Any) -> st.SearchStrategy[Any]:
    """A value of an example, as it is or with something changed in it."""
    if isinstance(value, (str, bytes)):
        empty = value[:0]
        pieces: Any = st.text(strategies.CHARACTERS, max_size=3) if isinstance(value, str) else st.binary(max_size=3)
        places = st.integers(0, len(value))
        changed = st.tuples(places, places, st.one_of(st.just(empty), pieces)).map(
            lambda how: value[: how[0]] + how[2] + value[how[1] :]
        )
        return st.one_of(st.just(value), changed)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return st.integers(-2, 2).map(lambda step: value + step)
    return st.just(value)


def calls(row: Row) -> st.SearchStrategy[tuple[Any, ...]]:
    """Arguments of a function: of the annotated types and of others, and near those of its examples."""
    parameters = inspect.signature(row.reference).parameters.values()
    whole = [_of(str(one.annotation)) for one in parameters]
    least = sum(one.default is one.empty for one in parameters)
    made = [st.tuples(*whole[:count]) for count in range(least, len(whole) + 1)]
    for example in row.examples.values():
        if not callable(example):
            near = [_near(value) for value in example]
            made += [st.tuples(*near, *whole[len(near) : count]) for count in range(len(near), len(whole) + 1)] * 2
    return st.one_of(made)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call comes to: the type and value of its result, or the type and message of its exception."""
    try:
        result = call(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)
    return type(result), repr(result)


def one_by_one(
    function: Callable[..., Any], items: list[Any], rest: tuple[Any, ...]
) -> tuple[list[Any], Exception | None]:
    """The results of each item up to the first that has none, and its exception."""
    results: list[Any] = []
    try:
        for item in items:
            results.append(function(item, *rest))  # noqa: PERF401 - as far as it came counts
    except Exception as error:
        return results, error
    return results, None


@each(PLAIN)
@given(data=st.data())
def test_the_function_is_its_body(backend: str, row: Row, data: st.DataObject) -> None:
    """In every mode a function comes to what its body does, by value, type, exception and message."""
    call = data.draw(calls(row))
    assert outcome(getattr(skywasm, row.name), *call) == outcome(row.reference, *call)


@each(BATCHED)
@given(data=st.data())
def test_the_batch_is_the_body_of_each(backend: str, row: Row, data: st.DataObject) -> None:
    """A batch comes to the list of what the body makes of each item, or to the first one's exception with its index."""
    ways = st.lists(calls(row), min_size=1, max_size=12)
    chosen = data.draw(ways)
    rest = chosen[0][1:]
    items = [call[0] for call in chosen] * data.draw(st.sampled_from((1, 1, 1, 40)))
    want, problem = one_by_one(row.reference, items, rest)
    if problem is not None:
        with pytest.raises(type(problem)) as caught:
            getattr(batch, row.name)(items, *rest)
        assert str(caught.value) == str(problem)
        assert caught.value.batch_index == len(want)  # type: ignore[attr-defined]
        return
    got = getattr(batch, row.name)(items, *rest)
    assert type(got) is list
    assert repr(got) == repr(want)
    # A text of a derived type may come out as plain text.
    assert all(issubclass(type(one), type(other)) for one, other in zip(want, got))


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    """Where the examples find what they need."""
    with Workplace(quick=True) as made:
        yield made


@each(ROWS)
def test_every_example_answers(backend: str, row: Row, place: Workplace) -> None:
    """The examples are calls that succeed, in every mode, and come to what the body does."""
    for example in row.examples.values():
        those = arguments(example, place)
        got, want = getattr(skywasm, row.name)(*those), row.reference(*those)
        if hasattr(want, "hexdigest"):
            got, want = got.hexdigest(), want.hexdigest()
        assert (type(got), got) == (type(want), want)


@each(ROWS)
def test_what_tools_see(backend: str, row: Row, place: Workplace) -> None:
    """Before and after its first call in a mode, a function is the module's, with its body's signature and source."""
    public = getattr(skywasm, row.name)
    for _ in range(2):
        assert public is row.function
        assert pickle.loads(pickle.dumps(public)) is public
        assert inspect.signature(public) == inspect.signature(row.reference)
        assert inspect.getsource(public) == inspect.getsource(row.reference)
        assert f"def {row.name}(" in inspect.getsource(public)
        assert (public.__name__, public.__qualname__, public.__doc__) == (row.name, row.name, row.reference.__doc__)
        public(*arguments(next(iter(row.examples.values())), place))


@each(ROWS)
def test_it_is_called_by_keywords_as_its_body_is(backend: str, row: Row, place: Workplace) -> None:
    """Arguments by name, missing ones and ones too many come to the same as the body's, whose name the error tells."""
    those = arguments(next(iter(row.examples.values())), place)
    named = dict(zip(inspect.signature(row.reference).parameters, those))
    public = getattr(skywasm, row.name)
    got, want = public(**named), row.reference(**named)
    if hasattr(want, "hexdigest"):
        got, want = got.hexdigest(), want.hexdigest()
    assert got == want
    for wrong in ({"no_such_parameter": 1}, {**named, "no_such_parameter": 1}):
        assert outcome(lambda wrong=wrong: public(**wrong)) == outcome(lambda wrong=wrong: row.reference(**wrong))  # type: ignore[misc]
    many = [None] * 20
    assert outcome(public, *many) == outcome(row.reference, *many)


@pytest.mark.parametrize("mode", MODES)
@each(ROWS)
def test_the_docstring_tells_the_truth(row: Row, mode: str) -> None:
    """The examples of a docstring, and of its batch's, hold in every mode."""
    runner = doctest.DocTestRunner(verbose=False)
    finder = doctest.DocTestFinder()
    names = {name: getattr(skywasm, name) for name in skywasm.__all__}
    tests = finder.find(row.function, row.name, globs=names)
    if row.batch is not None:
        many = getattr(batch, row.name)
        tests += finder.find(
            many, f"batch.{row.name}", module=False, globs={name: getattr(batch, name) for name in batch.__all__}
        )
    with skywasm.use_backend(mode):
        for test in tests:
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
