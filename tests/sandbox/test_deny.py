"""skywasm.sandbox.deny: what is denied is refused in every backend, by name, where and for as long as was said."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import pickle
import threading

import artifacts
import pytest
from children import MODES, copy_packages, run

import examples
import skywasm
from skywasm import batch, sandbox
from skywasm.batch import files
from skywasm.crossing import rules
from skywasm.errors import CapabilityError
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

CALLS: dict[str, tuple[object, ...]] = {}
BATCHES: dict[str, tuple[str, Callable[[], object]]] = {
    "hash_files": ("files", lambda: batch.hash_files([__file__] * 20, "md5")),
    "read_last_n_lines": ("files", lambda: batch.read_last_n_lines([__file__] * 3, 2)),
    "is_process_alive": ("process", lambda: batch.is_process_alive([1, 2])),
}


@pytest.fixture(scope="module", autouse=True)
def _workplace() -> Iterator[None]:
    with examples.Workplace(quick=True) as place:
        CALLS.update(examples.first(place))
        yield


def call(name: str) -> object:
    return getattr(skywasm, name)(*CALLS[name])


@pytest.mark.parametrize("capability", sandbox.CAPABILITIES)
def test_exactly_those_that_need_it(backend: str, capability: str) -> None:
    """Each function that needs the capability is refused and names it; every other one answers as before."""
    for row in ROWS:
        with sandbox.deny(capability):
            if capability in row.asks:
                with pytest.raises(CapabilityError, match=f"^{row.name} needs the capability '{capability}'"):
                    call(row.name)
            else:
                call(row.name)
        call(row.name)


def test_every_capability_has_a_function_and_a_request() -> None:
    """What can be denied is what the artifact may ask for, and each of them is needed by some function."""
    assert set(sandbox.CAPABILITIES) == {one for row in ROWS for one in row.asks}
    assert set(sandbox.CAPABILITIES) == {one.capability for one in artifacts.INTERFACE.requests.values()}


@pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
def test_what_is_told_of_the_artifact() -> None:
    """The loaded artifact imports nothing, and each of its requests is told with its capability."""
    info = skywasm.get_backend_info(load=True)
    assert info["imports"] == []
    assert info["requests"] == {one.name: one.capability for one in artifacts.INTERFACE.requests.values()}


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
    with pytest.raises(ValueError, match=", ".join(sandbox.CAPABILITIES)):
        sandbox.deny(*wrong)
    assert skywasm.get_backend_info()["denied"] == []
    assert call("find_free_port")


def test_a_plain_call_is_for_good() -> None:
    """Said without a block, it holds for every thread of the process from then on, in every backend."""
    found = run(
        """
        import os, threading
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
        alive = skywasm.is_process_alive(os.getpid())
        report(refused=refused, modes=len(MODES), alive=alive, info=skywasm.get_backend_info())
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
    work = files.hash_group

    def noting(paths: object, alg: str, lanes: bool, carried: object = None) -> object:
        if carried is None:
            seen.append(rules.denied())
            assert threading.current_thread() is not threading.main_thread()
        return work(paths, alg, lanes, carried)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "hash_group", noting)
    with sandbox.deny("ports", "cpu"):
        assert len(batch.hash_files([__file__] * 100, alg, threads=2)) == 100
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            assert len(batch.hash_files([__file__] * 100, alg, executor=executor)) == 100
    assert seen
    assert set(seen) == {frozenset(("ports", "cpu"))}


def test_denials_are_carried_into_other_processes() -> None:
    """What is carried survives pickling, and holds again where it arrives."""
    with sandbox.deny("ports"):
        there = pickle.loads(pickle.dumps(rules.carried()))
    assert call("find_free_port")
    with pytest.raises(CapabilityError):
        rules.taken_over(there, lambda: call("find_free_port"))
    assert call("find_free_port")
    assert rules.carried() is None


def test_nothing_is_guarded_before_the_first_use() -> None:
    """A process that never denies anything takes the same roads as if there were no denials."""
    found = run(
        """
        import sys, skywasm
        from skywasm.bench.workplace import Workplace, arguments
        from skywasm.functions import ROWS
        def guarded():
            with Workplace(quick=True) as place:
                for row in ROWS:
                    row.function(*arguments(next(iter(row.examples.values())), place))
            return [row.name for row in ROWS if row.function.__code__ is not row.reference.__code__]
        before = guarded()
        loaded = "skywasm.sandbox" in sys.modules
        with skywasm.sandbox.deny("ports"):
            pass
        report(before=before, after=guarded(), loaded=loaded)
        """,
        env={"SKYWASM_BACKEND": "python"},
    )
    assert found["before"] == []
    assert found["after"] == [row.name for row in ROWS if row.asks]
    assert found["loaded"] is False


