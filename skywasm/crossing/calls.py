"""Calls by the record: arguments of every kind in, requests answered, results of every kind out.

What a generated road does in a straight line for the usual arguments is done here for all others.
"""

from __future__ import annotations

from host_shims.struck import let_out
from skywasm.crossing import convention as c
from skywasm.crossing import instance as places
from skywasm.crossing import rules
from skywasm.crossing.engine.library import SLOT_WORDS
from skywasm.crossing.host import answerer, put_answer
from skywasm.crossing.interface import DATA
from skywasm.errors import CoreUnavailableError, LimitError, NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from skywasm.crossing.instance import Instance, Seat
    from skywasm.crossing.interface import Function
    from skywasm.crossing.module import Given, Module


# A result that names a place has the pointer, which is never 0, in its upper half.
_FIRST_PACKED = 2**32


class Unfit(Exception):
    """Internal: an argument is not of the kind that the record names. Holds the exception for who has no reference."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class TooLong(Exception):
    """Internal: an input is longer than may cross. Holds the number of bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    def error(self, name: str, advice: str = "") -> LimitError:
        """What comes of it where nobody else may answer."""
        problem = f"{name}: an input of {self.size} bytes is longer than the {c.TEXT_LIMIT} that may cross"
        return LimitError(f"{problem}; {advice}" if advice else problem)


def _data(name: str, kind: str, value: Any) -> Any:
    """The bytes of an argument."""
    if kind == "bytes":
        try:
            view = memoryview(value)
        except TypeError as error:
            let_out(error)
            raise Unfit(error) from None
        return value if type(value) is bytes else view.cast("B") if view.nbytes else b""
    if type(value) is not str:
        raise Unfit(TypeError(f"{name} must be str, not {type(value).__name__}"))
    return value.encode("utf-8", "surrogatepass")


def put_number(seat: Seat, slot: int, name: str, kind: str, value: Any) -> None:
    """Puts a number into a slot.

    Raises:
        Unfit: it is of another type, a subclass too, whose meaning is Python's business; or it does not fit.
    """
    place = slot * SLOT_WORDS
    if kind == "bool":
        seat[places.SLOTS][place] = 1 if value else 0
    elif kind == "float":
        if type(value) is not float:
            raise Unfit(TypeError(f"{name} must be float, not {type(value).__name__}"))
        seat[places.DOUBLES][place] = value
    else:
        if type(value) is not int:
            raise Unfit(TypeError(f"{name} must be int, not {type(value).__name__}"))
        if not -c.I64_MAX <= value <= c.I64_MAX or (kind == "size" and not 0 <= value < 2**32):
            raise Unfit(OverflowError(f"{name} is {value}, which does not fit"))
        seat[places.SLOTS][place] = value


def put_arguments(seat: Seat, function: Function, args: Sequence[Any]) -> int:
    """Puts the arguments where the guest looks for them; the number of bytes in the input.

    Raises:
        Unfit, TooLong: they do not cross.
    """
    pieces, size = [], 0
    for slot, ((name, kind), value) in enumerate(zip(function.parameters, args)):
        if kind in DATA:
            data = _data(name, kind, value)
            size += len(data)
            pieces.append(data)
            seat[places.SLOTS][slot * SLOT_WORDS] = len(data)
        else:
            put_number(seat, slot, name, kind, value)
    if size > c.TEXT_LIMIT:
        raise TooLong(size)
    if pieces:
        seat[places.INSTANCE].put(seat, pieces, size)
    return size


def left_s(call_is_timed: bool) -> float | None:
    """Seconds left to the call under way."""
    return rules.remaining_s() if call_is_timed else None


def finish(module: Module, seat: Seat, status: int, given: Given, release: bool) -> int:
    """Answers requests and resumes until the guest is done; its last status.

    Raises:
        TrapError: the guest asked for what there is not; LimitError: its time is up; whatever a host function raises.
    """
    instance: Instance = seat[places.INSTANCE]
    cells = seat[places.CELLS]
    while status in (c.ASK, c.AGAIN):
        if status == c.ASK:
            number = cells[c.CELL_REQUEST]
            answer = module.answers.get(number)
            if rules.armed or answer is None:
                module.refused(number)
            if given is not None:
                request = module.interface.requests[number]
                own = given.get(request.name)
                answer = answer if own is None else answerer(request, own)
            put_answer(seat[places.SLOTS], answer(cells, instance), number)  # type: ignore[misc]
        status = instance.enter(module.resume, left_s(rules.timed), release)
    return status


def failed(function: str, status: int) -> Exception:
    """The exception that a negative status stands for."""
    if status == c.E_INPUT:
        return NeedsReference()
    if status == c.E_LIMIT:
        return LimitError(f"{function}: a buffer would exceed the artifact's memory of {c.MEMORY_LIMIT} bytes")
    return TrapError(f"{function}: the artifact answered with status {status}")


def taken(seat: Seat, result: int) -> bytes:
    """The bytes that a result names."""
    if c.IN_WINDOW <= result <= c.IN_WINDOW + c.OUTPUT:
        return seat[places.WINDOW][: result - c.IN_WINDOW]  # type: ignore[no-any-return]
    if result < _FIRST_PACKED:
        raise TrapError(f"the artifact answered with {result}, which names no bytes")
    return seat[places.INSTANCE].take_packed(result)  # type: ignore[no-any-return]


