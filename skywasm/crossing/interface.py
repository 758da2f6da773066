"""What a module offers and asks for: its record, and the types that stand in the binary itself.

The record is a claim. Calls of the engine that check nothing rely on the types of the binary, never on the record.
"""

from __future__ import annotations

from keyword import iskeyword

from host_shims.struck import let_out
from skywasm.crossing import convention
from skywasm.errors import CoreUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PARAMETERS = frozenset(("text", "str", "bytes", "int", "float", "bool", "size", "buffer"))
_RESULTS = frozenset(("text", "str", "bytes", "int", "float", "bool", "size"))
_ARGUMENTS = frozenset(("int", "bool", "room", "bytes", "str"))
DATA = frozenset(("text", "str", "bytes"))
"""Kinds of parameters whose bytes lie in the input."""

_CUSTOM, _TYPES, _IMPORTS, _FUNCTIONS, _EXPORTS = 0, 1, 2, 3, 7
_FUNCTION = 0
_I64 = b"\x7e"
UNIFORM = _I64 * convention.SLOTS, _I64
"""The type of every export of the convention."""
_BYTE_BITS = 7
_MORE = 0x80


class Function:
    """A function of the module: its parameters by name and kind, what it asks for, and the kind of its result."""

    __slots__ = ("asks", "batch", "keeps", "name", "parameters", "result")

    def __init__(self, name: str, parameters: list[tuple[str, str]], result: str, batch: bool) -> None:
        self.name: str = name
        self.parameters: list[tuple[str, str]] = [one for one in parameters if not one[1].startswith("+")]
        self.asks: tuple[str, ...] = tuple(kind[1:] for _, kind in parameters if kind.startswith("+"))
        self.result: str = result
        self.batch: bool = batch
        # Text of the same kind comes out as went in: where it is the same text, it is the very object.
        self.keeps: bool = bool(self.parameters) and self.parameters[0][1] == result == "text"


class Request:
    """What the module may ask of its host: a number, a name, the kinds of the arguments, and the capability."""

    __slots__ = ("capability", "name", "number", "parameters")

    def __init__(self, number: int, name: str, parameters: list[tuple[str, str]], capability: str) -> None:
        self.number: int = number
        self.name: str = name
        self.parameters: list[tuple[str, str]] = parameters
        self.capability: str = capability


class Binary:
    """What the binary says of itself: imports, and the types of exported functions as parameters and results."""

    def __init__(self) -> None:
        self.imports: list[tuple[str, str]] = []
        self.functions: dict[str, tuple[bytes, bytes]] = {}
        self.exports: dict[str, int] = {}
        self.record: str | None = None


