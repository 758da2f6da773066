"""Nothing that comes out of the sandbox is believed: a hostile artifact gets a TrapError, never a foreign byte."""

from __future__ import annotations

import ctypes

import artifacts
import pytest

import skywasm
from skywasm import errors
from skywasm.crossing import convention as c

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")
from skywasm.crossing import calls  # noqa: E402 - after it is known that there is an engine
from skywasm.crossing import instance as places  # noqa: E402

SIZE = artifacts.PAGES * artifacts.PAGE
NAME = "f"
BYTES = "f(data:bytes)->bytes"


def hostile(body: str, signature: str = BYTES, **how: Any) -> Any:
    """A module whose only function has this body."""
    return artifacts.small(body, signature, **how)


def seat_and_status(module: Any) -> tuple[Any, int]:
    """A seat in which the function has been called with nothing, and what it answered."""
    seat = module.borrow()
    status = seat[places.INSTANCE].enter(module.index(NAME), None, False)
    return seat, status


def memory(seat: Any) -> bytes:
    """All of an instance's memory."""
    instance = seat[places.INSTANCE]
    instance.measure()
    return ctypes.string_at(instance.base, instance.size)


BEYOND = [
    (SIZE, 1),
    (SIZE - 1, 2),
    (1, SIZE),
    (1, SIZE + 1),
    (SIZE + 1, 0),
    (2**31 - 1, 1),
    (1, 2**32 - 1),
    (2**31 - 1, 2**32 - 1),
    (2**31 - 1, 2**31),
]


@pytest.mark.parametrize(("pointer", "length"), BEYOND)
def test_regions_beyond_memory_are_refused(pointer: int, length: int) -> None:
    """A region that does not lie inside linear memory, by however much, is a TrapError."""
    seat, status = seat_and_status(hostile(artifacts.packed(pointer, length)))
    with pytest.raises(errors.TrapError, match="beyond"):
        calls.taken(seat, status)


@pytest.mark.parametrize(("pointer", "length"), BEYOND)
def test_calls_meet_the_same_check(pointer: int, length: int) -> None:
    """A whole call of a function that lies about its answer is a TrapError, and the instance is not kept."""
    module = hostile(artifacts.packed(pointer, length))
    with pytest.raises(errors.TrapError, match="beyond"):
        module.call(NAME, b"")
    assert module.pool == []


@pytest.mark.parametrize(("pointer", "length"), [(SIZE, 0), (SIZE - 1, 1), (1, SIZE - 1), (1, 0)])
def test_regions_up_to_the_end_are_taken(pointer: int, length: int) -> None:
    """A region that ends where memory ends is a good one, and its bytes come out as they are."""
    seat, status = seat_and_status(hostile(artifacts.packed(pointer, length)))
    taken = calls.taken(seat, status)
    assert taken == memory(seat)[pointer : pointer + length]
    assert len(taken) == length


@pytest.mark.parametrize(
    ("pointer", "length"),
    [
        (-1, 1),
        (0, -1),
        (-1, -1),
        (-(2**63), 0),
        (2**63, 1),
        (1, 2**63),
        (2**64 - 1, 2),
        (-5, 10),
        (SIZE, 1),
        (0, SIZE + 1),
    ],
)
def test_every_way_to_name_a_region_is_checked(pointer: int, length: int) -> None:
    """Negative numbers, sums beyond 64 bits and plain excess: no view, no bytes, no text."""
    seat, _ = seat_and_status(hostile("(i64.const 0)"))
    instance = seat[places.INSTANCE]
    for way in (instance.check, instance.region, instance.take, instance.text):
        with pytest.raises(errors.TrapError, match="beyond"):
            way(pointer, length)


def test_a_region_is_the_memory_itself() -> None:
    """What is written into a region the guest finds, and a region of nothing may stand at the very end."""
    seat, _ = seat_and_status(hostile("(i64.const 0)"))
    instance = seat[places.INSTANCE]
    instance.region(SIZE - 4, 4)[:] = b"last"
    assert instance.take(SIZE - 4, 4) == b"last"
    assert memory(seat)[-4:] == b"last"
    assert len(instance.region(SIZE, 0)) == 0


TEXT_AT = 2048


