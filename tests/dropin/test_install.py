"""install(), uninstall() and status() on SkyPilot itself, in this process."""

from __future__ import annotations

import inspect
import os
import pickle
import sys
import types
from unittest import mock

import pytest
from children import MODES
from property.oracle import common_utils, subprocess_utils

import skywasm
from dropin.places import ROWS
from skywasm import functions, skypilot
from skywasm.bench.workplace import Workplace, arguments
from skywasm.cli._skypilot_child import outcome
from skywasm.skypilot.stand_ins import STAND_INS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

    from skywasm.functions.declare import Row

MODULES = {module.__name__: module for module in (common_utils, subprocess_utils)}
NAMES = [row.name for row in ROWS]


def now(row: Row) -> Any:
    """What SkyPilot's module holds at this moment."""
    return vars(MODULES[str(row.replaces)])[row.name]


ORIGINALS = {row.name: now(row) for row in ROWS}


@pytest.fixture
def _on() -> Iterator[None]:
    assert skypilot.install() is True
    yield
    assert skypilot.uninstall() is True


def states() -> dict[str, str]:
    return {name: function["state"] for name, function in skypilot.status()["functions"].items()}


def test_the_originals_are_skypilots() -> None:
    """No drop-in is at work in the process of the tests, so that what follows compares two different things."""
    assert {function.__module__ for function in ORIGINALS.values()} == set(MODULES)


def test_all_that_skypilot_has_is_replaced_and_put_back() -> None:
    """After install() all that SkyPilot has are skywasm's, after uninstall() each is the very object that it was."""
    before = list(sys.meta_path)
    assert skypilot.install() is True
    assert states() == {row.name: "replaced" if row.replaces else "addition" for row in functions.ROWS}
    has = {row.name for row in functions.ROWS if any(hasattr(module, row.name) for module in MODULES.values())}
    assert has == set(NAMES)
    for row in ROWS:
        assert now(row) is STAND_INS[row.name]
        assert now(row).__module__ == row.replaces
    assert skypilot.uninstall() is True
    assert all(now(row) is ORIGINALS[row.name] for row in ROWS)
    assert sys.meta_path == before


def test_twice_is_once() -> None:
    """A second install() changes nothing, and one uninstall() undoes both; a second one does no harm."""
    skypilot.install()
    held, finders = [now(row) for row in ROWS], list(sys.meta_path)
    skypilot.install()
    assert [now(row) for row in ROWS] == held
    assert sys.meta_path == finders
    assert skypilot.uninstall()
    assert skypilot.uninstall()
    assert all(now(row) is ORIGINALS[row.name] for row in ROWS)


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_is_a_plain_function_of_the_same_signature(row: Row) -> None:
    """What stands in is a function of the same name, parameters, order and defaults, and has no hidden original."""
    function, original = now(row), ORIGINALS[row.name]
    assert type(function) is types.FunctionType
    assert (function.__name__, function.__qualname__) == (row.name, row.name)
    assert not hasattr(function, "__wrapped__")

    def parameters(function: Any) -> list[tuple[str, Any, Any]]:
        found = inspect.signature(function).parameters.values()
        return [(parameter.name, parameter.kind, parameter.default) for parameter in found]

    assert parameters(function) == parameters(original)


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_pickles(row: Row) -> None:
    """A replaced function comes back as itself from a pickle, as SkyPilot's own does."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(now(row), protocol)) is now(row)


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_pickle_loads_where_skywasm_is_not_installed(row: Row) -> None:
    """A cluster that knows SkyPilot only gets SkyPilot's function: the pickle names it and nothing of skywasm's."""
    dumped = [pickle.dumps(now(row), protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert all(b"skywasm" not in one for one in dumped)
    skypilot.uninstall()
    try:
        assert all(pickle.loads(one) is ORIGINALS[row.name] for one in dumped)
    finally:
        skypilot.install()


def test_another_skywasms_stand_in_is_somebody_elses() -> None:
    """It says that it is of SkyPilot's module, but is not taken for SkyPilot's own function."""
    original = common_utils.base36_encode
    space: dict[str, Any] = {"__name__": "skywasm.skypilot.stand_ins"}
    exec("def base36_encode(hex_str): return 'theirs'", space)
    space["base36_encode"].__module__ = "sky.utils.common_utils"
    common_utils.base36_encode = space["base36_encode"]
    try:
        skypilot.install()
        told = skypilot.status()["functions"]["base36_encode"]
        assert told["state"] == "original"
        assert told["reason"] == "somebody has replaced it by skywasm.skypilot.stand_ins.base36_encode"
    finally:
        skypilot.uninstall()
        common_utils.base36_encode = original


@pytest.mark.usefixtures("_on")
def test_keyword_arguments(tmp_path: pathlib.Path) -> None:
    """Calls by keyword, as SkyPilot makes them, come to the same as before: all examples, and parameters they lack."""
    (tmp_path / "log").write_text("one\ntwo\n")
    more: dict[str, dict[str, Any]] = {
        "format_float": {"num": 2.345, "precision": 2},
        "truncate_long_string": {"s": "sky launch -c dev", "max_length": 9, "truncate_middle": True},
        "read_last_n_lines": {"file_path": str(tmp_path / "log"), "n": 1, "chunk_size": 2, "errors": "ignore"},
        "get_parallel_threads": {"cloud_str": "Kubernetes"},
        "get_max_workers_for_file_mounts": {"common_file_mounts": {"/a": str(tmp_path)}, "cloud_str": "kubernetes"},
    }
    with Workplace(quick=True) as place:
        for row in ROWS:
            names = inspect.signature(row.reference).parameters
            calls = [dict(zip(names, arguments(example, place))) for example in row.examples.values()]
            for call in [*calls, *([more[row.name]] if row.name in more else [])]:
                ours, theirs = (
                    outcome(lambda one=one, call=call: one(**call), ()) for one in (now(row), ORIGINALS[row.name])
                )
                assert ours == theirs


@pytest.mark.usefixtures("_on")
def test_skypilots_own_code_is_reached() -> None:
    """Functions of the same module find the replacement under the old name, and answer as before."""
    with mock.patch.object(common_utils, "base36_encode", wraps=common_utils.base36_encode) as watched:
        assert common_utils.base36_encode("ff") == "73"
        name = common_utils.make_cluster_name_on_cloud("Cuda_11.8" * 9, max_length=20)
    assert watched.call_count == 2
    skypilot.uninstall()
    assert common_utils.make_cluster_name_on_cloud("Cuda_11.8" * 9, max_length=20) == name


@pytest.mark.usefixtures("_on")
def test_blake3_is_unknown_as_in_skypilot(tmp_path: pathlib.Path) -> None:
    """hash_file of an algorithm that only skywasm adds raises hashlib's error, and a missing file counts for more."""
    (tmp_path / "file").write_bytes(b"content")
    for name in ("blake3", "BLAKE3"):
        messages = []
        for function in (common_utils.hash_file, ORIGINALS["hash_file"]):
            with pytest.raises(ValueError, match=name) as raised:
                function(str(tmp_path / "file"), name)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]
    with pytest.raises(FileNotFoundError):
        common_utils.hash_file(str(tmp_path / "none"), "blake3")
    assert common_utils.hash_file(str(tmp_path / "file"), "md5").hexdigest() == "9a0364b9e99bb480dd25e1f0284c8555"


