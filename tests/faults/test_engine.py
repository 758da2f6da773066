"""Where raw calls are untested or do not work, wasmtime-py's public API serves instead."""

from __future__ import annotations

import pytest
from children import run

pytest.importorskip("wasmtime")

LACKING = """
    from skywasm import _capi
    class Without(_capi.Library):
        def function(self, name, *prototype):
            if name == "{name}":
                raise AttributeError(name)
            return super().function(name, *prototype)
    _capi.Library = Without
"""
# Ways of losing the raw path, each as code that runs before the engine is loaded.
WAYS = {
    "untested wasmtime": (
        """
    from skywasm import _engine
    _engine.RAW_TESTED_MAJORS = ("49",)
    """,
        "not tested with wasmtime",
    ),
    "no library where it is looked for": (
        """
    from skywasm import _capi
    _capi._LIBRARIES["linux"] = "_libelsewhere.so"
    """,
        "_libelsewhere.so",
    ),
    "another library in its place": (
        """
    import _ctypes
    from skywasm import _capi
    _capi._LIBRARIES["linux"] = _ctypes.__file__
    """,
        "wasm_config_new",
    ),
    "the library lacks unchecked calls": (LACKING.format(name="wasmtime_func_call_unchecked"), "C API"),
    "the library lacks unchecked host functions": (
        LACKING.format(name="wasmtime_linker_define_func_unchecked"),
        "C API",
    ),
    "the library lacks a setting": (LACKING.format(name="wasmtime_config_memory_may_move_set"), "memory_may_move"),
    "the library takes no compiled module": (
        """
    from skywasm import _capi
    _capi.Module.__init__ = lambda self, engine, compiled: engine.library.require(None, None) or 1 / 0
    """,
        "division by zero",
    ),
    "the library cannot instantiate": (
        """
    from skywasm import _capi
    _capi.Store._define = lambda self, linker, namespace: None
    """,
        "unknown import",
    ),
    "raw calls answer wrongly": (
        """
    from skywasm import _instance
    _instance.RawInstance.take = lambda self, packed: b"0"
    """,
        "wrong answers",
    ),
    "raw host functions answer wrongly": (
        """
    from skywasm import _instance
    _instance.raw_callback = lambda made, name, context: made(lambda *arguments: None)
    """,
        "self-test",
    ),
}

ALL_TWELVE = """
    import hashlib, os
    import skywasm
    from skywasm import reference
    folder = os.path.dirname(skywasm.__file__)
    file = os.path.join(folder, "api.py")
    CALLS = [
        (name, args)
        for name, all_args in {
            "base36_encode": [("deadbeef",), ("0x_f f",), ("f" * 64,), ("7" * 5000,), ("",), ("-1",)],
            "format_float": [(0.25,), (1e300,), (2.675, 2), (float("nan"),)],
            "truncate_long_string": [("a long text to be cut", 8), ("\\N{SNOWMAN}" * 90, 20, True), ("short",)],
            "hash_file": [(file, "md5"), (file, "sha3_512"), (file, "nonsense"), (folder + "/none", "md5")],
            "read_last_n_lines": [(file, 3), (file, 10**6), (file, 0), (file, -1), (folder + "/none", 1)],
            "find_free_port": [(65535,), (2**40,), (-1,), ("1",)],
            "get_cpu_count": [()],
            "get_mem_size_gb": [()],
            "get_parallel_threads": [(), ("Kubernetes",), (5,)],
            "get_max_workers_for_file_mounts": [({"/a": folder},), ({},), ({"/a": None}, "aws")],
            "is_process_alive": [(os.getpid(),), (2**31,), (2**31 - 1,), (0,), ("1",)],
            "estimate_fd_for_directory": [(folder,), (file,), (folder + "/none",)],
        }.items()
        for args in all_args
    ]
    def outcome(function, args):
        try:
            answer = function(*args)
        except Exception as error:
            return type(error).__name__ + ": " + str(error)
        return answer.hexdigest() if hasattr(answer, "hexdigest") else repr(answer)
    def differences():
        different = []
        for name, args in CALLS:
            got, want = outcome(getattr(skywasm, name), args), outcome(getattr(reference, name), args)
            if got != want:
                different.append((name, repr(args)[:60], got, want))
        return different
"""