@pytest.mark.parametrize("content", [b"\xff", b"a\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_text_that_is_none_is_a_trap(content: bytes) -> None:
    """A function whose record promises valid text, and that gives other bytes, is not believed."""
    body = f"(i32.store (i32.const {TEXT_AT}) (i32.const {int.from_bytes(content, 'little')}))"
    module = hostile(body + artifacts.packed(TEXT_AT, len(content)), "f(data:bytes)->str")
    with pytest.raises(errors.TrapError, match="not UTF-8"):
        module.call(NAME, b"")
    assert module.pool == []


def test_lone_surrogates_are_text_where_the_record_says_so() -> None:
    """The kind text may hold them, as Python's own texts may."""
    body = f"(i32.store (i32.const {TEXT_AT}) (i32.const {0x80A0ED}))"
    assert hostile(body + artifacts.packed(TEXT_AT, 3), "f(data:bytes)->text").call(NAME, b"") == "\ud800"


def test_memory_that_has_grown_is_seen() -> None:
    """A region in memory that the artifact added during the call can be taken."""
    body = f"(drop (memory.grow (i32.const 3))) {artifacts.packed(SIZE + 5, 3 * artifacts.PAGE - 5)}"
    seat, status = seat_and_status(hostile(body))
    assert calls.taken(seat, status) == bytes(3 * artifacts.PAGE - 5)


def test_memory_has_a_hard_limit() -> None:
    """Growth beyond the limit fails inside the sandbox; an artifact that begins beyond it makes no instance."""
    pages = c.MEMORY_LIMIT // artifacts.PAGE
    _, status = seat_and_status(hostile(f"(i64.extend_i32_s (memory.grow (i32.const {pages})))"))
    assert status == -1
    with pytest.raises(errors.CoreUnavailableError, match=r"(?i)memory"):
        hostile("unreachable", pages=pages + 1).borrow()


def placed(which: int, address: int) -> Any:
    """A module that names this address for one of the regions of the convention."""
    body = "".join(
        f"(if (i64.eq (local.get $a) (i64.const {at})) (then (return (i64.const {address if at == which else place}))))"
        for at, place in enumerate(artifacts.PLACES)
    )
    return hostile("(i64.const 0)", functions={c.BUFFERS: body + "(i64.const -3)"})


SIZES = (c.WINDOW, c.OUTPUT, 8 * c.CELLS)


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("beyond", [SIZE, None, 2**32 - 8, 2**32 + SIZE, -8, -(2**63), 2**63 - 8])
def test_regions_of_the_convention_lie_in_memory(which: int, beyond: int | None) -> None:
    """Windows or cells that leave no room before memory ends are refused before anything is written or read."""
    address = SIZE - SIZES[which] + 8 if beyond is None else beyond
    with pytest.raises(errors.CoreUnavailableError, match="beyond"):
        placed(which, address).borrow()


@pytest.mark.parametrize("which", range(3))
def test_regions_of_the_convention_are_aligned(which: int) -> None:
    """Cells are read as 64-bit words: an odd place makes the module unusable, a place at the end does not."""
    with pytest.raises(errors.CoreUnavailableError, match="not aligned"):
        placed(which, SIZE - SIZES[which] - 1).borrow()
    assert placed(which, SIZE - SIZES[which]).borrow()


def test_a_refused_large_input_is_a_limit() -> None:
    """An artifact that has no room for an input says so: LimitError, with the limit."""
    module = hostile(
        "(i64.add (local.get $a) (i64.const 536870912))", functions={c.RESERVE: f"(i64.const {c.E_LIMIT})"}
    )
    with pytest.raises(errors.LimitError, match=str(c.MEMORY_LIMIT)):
        module.call(NAME, bytes(c.WINDOW + 1))
    assert len(module.call(NAME, bytes(c.WINDOW))) == c.WINDOW


@pytest.mark.parametrize("pointer", [0, c.E_PROTOCOL, c.E_INPUT, -(2**63), SIZE, SIZE - c.WINDOW, 2**32, 2**63 - 1])
def test_a_large_input_that_lies_nowhere_is_a_trap(pointer: int) -> None:
    """Room that the artifact claims to have, and has not, is never written to."""
    module = hostile("(i64.const 0)", functions={c.RESERVE: f"(i64.const {pointer})"})
    with pytest.raises(errors.TrapError, match=r"beyond|no room"):
        module.call(NAME, bytes(c.WINDOW + 1))
    assert module.pool == []


@pytest.mark.parametrize("size", [c.TEXT_LIMIT + 1, c.TEXT_LIMIT * 2])
def test_inputs_beyond_the_limit_do_not_cross(size: int) -> None:
    """Nothing is even asked for: the limit is the host's own, and the instance serves the next call."""
    module = hostile("(i64.add (local.get $a) (i64.const 536870912))", functions={c.RESERVE: "unreachable"})
    with pytest.raises(calls.TooLong) as caught:
        module.call(NAME, bytes(size))
    assert (caught.value.size, len(module.pool)) == (size, 1)
    assert len(module.call(NAME, b"x" * 5)) == 5


STATUSES = [-4, -6, -99, -102, -(2**31), -(2**63), c.E_PROTOCOL]


@pytest.mark.parametrize("kind", ["bytes", "str", "text", "int", "float", "bool", "size"])
@pytest.mark.parametrize("status", STATUSES)
def test_unknown_statuses_are_traps(kind: str, status: int) -> None:
    """A negative result that stands for nothing known is a TrapError that names it and the function."""
    module = hostile(f"(i64.const {status})", f"f(data:bytes)->{kind}")
    with pytest.raises(errors.TrapError, match=rf"f: .*{status}"):
        module.call(NAME, b"")
    assert module.pool == []


@pytest.mark.parametrize(
    "status",
    [0, 1, 77, c.IN_WINDOW - 1, c.IN_WINDOW + c.OUTPUT + 1, 2 * c.IN_WINDOW, 2**31, 2**32 - 1],
)
def test_statuses_that_name_no_bytes_are_traps(status: int) -> None:
    """Below a pointer only a length within the output window means bytes."""
    module = hostile(f"(i64.const {status})")
    with pytest.raises(errors.TrapError, match=f"{status}, which names no bytes"):
        module.call(NAME, b"")
    assert module.pool == []


@pytest.mark.parametrize("length", [0, 1, c.OUTPUT - 1, c.OUTPUT])
def test_statuses_that_name_the_window(length: int) -> None:
    """A length up to the whole window is taken from there."""
    body = f"(i64.store8 (i32.const {artifacts.OUTPUT_AT}) (i64.const 65)) (i64.const {c.IN_WINDOW + length})"
    assert hostile(body).call(NAME, b"") == (b"A" + bytes(length))[:length]


def test_left_to_the_reference_costs_no_instance() -> None:
    """The guest's own word that it does not answer is no fault of its instance."""
    module = hostile(f"(i64.const {c.E_INPUT})")
    for _ in range(3):
        with pytest.raises(errors.NeedsReference):
            module.call(NAME, b"")
    assert len(module.pool) == 1


@pytest.mark.parametrize("number", [0, 1, 5, -1, 2**62, -(2**63)])
def test_requests_that_there_are_not_are_traps(number: int) -> None:
    """Asking for a number that the record does not have, or for anything where it has none, gets nothing."""
    body = f"{artifacts.cell(c.CELL_REQUEST, f'(i64.const {number})')} (i64.const {c.ASK})"
    module = hostile(body, functions={c.RESUME: "unreachable"})
    with pytest.raises(errors.TrapError, match=f"asked for request {number}, which there is not"):
        module.call(NAME, b"")
    assert module.pool == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", "unreachable"),
        ("(i64.div_s (i64.const 1) (i64.const 0))", "divide by zero"),
        (f"(i64.load (i32.const {SIZE - 7}))", "out of bounds"),
        ("(call $loop) (i64.const 0)", "call stack"),
    ],
)
def test_traps_are_trap_errors(body: str, reason: str) -> None:
    """Each way of trapping is a TrapError with the engine's reason and the export's name."""
    module = hostile(body, extra="(func $loop (call $loop) (call $loop))")
    for _ in range(3):
        with pytest.raises(errors.TrapError, match=reason) as caught:
            module.call(NAME, b"")
        assert str(caught.value).startswith(f"{NAME}: ")
        assert module.pool == []


