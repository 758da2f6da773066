"""One instance of the artifact and the ways to call into it.

``RawInstance`` calls ``wasmtime_func_call_unchecked`` of the C API with a prebuilt argument array (about 0.4 us);
``PublicInstance`` does the same through wasmtime-py's own classes (about 25 us) where the raw way is untested.
An instance serves one call at a time; nothing that comes out is believed before ``take`` has checked it.
"""

from __future__ import annotations

import ctypes

from skywasm import _abi, _callbacks, _policy
from skywasm._host_link import HOST_FUNCTIONS, Context, answer, raw_callback
from skywasm.errors import CoreUnavailableError, LimitError, NeedsReference, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from skywasm._engine import Engine

    Buffer = Union[bytes, bytearray, memoryview]

_NEVER = 2**62
_U32 = 0xFFFFFFFF
# A base-36 number of 64 hex digits has 50 digits.
DIRECT_DIGITS = 64
DIRECT_OUTPUT = 50
# Calls that may run longer than about 50 us give the GIL away.
GIL_BYTES = 32 * 1024


class _Instance:
    """What both ways share: buffers, the meaning of results, the choke point."""

    # What the engine and the store of each way have in common are the methods that deadlines need.
    engine: Any
    store: Any

    def __init__(self, engine: Engine) -> None:
        self.context = Context()
        self.has_deadline = False
        self._instantiate(engine)
        self.store.set_epoch_deadline(_NEVER)
        self._initialize()
        self.view = memoryview(b"")
        self._refresh()
        version = self.call("sky_abi_version")
        if version != _abi.ABI_VERSION:
            raise CoreUnavailableError(
                f"the artifact speaks version {version} of the calling convention, this skywasm {_abi.ABI_VERSION}"
            )
        self.input = self.input_room = 0
        self.direct: Any = None
        self.alive_arguments: Any = ()
        self.reserve(_abi.WINDOW)

    def find_buffers(self) -> None:
        """Sets ``direct`` to what the direct roads need, where there are any. To be repeated when a buffer moves."""

    def _instantiate(self, engine: Engine) -> None:
        """Sets ``engine`` and ``store``, and makes the exports callable."""
        raise NotImplementedError

    def _initialize(self) -> None:
        """Runs what a WASI reactor runs before all else."""
        raise NotImplementedError

    def _memory(self) -> tuple[int, int]:
        """Where linear memory begins, and how many bytes it has."""
        raise NotImplementedError

    def call(self, export: str, a: int = 0, b: int = 0, c: int = 0, release: bool = False) -> int:
        raise NotImplementedError

    def _in_time(self, left_s: float, export: str, a: int, b: int, c: int) -> int:
        """``call`` with a deadline. It gives the GIL away: others could not count the time otherwise.

        Raises:
            LimitError: the time is up. The instance is not to be used again.
        """
        from skywasm import _epochs

        self.has_deadline = True
        _epochs.begin(self.engine, self.store, left_s)
        try:
            return self.call(export, a, b, c, True)
        except TrapError:
            # Whatever the engine says: when the time is up, that is why.
            _policy.remaining_s()
            raise
        finally:
            self.has_deadline = False
            _epochs.end(self.engine, self.store)

    def _refresh(self) -> None:
        """Takes the view of linear memory again: its length is fixed when it is taken."""
        base, size = self._memory()
        if size > _abi.MEMORY_LIMIT:
            raise TrapError(f"the artifact's memory is {size} bytes, more than {_abi.MEMORY_LIMIT}")
        if size != len(self.view):
            self.view = memoryview((ctypes.c_ubyte * size).from_address(base)).cast("B")
            self.context.memory = self.view

    def _checked(self, pointer: int, length: int) -> None:
        """Nothing from the sandbox is believed: every region passes here before it is touched."""
        if pointer + length > len(self.view):
            self._refresh()
            if pointer + length > len(self.view):
                raise TrapError(f"the artifact named {length} bytes at {pointer}, beyond its {len(self.view)}")

    def reserve(self, size: int) -> None:
        """Makes the input buffer hold at least ``size`` bytes."""
        pointer = self.call("sky_input", size)
        if pointer == _abi.E_LIMIT:
            raise LimitError(f"an input of {size} bytes does not fit the artifact's memory of {_abi.MEMORY_LIMIT}")
        if pointer < 0:
            raise TrapError(f"the artifact gave no input buffer: status {pointer}")
        self._refresh()
        self._checked(pointer & _U32, size)
        self.input, self.input_room = pointer & _U32, size
        self.find_buffers()

    def put(self, data: Buffer) -> int:
        """Copies ``data`` into the input buffer; gives its length in bytes."""
        size = len(data)
        if size > self.input_room:
            self.reserve(size)
        self.view[self.input : self.input + size] = data
        return size

    def take(self, packed: int) -> bytes:
        """Copies out the bytes that a result names."""
        pointer, length = packed >> 32 & _U32, packed & _U32
        self._checked(pointer, length)
        return self.view[pointer : pointer + length].tobytes()

    def worn_out(self) -> bool:
        """Whether memory has grown so far that a new instance is the better one to keep."""
        return len(self.view) > _abi.KEEP_LIMIT

    def error_for(self, export: str, status: int) -> BaseException:
        """The exception that a negative result stands for."""
        error, self.context.error = self.context.error, None
        if status == _abi.E_INPUT:
            return NeedsReference()
        if status == _abi.E_LIMIT:
            return LimitError(f"{export}: a buffer would exceed the artifact's memory of {_abi.MEMORY_LIMIT} bytes")
        if status == _abi.E_HOST and error is not None:
            return error
        if status == _abi.E_CUT_SHORT:
            return CutShort()
        return TrapError(f"{export}: the artifact answered with status {status}")


