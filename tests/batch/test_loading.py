"""Batches in auto: when they load the engine, what they do when it fails, and how often they cross."""

from __future__ import annotations

import array
import hashlib
import logging
import os
import re

import pytest
from children import run

import skywasm
from batch.files import content, digest, write
from skywasm import batch, log, reference
from skywasm.batch import strings
from skywasm.crossing import instance as instances
from skywasm.crossing import lists
from skywasm.functions import hashing
from skywasm.routes import core, failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator
    from typing import Any

pytest.importorskip("wasmtime")

# One call of each batch, of so many items; the third is what it saves an item in microseconds, at least.
COLD = """
    import os, sys
    import skywasm
    from skywasm import batch
    path = skywasm.__file__
    calls = {
        "base36_encode": lambda n: batch.base36_encode(["deadbeef"] * n),
        "format_float": lambda n: batch.format_float([0.25] * n),
        "truncate_long_string": lambda n: batch.truncate_long_string(["0123456789 " * 5] * n),
        "hash_strings": lambda n: batch.hash_strings(["text"] * n, "md5"),
        "hash_files": lambda n: batch.hash_files([path] * n, "md5", threads=1),
        "sha256": lambda n: batch.hash_strings(["text"] * n, "sha256"),
        "sha256 files": lambda n: batch.hash_files([path] * n, "sha256", threads=1),
        "read_last_n_lines": lambda n: batch.read_last_n_lines([path] * n, 3),
        "is_process_alive": lambda n: batch.is_process_alive([os.getpid()] * n),
    }
    loaded = lambda: "skywasm.crossing.engine.library" in sys.modules
"""


def test_small_batches_load_nothing() -> None:
    """In a cold process small batches of every kind are answered without wasmtime, rich or psutil."""
    found = run(
        COLD
        + """
    right = [calls[name](20) for name in calls]
    report(names=list(calls), loaded=loaded(), heavy=[name for name in ("rich", "psutil") if name in sys.modules],
           backend=skywasm.get_backend_info()["backend"], first=[str(one[0]) for one in right])
    """
    )
    assert (found["loaded"], found["heavy"], found["backend"]) == (False, [], "not loaded")
    assert found["first"][:2] == ["1ps9wxb", "0.2"]


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("base36_encode", 60_000),
        ("format_float", 400_000),
        ("truncate_long_string", 240_000),
        ("hash_strings", 250_000),
        ("hash_files", 8_000),
    ],
)
def test_a_large_batch_loads_the_engine(name: str, many: int) -> None:
    """One batch that the engine's loading pays for loads it, and is answered by it."""
    found = run(
        COLD
        + """
    name, many = sys.argv[1], int(sys.argv[2])
    small = calls[name](5)
    before = loaded()
    large = calls[name](many)
    report(before=before, after=loaded(), right=large == small[:1] * many, info=skywasm.get_backend_info())
    """,
        args=[name, str(many)],
    )
    assert (found["before"], found["after"], found["right"]) == (False, True, True)
    assert found["info"]["backend"] == "wasm"
    assert found["info"]["fallbacks"] == {}


def test_many_batches_load_the_engine() -> None:
    """Batches add up: after so many of them the engine is loaded, neither at the first nor never."""
    found = run(
        COLD
        + """
    answers, at = set(), None
    for number in range(200):
        answers.update(calls["base36_encode"](1000))
        if loaded() and at is None:
            at = number
    report(at=at, answers=sorted(answers))
    """
    )
    assert found["at"] is not None
    assert 2 <= found["at"] < 50
    assert found["answers"] == ["1ps9wxb"]


