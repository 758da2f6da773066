"""How SkyPilot's modules are found and loaded under the drop-in, with small packages in SkyPilot's place.

What SkyPilot's 0.14.1 does not do (lack a function, have another signature) is made up here, and a process of its
own keeps the made-up package out of the tests'.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap

import pytest
from children import finish, run, start

from dropin.places import ROWS, definition, make_sky, printed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

SLOW = ("sky", "wasmtime", "psutil", "typing", "importlib.util", "inspect", "threading", "logging", "contextlib", "re")


def within(folder: pathlib.Path, code: str, **how: Any) -> dict[str, Any]:
    """Runs a child that finds its ``sky`` in the folder."""
    return run(code, env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}, **how)


def reasons(facts: dict[str, Any]) -> dict[str, str]:
    """Why functions were left alone, by name."""
    return {name: told["reason"] for name, told in facts["functions"].items() if told["state"] == "original"}


def test_importing_it_loads_nothing_slow() -> None:
    """`import skywasm.skypilot` and install() load neither SkyPilot nor anything slow, and change nothing."""
    code = f"""
        import sys
        before, finders = set(sys.modules), list(sys.meta_path)
        from skywasm import skypilot
        same = sys.meta_path == finders
        skypilot.install()
        loaded = [name for name in {SLOW!r} if name in sys.modules and name not in before]
        sys.stdout.write("REPORT " + __import__("json").dumps(dict(same=same, loaded=loaded)) + chr(10))
    """
    text = printed(sys.executable, textwrap.dedent(code), "-I")
    assert json.loads(text[len("REPORT ") :]) == {"same": True, "loaded": []}


def test_modules_not_loaded_yet(tmp_path: pathlib.Path) -> None:
    """A module that is imported after install() is changed before anybody can use it, at import included."""
    user = make_sky(tmp_path) / "sky" / "user.py"
    user.write_text("from sky.utils import subprocess_utils\nTHREADS = subprocess_utils.get_parallel_threads()\n")
    facts = within(
        tmp_path,
        """
        from skywasm import skypilot
        skypilot.install()
        before = skypilot.status()["functions"]["get_parallel_threads"]
        from sky import user
        from sky.utils.common_utils import base36_encode as f
        report(before=before, threads=user.THREADS, answer=f("ff"))
        skypilot.uninstall()
        from sky.utils import subprocess_utils
        report(after=subprocess_utils.get_parallel_threads())
        """,
    )
    assert facts["before"]["state"] == "not loaded"
    assert facts["threads"] >= 4
    assert (facts["answer"], facts["after"]) == ("73", "sky")


def test_a_loaded_module_keeps_no_trace_of_the_loader(tmp_path: pathlib.Path) -> None:
    """Spec and loader of a replaced module are those it would have had, before and after it is loaded."""
    facts = within(
        make_sky(tmp_path),
        """
        import importlib.util, inspect
        from skywasm import skypilot
        skypilot.install()
        name = "sky.utils.common_utils"
        early = importlib.util.find_spec(name).loader.get_source(name)
        import sky.utils.common_utils as module
        report(
            loader=type(module.__loader__).__name__, same=module.__spec__.loader is module.__loader__,
            source=inspect.getsource(module) == early, cached=bool(module.__spec__.cached),
        )
        """,
    )
    assert (facts["loader"], facts["same"], facts["source"]) == ("SourceFileLoader", True, True)
    assert facts["cached"] is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "this SkyPilot has no sky.utils.common_utils.format_float"),
        ("def format_float(num): return 'sky'", "format_float(num); skywasm's is format_float(num, precision=1)"),
        ("def format_float(num, precision=2): return 'sky'", "its signature is format_float(num, precision=2)"),
        ("def format_float(num, *, precision=1): return 'sky'", "its signature is format_float(num, *, precision=1)"),
        ("async def format_float(num, precision=1): return 'sky'", "(a coroutine)"),
        ("@functools.lru_cache\ndef format_float(num, precision=1): return 'sky'", "functools._lru_cache_wrapper"),
        (
            "def plain(f): return functools.wraps(f)(lambda *args: f(*args))\n"
            "@plain\ndef format_float(num, precision=1): return 'sky'",
            "sky.utils.common_utils.format_float with a decorator",
        ),
        ("format_float = 'text'", "an object of type builtins.str"),
        ("from json import dumps as format_float", "somebody has replaced it by json.dumps"),
    ],
    ids=["missing", "fewer", "default", "kind", "coroutine", "cached", "decorated", "no function", "foreign"],
)
def test_what_is_not_as_expected_is_left_alone(text: str, reason: str, tmp_path: pathlib.Path) -> None:
    """A function that differs stays SkyPilot's, status() says why, and all others are replaced."""
    facts = within(
        make_sky(tmp_path, {"format_float": text + "\n"}),
        """
        from skywasm import skypilot
        skypilot.install()
        import sky.utils.common_utils as c, sky.utils.subprocess_utils
        before = vars(c).get("format_float")
        report(**skypilot.status())
        skypilot.uninstall()
        report(same=vars(c).get("format_float") is before)
        """,
    )
    assert list(reasons(facts)) == ["format_float"]
    assert reason in reasons(facts)["format_float"]
    assert facts["same"] is True