def text(out: bytes, kind: str = "text") -> str:
    """The text of an output; the artifact writes valid UTF-8, lone surrogates apart, or is not to be relied on."""
    try:
        return out.decode("utf-8", "surrogatepass" if kind == "text" else "strict")
    except UnicodeDecodeError as error:
        let_out(error)
        raise TrapError(f"the artifact gave text that is not UTF-8: {error}") from None


def result(seat: Seat, function: Function, status: int) -> Any:
    """What a status that is no error stands for."""
    kind = function.result
    if status < 0:
        raise failed(function.name, status)
    if kind == "bytes":
        return taken(seat, status)
    if kind in ("str", "text"):
        return text(taken(seat, status), kind)
    if kind == "float":
        return seat[places.REALS][c.CELL_RESULT]
    if kind == "int":
        return seat[places.CELLS][c.CELL_RESULT]
    return status == 1 if kind == "bool" else status


def end(module: Module, seat: Seat, function: Function, status: int, given: Given, release: bool) -> Any:
    """Sees a call to its end whose first status is known, and gives the seat back or frees it."""
    try:
        answer = result(seat, function, finish(module, seat, status, given, release))
    except NeedsReference:
        # The guest itself said so, or an answer does not fit: in both cases nothing is amiss with the instance.
        seat[places.INSTANCE].forget_input()
        module.give_back(seat)
        raise
    except BaseException:
        # At once, and not when the exception is forgotten, whose traceback holds the seat.
        seat[places.INSTANCE].close()
        raise
    seat[places.INSTANCE].forget_input()
    module.give_back(seat)
    return answer


def call(module: Module, function: Function, args: Sequence[Any], given: Given, release: bool) -> Any:
    """A whole call, as ``Module.call`` says it.

    Raises:
        Unfit, TooLong: the arguments do not cross.
    """
    seat = module.borrow()
    instance = seat[places.INSTANCE]
    try:
        size = put_arguments(seat, function, args)
    except (Unfit, TooLong):
        module.give_back(seat)
        raise
    except BaseException:
        instance.close()
        raise
    release = release or size > c.WINDOW
    try:
        status = instance.enter(module.index(function.name), left_s(rules.timed), release)
    except BaseException:
        instance.close()
        raise
    return end(module, seat, function, status, given, release)


class Way:
    """How one function is called in one mode: its general road, and what the generated one leaves to it.

    Args:
        python: answers what the module leaves to it; None where nobody does.
        forced: failures are errors, never Python's to answer.
        fell_back: is told the error where Python answers for a module that failed.
        fallback: answers in that case, called with the error and the arguments; ``python`` by default.
        advice: what the error of an input that is too long says that one can do.
    """

    def __init__(
        self,
        module: Module,
        name: str,
        python: Callable[..., Any] | None,
        forced: bool,
        fell_back: Callable[[str, Exception], None] | None = None,
        fallback: Callable[..., Any] | None = None,
        advice: str = "",
    ) -> None:
        self.module = module
        self.function: Function = module.interface.functions[name]
        self.python = python
        self.forced: bool = forced or python is None
        self.fell_back = fell_back
        self.fallback = fallback
        self.advice = advice

    def general(self, *args: Any) -> Any:
        """The road for arguments of every kind."""
        return self._answer(args, lambda: self._kept(args, call(self.module, self.function, args, None, False)))

    def by(self, cross: Callable[..., Any]) -> Callable[..., Any]:
        """A road by a hook of the function's own, which raises ``NeedsReference`` for what it leaves to ``python``."""
        return lambda *args: self._answer(args, lambda: cross(*args))

    def settle(self, seat: Seat, error: int | None, *args: Any) -> Any:
        """What a generated road does not handle: a trap, a large answer, a request, a step of several, an error."""
        return self._answer(args, lambda: self._kept(args, self._settled(seat, error)))

    def _kept(self, args: Sequence[Any], answer: Any) -> Any:
        return args[0] if self.function.keeps and answer == args[0] else answer

    def _settled(self, seat: Seat, error: int | None) -> Any:
        instance = seat[places.INSTANCE]
        if error is not None or seat[places.TRAP].value is not None:
            try:
                raise instance.trapped(self.module.index(self.function.name), error)
            finally:
                instance.close()
        return end(self.module, seat, self.function, seat[places.SLOTS][0], None, False)

    def _answer(self, args: Sequence[Any], crossed: Callable[[], Any]) -> Any:
        try:
            return crossed()
        except Unfit as unfit:
            if self.python is None:
                raise unfit.error from None
        except NeedsReference:
            if self.python is None:
                raise ValueError(f"{self.function.name} does not take these arguments") from None
        except TooLong as long:
            if self.forced:
                raise long.error(self.function.name, self.advice) from None
        except (TrapError, CoreUnavailableError) as error:
            if self.forced:
                raise
            self.fell_back(self.function.name, error)  # type: ignore[misc]
            if self.fallback is not None:
                return self.fallback(error, *args)
        return self.python(*args)  # type: ignore[misc]
