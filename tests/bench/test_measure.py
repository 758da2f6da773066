"""How the benchmark measures and fits, on calls whose times are made up."""

from __future__ import annotations

import math

import pytest

from skywasm.bench import measure, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(("start", "each"), [(5e-6, 2e-7), (0.0, 1e-9), (1e-3, 1e-3), (-2e-6, 3e-7)])
def test_a_line_is_found_again(start: float, each: float) -> None:
    """Points on a + b * n give a and b."""
    points = [(n, start + each * n) for n in (10, 30, 100, 300, 1000, 3000, 10_000)]
    a, b = measure.line(points)
    assert math.isclose(a, start, rel_tol=1e-6, abs_tol=1e-12)
    assert math.isclose(b, each, rel_tol=1e-6)


def test_large_points_do_not_drown_small_ones() -> None:
    """Each point counts by its own size: a hundredth more at the far end moves the start by little."""
    points = [(n, 5e-6 + 1e-7 * n) for n in (10, 100, 1000, 10_000)]
    points[-1] = (10_000, points[-1][1] * 1.01)
    a, b = measure.line(points)
    assert math.isclose(a, 5e-6, rel_tol=0.03)
    assert math.isclose(b, 1e-7, rel_tol=0.02)


class Clock:
    """A clock that stands still but for what calls let pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def call(self, *seconds: float) -> measure.Call:
        """A call that takes these times in turn, the last of them from then on."""
        left = list(seconds)

        def function() -> str:
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return "answer"

        return measure.Call(function, ())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", made)
    monkeypatch.setattr(measure.time, "process_time", made)
    return made


def test_the_shortest_sample_counts(clock: Clock) -> None:
    """Of samples that other work has made longer, the shortest is the result; all of them are kept."""
    timing = measure.compare({"a": clock.call(1.0, 9.0, 5.0, 3.0, 7.0, 8.0)}, rounds=4)["a"]
    assert timing.samples_s == [9.0, 5.0, 3.0, 7.0]
    assert timing.seconds == 3.0


def test_contestants_take_turns(clock: Clock) -> None:
    """A and B are timed alternately, so that what changes meanwhile strikes both."""
    order: list[str] = []

    def call(name: str) -> measure.Call:
        def function() -> None:
            clock.now += 1.0
            order.append(name)

        return measure.Call(function, ())

    measure.compare({"a": call("a"), "b": call("b")}, rounds=5)
    # One call each to learn how long it takes, then the rounds.
    assert order[: 2 + 10] == ["a", "b"] * 6


@pytest.mark.parametrize("quick", [False, True])
def test_short_calls_are_repeated(clock: Clock, quick: bool) -> None:
    """A sample of a call too short for the clock is a loop of many, and its time is that of one."""
    timing = measure.compare({"a": clock.call(1e-6)}, rounds=3, quick=quick)["a"]
    assert all(math.isclose(sample, 1e-6, rel_tol=1e-6) for sample in timing.samples_s)
    assert math.isclose(timing.cpu_s, 1e-6, rel_tol=1e-6)


def test_memory_is_that_of_one_call() -> None:
    """The peak is what Python allocates for one call, freed or not."""
    peaks = measure.compare(
        {
            "none": measure.Call(len, ("abc",)),
            "freed": measure.Call(lambda size: len(bytes(size)), (3_000_000,)),
            "kept": measure.Call(bytes, (3_000_000,)),
        },
        rounds=1,
        quick=True,
    )
    assert peaks["none"].peak_bytes < 10_000
    assert 3_000_000 <= peaks["freed"].peak_bytes < 3_100_000
    assert 3_000_000 <= peaks["kept"].peak_bytes < 3_100_000


def test_an_exception_is_an_answer() -> None:
    """What a call raises is compared by type and message."""
    assert measure.Call(int, ("x", 16)).once() == (
        "ValueError",
        "invalid literal for int() with base 16: 'x'",
    )
    assert measure.Call(int, ("ff", 16)).once() == 255


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1.5, "1.50 s"),
        (0.0123, "12.3 ms"),
        (0.000999, "999 us"),
        (1e-6, "1.00 us"),
        (4.5e-8, "45.0 ns"),
        (3e-10, "0.30 ns"),
    ],
)
def test_durations_have_three_figures(seconds: float, shown: str) -> None:
    """A time is shown with three figures and the unit that suits it."""
    assert text.duration(seconds) == shown


def test_marks_are_kept() -> None:
    """What stands between the marks is replaced, what stands around them stays, again and again."""
    document = f"before\n{text.BEGIN}\nold\n{text.END}\nafter\n"
    once = text.replace_marked(document, "new\n")
    assert once == f"before\n{text.BEGIN}\n\nnew\n\n{text.END}\nafter\n"
    assert text.replace_marked(once, "new\n") == once


def _without(part: str) -> Callable[[str], str]:
    return lambda document: document.replace(part, "")


@pytest.mark.parametrize("spoil", [_without(text.BEGIN), _without(text.END), lambda _: "", lambda d: d[::-1]])
def test_a_document_without_marks_is_refused(spoil: Callable[[str], str]) -> None:
    """One mark, none, or both in the wrong order is a ValueError that names them."""
    with pytest.raises(ValueError, match="skywasm bench: begin"):
        text.replace_marked(spoil(f"{text.BEGIN}\n{text.END}\n"), "new")


def test_marks_in_the_wrong_order_are_refused() -> None:
    """An end before the beginning is no place to write to."""
    with pytest.raises(ValueError, match="skywasm bench: begin"):
        text.replace_marked(f"{text.END}\n{text.BEGIN}\n", "new")
