"""A module's own word: whatever is wrong with its bytes or its record is CoreUnavailableError with name and reason."""

from __future__ import annotations

import random
import time

import pytest

from skywasm import errors
from skywasm.crossing import convention as c
from skywasm.crossing.host import HostFunction
from skywasm.crossing.interface import UNIFORM, Interface, read_binary, sections
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "a module of somebody's"
CUSTOM, TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE = 0, 1, 2, 3, 7, 10
I64, I32 = b"\x7e", b"\x7f"
RECORD = f"""skywasm {c.VERSION}
ask 0 signal(pid:int)->int +process
ask 7 facts(fact:int,text:room,name:str,data:bytes,must:bool)->int +cpu
fn cut(s:text,most:int,middle:bool)->text batch
fn alive(pid:int,it:+process)->bool
fn cpus(it:+cpu)->float more words behind
fn md5(parts:buffer)->size
"""


def leb(number: int) -> bytes:
    """An unsigned number in LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def named(text: str) -> bytes:
    data = text.encode()
    return leb(len(data)) + data


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb(len(content)) + content


def vector(*items: bytes) -> bytes:
    return leb(len(items)) + b"".join(items)


def kind_of(parameters: bytes, results: bytes) -> bytes:
    return b"\x60" + leb(len(parameters)) + parameters + leb(len(results)) + results


def made(
    record: str | bytes | None = RECORD,
    *,
    exports: tuple[str, ...] = ("cut", "cut[]", "alive", "cpus", "md5", c.BUFFERS, c.RESERVE, c.RESUME),
    other: dict[str, bytes] | None = None,
    imports: bytes = b"",
    kinds: dict[str, tuple[bytes, bytes]] | None = None,
) -> bytes:
    """A module by hand: the sections that are read, one function for all exports of one type.

    ``other`` are exports of other kinds by their bytes, ``kinds`` types of exports that are not the convention's.
    """
    kinds = kinds or {}
    types = [kind_of(*UNIFORM), *(kind_of(*kind) for kind in kinds.values())]
    places = {name: 1 + at for at, name in enumerate(kinds)}
    entries = [named(name) + b"\0" + leb(places.get(name, 0)) for name in exports]
    entries += [named(name) + what for name, what in (other or {}).items()]
    content = b"\0asm\1\0\0\0" + section(TYPES, vector(*types))
    if imports:
        content += section(IMPORTS, imports)
    content += section(FUNCTIONS, vector(*(leb(at) for at in range(len(types)))))
    content += section(EXPORTS, vector(*entries))
    # What is not looked at.
    content += section(CODE, b"whatever")
    if record is not None:
        data = record if isinstance(record, bytes) else record.encode()
        content += section(CUSTOM, named(c.SECTION.decode()) + data)
    return content


def refused(content: bytes, reason: str | None = None) -> str:
    """The message with which a module is refused, quickly and in no other way."""
    began = time.monotonic()
    with pytest.raises(errors.CoreUnavailableError, match=reason) as caught:
        Interface(content, NAME)
    assert time.monotonic() - began < 1
    message = str(caught.value)
    assert NAME in message
    assert len(message) > len(NAME) + 10, "no reason is told"
    return message


def test_a_good_one_is_read() -> None:
    """What the tests below damage is right: functions, kinds, batches, requests and capabilities."""
    read = Interface(made(), NAME)
    cut, alive = read.functions["cut"], read.functions["alive"]
    assert (cut.parameters, cut.result) == ([("s", "text"), ("most", "int"), ("middle", "bool")], "text")
    assert (cut.batch, cut.asks, alive.batch, alive.asks) == (True, (), False, ("process",))
    assert alive.parameters == [("pid", "int")]
    facts = read.requests[7]
    assert (facts.name, facts.capability) == ("facts", "cpu")
    assert [kind for _, kind in facts.parameters] == ["int", "room", "str", "bytes", "bool"]
    assert set(read.functions) == {"cut", "alive", "cpus", "md5"}


def test_cut_anywhere() -> None:
    """A module that ends after any of its bytes is refused: the record stands last, and nothing before it is enough."""
    content = made()
    whole = [end for _, _, end in sections(content)]
    for at in range(len(content)):
        message = refused(content[:at])
        # Cut between two sections it is a whole module, without what is missing.
        assert at not in whole or "record" in message or "export" in message, at


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bytes(seed: int) -> None:
    """Bytes changed at random: refused, or read as something that holds together; never another exception."""
    content = made()
    dice = random.Random(seed)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(dice.randrange(1, 4)):
            damaged[dice.randrange(8, len(damaged))] = dice.choice(
                (0, 1, 0x60, 0x7E, 0x7F, 0x80, 0xFF, dice.randrange(256))
            )
        holds_together(bytes(damaged))


def holds_together(content: bytes) -> None:
    try:
        read = Interface(content, NAME)
    except errors.CoreUnavailableError:
        return
    for name, function in read.functions.items():
        assert read.binary.functions[name] == UNIFORM
        assert name.isidentifier()
        assert len(function.parameters) < c.SLOTS


@pytest.mark.parametrize("seed", range(20))
def test_the_real_one_damaged(seed: int) -> None:
    """The artifact itself, cut or changed anywhere, is read to the same end."""
    content = core.package_data(core.ARTIFACT)
    dice = random.Random(seed)
    for _ in range(10):
        damaged = bytearray(content)
        for _ in range(dice.randrange(1, 20)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        holds_together(bytes(damaged))
        holds_together(content[: dice.randrange(len(content))])


NOT_MODULES: dict[str, bytes] = {
    "nothing": b"",
    "a text": b"hello",
    "another magic": b"\0elf\1\0\0\0",
    "another version": b"\0asm\2\0\0\0",
    "a component": b"\0asm\x0d\0\1\0",
    "a header alone": b"\0asm\1\0\0\0",
    "a section without a length": b"\0asm\1\0\0\0\1",
    "a section that is longer than all": b"\0asm\1\0\0\0\1\x7f",
    "a length that never ends": b"\0asm\1\0\0\0\1" + b"\x80" * 2000,
    "a length of many gigabytes": b"\0asm\1\0\0\0\1" + leb(2**35),
    "a length of thousands of bits": b"\0asm\1\0\0\0\1" + b"\xff" * 400 + b"\1",
    "types without end": b"\0asm\1\0\0\0" + section(TYPES, leb(2**32 - 1)),
    "imports without end": b"\0asm\1\0\0\0" + section(IMPORTS, leb(2**32 - 1)),
    "functions without end": b"\0asm\1\0\0\0" + section(FUNCTIONS, leb(2**60)),
    "exports without end": b"\0asm\1\0\0\0" + section(EXPORTS, leb(2**60)),
    "a type that is none": b"\0asm\1\0\0\0" + section(TYPES, vector(b"\x5f\0\0")),
    "names that are no text": b"\0asm\1\0\0\0" + section(EXPORTS, vector(b"\2\xff\xfe\0\0")),
    "an export of a function that is not there": b"\0asm\1\0\0\0" + section(EXPORTS, vector(named("f") + b"\0\5")),
    "a function of a type that is not there": (
        b"\0asm\1\0\0\0" + section(FUNCTIONS, vector(b"\7")) + section(EXPORTS, vector(named("f") + b"\0\0"))
    ),
}


@pytest.mark.parametrize("what", NOT_MODULES)
def test_what_is_no_module(what: str) -> None:
    """Refused at once, however long it says that it is."""
    refused(NOT_MODULES[what])


def line(text: str) -> str:
    return f"{RECORD}{text}\n"


RECORDS: dict[str, tuple[str | bytes | None, str]] = {
    "none": (None, "there is none"),
    "empty": ("", "there is none"),
    "no version": ("fn cut(s:text)->text\n", "there is none"),
    "an older version": (RECORD.replace("skywasm 2", "skywasm 1"), "speaks 'skywasm 1', not 'skywasm 2'"),
    "a newer version": (RECORD.replace("skywasm 2", "skywasm 20"), "speaks 'skywasm 20', not 'skywasm 2'"),
    "a version with more": (RECORD.replace("skywasm 2", "skywasm 2 "), "not 'skywasm 2'"),
    "no text": (RECORD.encode() + b"\xff\xfe", "damaged"),
    "an unknown word": (line("import everything"), "unknown line 'import everything'"),
    "a word without a blank": (line("fn"), "no signature"),
    "no arrow": (line("fn more(a:int)"), "no signature"),
    "no brackets": (line("fn more->int"), "no signature"),
    "no name": (line("fn (a:int)->int"), "no signature"),
    "a name that is none": (line("fn cut it(a:int)->int"), "no signature"),
    "a keyword": (line("fn lambda(a:int)->int"), "no signature"),
    "a parameter that is no name": (line("fn more(a=1:int)->int"), "no signature"),
    "a parameter without a kind": (line("fn more(a)->int"), "kind ''"),
    "a parameter twice": (line("fn more(a:int,a:int)->int"), "no signature"),
    "an unknown kind": (line("fn more(a:regex)->int"), "kind 'regex'"),
    "an unknown result": (line("fn more(a:int)->regex"), "kind 'regex'"),
    "a result that is a buffer": (line("fn more(a:int)->buffer"), "kind 'buffer'"),
    "no result": (line("fn more(a:int)->"), "kind ''"),
    "a function twice": (line("fn cut(a:int)->int"), "cut is there twice"),
    "too many parameters": (line(f"fn more({','.join(f'a{n}:int' for n in range(c.SLOTS))})->int"), "too many"),
    "a function without an export": (line("fn more(a:int)->int"), "the export more is no function"),
    "a batch without an export": (RECORD.replace("->bool", "->bool batch"), r"the export alive\[\] is no function"),
    "a request without a number": (line("ask signal(pid:int)->int +process"), "no signature"),
    "a request of a number that is none": (line("ask one two(pid:int)->int +process"), "invalid literal"),
    "a number twice": (line("ask 0 again(pid:int)->int +process"), "twice"),
    "a name of a request twice": (line("ask 1 signal(pid:int)->int +process"), "contradicts"),
    "a request of an unknown kind": (line("ask 1 more(a:float)->int +process"), "kind 'float'"),
    "a request of an unknown answer": (line("ask 1 more(a:int)->text +process"), "kind 'text'"),
    "a request without a signature": (line("ask 1"), "no signature"),
    "a capability that no request has": (RECORD.replace("+process)", "+ports)"), "contradicts"),
}


@pytest.mark.parametrize("what", RECORDS)
def test_bad_records(what: str) -> None:
    """The reason says which part of the record is not understood."""
    record, reason = RECORDS[what]
    refused(made(record), reason)


def without(export: str) -> tuple[str, ...]:
    return tuple(
        name for name in ("cut", "cut[]", "alive", "cpus", "md5", c.BUFFERS, c.RESERVE, c.RESUME) if name != export
    )


@pytest.mark.parametrize("export", ["cut", "cut[]", c.BUFFERS, c.RESERVE, c.RESUME])
def test_missing_exports(export: str) -> None:
    """A function of the record or the convention that the binary does not have is named."""
    message = refused(made(exports=without(export)))
    assert f"the export {export} is no function" in message


@pytest.mark.parametrize("export", ["cut", "cut[]", c.BUFFERS, c.RESERVE, c.RESUME])
@pytest.mark.parametrize(
    "kind",
    [
        (I64 * (c.SLOTS - 1), I64),
        (I64 * (c.SLOTS + 1), I64),
        (I64 * c.SLOTS, b""),
        (I64 * c.SLOTS, I64 * 2),
        (I64 * (c.SLOTS - 1) + I32, I64),
        (I64 * c.SLOTS, I32),
        (b"\x7d" * c.SLOTS, I64),
        (b"", b""),
    ],
)
def test_exports_of_another_type(export: str, kind: tuple[bytes, bytes]) -> None:
    """Calls that check nothing are made of exports of the one type only: the binary's word counts, not the record's."""
    message = refused(made(kinds={export: kind}))
    assert f"the export {export} is another type than the convention's" in message


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 9])
def test_exports_that_are_no_functions(kind: int) -> None:
    """A table, memory, global or something unknown of the name is no function."""
    message = refused(made(exports=without("cut"), other={"cut": bytes([kind, 0])}))
    assert "the export cut is no function" in message


IMPORTED: dict[str, bytes] = {
    "function": b"\0\0",
    "table": b"\1\x70\0\1",
    "table with a limit": b"\1\x70\1\1\2",
    "memory": b"\2\0\1",
    "memory with a limit": b"\2\1\1\2",
    "global": b"\3\x7e\0",
}


@pytest.mark.parametrize("kind", IMPORTED)
@pytest.mark.parametrize("module", ["env", "wasi_snapshot_preview1", "sky_host", ""])
def test_imports_of_every_kind(kind: str, module: str) -> None:
    """Nothing is given to any module: the first import is named."""
    entry = named(module) + named("thing") + IMPORTED[kind]
    message = refused(made(imports=vector(entry, named("env") + named("other") + b"\3\x7e\0")))
    assert f"imports {module}.thing, which it may not" in message


def test_imported_functions_count() -> None:
    """Functions that are imported have the first numbers, so that exports are not taken for others."""
    imports = vector(*(named("env") + named(f"f{at}") + b"\0\0" for at in range(2)))
    content = made(imports=imports, exports=(), other={"first": b"\0\0", "third": b"\0\2"})
    binary = read_binary(content)
    assert binary.imports == [("env", "f0"), ("env", "f1")]
    assert binary.functions == {"first": UNIFORM, "third": UNIFORM}


def test_the_record_may_lie_in_pieces() -> None:
    """Several sections of the name are one record, in their order; other sections are not looked at."""
    half = len(RECORD) // 2
    content = made(None)
    for part in (RECORD[:half], RECORD[half:]):
        content += section(CUSTOM, named("name") + b"\xff\xff") + section(
            CUSTOM, named(c.SECTION.decode()) + part.encode()
        )
    assert set(Interface(content, NAME).functions) == {"cut", "alive", "cpus", "md5"}


@pytest.mark.parametrize("many", [10_000])
def test_records_of_any_length_end(many: int) -> None:
    """A record of very many lines is read, or refused, in a moment."""
    text = line("\n".join(f"ask {at} r{at}()->int +cpu" for at in range(100, many)))
    assert len(Interface(made(text), NAME).requests) == many - 100 + 2
    refused(made(line("fn cut(a:int)->int\n" * many)), "twice")
    refused(made(line(f"fn more({'a:int,' * many})->int")), "no signature")


def test_a_module_says_the_same() -> None:
    """What ``Module`` refuses is refused before anything of the engine is looked for, with the same error."""
    pytest.importorskip("wasmtime")
    from skywasm.crossing.module import Module

    with pytest.raises(errors.CoreUnavailableError, match=f"{NAME}.*cannot be read"):
        Module(b"nothing", NAME)
    with pytest.raises(errors.CoreUnavailableError, match=f"{NAME} asks for signal of the capability 'process'"):
        Module(made(), NAME)
    given = [HostFunction("process", signal), HostFunction("cpu", facts)]
    with pytest.raises(errors.CoreUnavailableError, match=f"{NAME}: the export _initialize has parameters"):
        Module(made(exports=(*without(""), "_initialize")), NAME, given)
    started = made(exports=(*without(""), "_initialize"), kinds={"_initialize": (b"", b"")})
    assert Module(started, NAME, given).initialize is not None


def signal(pid: int) -> int:
    return pid


def facts(*_: Any) -> int:
    return 0