def test_compiling_takes_more_to_pay_for(tmp_path: pathlib.Path) -> None:
    """Where the artifact is not compiled yet, batches go on in Python longer; once it is, loading pays soon."""
    code = (
        COLD
        + """
    for number in range(300):
        calls["base36_encode"](1000)
        if loaded() and skywasm.get_backend_info()["backend"] == "wasm":
            break
    report(at=number, cache=skywasm.get_backend_info()["cache"])
    """
    )
    cold, warm = (run(code, env={"SKYWASM_CACHE_DIR": str(tmp_path / "cache")}) for _ in range(2))
    assert (cold["cache"], warm["cache"]) == ("miss; written", "hit")
    assert warm["at"] * 4 < cold["at"] < 200


def test_batches_that_never_cross_load_nothing() -> None:
    """What hashlib or the kernel answers anyhow does not load the engine, however much of it there is."""
    found = run(
        COLD
        + """
    for name in ("sha256", "sha256 files", "read_last_n_lines", "is_process_alive"):
        calls[name](8_000)
    report(loaded=loaded())
    """
    )
    assert not found["loaded"]


def test_an_engine_that_cannot_be_loaded() -> None:
    """Without wasmtime large batches are answered in Python with one warning; blake3 says what it lacks."""
    found = run(
        COLD.replace("import skywasm\n", "import skywasm\n    sys.modules['wasmtime'] = None\n", 1)
        + """
    right = [len(set(map(str, calls[name](250_000 if name != "hash_files" else 8_000)))) == 1
             for name in ("base36_encode", "format_float", "truncate_long_string", "hash_strings", "hash_files")]
    refusals = []
    for call in (lambda: batch.hash_strings(["a"], "blake3"), lambda: batch.hash_files([path], "blake3")):
        try:
            call()
        except ValueError as error:
            refusals.append(str(error))
    report(right=right, warnings=warnings, refusals=refusals, info=skywasm.get_backend_info())
    """
    )
    assert found["right"] == [True] * 5
    assert found["info"]["backend"] == "python"
    assert len([one for one in found["warnings"] if "runs in Python" in one]) == 1
    assert len(found["refusals"]) == 2
    assert all("blake3" in one for one in found["refusals"])


def test_a_host_that_refuses_md5(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Where policy refuses an algorithm, auto and python refuse it in batches too, small and large; others go on."""
    whole = hashlib.new

    def fips(name: str, *rest: Any, **how: Any) -> Any:
        if name.lower() == "md5":
            raise ValueError("[digital envelope routines] unsupported")
        return whole(name, *rest, **how)

    path = write(tmp_path, "file", b"data")
    monkeypatch.setattr(hashlib, "new", fips)
    monkeypatch.setattr(hashlib, "md5", lambda *rest: fips("md5", *rest))
    # It keeps the function that it found at its first call.
    openssl = pytest.importorskip("_hashlib")
    openssl_new = openssl.new
    monkeypatch.setattr(
        openssl, "new", lambda name, *rest, **how: fips(name) if name == "md5" else openssl_new(name, *rest, **how)
    )
    monkeypatch.setattr(hashing, "_hashlib_new", None)
    monkeypatch.setattr(hashing, "_openssl_new", fips)
    monkeypatch.setattr(strings, "_allowed", set())
    for mode in ("auto", "python"):
        with skywasm.use_backend(mode):
            skywasm.warm_up()
            for count in (0, 1, 5000):
                for name in ("md5", "MD5"):
                    with pytest.raises(ValueError, match="digital envelope"):
                        batch.hash_strings(["a"] * count, name)
                    with pytest.raises(ValueError, match="digital envelope"):
                        batch.hash_files([path] * min(count, 40), name, return_exceptions=True)
            assert batch.hash_strings(["a"] * 40, "sha256") == [whole("sha256", b"a").hexdigest()] * 40
            assert batch.hash_files([path] * 40, "sha1") == [whole("sha1", b"data").hexdigest()] * 40


class Trap:
    """Makes the calls of one export trap for real: from the n-th on, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, export: str, first: int, times: int = 1) -> None:
        self.calls = 0
        self.trapped = 0
        whole = instances.Instance.enter

        def enter(instance: Any, index: int, *how: Any) -> int:
            if instance.module.exports[index] == export.encode():
                self.calls += 1
                if self.calls >= first and self.trapped < times:
                    self.trapped += 1
                    instance.world.library.wasmtime_context_set_epoch_deadline(instance.context, 1)
                    engine = instance.world.engine
                    engine.increment_epoch()
                    engine.increment_epoch()
            return whole(instance, index, *how)

        monkeypatch.setattr(instances.Instance, "enter", enter)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What skywasm has logged in the test, with nothing counted as said before."""
    monkeypatch.setattr(log, "_seen", set())
    monkeypatch.setattr(failures, "counts", {})
    with skywasm.use_backend("auto"), caplog.at_level(logging.WARNING, "skywasm"):
        skywasm.warm_up()
        yield lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 2,048 items, so that the lists below cross in several."""
    monkeypatch.setattr(lists, "_MOST_ITEMS", 2048)


