"""A wasmtime that is not what skywasm knows: used where it is proven, refused with the reason where it is not."""

from __future__ import annotations

import pytest
from children import run

import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")

UNTESTED = """
    from skywasm.crossing.engine import setup
    setup.TESTED_MAJORS = ("49",)
"""
LACKING = """
    from skywasm.crossing.engine import library
    class Without(library.Library):
        def function(self, name, *prototype):
            if name == "{name}":
                raise AttributeError(name)
            return super().function(name, *prototype)
    library.Library = Without
"""
# Ways of having another wasmtime, each as code that runs before the engine is loaded, and the reason that is told.
WAYS = {
    "no library where it is looked for": (
        """
    import sys
    from skywasm.crossing.engine import library
    library._FILES[sys.platform] = "_libelsewhere.so"
    """,
        "_libelsewhere.so",
    ),
    "another library in its place": (
        """
    import _ctypes, sys
    from skywasm.crossing.engine import library
    library._FILES[sys.platform] = _ctypes.__file__
    """,
        "wasm_config_new",
    ),
    "the library lacks unchecked calls": (
        LACKING.format(name="wasmtime_func_call_unchecked"),
        "wasmtime_func_call_unchecked; install wasmtime",
    ),
    "the library lacks a setting": (
        LACKING.format(name="wasmtime_config_memory_may_move_set"),
        "memory_may_move_set; install wasmtime",
    ),
    "the library takes no compiled module": (
        """
    from skywasm.crossing.engine import library
    library.Compiled.__init__ = lambda self, engine, compiled: engine.library.require(None, None) or 1 / 0
    """,
        "division by zero",
    ),
    "calls answer wrongly": (
        """
    from skywasm.crossing import calls
    calls.taken = lambda seat, result: b"0"
    """,
        "wrong answer",
    ),
    "answers to requests do not arrive": (
        """
    from skywasm.crossing import calls
    calls.put_answer = lambda slots, answer, request: 1 / 0
    """,
        "division by zero",
    ),
    "another C API": (
        UNTESTED
        + """
    from wasmtime import _bindings
    _bindings._wasmtime_store_new.argtypes = _bindings._wasmtime_store_new.argtypes[:1]
    """,
        "wasmtime_store_new is declared otherwise; install wasmtime",
    ),
    "an untested wasmtime whose package does not load": (
        UNTESTED
        + """
    import sys
    sys.modules["wasmtime._bindings"] = None
    """,
        "cannot be read",
    ),
}

# Examples of every function, and arguments that are wrong in each place; no number names a descriptor.
CALLS = """
    import skywasm, examples
    from skywasm import reference
    from skywasm.functions import ROWS
    place = examples.Workplace(quick=True).__enter__()
    ODD = (None, "", "no such thing", -1, 1.5, float("nan"), [3], 2**70)
    CALLS = []
    for row in ROWS:
        whole = [example(place) if callable(example) else example for example in row.examples.values()]
        CALLS += [(row.name, arguments) for arguments in whole]
        for at in range(len(whole[0])):
            CALLS += [(row.name, (*whole[0][:at], odd, *whole[0][at + 1 :])) for odd in ODD]
        for name in row.reference.__code__.co_varnames[len(whole[0]) : row.reference.__code__.co_argcount]:
            CALLS += [(row.name, whole[0], {name: odd}) for odd in ODD]
    def outcome(function, args, kwargs):
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            return type(error).__name__ + ": " + str(error)
        return answer.hexdigest() if hasattr(answer, "hexdigest") else repr(answer)
    def differences():
        different = []
        for name, args, *named in CALLS:
            kwargs = named[0] if named else {}
            got, want = (outcome(getattr(api, name), args, kwargs) for api in (skywasm, reference))
            if got != want:
                different.append((name, repr(args)[:60], kwargs, got, want))
        return different
"""


def child(code: str, **how: Any) -> dict[str, Any]:
    """Runs a child without the compiled artifact of the other tests: proving comes before compiling."""
    return run(code, **examples.seen({**how, "env": {"SKYWASM_CACHE": "0", **how.get("env", {})}}))


@pytest.mark.parametrize("way", WAYS)
def test_it_is_refused_in_wasm_mode(way: str) -> None:
    """Every call is an error with the reason, and a child that is harmed by nothing else."""
    code, reason = WAYS[way]
    found = child(
        code
        + """
    import skywasm
    skywasm.set_backend("wasm")
    messages = []
    for call in (lambda: skywasm.base36_encode("ff"), lambda: skywasm.is_process_alive(1), skywasm.warm_up):
        try:
            messages.append(repr(call()))
        except Exception as error:
            messages.append(type(error).__name__ + ": " + str(error))
    report(messages=messages, info=skywasm.get_backend_info())
    """
    )
    assert len(set(found["messages"])) == 1 or "division" in reason, found["messages"]
    assert reason in found["messages"][0]
    if "division" not in reason:
        assert found["messages"][0].startswith("CoreUnavailableError: ")
    assert found["info"]["backend"] == "not loaded"


