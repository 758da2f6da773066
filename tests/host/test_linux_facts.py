"""The facts of this Linux, held against psutil, os, resource and real files."""

from __future__ import annotations

import errno
import os
import sys

import psutil
import pytest
from children import run

import skywasm
from host_shims import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import Any

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="facts of Linux")


def below_cgroup(path: pathlib.Path) -> str:
    """A file anywhere as a name below the cgroup hierarchy."""
    return os.path.relpath(path, "/sys/fs/cgroup")


def os_error(call: Callable[..., Any], *args: Any) -> OSError:
    """The OSError that a call raises."""
    try:
        call(*args)
    except OSError as error:
        return error
    raise AssertionError(f"no error for {args}")


def test_online_cpus() -> None:
    """The online CPUs are as many as psutil counts."""
    assert facts.cpu_online() == psutil.cpu_count()


def test_online_cpus_without_sysconf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the C library does not know the name, psutil is asked; a count below one means unknown."""

    # A function of C's that raises ValueError, as the real one does: what Python raises there is a signal handler's.
    monkeypatch.setattr(os, "sysconf", [].index)
    assert facts.cpu_online() == psutil.cpu_count()
    monkeypatch.setattr(os, "sysconf", lambda name: -1)
    assert facts.cpu_online() is None


def test_affinity_follows_the_mask() -> None:
    """Affinity is that of this process, and both backends count no more CPUs than it allows."""
    facts_of_child = run(
        """
        import os, skywasm
        from host_shims import facts
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        counts = {}
        for mode in MODES:
            with skywasm.use_backend(mode):
                counts[mode] = skywasm.get_cpu_count()
        report(affinity=facts.cpu_affinity(), online=facts.cpu_online(), counts=counts)
        """
    )
    assert facts_of_child["affinity"] == 1
    assert facts_of_child["online"] == psutil.cpu_count()
    assert len(set(facts_of_child["counts"].values())) == 1
    assert max(facts_of_child["counts"].values()) <= 1
    assert facts.cpu_affinity() == len(os.sched_getaffinity(0))


def test_no_affinity_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without sched_getaffinity knows no affinity."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert facts.cpu_affinity() is None


@pytest.mark.parametrize(("count", "threads"), [(None, 4), (1, 4), (5, 4), (6, 5), (100, 99)])
def test_a_replaced_cpu_count_counts(
    backend: str, monkeypatch: pytest.MonkeyPatch, count: int | None, threads: int
) -> None:
    """``os.cpu_count`` is looked up at each call, so what a program has put in its place decides."""
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert facts.cpu_count() == count
    assert skywasm.get_parallel_threads() == threads
    assert skywasm.get_parallel_threads("Kubernetes") == 4 * threads


def test_memory_is_psutils() -> None:
    """MemTotal of the text is the total that psutil reads."""
    lines = dict(line.split(b":", 1) for line in facts.meminfo().splitlines())
    number, unit = lines[b"MemTotal"].split()
    assert unit == b"kB"
    assert int(number) * 1024 == psutil.virtual_memory().total
    assert b"MemFree" in lines


def test_limit_of_open_files(backend: str, tmp_path: pathlib.Path) -> None:
    """The limit is the soft one, read anew at each call."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert facts.open_files_limit() == soft
    for number in range(40):
        (tmp_path / str(number)).touch()
    try:
        # 40 entries are 200 descriptors a mount; 100 are kept back.
        for limit, workers in ((2100, 10), (1500, 7), (1099, 4), (1024, 4)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            assert facts.open_files_limit() == limit
            most = skywasm.get_parallel_threads()
            assert skywasm.get_max_workers_for_file_mounts({"/a": str(tmp_path)}) == min(workers, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_entries_are_counted(backend: str, tmp_path: pathlib.Path) -> None:
    """Files, hidden files, folders, dangling links and undecodable names count; entries of sub-folders do not."""
    assert skywasm.estimate_fd_for_directory(tmp_path) == 0
    (tmp_path / "file").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "below").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with open(os.fsencode(tmp_path) + b"/\xff\xfe", "wb"):
        pass
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        for way in (tmp_path, str(tmp_path), os.fsencode(tmp_path), descriptor):
            assert facts.entry_count(way) == 5
            assert skywasm.estimate_fd_for_directory(way) == 25
    finally:
        os.close(descriptor)
    link = tmp_path / "folder" / "link"
    link.symlink_to(tmp_path)
    assert skywasm.estimate_fd_for_directory(link) == 25


@pytest.mark.parametrize("name", ["missing", "file", "file/below", "x" * 300])
def test_what_cannot_be_listed(backend: str, tmp_path: pathlib.Path, name: str) -> None:
    """What is no directory gives the system's own OSError, with error number and path, in every backend."""
    (tmp_path / "file").touch()
    path = str(tmp_path / name)
    expected, error = os_error(os.listdir, path), os_error(skywasm.estimate_fd_for_directory, path)
    assert (type(error), error.errno, error.filename) == (type(expected), expected.errno, path)
    assert str(error) == str(expected)


def test_a_null_byte_is_a_value_error(backend: str) -> None:
    """A path with a null byte is the interpreter's ValueError."""
    with pytest.raises(ValueError, match="null"):
        skywasm.estimate_fd_for_directory("a\0b")


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, 8193, 50_000])
def test_texts_are_read_whole(tmp_path: pathlib.Path, size: int) -> None:
    """A text of any length is read to its end, around the size of one read included."""
    path = tmp_path / "text"
    path.write_bytes(bytes(range(1, 251)) * (size // 250) + b"x" * (size % 250))
    assert facts.cgroup_text(below_cgroup(path)) == path.read_bytes()


def test_missing_texts_are_errors(tmp_path: pathlib.Path) -> None:
    """A file that is not there, or is no file, is an OSError with its number."""
    for name, number in (("no/such/file", errno.ENOENT), (below_cgroup(tmp_path), errno.EISDIR)):
        assert os_error(facts.cgroup_text, name).errno == number


def test_no_descriptor_stays_open(backend: str, tmp_path: pathlib.Path) -> None:
    """After any of the functions, failing ones included, this process has as many descriptors as before."""

    def everything() -> None:
        skywasm.get_cpu_count()
        skywasm.get_mem_size_gb()
        skywasm.get_max_workers_for_file_mounts({"/a": str(tmp_path)})
        skywasm.estimate_fd_for_directory(tmp_path)
        skywasm.find_free_port(20000)
        skywasm.hash_file(sys.executable, "md5")
        skywasm.read_last_n_lines(__file__, 3)
        for failing in (
            lambda: skywasm.find_free_port(65535),
            lambda: skywasm.hash_file(tmp_path / "missing", "md5"),
            lambda: skywasm.hash_file(__file__, "no-such-hash"),
            lambda: skywasm.hash_file(tmp_path, "md5"),
            lambda: skywasm.estimate_fd_for_directory(__file__),
            lambda: facts.cgroup_text("no/such/file"),
        ):
            with pytest.raises((OSError, ValueError)):
                failing()

    everything()
    before = sorted(os.listdir("/proc/self/fd"))
    everything()
    assert sorted(os.listdir("/proc/self/fd")) == before
