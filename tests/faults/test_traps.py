"""A call that traps: the reference's answer and one warning in ``auto``, TrapError in ``wasm``, the next call right."""

from __future__ import annotations

import artifacts
import pytest
from children import copy_packages, run

from skywasm.crossing import convention as c

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

    How = dict[str, Any]

pytest.importorskip("wasmtime")

# base36 of 16 digits is answered by the stand-in, so a right answer after a trap can come from the artifact.
GOOD, ANSWER = artifacts.QUESTION, artifacts.ANSWER.decode()
BODIES = {
    "unreachable": "unreachable",
    "division": "(i64.div_s (i64.const 1) (i64.const 0))",
    "overflow": "(i64.trunc_f64_s (f64.const 1e300))",
    "memory": "(i64.load (i32.const -1))",
    "stack": "(call $deep (local.get $a))",
    "beyond memory": artifacts.packed(2**31 - 1, 9),
    "no bytes": "(i64.const 7)",
    "unknown status": "(i64.const -77)",
    "broken protocol": f"(i64.const {c.E_PROTOCOL})",
    "resumed for nothing": f"(i64.const {c.AGAIN})",
    "unknown request": f"{artifacts.cell(c.CELL_REQUEST, '(i64.const 99)')} (i64.const {c.ASK})",
}
EXTRA = "(func $deep (param i64) (result i64) (i64.add (call $deep (local.get 0)) (i64.const 1)))"


def trapping(folder: pathlib.Path, body: str) -> How:
    """A copy of the packages whose artifact fails for every text but the known ones."""
    how = copy_packages(folder)
    artifacts.install(folder, artifacts.text({"base36_encode": body}, extra=EXTRA))
    return how


@pytest.mark.parametrize("fault", BODIES)
def test_auto_answers_with_the_reference(fault: str, tmp_path: pathlib.Path) -> None:
    """Each call gets the right answer, the log one warning, the counter all of them; the artifact goes on serving."""
    found = run(
        """
    import skywasm
    from skywasm.routes import core
    skywasm.warm_up()
    # Long enough that auto sends them to the artifact.
    answers = [skywasm.base36_encode(text) for text in ("f" * 33, "1" * 40, "f" * 33, "7" * 900)]
    report(answers=answers, warnings=warnings, info=skywasm.get_backend_info(),
           pool=len(core.core().pool))
    """,
        **trapping(tmp_path, BODIES[fault]),
    )
    numbers = [int(text, 16) for text in ("f" * 33, "1" * 40, "f" * 33, "7" * 900)]
    assert [int(text, 36) for text in found["answers"]] == numbers
    assert len(found["warnings"]) == 1, found["warnings"]
    assert "base36_encode" in found["warnings"][0]
    assert "TrapError" in found["warnings"][0]
    assert found["info"]["fallbacks"] == {"base36_encode": 4}
    assert found["info"]["backend"] == "wasm"
    assert found["pool"] <= 1


@pytest.mark.parametrize("fault", BODIES)
def test_wasm_mode_raises(fault: str, tmp_path: pathlib.Path) -> None:
    """Each call is a TrapError that names the export; the next call gets a new instance and is right."""
    found = run(
        """
    import skywasm
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    outcomes = []
    for text in ("fff", "f" * 16, "abc", "f" * 16):
        try:
            outcomes.append(skywasm.base36_encode(text))
        except (skywasm.errors.TrapError, ValueError) as error:
            outcomes.append(type(error).__name__ + ": " + str(error))
    report(outcomes=outcomes, fallbacks=skywasm.get_backend_info()["fallbacks"], warnings=warnings,
           pool=len(core.core().pool))
    """,
        **trapping(tmp_path, BODIES[fault]),
    )
    first, good, second, again = found["outcomes"]
    assert first.startswith("TrapError: ")
    assert second.startswith("TrapError: ")
    assert (good, again) == (ANSWER,) * 2
    assert (found["fallbacks"], found["warnings"]) == ({}, [])
    assert found["pool"] == 1


def test_what_the_artifact_leaves_costs_nothing(tmp_path: pathlib.Path) -> None:
    """What the artifact leaves to the reference is no fault: its error comes out, and the instance stays."""
    found = run(
        """
    import skywasm
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    outcomes = []
    for text in ("not hexadecimal", "fff", "f" * 16):
        try:
            outcomes.append(skywasm.base36_encode(text))
        except ValueError as error:
            outcomes.append(str(error))
    report(outcomes=outcomes, pool=len(core.core().pool), fallbacks=skywasm.get_backend_info()["fallbacks"])
    """,
        **trapping(tmp_path, f"(i64.const {c.E_INPUT})"),
    )
    assert found["outcomes"] == ["invalid literal for int() with base 16: 'not hexadecimal'", "35r", ANSWER]
    assert (found["pool"], found["fallbacks"]) == (1, {})


