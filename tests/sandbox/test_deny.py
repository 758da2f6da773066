"""skywasm.sandbox.deny: what is denied is refused in every backend, by name, where and for as long as was said."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import pathlib
import pickle
import threading

import artifacts
import pytest
from children import MODES, copy_packages, run

import skywasm
from skywasm import _many_files, _policy, _registry, batch, sandbox
from skywasm.errors import CapabilityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HERE = str(pathlib.Path(__file__).parent)
CALLS: dict[str, tuple[object, ...]] = {
    "base36_encode": ("ff" * 16,),
    "format_float": (0.25,),
    "truncate_long_string": ("a text " * 20,),
    "hash_file": (__file__, "md5"),
    "read_last_n_lines": (__file__, 3),
    "find_free_port": (20_000,),
    "get_cpu_count": (),
    "get_mem_size_gb": (),
    "get_parallel_threads": (),
    "get_max_workers_for_file_mounts": ({"/a": HERE},),
    "is_process_alive": (os.getpid(),),
    "estimate_fd_for_directory": (HERE,),
}
BATCHES: dict[str, tuple[str, Callable[[], object]]] = {
    "hash_files": ("files", lambda: batch.hash_files([__file__] * 20, "md5")),
    "read_last_n_lines": ("files", lambda: batch.read_last_n_lines([__file__] * 3, 2)),
    "is_process_alive": ("process", lambda: batch.is_process_alive([1, 2])),
}


def call(name: str) -> object:
    return getattr(skywasm, name)(*CALLS[name])


@pytest.mark.parametrize("capability", sandbox.CAPABILITIES)
def test_exactly_those_that_need_it(backend: str, capability: str) -> None:
    """Each function that needs the capability is refused and names it; every other one answers as before."""
    for row in _registry.ROWS:
        with sandbox.deny(capability):
            if capability in row.capabilities:
                with pytest.raises(CapabilityError, match=f"^{row.name} needs the capability '{capability}'"):
                    call(row.name)
            else:
                call(row.name)
        call(row.name)


def test_every_capability_has_a_function_and_an_import() -> None:
    """What can be denied is what the artifact imports, and each of them is needed by some function."""
    assert set(sandbox.CAPABILITIES) == {one for row in _registry.ROWS for one in row.capabilities}
    assert set(sandbox.CAPABILITIES) == set(skywasm.get_backend_info()["imports"].values())


@pytest.mark.parametrize("name", BATCHES)
def test_batches(backend: str, name: str) -> None:
    """Batches over files and processes are refused as a whole, whatever return_exceptions says."""
    capability, work = BATCHES[name]
    with sandbox.deny(capability), pytest.raises(CapabilityError, match=f"^batch.{name} needs .*'{capability}'"):
        work()
    with sandbox.deny("files"), pytest.raises(CapabilityError):
        batch.hash_files([__file__], "md5", return_exceptions=True)
    work()


def test_batches_without_capabilities_go_on(backend: str) -> None:
    """Lists that only compute cross with everything denied."""
    with sandbox.deny(*sandbox.CAPABILITIES):
        assert batch.base36_encode(["ff"] * 30) == ["73"] * 30
        assert len(batch.hash_strings(["a"] * 30, "md5")) == 30


def test_several_at_once_and_nested(backend: str) -> None:
    """Denials add up; leaving the inner block leaves the outer one's; the message names all that are missing."""
    with sandbox.deny("cpu"):
        with sandbox.deny("files", "limits"), pytest.raises(CapabilityError, match="'cpu' and 'files' and 'limits'"):
            call("get_max_workers_for_file_mounts")
        with pytest.raises(CapabilityError, match="the capability 'cpu',"):
            call("get_max_workers_for_file_mounts")
    assert call("get_max_workers_for_file_mounts")


def test_an_exception_ends_the_block() -> None:
    """The denial goes with the block, however that ends."""
    with pytest.raises(ZeroDivisionError), sandbox.deny("ports"):
        raise ZeroDivisionError
    assert call("find_free_port")


@pytest.mark.parametrize("wrong", [(), ("port",), ("ports", "everything"), (3,), ("",)])
def test_what_is_no_capability(wrong: tuple[str, ...]) -> None:
    """A wrong name is a ValueError that lists the right ones, and nothing is denied."""
    with pytest.raises(ValueError, match="process, cpu, memory, ports, files, limits"):
        sandbox.deny(*wrong)
    assert skywasm.get_backend_info()["denied"] == []
    assert call("find_free_port")


