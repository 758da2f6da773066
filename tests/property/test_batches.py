"""Batches against a list comprehension over SkyPilot's functions (over hashlib for hash_strings)."""

from __future__ import annotations

import array
import collections
import hashlib
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from property import strategies
from property.oracle import common_utils
from skywasm import batch
from skywasm.crossing import lists as crossing_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@pytest.fixture(scope="module", autouse=True)
def pieces() -> Iterator[None]:
    """Pieces of 2,048 items, so that lists of a few thousand cross in several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing_lists, "_MOST_ITEMS", 2048)
        yield


SIZES = st.sampled_from((0, 1, 2, 3, 7, 20, 20, 20, 33, 33, 100, 2047, 2048, 2049, 5000))
PLACES = st.one_of(st.integers(0, 5000), st.sampled_from((0, 1, 2046, 2047, 2048, 4095, 4096, 4999)))
# What joins a list's items on their way to the artifact.
SEPARATORS = "\n\0\x1e\x1f\x01\x02"
SEPARATED = st.one_of(
    st.text(SEPARATORS + "ab \u00e9", max_size=12),
    st.sampled_from((SEPARATORS, SEPARATORS[:5], SEPARATORS[::-1] * 4)),
)
SURROGATES = st.text("\ud800\udfff\udc80a \u00e9", max_size=50)


def lists(usual: st.SearchStrategy[Any], unusual: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of any size: a few usual items over and over, and now and then an unusual one somewhere."""

    def put_together(few: list[Any], size: int, odd: list[tuple[int, Any]]) -> list[Any]:
        items = (few * (size // len(few) + 1))[:size]
        for place, item in odd if size else ():
            items[place % size] = item
        return items

    odd = st.lists(st.tuples(PLACES, unusual), max_size=2)
    return st.builds(put_together, st.lists(usual, min_size=1, max_size=9), SIZES, st.one_of(st.just([]), odd))


def looped(function: Callable[..., Any], items: Iterable[Any], *rest: Any) -> Any:
    """What a program does without batches; for an error its type, its message and the index of its item."""
    results: list[Any] = []
    try:
        for item in items:
            results.append(function(item, *rest))  # noqa: PERF401 - an error needs the number of results
    except Exception as error:
        return type(error).__name__, str(error), len(results)
    return results


def batched(function: Callable[..., Any], *arguments: Any) -> Any:
    """The same of a batch."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error), getattr(error, "batch_index", None)


def assert_same(got: Any, want: Any) -> None:
    """Both are the same list, with items of the same kinds, or the same error for the same item."""
    assert type(got) is type(want)
    if got != want:
        # Not the lists themselves: pytest would take minutes to tell thousands of items apart.
        differing = [(at, *pair) for at, pair in enumerate(zip(got, want)) if pair[0] != pair[1]]
        pytest.fail(f"{len(got)} against {len(want)}: {differing[:3]!a}")
    assert [isinstance(one, str) for one in got] == [isinstance(one, str) for one in want]


# --- base36_encode

DIGITS = "0123456789abcdefABCDEF"
NUMBERS = st.one_of(
    st.text(DIGITS, min_size=1, max_size=80),
    st.integers(0, 2**256).map("{:x}".format),
    st.sampled_from(("0", "f" * 32, "f" * 64, "f" * 65, "0" * 70)),
)
# int() strips some of the separators as blanks.
NOT_PLAIN = st.one_of(
    strategies.HEX_ARGUMENTS.filter(lambda value: not strategies.negative(value)),
    st.tuples(SEPARATED, NUMBERS, SEPARATED).map("".join),
    SURROGATES,
)


@given(items=lists(NUMBERS, NOT_PLAIN))
@example(items=["ff"] * 2048 + ["xyz"])
@example(items=["ff"] * 2047 + [None, "xyz"])
@example(items=["ff\n", "\n0", "1\x1e"] * 10)
@example(items=["f" * 9000] + ["1"] * 20)
@example(items=[""] * 20)
def test_same_as_reference_base36_encode(backend: str, items: list[Any]) -> None:
    """Lists of numbers of any length and spelling come to what SkyPilot's function makes of each."""
    assert_same(batched(batch.base36_encode, items), looped(common_utils.base36_encode, items))


@given(items=lists(NUMBERS, NUMBERS), place=PLACES)
def test_a_negative_number_is_refused_with_its_index(backend: str, items: list[Any], place: int) -> None:
    """A negative number, on which SkyPilot never ends, is a ValueError that tells which it is."""
    place %= len(items) + 1
    items.insert(place, "-1")
    with pytest.raises(ValueError, match="negative") as caught:
        batch.base36_encode(items)
    assert caught.value.batch_index == place  # type: ignore[attr-defined]


# --- format_float

MIXED = st.one_of(strategies.NUMBERS, st.booleans(), st.integers(), SEPARATED)


@given(items=lists(strategies.FLOATS, MIXED), precision=st.integers(0, 6))
@example(items=[0.25] * 2048 + ["x"], precision=1)
@example(items=[0.25] * 2048 + [True, 7, 0.5], precision=2)
@example(items=[float("nan"), float("inf"), float("-inf"), -0.0, 1e300, 5e-324] * 5, precision=1)
def test_same_as_reference_format_float(backend: str, items: list[Any], precision: int) -> None:
    """Lists of numbers of every kind come to what SkyPilot's function makes of each."""
    assert_same(
        batched(batch.format_float, items, precision),
        looped(common_utils.format_float, items, precision),
    )


@given(items=st.lists(strategies.NUMBERS, max_size=40), precision=strategies.PRECISIONS)
@example(items=[0.1] * 30, precision=True)
@example(items=[0.1] * 30, precision=-1)
@example(items=[2.0] * 30, precision=-1)
@example(items=[2.0] * 30 + [0.1], precision="x")
@example(items=[0.1, 1e-300] * 20, precision=1101)
@example(items=(0.1,) * 30, precision=-1)
@example(items=array.array("d", [2.0, 0.1] * 15), precision=-1)
@example(items=memoryview(array.array("d", [2.0, 0.1] * 15)), precision="x")
@example(items=memoryview(array.array("d", [2.0, 0.1] * 30))[::2], precision=-1)
@example(items=array.array("f", [0.1] * 30), precision=-1)
def test_same_as_reference_format_float_odd_precision(backend: str, items: Any, precision: Any) -> None:
    """A precision of any kind comes to the same as in SkyPilot."""
    assert_same(
        batched(batch.format_float, items, precision),
        looped(common_utils.format_float, items, precision),
    )


def _numpy_forms(numpy: Any) -> list[Callable[[list[float]], Any]]:
    kinds = ("f8", "f4", "f2", ">f8", "<f4", "i8", "u1", "bool", "longdouble", "complex128", "object")
    wide = [lambda nums, kind=kind: numpy.nan_to_num(numpy.array(nums, dtype="f8")).astype(kind) for kind in kinds]
    return [
        *wide,
        lambda nums: numpy.array(nums, dtype="f8")[::2],
        lambda nums: numpy.array(nums, dtype="f8")[::-1],
        lambda nums: numpy.array([nums, nums], dtype="f8").T[:, 1],
        lambda nums: numpy.array([nums, nums], dtype="f4").T[:, 0],
        lambda nums: numpy.ma.array(numpy.array(nums, dtype="f8")),
        lambda nums: memoryview(numpy.array(nums, dtype="f8"))[1:],
    ]


def _forms() -> list[Callable[[list[float]], Any]]:
    """Ways to hand over the same doubles; each makes a new one, since some can be read only once."""
    forms: list[Callable[[list[float]], Any]] = [
        tuple,
        iter,
        collections.deque,
        lambda nums: (num for num in nums),
        lambda nums: map(float, nums),
        dict.fromkeys,
        lambda nums: array.array("d", nums),
        lambda nums: array.array("i", range(len(nums))),
        lambda nums: array.array("b", range(len(nums) % 100)),
        lambda nums: memoryview(array.array("d", nums)),
        lambda nums: memoryview(array.array("d", nums))[::-2],
        lambda nums: memoryview(array.array("d", nums)).toreadonly()[3:],
        lambda nums: memoryview(array.array("d", nums)).cast("B"),
        lambda nums: memoryview(array.array("d", nums)).cast("B").cast("q"),
        lambda nums: memoryview(b"some bytes").cast("c"),
        lambda nums: bytes(len(nums)),
        lambda nums: "text",
        lambda nums: [],
        lambda nums: array.array("f", [num for num in nums if abs(num) < 1e30]),
    ]
    try:
        import numpy
    except ImportError:
        return forms
    return forms + _numpy_forms(numpy)


FORMS = _forms()


@pytest.mark.filterwarnings("ignore:.*(overflow|invalid value|ComplexWarning|discards the imaginary).*")
@given(
    few=st.lists(strategies.FLOATS, min_size=1, max_size=9),
    size=st.sampled_from((1, 5, 40, 2049)),
    form=st.sampled_from(FORMS),
    precision=st.integers(0, 4),
)
def test_same_as_reference_any_container(
    backend: str, few: list[float], size: int, form: Callable[[list[float]], Any], precision: int
) -> None:
    """Arrays, buffers, numpy arrays of any type and stride, and what is iterated once come to the same as a list."""
    nums = (few * size)[:size]
    assert_same(
        batched(batch.format_float, form(nums), precision),
        looped(common_utils.format_float, form(nums), precision),
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_container_of_many(backend: str, form: Callable[[list[float]], Any]) -> None:
    """Each way to hand over numbers is read whole when it takes several pieces to cross."""
    nums = [index / 16 for index in range(5001)]
    assert_same(batched(batch.format_float, form(nums)), looped(common_utils.format_float, form(nums)))


def test_more_dimensions_are_refused(backend: str) -> None:
    """An array of two dimensions or none is a ValueError that tells what to do, not an array of odd numbers."""
    numpy = pytest.importorskip("numpy")
    for shape in ((2, 30), (60, 1), (0, 2), ()):
        with pytest.raises(ValueError, match=r"dimensions; pass one, for example with \.ravel\(\)"):
            batch.format_float(numpy.zeros(shape))
    assert batch.format_float(numpy.zeros((6, 10)).ravel()) == ["0"] * 60


def test_dates_are_refused_as_one_by_one(backend: str) -> None:
    """Numpy's dates, which give no buffer, are refused as each of them is."""
    numpy = pytest.importorskip("numpy")
    dates = numpy.array(["2026-01-01"] * 30, dtype="M8[D]")
    assert_same(batched(batch.format_float, dates), looped(common_utils.format_float, dates))


def test_a_buffer_is_let_go(backend: str) -> None:
    """An array can be resized after its batch, whether that succeeded or failed."""
    nums = array.array("d", [0.5] * 3000)
    batch.format_float(nums)
    nums.append(1.5)
    with pytest.raises(ValueError, match=r"Format specifier|precision"):
        batch.format_float(nums, -1)
    nums.append(2.5)
    assert batch.format_float(nums)[-2:] == ["1.5", "2.5"]


# --- truncate_long_string

LENGTHS = st.one_of(st.integers(-3, 60), strategies.LENGTHS, st.booleans())


@given(
    items=lists(strategies.TEXTS, st.one_of(SEPARATED, SURROGATES, SURROGATES.map(strategies.Text), strategies.JUNK)),
    length=LENGTHS,
    middle=st.booleans(),
)
@example(items=["a b c d e f g h"] * 2048 + [5], length=4, middle=False)
@example(items=[SEPARATORS * 3] * 30, length=5, middle=True)
@example(items=["\ud83d", "\ude00"] * 20, length=0, middle=False)
@example(items=["\ud83d\ude00"] * 20, length=1, middle=False)
@example(items=["\u00e9" * 600_000, "x" * 600_000] * 2, length=400_000, middle=True)
@example(items=["x" * 3_000_000, "y z" * 5], length=9, middle=False)
def test_same_as_reference_truncate_long_string(backend: str, items: list[Any], length: int, middle: bool) -> None:
    """Lists of texts, with separators and lone surrogates among them, are cut where SkyPilot cuts each."""
    assert_same(
        batched(batch.truncate_long_string, items, length, middle),
        looped(common_utils.truncate_long_string, items, length, middle),
    )


@given(
    items=st.lists(st.one_of(strategies.TEXTS, SEPARATED), min_size=10, max_size=30),
    length=strategies.ODD_LENGTHS,
    middle=strategies.JUNK,
)
@example(items=["0123456789"] * 20, length=5.0, middle=False)
@example(items=["0123456789"] * 20, length=float("nan"), middle=True)
@example(items=["0123456789"] * 20, length=None, middle=True)
def test_same_as_reference_truncate_odd_arguments(backend: str, items: list[str], length: Any, middle: Any) -> None:
    """A length or choice of another type comes to the same as in SkyPilot."""
    assert_same(
        batched(batch.truncate_long_string, items, length, middle),
        looped(common_utils.truncate_long_string, items, length, middle),
    )


@given(items=lists(strategies.TEXTS.map(lambda text: text * 3), SEPARATED))
def test_same_as_reference_truncate_defaults(backend: str, items: list[str]) -> None:
    """The default length and cut are SkyPilot's."""
    assert_same(batched(batch.truncate_long_string, items), looped(common_utils.truncate_long_string, items))


@pytest.mark.parametrize("form", [tuple, iter, collections.deque, lambda items: (item for item in items)])
def test_texts_in_any_container(backend: str, form: Callable[[list[Any]], Any]) -> None:
    """Texts may come in any iterable, read once."""
    texts = [f"a text of some words {index:x} that is too long by far" for index in range(3000)]
    numbers = [f"{index * 7919:x}" for index in range(3000)]
    assert_same(batch.truncate_long_string(form(texts)), looped(common_utils.truncate_long_string, texts))
    assert_same(batch.base36_encode(form(numbers)), looped(common_utils.base36_encode, numbers))
    assert_same(batch.hash_strings(form(texts), "md5"), looped(digest, texts, "md5"))


# --- hash_strings

ALGORITHMS = st.sampled_from(
    ("md5", "md5", "md5", "MD5", "blake3", "blake3", "sha1", "sha256", "SHA-256", "sha512", "sha3_256", "blake2b")
)
MESSAGES = st.one_of(strategies.TEXTS.filter(str.isascii), st.text(max_size=60), st.text("ab", max_size=130))
RAW = st.one_of(st.binary(max_size=80), strategies.BLOCKS.filter(lambda block: len(block) < 3000))
ODD_MESSAGES = st.one_of(
    RAW,
    SEPARATED,
    SURROGATES,
    strategies.JUNK,
    RAW.map(bytearray),
    RAW.map(memoryview),
    st.text(max_size=9).map(strategies.Text),
    st.just(memoryview(b"abcdef")[::2]),
    # Buffers, but neither text nor bytes.
    st.just(array.array("b", b"abc")),
)


def digest(item: Any, alg: str) -> str:
    """What hash_strings promises for one item."""
    if isinstance(item, str):
        item = item.encode()
    elif not isinstance(item, (bytes, bytearray, memoryview)):
        raise TypeError(f"an item to hash must be str or bytes, not {type(item).__name__}")
    if alg == "blake3":
        return pytest.importorskip("blake3").blake3(bytes(item)).hexdigest()  # type: ignore[no-any-return]
    return hashlib.new(alg, bytes(item)).hexdigest()


@given(items=st.one_of(lists(MESSAGES, ODD_MESSAGES), lists(RAW, ODD_MESSAGES)), alg=ALGORITHMS)
@example(items=["a"], alg="blake3")
@example(items=["a"] * 40 + [5], alg="md5")
@example(items=[b"a"] * 40 + ["\ud800"], alg="md5")
@example(items=[b"a"] * 40 + [array.array("b", b"abc")], alg="md5")
@example(items=["a"] * 40 + ["\ud800"], alg="md5")
@example(items=["\ud83d", "\ude00"] * 40, alg="md5")
@example(items=[SEPARATORS, SEPARATORS.encode()] * 40, alg="md5")
@example(items=["\n", b"\0", "\x1e", b"\x1f", "\x01", b"\x02", b"\xff"] * 6, alg="blake3")
@example(items=["x" * size for size in range(130)], alg="md5")
@example(items=[b"x" * 1_500_000, b"\n"] * 2, alg="md5")
@example(items=[b"\xff\n" * 700_000, "\u00e9"] * 2, alg="md5")
def test_hash_strings_is_hashlib(backend: str, items: list[Any], alg: str) -> None:
    """Digests of texts and bytes of any content and mix are those of hashlib and the blake3 package."""
    if backend == "python" and alg == "blake3":
        with pytest.raises(ValueError, match="unsupported hash"):
            batch.hash_strings(items, alg)
        return
    assert_same(batched(batch.hash_strings, items, alg), looped(digest, items, alg))


@given(alg=strategies.ALGORITHM_ARGUMENTS, size=st.sampled_from((0, 1, 40)))
@example(alg="blake3", size=0)
@example(alg="shake_128", size=0)
@example(alg="shake_128", size=40)
def test_hash_strings_any_algorithm(backend: str, alg: Any, size: int) -> None:
    """Every name comes to hashlib's digests or hashlib's refusal, whatever the size of the list."""
    assume(alg != "blake3" or backend != "python")
    items = ["a text", b"bytes"] * (size // 2) + ["one"] * (size % 2)
    got = batched(batch.hash_strings, items, alg)
    if alg == "blake3":
        assert_same(got, looped(digest, items, alg))
        return
    refused = batched(hashlib.new, alg)
    if isinstance(refused, tuple):
        assert got == refused
    elif isinstance(got, tuple) and "is hashlib's, not the artifact's" in got[1]:
        assert (got[0], backend) == ("ValueError", "wasm")
    elif refused.digest_size == 0:
        # Its digests have no length of their own.
        assert isinstance(got, tuple)
        assert got[0] == "TypeError"
    else:
        assert_same(got, looped(digest, items, alg))