def test_a_function_that_has_moved_within_skypilot_is_replaced(tmp_path: pathlib.Path) -> None:
    """A function that SkyPilot defines in another of its modules, under the old name too, is replaced there."""
    make_sky(tmp_path, {"format_float": "from sky.numbers import format_float\n"})
    (tmp_path / "sky" / "numbers.py").write_text(definition("format_float"))
    facts = within(
        tmp_path,
        """
        from skywasm import skypilot
        import sky.utils.common_utils as c, sky.utils.subprocess_utils
        skypilot.install()
        report(moved=c.format_float(2.0), **skypilot.status())
        """,
    )
    assert (facts["moved"], reasons(facts), facts["elsewhere"]) == ("2", {}, ["sky.numbers.format_float"])


def test_reload_and_import_anew(tmp_path: pathlib.Path) -> None:
    """A module that is reloaded, or dropped and imported anew, is changed again, and all of it is undone."""
    facts = within(
        make_sky(tmp_path),
        """
        import importlib, sys
        from skywasm import skypilot
        skypilot.install()
        import sky.utils.common_utils as first
        importlib.reload(first)
        reloaded = first.base36_encode("ff")
        del sys.modules["sky.utils.common_utils"]
        second = importlib.import_module("sky.utils.common_utils")
        anew = second.base36_encode("ff")
        skypilot.uninstall()
        report(replaced=[reloaded, anew, first is second], own=[first.base36_encode("ff"), second.base36_encode("ff")])
        importlib.reload(second)
        report(reloaded=second.base36_encode("ff"))
        """,
    )
    assert facts["replaced"] == ["73", "73", False]
    assert (facts["own"], facts["reloaded"]) == (["sky", "sky"], "sky")


def test_a_reason_goes_with_what_it_was_about(tmp_path: pathlib.Path) -> None:
    """A function that was left alone and is as expected after a reload is replaced, and the old reason forgotten."""
    text = "import os\nif os.environ.pop('ODD', None):\n    def format_float(num): return 'sky'\nelse:\n"
    facts = within(
        make_sky(tmp_path, {"format_float": text + textwrap.indent(definition("format_float"), "    ")}),
        """
        import importlib, os
        os.environ["ODD"] = "1"
        import sky.utils.common_utils as c
        from skywasm import skypilot
        skypilot.install()
        odd = skypilot.status()["functions"]["format_float"]["state"]
        importlib.reload(c)
        from skywasm.skypilot import stand_ins
        report(odd=odd, answer=c.format_float(2.0))
        c.format_float = stand_ins.ORIGINALS["format_float"].function
        report(**skypilot.status())
        """,
    )
    assert (facts["odd"], facts["answer"]) == ("original", "2")
    assert reasons(facts)["format_float"] == "somebody has put SkyPilot's own function back"