@pytest.mark.parametrize("mode", MODES)
def test_every_backend_answers(mode: str) -> None:
    """The functions follow the chosen backend."""
    with skywasm.use_backend(mode):
        skypilot.install()
        assert common_utils.base36_encode("ff" * 16) == ORIGINALS["base36_encode"]("ff" * 16)
        skypilot.uninstall()


@pytest.mark.usefixtures("_on")
def test_a_mock_works_and_goes() -> None:
    """unittest.mock patches a replaced function by its dotted name, and puts the replacement back."""
    ours = common_utils.base36_encode
    with mock.patch("sky.utils.common_utils.base36_encode", return_value="mocked"):
        assert common_utils.base36_encode("ff") == "mocked"
        assert skypilot.status()["functions"]["base36_encode"]["state"] == "original"
    assert common_utils.base36_encode is ours


def test_what_somebody_put_in_its_place_stays() -> None:
    """uninstall() leaves a later replacement alone and says so; once that has gone, a second one puts things right."""
    skypilot.install()
    ours = common_utils.format_float
    patch = mock.patch.object(common_utils, "format_float")
    fake = patch.start()
    assert skypilot.uninstall() is False
    assert common_utils.format_float is fake
    told = skypilot.status()["functions"]["format_float"]
    assert told["state"] == "original"
    assert "somebody has put an object of type unittest.mock.MagicMock in its place since" in told["reason"]
    patch.stop()
    assert common_utils.format_float is ours
    assert "uninstall()" in skypilot.status()["functions"]["format_float"]["reason"]
    assert skypilot.uninstall() is True
    assert common_utils.format_float is ORIGINALS["format_float"]


def test_names_taken_before_are_told() -> None:
    """What a module took from SkyPilot before keeps SkyPilot's function; status() lists the variable."""
    module = types.ModuleType("took_it_before")
    module.theirs = common_utils.base36_encode  # type: ignore[attr-defined]
    sys.modules["took_it_before"] = module
    try:
        skypilot.install()
        assert "took_it_before.theirs" in skypilot.status()["elsewhere"]
        assert module.theirs is ORIGINALS["base36_encode"]  # type: ignore[attr-defined]
        skypilot.uninstall()
        assert skypilot.status()["elsewhere"] == []
    finally:
        del sys.modules["took_it_before"]


