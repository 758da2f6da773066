"""How lists cross: joined by a separator that no item holds, or as numbers one after the other; one call; split.

Items of another type, and those that the guest leaves to the reference, are answered one by one; all others cross.
"""

from __future__ import annotations

import array
import time
from itertools import accumulate

from host_shims.struck import let_out
from skywasm.crossing import calls, rules
from skywasm.crossing import convention as c
from skywasm.crossing import instance as places
from skywasm.crossing.engine.library import SLOT_WORDS
from skywasm.crossing.interface import DATA
from skywasm.crossing.items import as_list, at_index, numbers, one_by_one
from skywasm.errors import CoreUnavailableError, LimitError, NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from skywasm.crossing.interface import Function
    from skywasm.crossing.module import Module

# Pieces begin small and grow while they take little time, so that Ctrl-C gets in between.
_FIRST_ITEMS = 256
_GROWTH = 8
_MOST_ITEMS = 8192
_SOON_S = 0.004
_PIECE_BYTES = 1024 * 1024
# Characters that texts rarely hold. The number of results shows whether any item does.
SEPARATORS = "\n\0\x1e\x1f\x01\x02"
_TYPES = {"text": str, "str": str, "bytes": bytes, "float": float, "int": int}
_PLACEHOLDERS = {"text": "", "str": "", "bytes": b"", "float": 0.0, "int": 0}
_NUMBERS = {"float": "d", "int": "q"}


class Unjoinable(Exception):
    """Internal: these items cannot be joined."""


class OddItems(Exception):
    """Internal: some items are of another type than the parameter."""


def join_text(separator: str, items: Sequence[Any]) -> bytes:
    """Texts, in which lone surrogates may stand."""
    try:
        return separator.join(items).encode("utf-8", "surrogatepass")
    except TypeError as error:
        let_out(error)
        raise OddItems from None


def join_str(separator: str, items: Sequence[Any]) -> bytes:
    """Texts as strict UTF-8."""
    try:
        return separator.join(items).encode()
    except UnicodeEncodeError as error:
        let_out(error)
        # The scalar way finds the text that is to blame.
        raise Unjoinable from None
    except TypeError as error:
        let_out(error)
        raise OddItems from None


def join_bytes(separator: str, items: Sequence[Any]) -> bytes:
    """Bytes as they are."""
    try:
        return separator.encode().join(items)
    except TypeError as error:
        let_out(error)
        raise OddItems from None


_ENCODERS = {"text": join_text, "str": join_str, "bytes": join_bytes}


def _split(out: bytes, kind: str, separator: str) -> list[Any]:
    """The results of a batch."""
    if kind in _NUMBERS:
        if len(out) % 8:
            raise TrapError(f"the artifact gave {len(out)} bytes for numbers of 8")
        return memoryview(out).cast("d" if kind == "float" else "q").tolist()
    if kind == "bool":
        return [one == 1 for one in out]
    return out.split(separator.encode()) if kind == "bytes" else calls.text(out, kind).split(separator)