def test_a_module_that_fails_to_load(tmp_path: pathlib.Path) -> None:
    """An error while SkyPilot's module is loaded comes out as it is, and a later import is changed as always."""
    extra = "\nimport os\nif os.environ.pop('FAIL', None): raise RuntimeError('broken')\n"
    facts = within(
        make_sky(tmp_path, extra=extra),
        """
        import os, sys
        from skywasm import skypilot
        skypilot.install()
        os.environ["FAIL"] = "1"
        try:
            import sky.utils.common_utils
        except RuntimeError as error:
            report(error=str(error), left="sky.utils.common_utils" in sys.modules)
        import sky.utils.common_utils as c
        report(answer=c.base36_encode("ff"))
        try:
            import sky.utils.nothing
        except ModuleNotFoundError as error:
            report(other=error.name)
        """,
    )
    assert (facts["error"], facts["left"], facts["answer"]) == ("broken", False, "73")
    assert facts["other"] == "sky.utils.nothing"


# Hooks of other tools: one asks importlib, one asks all finders but itself.
_OTHER_HOOKS = {
    "importlib": """
        class Tracer:
            busy = False
            def find_spec(self, name, path=None, target=None):
                if self.busy or not name.startswith("sky."):
                    return None
                self.busy = True
                try:
                    spec = importlib.util.find_spec(name)
                finally:
                    self.busy = False
                seen.append(name)
                return spec
        """,
    "finders": """
        class Tracer:
            def find_spec(self, name, path=None, target=None):
                if name.startswith("sky."):
                    specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
                    spec = next(filter(None, specs), None)
                    seen.append(name)
                    return spec
        """,
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", _OTHER_HOOKS)
def test_other_hooks_that_ask_everybody(kind: str, when: str, tmp_path: pathlib.Path) -> None:
    """Hooks that pass on what all others find, as tracers do, work together with this one."""
    facts = within(
        make_sky(tmp_path),
        f"""
        import importlib.util, sys
        from skywasm import skypilot
        seen = []
        {_OTHER_HOOKS[kind]}
        if {when == "after"}: skypilot.install()
        sys.meta_path.insert(0, Tracer())
        if {when == "before"}: skypilot.install()
        import sky.utils.common_utils as c
        report(answer=c.base36_encode("ff"), seen=seen)
        """,
    )
    assert facts["answer"] == "73"
    assert "sky.utils.common_utils" in facts["seen"]


def test_a_hook_that_goes_past_this_one(tmp_path: pathlib.Path) -> None:
    """A module that another hook finds first is changed at the next import, or when status() is asked."""
    facts = within(
        make_sky(tmp_path),
        """
        import sys
        from importlib.machinery import PathFinder
        from skywasm import skypilot
        skypilot.install()
        class Past:
            def find_spec(self, name, path=None, target=None):
                return PathFinder.find_spec(name, path, target)
        sys.meta_path.insert(0, Past())
        import sky.utils.common_utils as c, sky.utils.subprocess_utils as s
        del sys.meta_path[0]
        import colorsys
        report(common=c.base36_encode("ff"))
        skypilot.status()
        report(threads=s.get_parallel_threads())
        """,
    )
    assert facts["common"] == "73"
    assert facts["threads"] >= 4


def test_install_from_within_a_module_that_is_being_loaded(tmp_path: pathlib.Path) -> None:
    """Called by what SkyPilot's module imports itself, install() comes back at once and catches up later."""
    extra = "\nimport early\n"
    (tmp_path / "early.py").write_text(
        "from skywasm import skypilot\nskypilot.install()\n"
        "state = skypilot.status()['functions']['base36_encode']['reason']\n"
    )
    facts = within(
        make_sky(tmp_path, extra=extra),
        """
        import sky.utils.common_utils as c
        import early, colorsys
        report(reason=early.state, answer=c.base36_encode("ff"))
        """,
    )
    assert (facts["reason"], facts["answer"]) == ("sky.utils.common_utils is still being loaded", "73")


def test_install_while_another_thread_imports(tmp_path: pathlib.Path) -> None:
    """When another thread is just loading SkyPilot's module install() waits for it, and then it is changed."""
    facts = within(
        make_sky(tmp_path, extra="\nimport go, time\ngo.event.set()\ntime.sleep(0.3)\n"),
        """
        import sys, threading, types
        go = sys.modules["go"] = types.ModuleType("go")
        go.event = threading.Event()
        thread = threading.Thread(target=__import__, args=("sky.utils.common_utils",))
        thread.start()
        go.event.wait()
        from skywasm import skypilot
        skypilot.install()
        report(answer=sys.modules["sky.utils.common_utils"].base36_encode("ff"))
        thread.join()
        """,
    )
    assert facts["answer"] == "73"


def test_many_threads(tmp_path: pathlib.Path) -> None:
    """Threads that install, uninstall, ask, import and call at once meet no error, and the last word counts."""
    facts = within(
        make_sky(tmp_path),
        """
        import importlib, sys, threading
        from skywasm import skypilot
        before = list(sys.meta_path)
        sys.setswitchinterval(1e-5)
        errors, gate = [], threading.Barrier(8)
        def work(number):
            try:
                gate.wait()
                for turn in range(40):
                    (skypilot.install, skypilot.uninstall, skypilot.status, lambda: None)[(number + turn) % 4]()
                    c = importlib.import_module("sky.utils.common_utils")
                    assert c.base36_encode("ff") in ("73", "sky")
            except BaseException as error:
                errors.append(repr(error))
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        c = importlib.import_module("sky.utils.common_utils")
        skypilot.install()
        on = c.base36_encode("ff")
        skypilot.uninstall()
        report(errors=errors, on=on, off=c.base36_encode("ff"), finders=sys.meta_path == before)
        """,
    )
    assert (facts["errors"], facts["on"], facts["off"], facts["finders"]) == ([], "73", "sky", True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_is_within(tmp_path: pathlib.Path) -> None:
    """A child forked while a thread holds the drop-in's lock has the drop-in and can undo it."""
    child = start(
        """
        import os, threading
        from skywasm import skypilot
        import sky.utils.common_utils as c
        skypilot.install()
        held, leave = threading.Event(), threading.Event()
        def hold():
            with skypilot._lock:
                held.set()
                leave.wait()
        threading.Thread(target=hold).start()
        held.wait()
        pid = os.fork()
        if pid == 0:
            on = c.base36_encode("ff")
            skypilot.uninstall()
            os._exit(0 if (on, c.base36_encode("ff")) == ("73", "sky") else 1)
        leave.set()
        report(status=os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
        """,
        env={"PYTHONPATH": str(make_sky(tmp_path)), "PYTHONWARNINGS": "ignore"},
    )
    assert finish(child, timeout_s=20)["status"] == 0


def test_what_waits_knows_the_modules() -> None:
    """The names that are waited for since Python started are those of the declarations."""
    from skywasm.cli import _enable, _run

    texts = [_enable.pth_line("folder"), _run.environment()[_run.VARIABLE]]
    for row in ROWS:
        assert all(str(row.replaces) in text for text in texts)


def test_a_release_that_does_not_know_a_variable(tmp_path: pathlib.Path) -> None:
    """A SkyPilot that answers without looking at a variable which skywasm follows keeps its function."""
    older = "def get_mem_size_gb():\n    return 'SKYPILOT_POD_MEMORY_GB_LIMIT' and 'sky'\n"
    found = run(
        """
        import skywasm.skypilot
        skywasm.skypilot.install()
        from sky.utils import common_utils
        report(answer=common_utils.get_mem_size_gb(), states=skywasm.skypilot.status()["functions"])
        """,
        env={"PYTHONPATH": str(make_sky(tmp_path, {"get_mem_size_gb": older}))},
    )
    assert found["answer"] == "sky"
    state = found["states"]["get_mem_size_gb"]
    assert (state["state"], "SKYPILOT_POD_MEMORY_BYTES_LIMIT" in state["reason"]) == ("original", True)
    assert found["states"]["get_cpu_count"]["state"] == "replaced"