def test_a_plain_call_is_for_good() -> None:
    """Said without a block, it holds for every thread of the process from then on, in every backend."""
    found = run(
        """
        import threading
        import skywasm
        from skywasm import sandbox
        skywasm.find_free_port(20_000)
        sandbox.deny("ports")
        refused = []
        def ask():
            for mode in MODES:
                with skywasm.use_backend(mode):
                    try:
                        skywasm.find_free_port(20_000)
                    except skywasm.errors.CapabilityError as error:
                        refused.append(str(error))
        ask()
        with sandbox.deny("cpu"):
            ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        report(refused=refused, modes=len(MODES), alive=skywasm.is_process_alive(1), info=skywasm.get_backend_info())
        """
    )
    assert len(found["refused"]) == 3 * found["modes"]
    assert all("find_free_port needs the capability 'ports'" in one for one in found["refused"])
    assert found["alive"] is True
    assert found["info"]["denied"] == ["ports"]


def test_before_the_first_call() -> None:
    """A denial may come before anything else was called, and a child of a fork inherits it."""
    found = run(
        """
        import os, skywasm
        from skywasm import sandbox
        sandbox.deny("process")
        def refused():
            try:
                skywasm.is_process_alive(1)
            except skywasm.errors.CapabilityError:
                return 7
            return 0
        child = os.fork()
        if child == 0:
            os._exit(refused())
        report(here=refused(), there=os.WEXITSTATUS(os.waitpid(child, 0)[1]))
        """
    )
    assert (found["here"], found["there"]) == (7, 7)


def test_other_threads_are_not_concerned(backend: str) -> None:
    """A block holds for its own context: calls of other threads go on, at the moment of entering too."""
    stop = threading.Event()
    problems: list[BaseException] = []
    calls = 0

    def other() -> None:
        nonlocal calls
        while not stop.is_set():
            try:
                skywasm.find_free_port(20_000)
                calls += 1
            except BaseException as error:  # noqa: PERF203
                problems.append(error)

    threads = [threading.Thread(target=other) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        with sandbox.deny("ports"), pytest.raises(CapabilityError):
            skywasm.find_free_port(20_000)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert calls


def test_tasks_of_asyncio(backend: str) -> None:
    """Each task has its own denials, and to_thread carries them over."""

    async def denied(what: str) -> tuple[str, str]:
        with sandbox.deny(what):
            await asyncio.sleep(0.01)
            outcome = []
            for name in ("find_free_port", "get_cpu_count"):
                try:
                    await asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, call, name)
                    outcome.append("answered")
                except CapabilityError:  # noqa: PERF203
                    outcome.append("refused")
            return outcome[0], outcome[1]

    async def both() -> list[tuple[str, str]]:
        return list(await asyncio.gather(denied("ports"), denied("cpu")))

    assert asyncio.run(both()) == [("refused", "answered"), ("answered", "refused")]


