"""The functions that ask the machine, against SkyPilot's on the same machine."""

from __future__ import annotations

import os
import pathlib
import socket
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skywasm
from property import strategies
from property.oracle import assert_same, common_utils, outcome, subprocess_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = (0, 1, 2, 7, 40)
VARIABLES = ("SKYPILOT_POD_CPU_CORE_LIMIT", "SKYPILOT_POD_MEMORY_GB_LIMIT", "SKYPILOT_POD_MEMORY_BYTES_LIMIT")


@given(count=strategies.CPU_COUNTS, cloud=st.one_of(strategies.CLOUDS, strategies.JUNK))
def test_same_as_reference_get_parallel_threads(backend: str, count: int | None, cloud: Any) -> None:
    """Any count of CPUs and any cloud give SkyPilot's number of threads."""
    with mock.patch("os.cpu_count", return_value=count):
        assert_same(lambda: skywasm.get_parallel_threads(cloud), lambda: subprocess_utils.get_parallel_threads(cloud))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Sources of file mounts: folders of some entries, a file, links, paths of every kind, and what is none."""
    top = tmp_path_factory.mktemp("sources")
    folders = []
    for entries in ENTRIES:
        folder = top / str(entries)
        folder.mkdir()
        for entry in range(entries):
            (folder / f".{entry}").mkdir()
        folders.append(folder)
    (top / "file").write_text("x")
    (top / "link").symlink_to(folders[-1])
    (top / "loop").symlink_to(top / "loop")
    paths = [str(path) for path in (*folders, top / "file", top / "link", top / "loop", top / "gone")]
    others = [
        os.fsencode(folders[2]),
        pathlib.Path(folders[3]),
        "s3://bucket/key",
        "",
        "a\0b",
        "\ud800",
        "x" * 5000,
        10**6,
        -1,
    ]
    return [*paths, *others, None, 1.5, [str(folders[0])], object]


@given(
    chosen=st.lists(st.integers(0, 20), max_size=6),
    limit=strategies.FILE_LIMITS,
    count=strategies.CPU_COUNTS,
    cloud=st.one_of(strategies.CLOUDS, strategies.JUNK),
)
def test_same_as_reference_get_max_workers_for_file_mounts(
    backend: str, sources: list[Any], chosen: list[int], limit: int, count: int | None, cloud: Any
) -> None:
    """Real sources under any limit give SkyPilot's number of workers or its exception."""
    mounts = {f"/remote/{place}": sources[number % len(sources)] for place, number in enumerate(chosen)}
    with mock.patch("os.cpu_count", return_value=count), mock.patch("resource.getrlimit", return_value=(limit, limit)):
        assert_same(
            lambda: skywasm.get_max_workers_for_file_mounts(mounts, cloud),
            lambda: subprocess_utils.get_max_workers_for_file_mounts(mounts, cloud),
        )


@given(mounts=strategies.JUNK)
def test_same_as_reference_mounts_of_other_types(backend: str, mounts: Any) -> None:
    """What is no mapping is refused as SkyPilot refuses it."""
    assert_same(
        lambda: skywasm.get_max_workers_for_file_mounts(mounts),
        lambda: subprocess_utils.get_max_workers_for_file_mounts(mounts),
    )


@given(entries=st.sampled_from(ENTRIES))
def test_estimate_is_five_an_entry(backend: str, sources: list[Any], entries: int) -> None:
    """A folder's estimate is five descriptors an entry, hidden ones and folders included."""
    assert skywasm.estimate_fd_for_directory(sources[ENTRIES.index(entries)]) == 5 * entries


@pytest.mark.xdist_group("ports")
@given(start=strategies.PORTS)
def test_same_as_reference_find_free_port(backend: str, start: Any) -> None:
    """Any start gives SkyPilot's port or its exception."""
    got = want = ""
    # Others on this machine take and leave ports between the two calls.
    for _ in range(3):
        got = outcome(lambda: skywasm.find_free_port(start))
        want = outcome(lambda: common_utils.find_free_port(start))
        if got == want:
            break
    assert got == want


@pytest.mark.xdist_group("ports")
@given(count=st.integers(1, 30))
def test_taken_ports_are_passed_over(backend: str, count: int) -> None:
    """Ports that are taken for real are passed over, as SkyPilot passes over them."""
    held = []
    try:
        # Below the range from which the kernel hands ports out, and one range a worker of the test run.
        port = skywasm.find_free_port(17_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]))
        for _ in range(count):
            port = skywasm.find_free_port(port)
            held.append(socket.socket())
            held[-1].bind(("", port))
        start = held[0].getsockname()[1]
        assert skywasm.find_free_port(start) > held[-1].getsockname()[1] - 1
        # Others on this machine take and leave ports between the two calls.
        assert any(skywasm.find_free_port(start) == common_utils.find_free_port(start) for _ in range(5))
    finally:
        for one in held:
            one.close()


@given(values=st.tuples(*[st.one_of(st.none(), strategies.VARIABLES)] * 3))
def test_same_as_reference_environment(backend: str, values: tuple[str | None, ...]) -> None:
    """Any value of the pod's variables gives SkyPilot's numbers or its exception."""
    environment = {name: value for name, value in zip(VARIABLES, values) if value is not None}
    with mock.patch.dict(os.environ, environment):
        assert_same(skywasm.get_cpu_count, common_utils.get_cpu_count)
        assert_same(skywasm.get_mem_size_gb, common_utils.get_mem_size_gb)


def test_same_as_reference_this_machine(backend: str, tmp_path: Path) -> None:
    """The machine that this runs on has SkyPilot's size, whatever it is."""
    assert_same(skywasm.get_cpu_count, common_utils.get_cpu_count)
    assert_same(skywasm.get_mem_size_gb, common_utils.get_mem_size_gb)
    assert_same(skywasm.get_parallel_threads, subprocess_utils.get_parallel_threads)
    mounts = {"/a": str(tmp_path), "/b": "/usr/bin"}
    assert_same(
        lambda: skywasm.get_max_workers_for_file_mounts(mounts),
        lambda: subprocess_utils.get_max_workers_for_file_mounts(mounts),
    )


@given(pid=st.one_of(st.integers(), st.integers(-3, 5000), strategies.HUGE, strategies.JUNK))
def test_is_process_alive_is_kill(backend: str, pid: Any) -> None:
    """A pid is alive when kill(pid, 0) succeeds or is refused; what is no pid is dead, what is no int a TypeError."""
    if not isinstance(pid, int):
        with pytest.raises(TypeError):
            skywasm.is_process_alive(pid)
        return
    alive = False
    if 0 < pid < 2**31:
        try:
            os.kill(pid, 0)
            alive = True
        except PermissionError:
            alive = True
        except ProcessLookupError:
            pass
    assert skywasm.is_process_alive(pid) is alive