@pytest.mark.parametrize("way", WAYS)
def test_wasm_mode_by_the_public_path(way: str) -> None:
    """All twelve functions are right in wasm mode, errors included, and ``get_backend_info`` names the path."""
    found = run(
        WAYS[way][0]
        + ALL_TWELVE
        + """
    skywasm.set_backend("wasm")
    first = differences()
    info = skywasm.get_backend_info()
    port = skywasm.find_free_port(20000)
    digest = skywasm.hash_file(file, "blake3")
    digest.update(b"more")
    report(first=first, again=differences(), port=port, info=info, warnings=warnings)
    """
    )
    assert (found["first"], found["again"]) == ([], [])
    assert found["port"] >= 20000
    assert (found["info"]["backend"], found["info"]["call_path"]) == ("wasm", "public")


@pytest.mark.parametrize("way", WAYS)
def test_auto_keeps_scalars_in_python(way: str) -> None:
    """By the public path no scalar call would be faster, so ``auto`` answers them in Python and says why."""
    code, reason = WAYS[way]
    found = run(
        code
        + ALL_TWELVE
        + """
    import skywasm._runtime as runtime
    skywasm.warm_up()
    calls = []
    crossing, runtime._cross = runtime._cross, lambda *args: calls.append(args[0]) or crossing(*args)
    different = differences()
    scalars = list(calls)
    digest = skywasm.hash_file("/dev/null", "blake3").hexdigest()
    report(different=different, scalars=scalars, blake3=calls, digest=digest, info=skywasm.get_backend_info())
    """
    )
    assert found["different"] == []
    assert found["scalars"] == []
    assert found["blake3"], "only the artifact knows blake3, by whatever path"
    assert found["digest"].startswith("af1349b9f5f9a1a6")
    assert (found["info"]["mode"], found["info"]["backend"], found["info"]["call_path"]) == ("auto", "python", "public")
    assert reason in found["info"]["reason"]


def test_the_raw_path_gives_the_same() -> None:
    """The same calls by the raw path, so that the lists above are known to be answerable."""
    found = run(
        ALL_TWELVE
        + """
    skywasm.set_backend("wasm")
    report(different=differences(), info=skywasm.get_backend_info())
    """
    )
    assert found["different"] == []
    assert found["info"]["backend"] == "wasm"


def test_an_older_wasmtime() -> None:
    """A wasmtime without one of the settings is refused with the version to install, not run without it."""
    found = run(
        """
    import wasmtime, skywasm
    from skywasm import _engine
    _engine.RAW_TESTED_MAJORS = ()
    del wasmtime.Config.max_wasm_stack
    skywasm.set_backend("wasm")
    try:
        skywasm.base36_encode("ff")
    except skywasm.errors.CoreUnavailableError as error:
        report(message=str(error))
    skywasm.set_backend("auto")
    skywasm.warm_up()
    report(text=skywasm.base36_encode("ff"), warnings=warnings)
    """
    )
    assert "max_wasm_stack" in found["message"]
    assert "install wasmtime" in found["message"]
    assert (found["text"], len(found["warnings"])) == ("73", 1)


def test_a_first_call_leaves_wasmtime_py_alone() -> None:
    """With the artifact in the cache, raw calls need the library alone: importing the package takes twice as long."""
    code = """
    import sys, skywasm
    skywasm.set_backend("wasm")
    text = skywasm.base36_encode("ff")
    alive = skywasm.is_process_alive(1)
    report(text=text, alive=alive, imported="wasmtime" in sys.modules, info=skywasm.get_backend_info())
    """
    run(code)
    found = run(code)
    assert (found["text"], found["alive"], found["info"]["call_path"]) == ("73", True, "raw")
    assert found["info"]["cache"] == "hit"
    assert not found["imported"]


def test_both_ways_in_one_process() -> None:
    """A program's own use of wasmtime-py, before and after, disturbs nothing; both ways share the cache's entry."""
    found = run(
        """
    import wasmtime, skywasm
    from skywasm import _runtime
    def own():
        store = wasmtime.Store()
        module = wasmtime.Module(store.engine, '(module (func (export "f") (result i32) (i32.const 7)))')
        return wasmtime.Instance(store, module, []).exports(store)["f"](store)
    results = [own()]
    skywasm.set_backend("wasm")
    results += [skywasm.base36_encode("ff"), own()]
    engine = _runtime.engine()
    names = [entry.name for entry in engine.public().module.exports]
    results += [skywasm.base36_encode("ff"), own()]
    report(results=results, same=sorted(names) == sorted(_runtime.pool[0].store.exports), cache=engine.cache)
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
