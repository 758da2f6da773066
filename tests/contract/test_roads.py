"""The text of roads: one golden file for each shape of a call, and what a traceback shows of them.

``SKYWASM_TEST_WRITE=1`` writes the files anew; what has changed in them is then to be read like any code.
"""

from __future__ import annotations

import os
import pathlib
import traceback

import artifacts
import pytest

pytest.importorskip("wasmtime")

from skywasm import errors
from skywasm.crossing import calls, host, interface, list_roads, lists, roads
from skywasm.crossing import convention as c

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.crossing.module import Module

FOLDER = pathlib.Path(__file__).parent / "roads"
# A function of each shape, and the defaults of its parameters.
SHAPES: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "str to str": ("one(hex_str:str)->str", {}, None),
    "str to str, short ones in Python": ("one(hex_str:str)->str", {}, 20),
    "text, int, bool to text": ("cut(s:text,most:int,middle:bool)->text", {"most": 35, "middle": False}, None),
    "float, int to str": ("written(num:float,places:int)->str", {"places": 1}, None),
    "int to bool, asking": ("alive(pid:int,it:+process)->bool", {}, None),
    "to float, asking": ("memory_of(it:+memory)->float", {}, None),
    "bytes to bytes": ("turned(data:bytes)->bytes", {}, None),
    "bytes, str, size to int": ("three(data:bytes,name:str,number:size)->int", {}, None),
}
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "list of str": ("one(hex_str:str)->str batch", {}),
    "list of text, int, bool": ("cut(s:text,most:int,middle:bool)->text batch", {"most": 35, "middle": False}),
}
ASKS = """ask 0 signal(pid:int)->int +process
ask 1 version()->int +memory
ask 2 memory_text(fact:int,text:room)->int +memory
"""


@host.host("process")
def signal(pid: int) -> int:
    return -pid


@host.host("memory")
def version() -> int:
    return 2


@host.host("memory")
def memory_text(fact: int, text: memoryview) -> int:
    return fact + len(text)


def stand_in(signature: str, body: str = "(i64.const -3)", **how: Any) -> Module:
    asks = ASKS if "+" in signature else ""
    given = (signal, version, memory_text) if asks else ()
    if signature.endswith(" batch"):
        how["functions"] = {signature.partition("(")[0] + "[]": "(i64.const -3)", **how.get("functions", {})}
    module = artifacts.small(body, signature, asks=asks, host=given, **how)
    # Roads take a seat that is there, and leave making the first one to the general way.
    module.give_back(module.borrow())
    return module