@pytest.mark.parametrize("alg", ["md5", "sha256"])
def test_denials_are_carried_into_the_threads_of_a_batch(
    backend: str, alg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the worker threads of a batch call is under the rules of the context that called the batch."""
    seen: list[frozenset[str]] = []
    work = _many_files.hash_group

    def noting(paths: object, alg: str, lanes: bool, rules: object = None) -> object:
        if rules is None:
            seen.append(_policy.denied())
            assert threading.current_thread() is not threading.main_thread()
        return work(paths, alg, lanes, rules)  # type: ignore[arg-type]

    monkeypatch.setattr(_many_files, "hash_group", noting)
    with sandbox.deny("ports", "cpu"):
        assert len(batch.hash_files([__file__] * 100, alg, threads=2)) == 100
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            assert len(batch.hash_files([__file__] * 100, alg, executor=executor)) == 100
    assert seen
    assert set(seen) == {frozenset(("ports", "cpu"))}


def test_denials_are_carried_into_other_processes() -> None:
    """What is carried survives pickling, and holds again where it arrives."""
    with sandbox.deny("ports"):
        there = pickle.loads(pickle.dumps(_policy.carried()))
    assert call("find_free_port")
    with pytest.raises(CapabilityError):
        _policy.taken_over(there, lambda: call("find_free_port"))
    assert call("find_free_port")
    assert _policy.carried() is None


def test_nothing_is_guarded_before_the_first_use() -> None:
    """A process that never denies anything takes the same roads as if there were no denials."""
    found = run(
        """
        import sys, skywasm
        from skywasm import api
        skywasm.find_free_port(20_000)
        before = [getattr(api, "_" + name).__qualname__ for name in api.__all__]
        kill = api._kill is not None
        loaded = "skywasm.sandbox" in sys.modules
        with skywasm.sandbox.deny("ports"):
            pass
        after = [getattr(api, "_" + name).__qualname__ for name in api.__all__]
        report(before=before, after=after, kill=kill, loaded=loaded)
        """,
        env={"SKYWASM_BACKEND": "python"},
    )
    assert not [one for one in found["before"] if "guard" in one]
    assert [one for one in found["after"] if "guard" in one]
    assert found["kill"] is True
    assert found["loaded"] is False


def test_only_what_may_concern_a_call_keeps_it_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's young rule, which it may be about to enter, delays no call that is decided without it."""
    slept: list[float] = []
    monkeypatch.setattr(_policy.time, "sleep", slept.append)

    def by_another(rule: Callable[[], object]) -> None:
        thread = threading.Thread(target=rule)
        thread.start()
        thread.join()

    by_another(lambda: sandbox.limits(deadline_s=60))
    with sandbox.deny("ports"), pytest.raises(CapabilityError):
        skywasm.find_free_port(20_000)
    by_another(lambda: sandbox.deny("process"))
    assert skywasm.find_free_port(20_000) >= 20_000
    assert slept == []
    by_another(lambda: sandbox.deny("ports"))
    with pytest.raises(CapabilityError):
        skywasm.find_free_port(20_000)
    assert slept != []


def test_threads_that_are_the_first_together() -> None:
    """Of threads whose rules are the process's first ones, each has its own from its first call on."""
    found = run(
        """
        import sys, threading
        import skywasm
        from skywasm import _dispatch, _policy, errors, sandbox
        sys.setswitchinterval(1e-6)
        skywasm.set_backend("python")
        calls = {
            "ports": lambda: skywasm.find_free_port(20_000),
            "cpu": skywasm.get_parallel_threads,
            "process": lambda: skywasm.is_process_alive(1),
        }
        wrong = []
        def denies(capability):
            start.wait()
            try:
                with sandbox.deny(capability):
                    for _ in range(3):
                        try:
                            wrong.append((capability, calls[capability]()))
                        except errors.CapabilityError:
                            pass
            except BaseException as error:
                wrong.append(repr(error))
        def limits():
            start.wait()
            with sandbox.limits(deadline_s=60):
                pass
        for number in range(300):
            # As before the first rule.
            _policy.armed = _policy.timed = False
            _policy._bound = 0
            _dispatch.rebind()
            start = threading.Barrier(4)
            works = [threading.Thread(target=denies, args=(name,)) for name in calls]
            works.append(threading.Thread(target=limits))
            for work in works:
                work.start()
            for work in works:
                work.join()
        report(wrong=wrong[:5], timed=_policy.timed)
        """
    )
    assert found["wrong"] == []
    assert found["timed"]


@pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
@pytest.mark.parametrize("hidden", [False, True])
def test_an_artifact_that_asks_for_what_its_function_does_not_need(hidden: bool, tmp_path: pathlib.Path) -> None:
    """A denied import is refused whichever export calls it; one that the artifact hides comes out all the same."""
    after = "(i64.const 1)" if hidden else "(local.get $a)"
    bind = '(import "sky_host" "port_bind" (func $bind (param i64 i64 i64 i64) (result i64)))'
    body = f"""(local.set $a (call $bind (i64.const {-(2**63)}) (i64.const 20000) (i64.const 0) (i64.const 0)))
      (return (select {after} (i64.const -3) (i64.ge_s {after} (i64.const 0))))"""
    how = copy_packages(tmp_path)
    artifacts.install(tmp_path, artifacts.text({"sky_get_parallel_threads": body}, extra=bind))
    found = run(
        """
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend("wasm")
        free = skywasm.get_parallel_threads()
        try:
            with sandbox.deny("ports"):
                skywasm.get_parallel_threads()
            kind = ""
        except Exception as error:
            kind = f"{type(error).__name__}: {error}"
        report(kind=kind, free=free, again=skywasm.get_parallel_threads())
        """,
        **how,
    )
    assert found["kind"].startswith("CapabilityError: sky_host.port_bind needs the capability 'ports'")
    assert found["free"] in (0, 1)
    assert found["again"] in (0, 1)


@pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
@pytest.mark.parametrize("mode", ["auto", "wasm"])
def test_the_engine_is_loaded_under_a_denial(mode: str) -> None:
    """Whatever is denied where the first call comes from, the engine loads by raw calls and answers."""
    found = run(
        f"""
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend({mode!r})
        with sandbox.deny(*sandbox.CAPABILITIES):
            skywasm.warm_up()
            answer = skywasm.base36_encode("f" * 32)
        report(answer=answer, info=skywasm.get_backend_info(), alive=skywasm.is_process_alive(1), warnings=warnings)
        """
    )
    assert found["answer"] == "f5lxx1zz5pnorynqglhzmsp33"
    assert (found["info"]["call_path"], found["info"]["backend"]) == ("raw", "wasm")
    assert found["alive"] is True
    assert found["warnings"] == []