def _leb(content: bytes, at: int) -> tuple[int, int]:
    """An unsigned number in LEB128, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & (_MORE - 1)) << shift
        if byte < _MORE:
            return value, at
        shift += _BYTE_BITS


def _name(content: bytes, at: int) -> tuple[str, int]:
    size, at = _leb(content, at)
    return content[at : at + size].decode(), at + size


def sections(content: bytes) -> Iterator[tuple[int, int, int]]:
    """The sections of a module: number, beginning and end of the content."""
    if content[:8] != b"\0asm\1\0\0\0":
        raise ValueError("not a WebAssembly module of version 1")
    at = 8
    while at < len(content):
        kind = content[at]
        size, at = _leb(content, at + 1)
        if at + size > len(content):
            raise ValueError("a section reaches beyond the end")
        yield kind, at, at + size
        at += size


def _types(content: bytes, at: int) -> list[tuple[bytes, bytes] | None]:
    types: list[tuple[bytes, bytes] | None] = []
    count, at = _leb(content, at)
    for _ in range(count):
        if content[at] != 0x60:  # noqa: PLR2004 - the form of a function
            raise ValueError("a type that is no function's")
        size, at = _leb(content, at + 1)
        parameters, at = content[at : at + size], at + size
        size, at = _leb(content, at)
        types.append((parameters, content[at : at + size]))
        at += size
    return types


def _limits(content: bytes, at: int) -> int:
    """Where limits end."""
    flags = content[at]
    _, at = _leb(content, at + 1)
    return _leb(content, at)[1] if flags & 1 else at


def _imports(content: bytes, at: int, binary: Binary) -> list[int]:
    """The types of imported functions."""
    functions = []
    count, at = _leb(content, at)
    for _ in range(count):
        module, at = _name(content, at)
        name, at = _name(content, at)
        binary.imports.append((module, name))
        kind = content[at]
        if kind == _FUNCTION:
            index, at = _leb(content, at + 1)
            functions.append(index)
        elif kind == 1:
            at = _limits(content, at + 2)
        elif kind == 2:  # noqa: PLR2004 - a memory
            at = _limits(content, at + 1)
        else:
            at += 3
    return functions


def read_binary(content: bytes) -> Binary:
    """Imports, exports and the record of a module.

    Raises:
        ValueError: the bytes are no module, or a damaged one.
    """
    binary = Binary()
    types: list[tuple[bytes, bytes] | None] = []
    functions: list[int] = []
    exported: list[tuple[str, int, int]] = []
    try:
        for kind, at, end in sections(content):
            if kind == _TYPES:
                types = _types(content, at)
            elif kind == _IMPORTS:
                functions = _imports(content, at, binary)
            elif kind == _FUNCTIONS:
                functions += _numbers(content, at)
            elif kind == _EXPORTS:
                exported = _exported(content, at)
            elif kind == _CUSTOM:
                binary.record = _record(content, at, end, binary.record)
        for name, what, index in exported:
            binary.exports[name] = what
            kind_of = types[functions[index]] if what == _FUNCTION else None
            if kind_of is not None:
                binary.functions[name] = kind_of
    except (IndexError, UnicodeDecodeError) as error:
        let_out(error)
        raise ValueError(f"a damaged module: {error}") from error
    return binary


def _record(content: bytes, at: int, end: int, before: str | None) -> str | None:
    """The record with what a custom section adds to it."""
    name, at = _name(content, at)
    return (before or "") + content[at:end].decode() if name.encode() == convention.SECTION else before


def _numbers(content: bytes, at: int) -> list[int]:
    """A vector of numbers."""
    numbers = []
    count, at = _leb(content, at)
    for _ in range(count):
        number, at = _leb(content, at)
        numbers.append(number)
    return numbers


def _exported(content: bytes, at: int) -> list[tuple[str, int, int]]:
    exported = []
    count, at = _leb(content, at)
    for _ in range(count):
        name, at = _name(content, at)
        kind = content[at]
        index, at = _leb(content, at + 1)
        exported.append((name, kind, index))
    return exported


class Interface:
    """A module's functions by name and its requests by number, held against the binary's own types."""

    def __init__(self, content: bytes, name: str) -> None:
        try:
            self.binary: Binary = read_binary(content)
        except ValueError as error:
            let_out(error)
            raise CoreUnavailableError(f"{name} cannot be read: {error}") from error
        self.functions: dict[str, Function] = {}
        self.requests: dict[int, Request] = {}
        if self.binary.imports:
            module, entry = self.binary.imports[0]
            raise CoreUnavailableError(f"{name} imports {module}.{entry}, which it may not: nothing is given to it")
        try:
            self._read(self.binary.record)
        except (ValueError, IndexError) as error:
            let_out(error)
            raise CoreUnavailableError(f"{name} has a record that cannot be read: {error}") from error
        self._hold_against_binary(name)

    def _read(self, record: str | None) -> None:
        lines = (record or "").split("\n")
        version = f"skywasm {convention.VERSION}"
        if version not in lines:
            spoken = [line for line in lines if line.startswith("skywasm ")]
            raise ValueError(f"it speaks {spoken[0]!r}, not {version!r}" if spoken else "there is none")
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "fn":
                self._read_function(rest)
            elif word == "ask":
                self._read_request(rest)
            elif word not in ("skywasm", ""):
                raise ValueError(f"unknown line {line!r}")

    def _read_function(self, line: str) -> None:
        name, parameters, rest = _signature(line)
        result, _, flags = rest.partition(" ")
        unknown = [kind for _, kind in parameters if kind not in _PARAMETERS and not kind.startswith("+")]
        if unknown or result not in _RESULTS:
            raise ValueError(f"{name} has a kind {(unknown or [result])[0]!r} that this version does not know")
        if name in self.functions or len(parameters) >= convention.SLOTS:
            raise ValueError(f"{name} is there twice, or has too many parameters")
        self.functions[name] = Function(name, parameters, result, "batch" in flags.split())

    def _read_request(self, line: str) -> None:
        number, _, rest = line.partition(" ")
        name, parameters, rest = _signature(rest)
        answer, _, capability = rest.partition(" +")
        unknown = [kind for _, kind in parameters if kind not in _ARGUMENTS]
        if unknown or answer != "int":
            raise ValueError(f"{name} has a kind {(unknown or [answer])[0]!r} that this version does not know")
        if int(number) in self.requests:
            raise ValueError(f"{name} has a number that is there twice")
        self.requests[int(number)] = Request(int(number), name, parameters, capability)

    def _hold_against_binary(self, name: str) -> None:
        """Unchecked calls are made of nothing but exports of the uniform type."""
        needed = [convention.BUFFERS, convention.RESERVE, convention.RESUME, *self.functions]
        needed += [function.name + "[]" for function in self.functions.values() if function.batch]
        for export in needed:
            kind = self.binary.functions.get(export)
            if kind != UNIFORM:
                what = "another type than the convention's" if kind else "no function"
                raise CoreUnavailableError(f"{name}: the export {export} is {what}")
        known = {function.name for function in self.requests.values()}
        asks = {one for function in self.functions.values() for one in function.asks}
        missing = asks - {request.capability for request in self.requests.values()}
        if missing or len(known) != len(self.requests):
            raise CoreUnavailableError(f"{name}: its record contradicts itself")


def _is_name(text: str) -> bool:
    """Whether a text may stand for a name in the code that is made for calls, and means nothing else there."""
    return text.isascii() and text.isidentifier() and not iskeyword(text) and not text.startswith("_")


def _signature(line: str) -> tuple[str, list[tuple[str, str]], str]:
    """The name, the parameters with their kinds, and what follows the arrow."""
    name, _, rest = line.partition("(")
    inside, arrow, rest = rest.partition(")->")
    pairs = [one.partition(":") for one in inside.split(",") if one]
    names = [parameter for parameter, _, _ in pairs]
    if not arrow or not all(map(_is_name, (name, *names))) or len(set(names)) != len(names):
        raise ValueError(f"no signature: {line!r}")
    return name, [(parameter, kind) for parameter, _, kind in pairs], rest