def compare(name: str, text: str) -> None:
    """Holds a text against its file."""
    path = FOLDER / f"{name.replace(', ', '_').replace(' ', '-')}.txt"
    if os.environ.get("SKYWASM_TEST_WRITE"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{path} is another text: see above how to write it anew"
    compile(text, path.name, "exec")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_road_of_a_shape(shape: str) -> None:
    """The text is that of the file: no step more, and none less."""
    signature, defaults, shorter = SHAPES[shape]
    module = stand_in(signature)
    function = module.interface.functions[signature.partition("(")[0]]
    compare(shape, roads.source(module, function, defaults, shorter))


@pytest.mark.parametrize("shape", LISTS)
def test_the_road_of_lists_of_a_shape(shape: str) -> None:
    """Likewise for lists."""
    signature, defaults = LISTS[shape]
    module = stand_in(signature)
    function = module.interface.functions[signature.partition("(")[0]]
    compare(shape, list_roads.source(function, module.index(function.name + "[]"), defaults))


def test_every_file_is_a_shape() -> None:
    """No file is left of a shape that there is no more."""
    names = {f"{name.replace(', ', '_').replace(' ', '-')}.txt" for name in (*SHAPES, *LISTS)}
    assert {path.name for path in FOLDER.iterdir()} == names


def test_every_plain_row_has_a_road() -> None:
    """Each function of the artifact whose arguments are the guest's has a road whose text is code."""
    from skywasm.functions import ROWS
    from skywasm.routes import bind, core

    for row in ROWS:
        if row.crossing is None:
            function = core.core().interface.functions[row.exports[0]]
            text = roads.source(core.core(), function, bind.defaults(row), row.shorter)
            compile(text, row.name, "exec")
            assert text.startswith(f"def {function.name}(")


def shown(call: Any) -> str:
    """The traceback of what a call raises."""
    try:
        call()
    except ZeroDivisionError:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def test_a_traceback_shows_the_line_of_a_road() -> None:
    """Where a host function raises in the middle of a road, the road's own line is in the traceback, with its name."""
    asking = f"{artifacts.cell(c.CELL_REQUEST, '(i64.const 0)')} {artifacts.cell(c.CELL_ARGUMENTS, '(local.get $a)')}"
    module = stand_in("alive(pid:int,it:+process)->bool", f"{asking} (i64.const {c.ASK})")
    # A host function of its own, as the others of the module share theirs.
    module.host["signal"] = host.HostFunction("process", lambda pid: 1 // (pid - 7))
    road = roads.road(calls.Way(module, "alive", None, True), {})
    text = shown(lambda: road(7))
    assert f'File "road to {module.name}: alive' in text
    assert f"    slots[{c.SLOT_ANSWER}] = ask(cells[{c.CELL_ARGUMENTS}])" in text
    assert "lambda pid: 1 // (pid - 7)" in text


def test_a_traceback_shows_the_line_of_a_list_road() -> None:
    """Likewise for the road of lists, where an item's own code raises."""
    module = stand_in("cut(s:text,most:int,middle:bool)->text batch")

    def never(*_: Any) -> Any:
        raise AssertionError

    many = lists.Many(module, "cut", never, never, True)
    road = list_roads.road(many, {"most": 35, "middle": False})
    assert road.__name__ == "cut"

    class Odd:
        def __bool__(self) -> bool:
            raise ZeroDivisionError

    text = shown(lambda: road(["some text"], 35, Odd()))
    assert f'File "road to {module.name}: cut[]' in text
    assert " = 1 if middle else 0" in text


def test_roads_are_named_like_their_functions() -> None:
    """Names, defaults and parameters of a road are the function's, and it says which module it leads to."""
    module = stand_in("cut(s:text,most:int,middle:bool)->text", f"(i64.const {c.IN_WINDOW})")
    road = roads.road(calls.Way(module, "cut", None, True), {"most": 35, "middle": False})
    assert (road.__name__, road.__module__, road.__defaults__) == ("cut", module.name, (35, False))
    assert road("text") == road(s="text", most=1, middle=True) == ""
    with pytest.raises(TypeError):
        road()
    assert road.__annotations__ == {"s": str, "most": int, "middle": bool}


BAD_NAMES = (
    *(
        "a=1",
        "a b",
        "a\\n",
        "1",
        "a.b",
        "*a",
        "**a",
        "a=__import__('os').abort()",
        "import",
        "None",
        "lambda",
        "a;b",
        "é",
    ),
    *("_default_a", "__loader__", "a]", "a\\\\", "\ufb01le"),
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_nothing_of_the_record_but_names_goes_into_the_text(name: str) -> None:
    """What is no plain name, as a function or as a parameter, is refused before it comes as far as a road."""
    for signature in (f"f({name}:int)->int", f"f(b:int,{name}:int)->int", f"f(b:+{name},{name}:int)->int"):
        with pytest.raises(errors.CoreUnavailableError):
            interface.Interface(recorded(f"fn {signature}"), "hostile")
    with pytest.raises(errors.CoreUnavailableError):
        interface.Interface(recorded(f"fn {name}(b:int)->int"), "hostile")


def recorded(line: str) -> bytes:
    text = artifacts.text(
        {"f": "(i64.const 0)"}, knows=False, record=f"skywasm {c.VERSION}\n" + line.replace("\\n", "\n")
    )
    return artifacts.compiled(text)


def test_no_parameter_stands_twice() -> None:
    """Two parameters of one name would be no code."""
    with pytest.raises(errors.CoreUnavailableError):
        interface.Interface(recorded("fn f(a:int,a:int)->int"), "hostile")


def names_of(text: str) -> set[str]:
    """Every name that a text has."""
    code = compile(text, "text", "exec")
    (inner,) = [one for one in code.co_consts if hasattr(one, "co_names")]
    return {*inner.co_names, *inner.co_varnames} - {"bind", "close", "decode", "encode", "join", "split", "value"}


@pytest.mark.parametrize("shape", [*SHAPES, *LISTS])
def test_all_names_of_a_text_are_known(shape: str) -> None:
    """``OWN`` lists every name of the texts, so that no parameter is taken for one of them."""
    signature, defaults, *shorter = {**SHAPES, **LISTS}[shape]
    module = stand_in(signature)
    function = module.interface.functions[signature.partition("(")[0]]
    parameters = {name for name, _ in function.parameters}
    if shape in LISTS:
        text, own = list_roads.source(function, module.index(function.name + "[]"), defaults), list_roads.OWN
    else:
        text, own = roads.source(module, function, defaults, shorter[0]), roads.OWN
    assert names_of(text) - parameters <= own


@pytest.mark.parametrize("name", sorted(list_roads.OWN))
def test_functions_and_parameters_of_such_names_are_called(name: str) -> None:
    """They go by the general way, and the arguments and answers are right."""
    body = artifacts.gives("(i64.add (local.get $a) (i64.const 1))")
    module = stand_in(f"f({name}:int)->int", body)
    assert roads.road(calls.Way(module, "f", None, True), {})(41) == 42
    module = stand_in(f"{name}(num:int)->int", body)
    assert roads.road(calls.Way(module, name, None, True), {})(41) == 42