def test_a_plain_rule_of_another_thread_holds_at_once() -> None:
    """What another thread says without a block is everybody's as soon as it is said, and only what it says."""

    def by_another(rule: Callable[[], object]) -> None:
        thread = threading.Thread(target=rule)
        thread.start()
        thread.join()

    by_another(lambda: sandbox.limits(deadline_s=60))
    with sandbox.deny("ports"), pytest.raises(CapabilityError):
        skywasm.find_free_port(20_000)
    by_another(lambda: sandbox.deny("process"))
    assert skywasm.find_free_port(20_000) >= 20_000
    by_another(lambda: sandbox.deny("ports"))
    with pytest.raises(CapabilityError):
        skywasm.find_free_port(20_000)


def test_threads_that_are_the_first_together() -> None:
    """Of threads whose rules are the process's first ones, each has its own from its first call on."""
    found = run(
        """
        import sys, threading
        import skywasm
        from skywasm import errors, sandbox
        from skywasm.crossing import rules
        from skywasm.routes import bind
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
            rules.armed = rules.timed = False
            rules._laid = 0
            bind.rebind()
            start = threading.Barrier(4)
            works = [threading.Thread(target=denies, args=(name,)) for name in calls]
            works.append(threading.Thread(target=limits))
            for work in works:
                work.start()
            for work in works:
                work.join()
        report(wrong=wrong[:5], timed=rules.timed)
        """
    )
    assert found["wrong"] == []
    assert found["timed"]


@pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
@pytest.mark.parametrize(("request_", "arguments"), [("port_bind", (20_000,)), ("memory_cgroup_version", ())])
def test_an_artifact_that_asks_for_what_its_function_does_not_need(
    request_: str, arguments: tuple[int, ...], tmp_path: pathlib.Path
) -> None:
    """A denied request is refused whichever export makes it, and no export can hide that."""
    body = artifacts.asking(request_, *arguments)
    answers = {"get_parallel_threads": body, "skywasm.resume": artifacts.cell(0, "(i64.const 1)") + "(i64.const 0)"}
    how = copy_packages(tmp_path)
    artifacts.install(tmp_path, artifacts.text(answers))
    found = run(
        """
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend("wasm")
        def asked():
            try:
                return skywasm.get_parallel_threads()
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        free = asked()
        with sandbox.deny("ports", "memory"):
            denied = asked()
        report(denied=denied, free=free, again=asked())
        """,
        **how,
    )
    capability = {one.name: one.capability for one in artifacts.INTERFACE.requests.values()}[request_]
    assert found["denied"].startswith(f"CapabilityError: core.wasm's {request_} needs the capability '{capability}'")
    # Without a denial it is answered, but for ports: those are there for the call that searches.
    outside = "TrapError: the artifact asked for port 20000 outside a search"
    assert found["free"] == found["again"] == (1 if request_ == "memory_cgroup_version" else outside)


@pytest.mark.skipif("wasm" not in MODES, reason="needs the engine")
@pytest.mark.parametrize("mode", ["auto", "wasm"])
def test_the_engine_is_loaded_under_a_denial(mode: str) -> None:
    """Whatever is denied where the first call comes from, the engine loads by raw calls and answers."""
    found = run(
        f"""
        import os
        import skywasm
        from skywasm import sandbox
        skywasm.set_backend({mode!r})
        with sandbox.deny(*sandbox.CAPABILITIES):
            skywasm.warm_up()
            answer = skywasm.base36_encode("f" * 32)
        alive = skywasm.is_process_alive(os.getpid())
        report(answer=answer, info=skywasm.get_backend_info(), alive=alive, warnings=warnings)
        """
    )
    assert found["answer"] == "f5lxx1zz5pnorynqglhzmsp33"
    assert (found["info"]["call_path"], found["info"]["backend"]) == ("raw", "wasm")
    assert found["alive"] is True
    assert found["warnings"] == []
