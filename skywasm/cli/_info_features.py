"""Which extensions of the first WebAssembly a module uses, read from its instructions and not from what it says."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"\0asm\1\0\0\0"
_TYPES, _CODE = 1, 10
_BR_TABLE, _CALL_INDIRECT, _TYPED_SELECT, _BULK, _SIMD = 0x0E, 0x11, 0x1C, 0xFC, 0xFD
# What follows an opcode: so many numbers, and then so many bytes. What is not here is unknown.
_PLAIN: dict[int, tuple[int, int]] = {
    **dict.fromkeys([0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, *range(0x45, 0xC5), 0xD1], (0, 0)),
    **dict.fromkeys([*range(0x02, 0x05), 0x0C, 0x0D, 0x10, 0x12, *range(0x20, 0x27)], (1, 0)),
    **dict.fromkeys([0x3F, 0x40, 0x41, 0x42, 0xD0, 0xD2], (1, 0)),
    **dict.fromkeys([0x13, *range(0x28, 0x3F)], (2, 0)),
    **{0x43: (0, 4), 0x44: (0, 8)},
}
_AFTER_BULK = {**dict.fromkeys(range(8), (0, 0)), **dict.fromkeys((8, 10, 12, 14), (2, 0))}
_AFTER_BULK.update(dict.fromkeys((9, 11, 13, 15, 16, 17), (1, 0)))
_AFTER_SIMD = {
    **dict.fromkeys(range(0x114), (0, 0)),
    **dict.fromkeys([*range(12), 92, 93], (2, 0)),
    **dict.fromkeys([12, 13], (0, 16)),
    **dict.fromkeys(range(21, 35), (0, 1)),
    **dict.fromkeys(range(84, 92), (2, 1)),
}
_BY_OPCODE = {
    **dict.fromkeys(range(0xC0, 0xC5), "sign-ext"),
    **dict.fromkeys((0x25, 0x26, 0xD0, 0xD1, 0xD2), "reference-types"),
    **dict.fromkeys((0x12, 0x13), "tail-call"),
}
_MORE = 0x80
_RELAXED = 0x100
_SATURATING = 8
_TABLES = 15


class _Reader:
    """A place in the bytes."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self.content, self.at, self.end = content, at, end

    def number(self) -> int:
        """The next number; of one with a sign only the length matters here."""
        value = shift = 0
        while True:
            byte = self.content[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if not byte & _MORE:
                return value
            shift += 7

    def skip(self, numbers: int, size: int) -> None:
        for _ in range(numbers):
            self.number()
        self.at += size


def _sections(content: bytes) -> Iterator[tuple[int, _Reader]]:
    if not content.startswith(_MAGIC):
        raise ValueError("this is no WebAssembly module of version 1")
    reader = _Reader(content, len(_MAGIC), len(content))
    while reader.at < reader.end:
        kind, reader.at = content[reader.at], reader.at + 1
        size = reader.number()
        yield kind, _Reader(content, reader.at, reader.at + size)
        reader.at += size


def _of_types(reader: _Reader) -> Iterator[str]:
    for _ in range(reader.number()):
        reader.skip(0, 1)
        reader.skip(0, reader.number())
        results = reader.number()
        reader.skip(0, results)
        if results > 1:
            yield "multivalue"


def _of_prefixed(opcode: int, reader: _Reader) -> str:
    second = reader.number()
    after = _AFTER_BULK if opcode == _BULK else _AFTER_SIMD
    if second not in after:
        raise ValueError(f"unknown instruction {opcode:#x} {second:#x}")
    reader.skip(*after[second])
    if opcode == _SIMD:
        return "simd128" if second < _RELAXED else "relaxed-simd"
    if second < _SATURATING:
        return "nontrapping-fptoint"
    return "bulk-memory" if second < _TABLES else "reference-types"


def _of_code(reader: _Reader) -> Iterator[str]:
    """The feature of each instruction that has one."""
    content = reader.content
    for _ in range(reader.number()):
        size = reader.number()
        end = reader.at + size
        for _ in range(reader.number()):
            reader.skip(1, 1)
        while reader.at < end:
            opcode, reader.at = content[reader.at], reader.at + 1
            if opcode in (_BULK, _SIMD):
                yield _of_prefixed(opcode, reader)
            elif opcode == _BR_TABLE:
                reader.skip(reader.number() + 1, 0)
            elif opcode == _CALL_INDIRECT:
                reader.number()
                # Before reference types a zero byte stood here; now it is a number, which a linker writes in full.
                if content[reader.at]:
                    yield "call-indirect-overlong"
                reader.number()
            elif opcode == _TYPED_SELECT:
                yield "reference-types"
                reader.skip(0, reader.number())
            elif opcode in _PLAIN:
                reader.skip(*_PLAIN[opcode])
                yield _BY_OPCODE.get(opcode, "")
            else:
                raise ValueError(f"unknown instruction {opcode:#x}")


def features(content: bytes) -> list[str]:
    """The extensions that a module's instructions and types use, by the names that compilers give them, sorted.

    Costs a tenth of a second for this artifact.

    Raises:
        ValueError, IndexError: the bytes are no module, are cut off, or hold an instruction not known here.
    """
    found = {""}
    for kind, reader in _sections(content):
        if kind == _TYPES:
            found.update(_of_types(reader))
        elif kind == _CODE:
            found.update(_of_code(reader))
    return sorted(found - {""})
