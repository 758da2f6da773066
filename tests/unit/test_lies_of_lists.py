"""Batches of a guest that lies: how many items there were, which are left, where results lie and what they are."""

from __future__ import annotations

import contextlib

import artifacts
import pytest

pytest.importorskip("wasmtime")

from skywasm import errors
from skywasm.crossing import convention as c
from skywasm.crossing import list_roads, lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ITEMS = ["one", "two", "three"]
SIZE = artifacts.PAGES * artifacts.PAGE
# Where a stand-in of these tests puts things of its own.
PLACE = 2048


def window(text: bytes) -> str:
    """Statements that write bytes into the output window, and the result that says so."""
    stores = "".join(
        f"(i32.store8 (i32.const {artifacts.OUTPUT_AT + at}) (i32.const {byte}))" for at, byte in enumerate(text)
    )
    return f"{stores} (i64.const {c.IN_WINDOW + len(text)})"


def told(**cells: int) -> str:
    """Statements that set the cells of a batch: left, left_count and count."""
    numbers = {"left": c.CELL_LEFT, "left_count": c.CELL_LEFT_COUNT, "count": c.CELL_COUNT, "offsets": c.CELL_OFFSETS}
    wanted = {"left": 0, "left_count": 0, "count": len(ITEMS), "offsets": SIZE, **cells}
    return " ".join(artifacts.cell(numbers[name], f"(i64.const {value})") for name, value in wanted.items())


def many(body: str, signature: str = "f(s:str)->str batch", **how: Any) -> tuple[lists.Many, list[Any]]:
    """The batch of a module whose batch has this body, and what its scalar way was asked."""
    asked: list[Any] = []

    def scalar(item: Any) -> Any:
        asked.append(item)
        return f"<{item}>"

    def never(*_: Any) -> Any:
        raise AssertionError("nobody answers for a forced call")

    module = artifacts.small("unreachable", signature, functions={"f[]": body}, **how)
    module.give_back(module.borrow())
    return lists.Many(module, "f", scalar, never, True), asked


def both(made: lists.Many) -> list[Any]:
    """The general way and the road."""
    return [made.general, list_roads.road(made, {})]


def test_the_truth_is_taken() -> None:
    """So that the lies below are what is noticed."""
    made, asked = many(f"{told()} {window(b'1' + chr(10).encode() + b'2' + chr(10).encode() + b'3')}")
    for way in both(made):
        assert way(ITEMS) == ["1", "2", "3"]
    assert asked == []
    assert len(made.module.pool) == 1


@pytest.mark.parametrize("answer", [b"", b"1", b"1\n2", b"1\n2\n3\n", b"1\n2\n3\n4"])
def test_too_few_or_too_many_results(answer: bytes) -> None:
    """Results that are not one an item are not believed: the items are answered one by one, or it is a trap."""
    made, asked = many(f"{told()} {window(answer)}")
    for way in both(made):
        asked.clear()
        try:
            assert way(ITEMS) == ["<one>", "<two>", "<three>"]
            assert asked == ITEMS
        except errors.TrapError:
            assert asked == []


@pytest.mark.parametrize("count", [0, 2, 4, -1, 2**62, -(2**63)])
def test_another_number_of_items(count: int) -> None:
    """A guest that has seen another number of items has split them elsewhere: its results are others'."""
    made, asked = many(f"{told(count=count)} {window(b'1' + chr(10).encode() + b'2' + chr(10).encode() + b'3')}")
    for way in both(made):
        asked.clear()
        try:
            assert way(ITEMS) == ["<one>", "<two>", "<three>"]
        except errors.TrapError:
            assert asked == []


@pytest.mark.parametrize(
    ("left", "left_count"),
    [(SIZE, 1), (SIZE - 3, 1), (0, 2**40), (-4, 1), (PLACE, -1), (PLACE, -(2**63)), (2**62, 2**62), (0, 2**62)],
)
def test_left_items_that_lie_nowhere(left: int, left_count: int) -> None:
    """Indices outside memory, or a number of them that is none, are a trap."""
    made, _ = many(
        f"{told(left=left, left_count=left_count)} {window(b'1' + chr(10).encode() + b'2' + chr(10).encode() + b'3')}"
    )
    for way in both(made):
        with pytest.raises(errors.TrapError):
            way(ITEMS)
    assert made.module.pool == []


@pytest.mark.parametrize("index", [-1, 3, 2**31 - 1, -(2**31)])
def test_left_items_that_there_are_not(index: int) -> None:
    """An index that is no item's is never used."""
    put = f"(i32.store (i32.const {PLACE}) (i32.const {index}))"
    made, asked = many(
        f"{put} {told(left=PLACE, left_count=1)} {window(b'1' + chr(10).encode() + b'2' + chr(10).encode() + b'3')}"
    )
    for way in both(made):
        with contextlib.suppress(errors.TrapError):
            assert way(ITEMS) == ["1", "2", "3"]
    assert asked == []


def test_the_same_item_left_twice() -> None:
    """Is answered, and the others are the guest's."""
    put = "".join(f"(i32.store (i32.const {PLACE + 4 * at}) (i32.const 1))" for at in range(2))
    made, asked = many(
        f"{put} {told(left=PLACE, left_count=2)} {window(b'1' + chr(10).encode() + chr(10).encode() + b'3')}"
    )
    for way in both(made):
        asked.clear()
        assert way(ITEMS) == ["1", "<two>", "3"]
        assert set(asked) == {"two"}


@pytest.mark.parametrize(
    "status", [0, 7, c.IN_WINDOW - 1, c.IN_WINDOW + c.OUTPUT + 1, -4, -77, c.E_PROTOCOL, c.AGAIN, c.ASK]
)
def test_statuses_of_a_batch(status: int) -> None:
    """What names no bytes, and unknown errors, are traps; the instance is not used again."""
    made, _ = many(f"{told()} {artifacts.cell(c.CELL_REQUEST, '(i64.const 5)')} (i64.const {status})")
    for way in both(made):
        with pytest.raises(errors.TrapError):
            way(ITEMS)
    assert made.module.pool == []


@pytest.mark.parametrize("bad", [b"\xff\n\n", b"1\n\xed\xa0\x80\n3", b"1\n\xc0\x8a\n3"])
def test_results_that_are_no_text(bad: bytes) -> None:
    """Bytes that the record promises to be text, and that are none, are a trap."""
    made, _ = many(f"{told()} {window(bad)}")
    for way in both(made):
        with pytest.raises(errors.TrapError, match="not UTF-8"):
            way(ITEMS)


NUMBERS = {
    "int": ("f(num:int)->int batch", [1, 2, 3]),
    "float": ("f(num:float)->float batch", [1.0, 2.0, 3.0]),
    "bool": ("f(num:int)->bool batch", [1, 2, 3]),
}


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("size", [0, 1, 7, 16, 23, 25, 32])
def test_numbers_of_another_length(kind: str, size: int) -> None:
    """As many bytes as items have, or a trap: never one item's answer for another's."""
    signature, items = NUMBERS[kind]
    made, asked = many(f"{told()} {window(bytes(size))}", signature)
    with pytest.raises(errors.TrapError):
        made.general(items)
    assert asked == []
