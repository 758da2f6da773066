"""Where the engine cannot run: Python answers in ``auto`` and says once why; in ``wasm`` mode it is an error."""

from __future__ import annotations

import sys

import pytest
from children import run

import examples

# Ways of not having wasmtime, each as code that makes the import fail as it would on such a machine.
BLOCKED = """
    import sys, importlib.abc
    class Blocker(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name == "wasmtime":
                raise {error}
    sys.meta_path.insert(0, Blocker())
"""
WAYS = {
    "not installed": ('    import sys; sys.modules["wasmtime"] = None\n', "ModuleNotFoundError"),
    "not found": (BLOCKED.format(error='ModuleNotFoundError("No module named wasmtime")'), "ModuleNotFoundError"),
    "unknown machine": (BLOCKED.format(error='RuntimeError("unsupported architecture")'), "RuntimeError"),
    "library does not load": (BLOCKED.format(error='OSError("cannot open shared object file")'), "OSError"),
    "another wasmtime": (BLOCKED.format(error='AttributeError("no attribute Engine")'), "AttributeError"),
    "broken module": (BLOCKED.format(error='SyntaxError("invalid syntax")'), "SyntaxError"),
}

# Every function with its answer in Python, so that "right" needs no engine.
CHECK = """
    import skywasm, examples
    from skywasm import reference
    place = examples.Workplace(quick=True).__enter__()
    CALLS = examples.first(place)
    def value(answer):
        return answer.hexdigest() if hasattr(answer, "hexdigest") else answer
    def wrong():
        names = []
        for name, args in CALLS.items():
            got, want = value(getattr(skywasm, name)(*args)), value(getattr(reference, name)(*args))
            # Another program may take or free a port in between.
            if got != want and name != "find_free_port":
                names.append(name)
        return names
"""
SEEN = examples.seen()


@pytest.mark.parametrize("way", WAYS)
def test_auto_answers_in_python_with_one_warning(way: str) -> None:
    """All answers are right, one warning tells the reason, and so does ``get_backend_info``."""
    blocked, reason = WAYS[way]
    found = run(
        blocked
        + CHECK
        + """
    before = wrong()
    skywasm.warm_up()
    for _ in range(3):
        skywasm.warm_up()
        skywasm.get_backend_info(load=True)
    report(before=before, after=wrong(), warnings=warnings, info=skywasm.get_backend_info())
    """,
        **SEEN,
    )
    assert (found["before"], found["after"]) == ([], [])
    assert len(found["warnings"]) == 1
    assert reason in found["warnings"][0]
    info = found["info"]
    assert (info["mode"], info["backend"], info["call_path"], info["wasmtime"]) == ("auto", "python", None, None)
    assert reason in info["reason"]


@pytest.mark.parametrize("way", WAYS)
def test_auto_that_warms_by_use(way: str) -> None:
    """The call that would have loaded the engine is answered like all others, and so are the next ones."""
    blocked, _ = WAYS[way]
    found = run(
        blocked
        + """
    import skywasm
    from skywasm.routes import paying
    paying.WARM_AFTER_CALLS = 3
    answers = [skywasm.base36_encode("ff") for _ in range(20)]
    report(answers=sorted(set(answers)), warnings=len(warnings))
    """
    )
    assert (found["answers"], found["warnings"]) == (["73"], 1)


@pytest.mark.parametrize("way", WAYS)
def test_wasm_mode_says_what_is_wrong(way: str) -> None:
    """Every function raises CoreUnavailableError with the reason, each time; nothing is answered in Python."""
    blocked, reason = WAYS[way]
    found = run(
        blocked
        + CHECK
        + """
    skywasm.set_backend("wasm")
    outcomes = {}
    for name, args in [*CALLS.items(), *CALLS.items()]:
        try:
            getattr(skywasm, name)(*args)
        except skywasm.errors.CoreUnavailableError as error:
            outcomes.setdefault(name, []).append(str(error))
    for call in (skywasm.warm_up, lambda: skywasm.get_backend_info(load=True)):
        try:
            call()
        except skywasm.errors.CoreUnavailableError as error:
            outcomes.setdefault("warm_up", []).append(str(error))
    report(outcomes=outcomes, expected=[*CALLS, "warm_up"], info=skywasm.get_backend_info())
    """,
        **SEEN,
    )
    assert sorted(found["outcomes"]) == sorted(found["expected"])
    for messages in found["outcomes"].values():
        assert len(messages) == 2
        assert all(reason in message for message in messages)
    assert found["info"]["backend"] != "wasm"


def test_python_mode_does_not_even_look() -> None:
    """In python mode a missing engine is no news: no warning."""
    found = run(
        WAYS["unknown machine"][0]
        + CHECK
        + """
    skywasm.set_backend("python")
    skywasm.warm_up()
    report(wrong=wrong(), warnings=warnings)
    """,
        **SEEN,
    )
    assert (found["wrong"], found["warnings"]) == ([], [])


# What wasmtime refuses, and what skywasm does: on PyPy and its like ctypes cannot do what the sandbox needs.
UNKNOWN_MACHINE = (
    ("import sys; sys.version = sys.version.replace('64 bit (AMD64)', '32 bit (Intel)')", "win32-x86")
    if sys.platform == "win32"
    else ('import platform; platform.machine = lambda: "riscv128"', "riscv128")
)
REFUSED = {
    "an unknown machine": UNKNOWN_MACHINE,
    "another Python": ('import sys; sys.implementation.name = "pypy"', "needs CPython"),
}


@pytest.mark.parametrize("where", REFUSED)
def test_where_the_engine_is_refused(where: str) -> None:
    """On a machine or Python that is refused, Python answers and one warning says why."""
    if where == "an unknown machine":
        pytest.importorskip("wasmtime")
    code, reason = REFUSED[where]
    found = run(
        f"    {code}\n" + CHECK + "\n    skywasm.warm_up()\n    report(wrong=wrong(), warnings=warnings)\n", **SEEN
    )
    assert found["wrong"] == []
    assert len(found["warnings"]) == 1
    assert reason in found["warnings"][0]


def test_logging_is_silent_unless_configured() -> None:
    """A program that has configured no logging sees nothing of the warning on its standard error."""
    found = run(
        """
        import logging
        logging.getLogger("skywasm").handlers.clear()
        import sys; sys.modules["wasmtime"] = None
        import skywasm
        skywasm.warm_up()
        report(text=skywasm.base36_encode("ff"))
        """
    )
    assert found["text"] == "73"
    assert found["stderr"] == ""


def test_blake3_without_the_engine() -> None:
    """The one thing that only the artifact knows is a plain error, after one warning."""
    found = run(
        WAYS["not installed"][0]
        + """
    import os, skywasm
    outcomes = []
    for _ in range(3):
        try:
            skywasm.hash_file(os.devnull, "blake3")
        except (ValueError, skywasm.errors.CoreUnavailableError) as error:
            outcomes.append(str(error))
    report(outcomes=outcomes, warnings=warnings)
    """
    )
    assert len(found["outcomes"]) == 3
    assert len(found["warnings"]) == 1
    assert "wasmtime" in found["warnings"][0]