@pytest.mark.parametrize("value", ["0", "false", "No", " 0 "])
def test_the_switch_makes_it_a_no_op(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SKYPILOT_USE_RUST off install() does nothing, and status() names the variable."""
    monkeypatch.setenv("SKYPILOT_USE_RUST", value)
    assert skypilot.install() is False
    assert all(now(row) is ORIGINALS[row.name] for row in ROWS)
    told = skypilot.status()
    assert told["installed"] is False
    assert told["reason"] == f"SKYPILOT_USE_RUST={value} switches it off"


def test_status_without_anything() -> None:
    """Without the drop-in status() says what would have switched it on."""
    told = skypilot.status()
    assert told["installed"] is False
    assert "install()" in told["reason"]
    assert told["functions"]["hash_file"] == {
        "module": "sky.utils.common_utils",
        "state": "original",
        "reason": "the drop-in is not installed",
    }


@pytest.mark.usefixtures("_on")
def test_replaced_helpers_count_for_cpus() -> None:
    """Who replaces what SkyPilot's CPU count rests on gets SkyPilot's answer from that."""
    with mock.patch("sky.utils.common_utils._get_cgroup_cpu_limit", return_value=0.5):
        assert common_utils.get_cpu_count() == 0
    with mock.patch("psutil.cpu_count", return_value=3), mock.patch("os.sched_getaffinity", return_value=set(range(9))):
        assert common_utils.get_cpu_count() == min(3, ORIGINALS["get_cpu_count"]())
    with mock.patch("os.sched_getaffinity", return_value={1}):
        assert common_utils.get_cpu_count() == 1


@pytest.mark.usefixtures("_on")
def test_replaced_helpers_count_for_memory() -> None:
    """Who replaces what SkyPilot's memory size rests on gets SkyPilot's answer from that."""
    with mock.patch("sky.utils.common_utils._get_cgroup_memory_limit", return_value=2**30):
        assert common_utils.get_mem_size_gb() == 1.0
    with mock.patch("psutil.virtual_memory") as memory:
        memory.return_value.total = 2**29
        assert common_utils.get_mem_size_gb() == 0.5


@pytest.mark.usefixtures("_on")
def test_replaced_helpers_count_for_workers() -> None:
    """The workers for file mounts follow a replaced get_parallel_threads or resource module, as in SkyPilot."""
    with mock.patch("sky.utils.subprocess_utils.get_parallel_threads", return_value=2):
        assert subprocess_utils.get_max_workers_for_file_mounts({}) == 2
    with mock.patch("sky.utils.subprocess_utils.resource") as replaced:
        replaced.getrlimit.return_value = (1100, 1100)
        with mock.patch("sky.utils.subprocess_utils.get_parallel_threads", return_value=10**6):
            assert subprocess_utils.get_max_workers_for_file_mounts({}) == 200


@pytest.mark.usefixtures("_on")
def test_few_open_files_are_told_in_skypilots_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a low limit the answer is SkyPilot's, and so is the warning: once, and in its own log."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(subprocess_utils, "_fd_limit_warning_shown", False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        with mock.patch.object(subprocess_utils.logger, "warning") as warning:
            got = [subprocess_utils.get_max_workers_for_file_mounts({"/a": "/"}) for _ in range(2)]
        assert got == [ORIGINALS["get_max_workers_for_file_mounts"]({"/a": "/"})] * 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert warning.call_count == 1


@pytest.mark.usefixtures("_on")
@pytest.mark.parametrize(
    ("name", "variable"),
    [("get_cpu_count", "SKYPILOT_POD_CPU_CORE_LIMIT"), ("get_mem_size_gb", "SKYPILOT_POD_MEMORY_GB_LIMIT")],
)
def test_a_bad_variable_is_skypilots_error(name: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a variable that is no number SkyPilot itself raises, since its command line hides the traceback then."""
    monkeypatch.setenv(variable, "many")
    with pytest.raises(ValueError, match="from many") as raised:
        getattr(common_utils, name)()
    files = [os.path.basename(str(entry.path)) for entry in raised.traceback]
    assert files[-1] == "common_utils.py"
    assert raised.value.__context__ is raised.value.__cause__
    monkeypatch.setenv(variable, "3")
    assert getattr(common_utils, name)() == 3


def test_stand_ins_work_without_skypilot() -> None:
    """A stand-in that was pickled into a process without the drop-in answers like skywasm's own function."""
    with mock.patch.dict("skywasm.skypilot.stand_ins.ORIGINALS", clear=True):
        assert STAND_INS["get_cpu_count"]() == skywasm.get_cpu_count()
        assert STAND_INS["get_mem_size_gb"]() == skywasm.get_mem_size_gb()
        mounts = {"/a": "/"}
        assert STAND_INS["get_max_workers_for_file_mounts"](mounts) == skywasm.get_max_workers_for_file_mounts(mounts)
