"""One instance of a module: its memory, its exports, and the checks on what comes out of it.

An instance serves one call at a time. What calls need of it lies in a tuple, its seat, so that a road has it all in one
step. Nothing that comes out of the guest is believed before ``region`` has checked it.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import partial

from host_shims.struck import let_out
from skywasm.crossing import clock, rules
from skywasm.crossing import convention as c
from skywasm.crossing.engine import headroom
from skywasm.crossing.engine import library as capi
from skywasm.crossing.engine.library import Extern, InstanceHandle
from skywasm.errors import CoreUnavailableError, LimitError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from skywasm.crossing.module import Module

    Seat = tuple[Any, ...]
    Data = Union[bytes, bytearray, memoryview]

SLOT_WORDS: int = capi.SLOT_WORDS
# The places in a seat.
ROOM, WINDOW, SLOTS, DOUBLES, CELLS, REALS, ENTER, CALLS, TRAP, INSTANCE = range(10)

_U32 = 0xFFFFFFFF
_RESULT_SLOT = 0
_INPUT_SLOT = c.SLOT_INPUT * SLOT_WORDS
_parameter = ctypes.c_void_p.from_param
_Room = ctypes.c_char * c.WINDOW
_Window = ctypes.c_char * c.OUTPUT
_Cells = ctypes.c_int64 * c.CELLS
# The slots, and behind them the word that takes the trap.
_Storage = ctypes.c_int64 * (c.SLOTS * SLOT_WORDS + 1)
_TRAP_OFFSET = c.SLOTS * SLOT_WORDS * 8


# The references that free instances, kept apart from these: what is part of the same garbage is not called.
_live: dict[weakref.ref[Instance], None] = {}
_MANY = 256


def _forget_freed() -> None:
    for reference in [one for one in _live if one() is None]:
        _live.pop(reference, None)


def existing(module: Module) -> int:
    """How many instances of a module there are."""
    return sum(1 for one in [reference() for reference in list(_live)] if one is not None and one.module is module)


class Instance:
    """A store with one instance in it, as the engine has it."""

    __slots__ = (
        *(
            "_arguments",
            "_handle",
            "_kept",
            "_memory",
            "base",
            "calls",
            "context",
            "large",
            "module",
            "reserved",
            "size",
        ),
        *("__weakref__", "_freeing", "slots", "store", "trap", "world"),
    )

    def __init__(self, module: Module) -> None:
        world = module.world()
        self.module = module
        self.world = world
        library = world.library
        if world.limited:
            headroom.require(headroom.INSTANCE_MIB, "an instance")
        self.store: int | None = library.wasmtime_store_new(world.engine.pointer, None, None)
        # Freed in C, without a line of Python: an exception that a signal handler raises in a finalizer is lost.
        self._freeing = weakref.ref(self, partial(library.delete_store, self.store))
        _live[self._freeing] = None
        if len(_live) > _MANY:
            _forget_freed()
        self.context: int = library.wasmtime_store_context(self.store)
        # Before anything runs: where memory is not initialised by copying on write, instantiating runs code.
        library.wasmtime_context_set_epoch_deadline(self.context, clock.NEVER)
        self._handle = InstanceHandle()
        trap = ctypes.c_void_p()
        error = library.wasmtime_instance_pre_instantiate(
            world.compiled.pointer, self.context, ctypes.byref(self._handle), ctypes.byref(trap)
        )
        library.require(error, trap.value)
        # Exports are looked up when they are first called: names cost more than all the rest.
        self._kept: list[Extern] = []
        self.calls: list[Any] = [None] * len(module.exports)
        self.large: int = 0
        self.reserved: int = 0
        storage = _Storage()
        address = ctypes.addressof(storage)
        self.slots: memoryview[int] = memoryview(storage).cast("B").cast("q")
        self.trap: ctypes.c_void_p = ctypes.c_void_p.from_address(address + _TRAP_OFFSET)
        # Kept by the view, and so by the seat.
        self._arguments = (_parameter(address), ctypes.c_size_t.from_param(c.SLOTS), _parameter(address + _TRAP_OFFSET))
        self._memory = self._export(b"memory", Extern.MEMORY).address
        self.base: int = library.wasmtime_memory_data(self.context, self._memory)
        self.size: int = 0
        self.measure()

    def seat(self) -> Seat:
        """What roads need, in the order of the names above."""
        module = self.module
        if module.initialize is not None:
            self.enter(module.initialize, None, True)
        if module.answers:
            # Roads that ask rely on it.
            self.bind(module.resume)
        places = module.places or self._places()
        room, window, cells = (self.base + place for place in places)
        cells_view = memoryview(_Cells.from_address(cells)).cast("B").cast("q")
        return (
            _Room.from_address(room),
            _Window.from_address(window),
            self.slots,
            self.slots.cast("B").cast("d"),
            cells_view,
            cells_view.cast("B").cast("d"),
            self.world.library.keep_gil,
            self.calls,
            self.trap,
            self,
        )

    def _places(self) -> tuple[int, ...]:
        """Where windows and cells lie, once for the module: statics are the same in every instance."""
        places = []
        for which, size in enumerate((c.WINDOW, c.OUTPUT, 8 * c.CELLS)):
            place = self.ask_convention(c.BUFFERS, which)
            self.check(place, size)
            if place % 8:
                raise CoreUnavailableError(f"{self.module.name}: a region of the convention is not aligned")
            places.append(place)
        self.module.places = tuple(places)
        return tuple(places)

    def close(self) -> None:
        """Frees the instance. Nothing of its seat may be used afterwards."""
        store, self.store = self.store, None
        if store is not None:
            _live.pop(self._freeing, None)
            # Without the reference nobody calls its callback.
            del self._freeing
            self.world.library.wasmtime_store_delete(store)

    def _export(self, name: bytes, kind: int) -> Extern:
        extern = Extern()
        found = self.world.library.wasmtime_instance_export_get(
            self.context, ctypes.byref(self._handle), name, len(name), ctypes.byref(extern)
        )
        if not found or extern.kind != kind:
            raise CoreUnavailableError(f"{self.module.name} does not export {name.decode()}")
        self._kept.append(extern)
        return extern

    def bind(self, index: int) -> Any:
        """The prepared arguments of an export's call."""
        extern = self._export(self.module.exports[index], Extern.FUNCTION)
        call = self.calls[index] = (_parameter(self.context), _parameter(extern.address), *self._arguments)
        return call

    def enter(self, index: int, left_s: float | None, release: bool) -> int:
        """Calls an export with the slots as they are; gives its status.

        Raises:
            TrapError: the engine ended the call. The instance is not to be used again.
            LimitError: the time is up; likewise.
        """
        call = self.calls[index] or self.bind(index)
        if left_s is not None:
            return self._in_time(call, index, left_s)
        library = self.world.library
        error = (library.release_gil if release else library.keep_gil)(*call)
        if error is not None or self.trap.value is not None:
            raise self.trapped(index, error)
        return self.slots[_RESULT_SLOT]

    def _in_time(self, call: Any, index: int, left_s: float) -> int:
        """``enter`` with a deadline. It gives the GIL away: others could not count the time otherwise."""
        set_deadline = self.world.library.wasmtime_context_set_epoch_deadline

        def work() -> int | None:
            set_deadline(self.context, clock.ticks(left_s))
            error: int | None = self.world.library.release_gil(*call)
            set_deadline(self.context, clock.NEVER)
            return error

        error = clock.counted(self.world.engine, work)
        if error is not None or self.trap.value is not None:
            trap = self.trapped(index, error)
            # Whatever the engine says: when the time is up, that is why.
            rules.remaining_s()
            raise trap
        return self.slots[_RESULT_SLOT]

    def trapped(self, index: int, error: int | None) -> TrapError:
        """The TrapError with the engine's message; frees what the engine handed over."""
        trap, self.trap.value = self.trap.value, None
        library = self.world.library
        message = (
            library.message("wasm_trap", trap) if trap is not None else library.message("wasmtime_error", error or 0)
        )
        return TrapError(f"{self.module.exports[index].decode()}: {message}")

    def ask_convention(self, export: str, argument: int = 0) -> int:
        """Calls one of the exports that serve the convention; the slots stay as they are for the call that follows."""
        before = self.slots[_RESULT_SLOT]
        self.slots[_RESULT_SLOT] = argument
        result = self.enter(self.module.index(export), None, False)
        self.slots[_RESULT_SLOT] = before
        return result

    def measure(self) -> None:
        """Looks how large linear memory is now."""
        self.size = self.world.library.wasmtime_memory_data_size(self.context, self._memory)
        if self.size > c.MEMORY_LIMIT:
            raise TrapError(f"{self.module.name}: its memory is {self.size} bytes, more than {c.MEMORY_LIMIT}")

    def check(self, pointer: int, length: int) -> None:
        """Nothing from the sandbox is believed: every region passes here before it is touched."""
        if pointer < 0 or length < 0 or pointer + length > self.size:
            self.measure()
            if pointer < 0 or length < 0 or pointer + length > self.size:
                raise TrapError(f"{self.module.name} named {length} bytes at {pointer}, beyond its {self.size}")

    def region(self, pointer: int, length: int) -> memoryview:
        """A region of linear memory, once it is known to lie inside. Not to be kept."""
        self.check(pointer, length)
        return memoryview((ctypes.c_ubyte * length).from_address(self.base + pointer)).cast("B")

    def text(self, pointer: int, length: int) -> str:
        """Text that the guest names."""
        try:
            return self.take(pointer, length).decode()
        except UnicodeDecodeError as error:
            let_out(error)
            raise TrapError(f"{self.module.name} gave text that is not UTF-8: {error}") from None

    def take(self, pointer: int, length: int) -> bytes:
        """Copies bytes out."""
        self.check(pointer, length)
        return ctypes.string_at(self.base + pointer, length)

    def take_packed(self, packed: int) -> bytes:
        """Copies out the bytes that a result names by pointer and length."""
        return self.take(packed >> 32 & _U32, packed & _U32)

    def reserve(self, size: int) -> int:
        """Makes the large input hold ``size`` bytes; where it lies."""
        if size > self.reserved:
            pointer = self.ask_convention(c.RESERVE, size)
            if pointer == c.E_LIMIT:
                raise LimitError(f"{self.module.name}: {size} bytes do not fit its memory of {c.MEMORY_LIMIT}")
            if pointer <= 0:
                raise TrapError(f"{self.module.name} gave no room: status {pointer}")
            self.measure()
            self.check(pointer, size)
            self.large, self.reserved = pointer, size
        return self.large

    def put(self, seat: Seat, pieces: list[Any], size: int) -> None:
        """Copies the input in, into the window where it fits, and says where it lies."""
        if size <= c.WINDOW:
            seat[ROOM].value = b"".join(pieces)
            return
        at = self.reserve(size)
        view = self.region(at, size)
        start = 0
        for piece in pieces:
            view[start : start + len(piece)] = piece
            start += len(piece)
        self.slots[_INPUT_SLOT] = at

    def forget_input(self) -> None:
        """The next input lies in the window again."""
        self.slots[_INPUT_SLOT] = 0

    def worn_out(self) -> bool:
        """Whether memory has grown so far that a new instance is the better one to keep."""
        if self.reserved:
            self.measure()
        return self.size > c.KEEP_LIMIT