def test_a_trap_of_the_real_artifact() -> None:
    """An instance whose time is up traps in the real artifact; it alone is lost."""
    found = run(
        """
    import skywasm
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    skywasm.base36_encode("ff")
    module = core.core()
    outcomes = []
    for _ in range(3):
        instance = module.pool[-1][-1]
        library, engine = instance.world.library, instance.world.engine
        library.wasmtime_context_set_epoch_deadline(instance.context, 1)
        engine.increment_epoch()
        engine.increment_epoch()
        try:
            outcomes.append(skywasm.truncate_long_string("0123456789", 7, True))
        except skywasm.errors.TrapError as error:
            outcomes.append("interrupt" in str(error))
        outcomes.append(skywasm.truncate_long_string("0123456789", 7, True))
    report(outcomes=outcomes, pool=len(module.pool))
    """
    )
    assert found["outcomes"] == [True, "01...89"] * 3
    assert found["pool"] == 1


@pytest.mark.parametrize("fault", ["unreachable", "division", "memory", "stack"])
def test_faulthandler_leaves_traps_harmless(fault: str, tmp_path: pathlib.Path) -> None:
    """Enabled before or after the engine exists, faulthandler takes no trap for a crash."""
    found = run(
        """
    import faulthandler, skywasm
    skywasm.set_backend("wasm")
    def trapped():
        try:
            skywasm.base36_encode("fff")
        except skywasm.errors.TrapError:
            return skywasm.base36_encode("f" * 16) == "3w5e11264sgsf"
    faulthandler.enable()
    results = [trapped()]
    faulthandler.disable()
    results.append(trapped())
    faulthandler.enable()
    results.append(trapped())
    faulthandler.enable()
    results.append(trapped())
    report(results=results)
    """,
        **trapping(tmp_path, BODIES[fault]),
    )
    assert found["results"] == [True] * 4
    assert "Fatal" not in found["stderr"]


@pytest.mark.parametrize("size", [32, 64, 256])
def test_deep_recursion_in_a_small_thread(size: int, tmp_path: pathlib.Path) -> None:
    """Endless recursion in the artifact is a trap even in a thread whose own stack is small."""
    found = run(
        f"""
    import threading, skywasm
    skywasm.set_backend("wasm")
    skywasm.base36_encode("f" * 16)
    threading.stack_size({size} * 1024 + 192 * 1024)
    """
        + """
    outcomes = []
    def work():
        try:
            skywasm.base36_encode("fff")
        except skywasm.errors.TrapError as error:
            outcomes.append("stack" in str(error))
    for _ in range(3):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    report(outcomes=outcomes, good=skywasm.base36_encode("f" * 16))
    """,
        **trapping(tmp_path, BODIES["stack"]),
    )
    assert found["outcomes"] == [True] * 3
    assert found["good"] == ANSWER


def test_instances_cannot_be_made_any_more() -> None:
    """When the system gives no memory for an instance, ``auto`` answers in Python and the next call tries again."""
    found = run(
        """
    import resource, skywasm
    from skywasm.routes import core
    skywasm.warm_up()
    answers = [skywasm.base36_encode("f" * 32)]
    # Room for Python, and none for the 64 MiB of an instance.
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    # What is held frees nothing.
    held = [core.core().pool.pop()]
    resource.setrlimit(resource.RLIMIT_AS, (used + 16 * 2**20, hard))
    answers += [skywasm.base36_encode("f" * 32), skywasm.base36_encode("1" * 40)]
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    answers.append(skywasm.base36_encode("f" * 32))
    report(answers=answers, pool=len(core.core().pool), info=skywasm.get_backend_info(), warnings=warnings)
    """
    )
    assert [int(text, 36) for text in found["answers"]] == [2**128 - 1, 2**128 - 1, int("1" * 40, 16), 2**128 - 1]
    assert found["info"]["fallbacks"] == {"base36_encode": 2}
    assert (found["info"]["backend"], found["pool"]) == ("wasm", 1)
    assert len(found["warnings"]) == 1


def test_little_address_space() -> None:
    """Under a limit of address space that leaves no room for gigabytes, calls work in wasm mode."""
    found = run(
        """
    import resource, skywasm, sysconfig
    # A free-threaded Python reserves one gigabyte for itself.
    room = (1900 if sysconfig.get_config_var("Py_GIL_DISABLED") else 700) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    skywasm.set_backend("wasm")
    report(text=skywasm.base36_encode("ff"), cut=skywasm.truncate_long_string("x" * 10**6, 9))
    """
    )
    assert (found["text"], found["cut"]) == ("73", "x" * 9 + "...")