class Many:
    """The batch of one function in one mode.

    Args:
        scalar: answers an item that does not cross, called with it and the other arguments.
        python: answers a list where the module failed, called with it, the index of the first item, and the others.
        forced: failures are errors, never Python's to answer.
        fell_back: is told the error where Python answers.
        encode: makes the input of items and a separator, where they are not simply of the parameter's kind; raises
            OddItems or Unjoinable.
    """

    def __init__(
        self,
        module: Module,
        name: str,
        scalar: Callable[..., Any],
        python: Callable[..., list[Any]],
        forced: bool,
        fell_back: Callable[[str, Exception], None] | None = None,
        encode: Callable[[str, Sequence[Any]], bytes] | None = None,
    ) -> None:
        self.module = module
        self.function: Function = module.interface.functions[name]
        self.scalar = scalar
        self.python = python
        self.forced = forced
        self.fell_back = fell_back
        self.kind: str = self.function.parameters[0][1]
        self.encode: Callable[[str, Sequence[Any]], bytes] | None = encode or _ENCODERS.get(self.kind)

    def general(self, items: Any, *rest: Any) -> list[Any]:
        """The road for lists of every size and content."""
        items = numbers(items) if self.kind in _NUMBERS else as_list(items)
        results: list[Any] = []
        first, size = 0, _FIRST_ITEMS
        while first < len(items):
            piece = items if not first and size >= len(items) else items[first : first + size]
            began = time.monotonic()
            results += self._piece(piece, first, rest)
            first += len(piece)
            if time.monotonic() - began < _SOON_S:
                size = min(size * _GROWTH, _MOST_ITEMS)
        return results

    def _piece(self, piece: Sequence[Any], first: int, rest: Sequence[Any]) -> list[Any]:
        try:
            return self._crossed(piece, first, rest)
        except (NeedsReference, Unjoinable, calls.Unfit, calls.TooLong):
            return one_by_one(self.scalar, piece, first, *rest)
        except (TrapError, CoreUnavailableError) as error:
            if self.forced:
                raise
            self.fell_back(f"batch.{self.function.name}", error)  # type: ignore[misc]
            return self.python(piece, first, *rest)

    def _crossed(self, piece: Sequence[Any], first: int, rest: Sequence[Any]) -> list[Any]:
        """The results of a piece; items that do not cross are answered by ``scalar``, in order."""
        try:
            results, left = self._call_all(piece, rest)
        except OddItems:
            kind = _TYPES[self.kind]
            odd = [index for index, item in enumerate(piece) if type(item) is not kind]
            items = list(piece)
            for index in odd:
                items[index] = _PLACEHOLDERS[self.kind]
            try:
                results, left = self._call_all(items, rest)
            except OddItems:
                raise Unjoinable from None
            left = sorted({*left, *odd})
        index = 0
        try:
            for index in left:
                results[index] = self.scalar(piece[index], *rest)
        except Exception as error:
            at_index(error, first + index)
            raise
        return results

    def _call_all(self, items: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], list[int]]:
        return self._call_numbers(items, rest) if self.kind in _NUMBERS else self._call_joined(items, rest)

    def _call_numbers(self, items: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], list[int]]:
        if isinstance(items, (memoryview, array.array)):
            data = items.tobytes()
        elif set(map(type, items)) != {_TYPES[self.kind]}:
            raise OddItems
        else:
            try:
                data = array.array(_NUMBERS[self.kind], items).tobytes()
            except OverflowError as error:
                let_out(error)
                raise Unjoinable from None
        results, left, _ = self.call(data, c.FIXED8, "\n", rest, len(items))
        if len(results) != len(items):
            raise TrapError(f"{self.function.name}[]: {len(results)} results for {len(items)} numbers")
        return results, left

    def _call_joined(self, items: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], list[int]]:
        for separator in SEPARATORS:
            data = self.encode(separator, items)  # type: ignore[misc]
            if data.count(separator.encode()) != len(items) - 1:
                continue
            if len(data) > _PIECE_BYTES and len(items) > 1:
                return self._halves(items, rest)
            if len(data) > c.TEXT_LIMIT:
                break
            try:
                results, left, count = self.call(data, c.JOINED, separator, rest, len(items))
            except LimitError:
                if len(items) == 1 or rules.remaining_s() is not None:
                    raise
                return self._halves(items, rest)
            if len(results) == len(items) == count:
                return results, left
        return self._call_apart(items, rest)

    def _call_apart(self, items: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Items that hold every separator cross with offsets that tell where each begins."""
        pieces = [self.encode("", [item]) for item in items]  # type: ignore[misc]
        offsets = array.array("i", accumulate(map(len, pieces), initial=0))
        if offsets[-1] > _PIECE_BYTES and len(items) > 1:
            return self._halves(items, rest)
        data = offsets.tobytes() + b"".join(pieces)
        layout = c.OFFSETS32 | c.OFFSETS_OUT | len(items) << c.COUNT_SHIFT
        results, left, count = self.call(data, layout, "\0", rest, len(items))
        if not len(results) == len(items) == count:
            raise TrapError(f"{self.function.name}[]: {len(results)} results for {len(items)} items")
        return results, left

    def _halves(self, items: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], list[int]]:
        half = len(items) // 2
        results, left = self._call_joined(items[:half], rest)
        more, left_of_more = self._call_joined(items[half:], rest)
        return results + more, left + [half + index for index in left_of_more]

    def call(
        self, data: bytes, layout: int, separator: str, rest: Sequence[Any], items: int
    ) -> tuple[list[Any], list[int], int]:
        """One crossing: the results, the indices of those left to the reference, and how many items the guest saw."""
        module = self.module
        seat = module.borrow()
        instance = seat[places.INSTANCE]
        try:
            self._put(seat, data, layout | ord(separator) << c.SEPARATOR_SHIFT, rest)
        except calls.Unfit:
            module.give_back(seat)
            raise
        except BaseException:
            instance.close()
            raise
        try:
            out = self._entered(seat)
            if layout & c.OFFSETS_OUT and self.function.result in DATA:
                results = self._between(seat, out, items)
            else:
                results = _split(out, self.function.result, separator)
            left = self._left(seat, items)
            count = seat[places.CELLS][c.CELL_COUNT]
        except NeedsReference:
            instance.forget_input()
            module.give_back(seat)
            raise
        except BaseException:
            instance.close()
            raise
        instance.forget_input()
        module.give_back(seat)
        return results, left, count

    def _put(self, seat: Any, data: bytes, form: int, rest: Sequence[Any]) -> None:
        """Puts a list and the other arguments where the guest looks for them."""
        slots = seat[places.SLOTS]
        for at, ((parameter, kind), value) in enumerate(zip(self.function.parameters[1:], rest), 2):
            calls.put_number(seat, at, parameter, kind, value)
        slots[0] = len(data)
        slots[SLOT_WORDS] = form
        seat[places.INSTANCE].put(seat, [data], len(data))

    def _entered(self, seat: Any) -> bytes:
        """The bytes that the batch answers with."""
        name = self.function.name + "[]"
        status = seat[places.INSTANCE].enter(self.module.index(name), calls.left_s(rules.timed), True)
        status = calls.finish(self.module, seat, status, None, True)
        if status < 0:
            raise calls.failed(name, status)
        return calls.taken(seat, status)

    def _between(self, seat: Any, out: bytes, items: int) -> list[Any]:
        """The results that lie between the offsets that the guest gives."""
        kind = self.function.result
        offsets = seat[places.INSTANCE].region(seat[places.CELLS][c.CELL_OFFSETS], 4 * (items + 1)).cast("i").tolist()
        if offsets[0] != 0 or offsets[-1] != len(out) or offsets != sorted(offsets):
            raise TrapError(f"{self.function.name}[]: its offsets are no places in its results")
        between = map(slice, offsets, offsets[1:])
        return [out[one] if kind == "bytes" else calls.text(out[one], kind) for one in between]

    def _left(self, seat: Any, items: int) -> list[int]:
        """The indices of items that the guest leaves to the reference."""
        cells = seat[places.CELLS]
        count = cells[c.CELL_LEFT_COUNT]
        if not count:
            return []
        left = seat[places.INSTANCE].region(cells[c.CELL_LEFT], 4 * count).cast("i").tolist()
        return [index for index in left if 0 <= index < items]