class CutShort(Exception):
    """Internal: a host function was cut short by an exception that nobody could catch."""


class PublicInstance(_Instance):
    """Calls through wasmtime-py's public API."""

    call_path = "public"

    def _instantiate(self, engine: Engine) -> None:
        public = engine.public()
        self.wasmtime = wasmtime = public.wasmtime
        self.engine = public.engine
        self.store = wasmtime.Store(self.engine)
        i64 = wasmtime.ValType.i64()
        kind = wasmtime.FuncType([i64] * 4, [i64])
        linker = wasmtime.Linker(self.engine)
        for name in HOST_FUNCTIONS:
            linker.define_func(_abi.IMPORT_MODULE, name, kind, _public_callback(name, self.context))
        self.exports = linker.instantiate(self.store, public.module).exports(self.store)

    def _initialize(self) -> None:
        self.exports["_initialize"](self.store)

    def _memory(self) -> tuple[int, int]:
        memory = self.exports["memory"]
        return ctypes.addressof(memory.data_ptr(self.store).contents), memory.data_len(self.store)

    def call(self, export: str, a: int = 0, b: int = 0, c: int = 0, release: bool = False) -> int:  # noqa: ARG002
        if _policy.timed and not self.has_deadline:
            left_s = _policy.remaining_s()
            if left_s is not None:
                return self._in_time(left_s, export, a, b, c)
        # wasmtime-py gives the GIL away in every call.
        function = self.exports[export]
        again = 0
        while True:
            try:
                result: int = function(self.store, a, b, c, again)
            except (self.wasmtime.Trap, self.wasmtime.WasmtimeError) as error:
                raise TrapError(f"{export}: {str(error).strip()}") from None
            if result != _abi.AGAIN:
                return result
            again = 1


def _public_callback(name: str, context: Context) -> Callable[..., int]:
    return lambda _no_answer, a, b, c: answer(name, context, a, b, c)


class RawInstance(_Instance):
    """Calls through the C API's unchecked entry, whose argument array is built once."""

    call_path = "raw"

    def _instantiate(self, engine: Engine) -> None:
        from skywasm import _capi

        raw = engine.raw
        if raw is None or raw.module is None:
            raise CoreUnavailableError("raw calls need the engine's C API")
        self.engine = raw.engine
        callbacks = {name: raw_callback(_callbacks.make, name, self.context) for name in HOST_FUNCTIONS}
        self.store = _capi.Store(raw.module, _abi.IMPORT_MODULE, callbacks)
        self._bind_exports()

    def _bind_exports(self) -> None:
        entry = ctypes.cast(self.store.library.wasmtime_func_call_unchecked, ctypes.c_void_p).value or 0
        # No argument types: the arguments below are ctypes objects already, and conversion costs 50 ns.
        self.keep_gil = ctypes.PYFUNCTYPE(ctypes.c_void_p)(entry)
        self.release_gil = ctypes.CFUNCTYPE(ctypes.c_void_p)(entry)
        slots = (ctypes.c_int64 * 8)()
        self.raw = memoryview(slots).cast("B").cast("q")
        self.trap = ctypes.c_void_p()
        context = ctypes.c_void_p(self.store.context)
        rest = (
            ctypes.c_void_p(ctypes.addressof(slots)),
            ctypes.c_size_t(4),
            ctypes.c_void_p(ctypes.addressof(self.trap)),
        )
        self.arguments = {
            name: (context, ctypes.c_void_p(function.address), *rest)
            for name, function in self.store.functions().items()
        }

    def _initialize(self) -> None:
        error = self.release_gil(*self.arguments["_initialize"])
        if error is not None or self.trap.value is not None:
            raise self.trapped("_initialize", error)

    def _memory(self) -> tuple[int, int]:
        return self.store.memory()  # type: ignore[no-any-return]

    def call(self, export: str, a: int = 0, b: int = 0, c: int = 0, release: bool = False) -> int:
        if _policy.timed and not self.has_deadline:
            left_s = _policy.remaining_s()
            if left_s is not None:
                return self._in_time(left_s, export, a, b, c)
        raw = self.raw
        arguments = self.arguments[export]
        enter = self.release_gil if release else self.keep_gil
        again = 0
        while True:
            # A slot of the engine's value union is 16 bytes.
            raw[0], raw[2], raw[4], raw[6] = a, b, c, again
            error = enter(*arguments)
            if error is not None or self.trap.value is not None:
                raise self.trapped(export, error)
            result = raw[0]
            if result != _abi.AGAIN:
                # Direct roads set the first slot only.
                raw[6] = 0
                return result
            again = 1

    def find_buffers(self) -> None:
        output = self.call("sky_output")
        self._checked(output, DIRECT_OUTPUT)
        base, _ = self._memory()
        self.alive_arguments = self.arguments["sky_is_process_alive"]
        self.direct = (
            # Setting and slicing an array of c_char copies in a third of the time that a memoryview takes.
            (ctypes.c_char * _abi.WINDOW).from_address(base + self.input),
            (ctypes.c_char * DIRECT_OUTPUT).from_address(base + output),
            self.raw,
            self.keep_gil,
            self.arguments["sky_base36_encode"],
            self.trap,
            # A result less this is its length, as long as the output buffer has not moved.
            output << 32,
        )

    def trapped(self, export: str, error: Any) -> TrapError:
        """The TrapError with the engine's message; frees what the engine handed over."""
        trap, self.trap.value = self.trap.value, None
        self.context.error = None
        library = self.store.library
        message = library.message("wasm_trap", trap) if error is None else library.message("wasmtime_error", error)
        return TrapError(f"{export}: {message}")