@pytest.mark.parametrize("way", [way for way in WAYS if "division" not in WAYS[way][1]])
def test_auto_answers_in_python(way: str) -> None:
    """Every function is right in auto, and one warning tells the reason."""
    code, reason = WAYS[way]
    found = child(
        code
        + CALLS
        + """
    skywasm.warm_up()
    report(different=differences(), warnings=warnings, info=skywasm.get_backend_info())
    """
    )
    assert found["different"] == []
    assert len(found["warnings"]) == 1, found["warnings"]
    assert reason in found["warnings"][0]
    assert reason in found["info"]["reason"]
    assert (found["info"]["mode"], found["info"]["backend"], found["info"]["call_path"]) == ("auto", "python", None)


@pytest.mark.parametrize("before", ["", UNTESTED], ids=["tested", "untested"])
def test_every_function_in_wasm_mode(before: str) -> None:
    """Examples and wrong arguments alike give the reference's answers and errors, again when asked again.

    A major of wasmtime that the tests do not know is used as well, once its declarations are known to be the same.
    """
    found = child(
        before
        + CALLS
        + """
    skywasm.set_backend("wasm")
    first = differences()
    digest = skywasm.hash_file(skywasm.__file__, "blake3")
    digest.update(b"more")
    report(first=first, again=differences(), info=skywasm.get_backend_info(), calls=len(CALLS))
    """
    )
    # What only hashlib resolves is told with the names of backends in wasm mode.
    assert [one for one in found["first"] if one[0] != "hash_file"] == []
    assert found["first"] == found["again"]
    assert found["calls"] > 100
    assert (found["info"]["backend"], found["info"]["call_path"]) == ("wasm", "raw")


def test_proving_happens_before_the_first_compiling_only() -> None:
    """An untested wasmtime is held against its own declarations once; what it compiled was proven then."""
    code = """
    import sys, skywasm
    skywasm.set_backend("wasm")
    text, cache = skywasm.base36_encode("ff"), skywasm.get_backend_info()["cache"]
    report(text=text, imported="wasmtime" in sys.modules, cache=cache)
    """
    child(UNTESTED + code, env={"SKYWASM_CACHE": ""})
    found = child(UNTESTED + code, env={"SKYWASM_CACHE": ""})
    assert (found["text"], found["imported"], found["cache"]) == ("73", False, "hit")
    found = child(UNTESTED + code)
    assert (found["text"], found["imported"]) == ("73", True)


@pytest.mark.parametrize("off", ["", "0"])
def test_a_first_call_leaves_wasmtime_py_alone(off: str) -> None:
    """Calls need the library alone, compiling included: importing the package takes twice as long."""
    code = """
    import os, sys, skywasm
    skywasm.set_backend("wasm")
    text = skywasm.base36_encode("ff")
    alive = skywasm.is_process_alive(os.getpid())
    report(text=text, alive=alive, imported="wasmtime" in sys.modules, info=skywasm.get_backend_info())
    """
    run(code, env={"SKYWASM_CACHE": off})
    found = run(code, env={"SKYWASM_CACHE": off})
    assert (found["text"], found["alive"], found["info"]["call_path"]) == ("73", True, "raw")
    assert found["info"]["cache"].partition(" ")[0] == ("off" if off else "hit")
    assert not found["imported"]


def test_beside_wasmtime_py_in_one_process() -> None:
    """A program's own use of wasmtime-py, before and after, disturbs nothing, and sees what skywasm sees."""
    found = run(
        """
    import wasmtime, skywasm
    from skywasm.routes import core
    def own():
        store = wasmtime.Store()
        module = wasmtime.Module(store.engine, '(module (func (export "f") (result i32) (i32.const 7)))')
        return wasmtime.Instance(store, module, []).exports(store)["f"](store)
    results = [own()]
    skywasm.set_backend("wasm")
    results += [skywasm.base36_encode("ff"), own()]
    names = [entry.name for entry in wasmtime.Module(wasmtime.Engine(), core.package_data(core.ARTIFACT)).exports]
    results += [skywasm.base36_encode("ff"), own()]
    report(results=results, same=sorted(names) == sorted(core.core().interface.binary.exports),
           cache=skywasm.get_backend_info()["cache"])
    """
    )
    assert found["results"] == [7, "73", 7, "73", 7]
    assert found["same"]
    assert found["cache"] == "hit"


def test_finders_of_every_kind() -> None:
    """Finders get the three arguments that Python gives them."""
    found = run(
        """
    import sys
    class Strict:
        def find_spec(self, name, path, target):
            return None
    sys.meta_path.insert(0, Strict())
    import skywasm
    skywasm.set_backend("wasm")
    report(text=skywasm.base36_encode("ff"), path=skywasm.get_backend_info()["call_path"])
    """
    )
    assert (found["text"], found["path"]) == ("73", "raw")