def test_slices_are_resumed() -> None:
    """AGAIN is answered by resuming, as often as it comes; the call that follows begins anew."""
    count = "(global.set $left (i64.sub (global.get $left) (i64.const 1)))"
    resume = f"""{count} (global.set $resumed (i64.add (global.get $resumed) (i64.const 1)))
      (if (i64.gt_s (global.get $left) (i64.const 0)) (then (return (i64.const {c.AGAIN}))))
      {artifacts.gives("(global.get $resumed)")}"""
    body = f"(global.set $left (local.get $a)) (global.set $resumed (i64.const 0)) (i64.const {c.AGAIN})"
    module = hostile(
        body,
        "f(num:int)->int",
        functions={c.RESUME: resume},
        extra="(global $left (mut i64) (i64.const 0)) (global $resumed (mut i64) (i64.const 0))",
    )
    assert [module.call(NAME, number) for number in (5, 1, 7)] == [5, 1, 7]
    assert len(module.pool) == 1


def test_the_artifact_itself_passes() -> None:
    """The checks above let the real answers through: through a small window and a large input alike."""
    from skywasm.routes import core

    with skywasm.use_backend("wasm"):
        skywasm.warm_up()
        module = core.core()
        for size in (0, 1, c.WINDOW, c.WINDOW + 1, 1_000_000):
            assert module.call("hash_string", bytes(size), 0) == skywasm.batch.hash_strings([bytes(size)], "md5")[0]
