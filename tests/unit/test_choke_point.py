"""Nothing that comes out of the sandbox is believed: a hostile artifact gets a TrapError, never a foreign byte."""

from __future__ import annotations

import artifacts
import pytest

import skywasm
from skywasm import _abi, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")
PATHS = ("raw", "public")
SIZE = 2 * artifacts.PAGE
EXPORT = "sky_format_float"


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    with skywasm.use_backend("wasm"):
        skywasm.warm_up()


def hostile(path: str, body: str, **how: Any) -> Any:
    """An instance whose ``sky_format_float`` has this body."""
    return artifacts.instance(artifacts.text({EXPORT: body}, **how), path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("pointer", "length"),
    [
        (SIZE, 1),
        (SIZE - 1, 2),
        (0, SIZE + 1),
        (SIZE + 1, 0),
        (2**31 - 1, 1),
        (0, 2**32 - 1),
        (2**31 - 1, 2**32 - 1),
        (2**31 - 1, 2**31),
    ],
)
def test_regions_beyond_memory_are_refused(path: str, pointer: int, length: int) -> None:
    """A region that does not lie inside linear memory, by however much, is a TrapError."""
    instance = hostile(path, artifacts.packed(pointer, length))
    with pytest.raises(errors.TrapError, match="beyond"):
        instance.take(instance.call(EXPORT))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("pointer", "length"), [(SIZE, 0), (SIZE - 1, 1), (0, SIZE), (0, 0)])
def test_regions_up_to_the_end_are_taken(path: str, pointer: int, length: int) -> None:
    """A region that ends where memory ends is a good one, and its bytes come out as they are."""
    instance = hostile(path, artifacts.packed(pointer, length))
    taken = instance.take(instance.call(EXPORT))
    assert taken == bytes(instance.view)[pointer : pointer + length]
    assert len(taken) == length


@pytest.mark.parametrize("path", PATHS)
def test_memory_that_has_grown_is_seen(path: str) -> None:
    """A region in memory that the artifact added during the call can be taken."""
    body = f"(drop (memory.grow (i32.const 3))) {artifacts.packed(SIZE + 5, 3 * artifacts.PAGE - 5)}"
    instance = hostile(path, body)
    assert instance.take(instance.call(EXPORT)) == bytes(3 * artifacts.PAGE - 5)


@pytest.mark.parametrize("path", PATHS)
def test_memory_has_a_hard_limit(path: str) -> None:
    """Growth beyond the limit fails inside the sandbox; an artifact that begins beyond it makes no instance."""
    pages = _abi.MEMORY_LIMIT // artifacts.PAGE
    instance = hostile(path, f"(i64.extend_i32_s (memory.grow (i32.const {pages})))")
    assert instance.call(EXPORT) == -1
    with pytest.raises(Exception, match=r"(?i)memory"):
        hostile(path, "unreachable", pages=pages + 1)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("pointer", [SIZE, SIZE - _abi.WINDOW + 1, 2**32 - 1, 2**32 + SIZE, -7])
def test_input_buffers_beyond_memory_are_refused(path: str, pointer: int) -> None:
    """An address for the input buffer that leaves no room for it is a TrapError before anything is written."""
    with pytest.raises(errors.TrapError):
        artifacts.instance(artifacts.text({"sky_input": f"(i64.const {pointer})"}), path)


@pytest.mark.parametrize("pointer", [SIZE, SIZE - 1, 2**32 - 1])
def test_output_buffers_beyond_memory_are_refused(pointer: int) -> None:
    """The address at which short answers are read directly is checked like any other."""
    with pytest.raises(errors.TrapError, match="beyond"):
        artifacts.instance(artifacts.text({"sky_output": f"(i64.const {pointer})"}), "raw")


@pytest.mark.parametrize("path", PATHS)
def test_a_refused_input_buffer_is_a_limit(path: str) -> None:
    """An artifact that has no room for an input says so: LimitError, with the limit."""
    body = f"""(if (result i64) (i64.gt_s (local.get $a) (i64.const {_abi.WINDOW}))
      (then (i64.const {_abi.E_LIMIT})) (else (i64.const 0)))"""
    instance = artifacts.instance(artifacts.text({"sky_input": body}), path)
    with pytest.raises(errors.LimitError, match=str(_abi.MEMORY_LIMIT)):
        instance.put(bytes(_abi.WINDOW + 1))
    assert instance.put(bytes(_abi.WINDOW)) == _abi.WINDOW


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("status", [-6, -99, -101, -(2**31), _abi.HOST_FAILED, _abi.NO_ANSWER, _abi.E_PROTOCOL])
def test_unknown_statuses_are_traps(path: str, status: int) -> None:
    """A negative result that stands for nothing known is a TrapError that names it."""
    instance = hostile(path, f"(i64.const {status})")
    result = instance.call(EXPORT)
    assert result == status
    error = instance.error_for(EXPORT, result)
    assert isinstance(error, errors.TrapError)
    assert str(status) in str(error)
    assert EXPORT in str(error)


@pytest.mark.parametrize("path", PATHS)
def test_a_host_error_that_never_was_is_a_trap(path: str) -> None:
    """An artifact that blames a host function which has not failed gets a TrapError, not a stale exception."""
    instance = hostile(path, f"(i64.const {_abi.E_HOST})")
    assert isinstance(instance.error_for(EXPORT, instance.call(EXPORT)), errors.TrapError)
    for status in (_abi.E_INPUT, _abi.E_LIMIT, _abi.E_PROTOCOL, _abi.E_HOST):
        instance.context.error = OSError("of this call")
        instance.error_for(EXPORT, status)
        assert isinstance(instance.error_for(EXPORT, _abi.E_HOST), errors.TrapError)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", "unreachable"),
        ("(i64.div_s (i64.const 1) (i64.const 0))", "divide by zero"),
        ("(i64.load (i32.const 131065))", "out of bounds"),
        ("(call $loop) (i64.const 0)", "call stack"),
    ],
)
def test_traps_are_trap_errors(path: str, body: str, reason: str) -> None:
    """Each way of trapping is a TrapError with the engine's reason and the export's name."""
    instance = hostile(path, body, extra="(func $loop (call $loop) (call $loop))")
    for _ in range(3):
        with pytest.raises(errors.TrapError, match=reason) as caught:
            instance.call(EXPORT)
        assert EXPORT in str(caught.value)


@pytest.mark.parametrize("path", PATHS)
def test_endless_continuation_gets_a_new_call_each_time(path: str) -> None:
    """AGAIN calls the export again with the last argument 1 and everything else unchanged."""
    body = f"""
      (if (i64.eqz (local.get $again)) (then (global.set $calls (i64.const 0))))
      (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
      (if (i64.lt_s (global.get $calls) (i64.const 5)) (then (return (i64.const {_abi.AGAIN}))))
      (i64.add (i64.mul (local.get $a) (i64.const 100))
        (i64.add (i64.mul (local.get $b) (i64.const 10)) (i64.add (local.get $c) (local.get $again))))"""
    instance = hostile(path, body, extra="(global $calls (mut i64) (i64.const 0))")
    for _ in range(2):
        assert instance.call(EXPORT, 3, 2, 4) == 325
    # The next call of another export begins anew.
    assert instance.call("sky_is_process_alive", 1) == 1