def _many(name: str) -> str:
    """The export of a batch."""
    return "hash_string[]" if name == "hash_strings" else name + "[]"


NUMBERS = [hashlib.md5(str(number).encode()).hexdigest() for number in range(7000)]
FLOATS = [number / 7 + 0.01 for number in range(7000)]
TEXTS = [f"a text of a few words, the number of which is {number}" for number in range(7000)]
# Name, call, what it has to come to.
BATCHES = [
    ("base36_encode", lambda: batch.base36_encode(NUMBERS), lambda: [reference.base36_encode(one) for one in NUMBERS]),
    ("format_float", lambda: batch.format_float(FLOATS), lambda: [reference.format_float(one) for one in FLOATS]),
    (
        "format_float",
        lambda: batch.format_float(array.array("d", FLOATS)),
        lambda: [reference.format_float(one) for one in FLOATS],
    ),
    (
        "truncate_long_string",
        lambda: batch.truncate_long_string(TEXTS),
        lambda: [reference.truncate_long_string(one) for one in TEXTS],
    ),
    (
        "hash_strings",
        lambda: batch.hash_strings(TEXTS, "md5"),
        lambda: [hashlib.md5(one.encode()).hexdigest() for one in TEXTS],
    ),
]


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize(("name", "call", "want"), BATCHES)
def test_a_trap_in_the_middle(
    name: str,
    call: Callable[[], list[str]],
    want: Callable[[], list[str]],
    first: int,
    warned: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A piece that traps is answered in Python with one warning and counted; the artifact goes on serving."""
    trap = Trap(monkeypatch, _many(name), first)
    assert call() == want()
    assert (trap.trapped, trap.calls >= 4) == (1, True)
    assert skywasm.get_backend_info()["fallbacks"] == {"batch." + name: 1}
    assert [one for one in warned() if f"batch.{name}" in one and "TrapError" in one] == warned()
    assert len(warned()) == 1
    assert call() == want()
    assert skywasm.get_backend_info()["fallbacks"] == {"batch." + name: 1}


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize(("name", "call", "want"), BATCHES)
def test_a_trap_in_wasm_mode(name: str, call: Any, want: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In wasm mode it is a TrapError, and the next batch is right."""
    with skywasm.use_backend("wasm"):
        Trap(monkeypatch, _many(name), 2)
        with pytest.raises(skywasm.errors.TrapError, match="^" + re.escape(_many(name))):
            call()
        assert call() == want()


@pytest.mark.usefixtures("pieces")
def test_a_trap_in_blake3(warned: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has no blake3: after a trap the artifact is asked again, or the error says whose algorithm it is."""
    want = [digest(one.encode(), "blake3") for one in TEXTS]
    Trap(monkeypatch, _many("hash_strings"), 2)
    try:
        assert batch.hash_strings(TEXTS, "blake3") == want
    except ValueError as error:
        assert "is the artifact's" in str(error)  # noqa: PT017 - either will do
    assert len(warned()) == 1
    assert batch.hash_strings(TEXTS, "blake3") == want


@pytest.mark.parametrize("first", [1, 2, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_trap_among_files(
    threads: int, first: int, warned: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """A group of files whose call traps gets its digests from hashlib; a descriptor in it has been read by then."""
    sizes = [number * 20_000 for number in range(40)]
    paths: list[Any] = [write(tmp_path, str(size), content(size)) for size in sizes]
    paths[3] = os.open(paths[3], os.O_RDONLY)
    trap = Trap(monkeypatch, "md5_parts", first)
    assert batch.hash_files(paths, "md5", threads=threads) == [digest(content(size), "md5") for size in sizes]
    assert trap.trapped == 1
    assert skywasm.get_backend_info()["fallbacks"] == {"batch.hash_files": 1}
    assert len(warned()) == 1
    # Nothing was closed twice, which would have hit a descriptor of somebody else.
    with pytest.raises(OSError, match=r"Bad file descriptor|handle"):
        os.fstat(paths[3])


ODD: list[tuple[str, str, Callable[[], list[str]], Callable[[], list[str]]]] = [
    (
        "base36_encode",
        "base36_encode",
        lambda: batch.base36_encode([*NUMBERS[:100], "0x" + "f" * 70]),
        lambda: [reference.base36_encode(one) for one in [*NUMBERS[:100], "0x" + "f" * 70]],
    ),
    (
        "format_float",
        "format_float",
        lambda: batch.format_float([*FLOATS[:100], 7]),
        lambda: [reference.format_float(one) for one in [*FLOATS[:100], 7]],
    ),
    (
        "truncate_long_string",
        "truncate_long_string",
        lambda: batch.truncate_long_string([*TEXTS[:100], "\n\0\x1e\x1f\x01\x02" * 9]),
        lambda: [reference.truncate_long_string(one) for one in [*TEXTS[:100], "\n\0\x1e\x1f\x01\x02" * 9]],
    ),
    (
        "hash_strings",
        "hash_string",
        lambda: batch.hash_strings([*TEXTS[:100], "\n\0\x1e\x1f\x01\x02"], "md5"),
        lambda: [hashlib.md5(one.encode()).hexdigest() for one in [*TEXTS[:100], "\n\0\x1e\x1f\x01\x02"]],
    ),
]


# Raw digests hold every separator sooner or later.
RAW = [hashlib.md5(str(number).encode()).digest() for number in range(2000)]
CROSSED = [*ODD, ("hash_strings", "", lambda: batch.hash_strings(RAW, "md5"), lambda: [digest(r, "md5") for r in RAW])]


@pytest.mark.parametrize(("name", "export", "call", "want"), ODD)
def test_a_trap_in_what_does_not_cross_as_a_whole(
    name: str, export: str, call: Any, want: Any, warned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list with an item that has to be taken by itself gives the right answers in auto, whatever traps on its way."""
    Trap(monkeypatch, export, 1, times=1000)
    assert call() == want()


@pytest.mark.parametrize(("name", "export", "call", "want"), CROSSED)
def test_one_odd_item_costs_few_crossings(name: str, export: str, call: Any, want: Any, warned: Any) -> None:
    """In auto a list with an odd item crosses no more than twice: not once an item, nor once for every separator."""
    entered: list[str] = []
    pool, whole = core.core().pool, instances.Instance.enter

    def enter(instance: Any, index: int, *how: Any) -> int:
        export = instance.module.exports[index].decode()
        if not export.startswith(("skywasm.", "_initialize")):
            entered.append(export)
        return whole(instance, index, *how)

    def straight(seat: Any) -> Any:
        def call(*arguments: Any) -> Any:
            entered.append("a generated road")
            return seat[instances.ENTER](*arguments)

        return (*seat[: instances.ENTER], call, *seat[instances.ENTER + 1 :])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instances.Instance, "enter", enter)
        # Pieces stay small where others keep the processor busy.
        patch.setattr(lists, "_SOON_S", 60)
        pool[:] = map(straight, pool)
        assert call() == want()
    pool.clear()
    assert 1 <= len(entered) <= 2, entered
