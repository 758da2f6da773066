"""The compiled-module cache by itself: where it lives, what an entry depends on, what is read back."""

from __future__ import annotations

import os
import platform
import stat
import sys

import pytest

from skywasm.crossing.engine import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

NAME = "0" * 64


def file(name: str = NAME) -> str:
    """The name of an entry's file."""
    return f"skywasm-{name}"


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A cache folder that does not exist yet."""
    path = tmp_path / "deep" / "down"
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(path))
    return path


def test_what_is_stored_is_loaded(folder: pathlib.Path) -> None:
    """An entry comes back byte for byte, the empty one too; one that was never stored is a miss."""
    for module in (b"", b"native code", os.urandom(300_000)):
        assert cache.store(NAME, module) == "written"
        assert cache.load(NAME) == (module, "hit")
    assert cache.load("1" * 64) == (None, "miss")
    assert [path.name for path in folder.iterdir()] == [file()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_owner_gets_in(folder: pathlib.Path) -> None:
    """The folder is made for its owner alone and entries with it, whatever the umask."""
    before = os.umask(0)
    try:
        cache.store(NAME, b"native code")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / file()).stat().st_mode) == 0o600


def test_an_entry_of_another_name_is_refused(folder: pathlib.Path) -> None:
    """An entry that was stored under another key does not count under this one."""
    cache.store("1" * 64, b"code for something else")
    os.replace(folder / file("1" * 64), folder / file())
    module, state = cache.load(NAME)
    assert module is None
    assert state.startswith("unusable")


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 42])
def test_a_cut_entry_is_refused(folder: pathlib.Path, size: int) -> None:
    """An entry of any shorter length is refused, the one without a byte included."""
    cache.store(NAME, b"native code")
    entry = folder / file()
    entry.write_bytes(entry.read_bytes()[:size])
    assert cache.load(NAME)[0] is None


def test_every_byte_counts(folder: pathlib.Path) -> None:
    """A change of any one byte, in the digest or behind it, is noticed."""
    cache.store(NAME, b"native code")
    entry = folder / file()
    whole = entry.read_bytes()
    for at in range(len(whole)):
        entry.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert cache.load(NAME)[0] is None, at


@pytest.mark.parametrize("off", ["0", "false", "no", "FALSE"])
def test_switched_off(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    """SKYWASM_CACHE=0 neither reads nor writes, and says so."""
    cache.store(NAME, b"native code")
    monkeypatch.setenv("SKYWASM_CACHE", off)
    assert cache.where() is None
    assert cache.load(NAME) == (None, "off (SKYWASM_CACHE=0)")
    assert cache.store("1" * 64, b"code") == "off (SKYWASM_CACHE=0)"
    assert [path.name for path in folder.iterdir()] == [file()]


def test_the_named_folder_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """A relative SKYWASM_CACHE_DIR, another folder in every process, is none; an empty one means nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKYWASM_CACHE_DIR", "here")
    assert cache.where() is None
    assert cache.load(NAME) == (None, "off (SKYWASM_CACHE_DIR is not an absolute path)")
    assert cache.store(NAME, b"code").startswith("off")
    assert cache.prospect(NAME) == "off"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(tmp_path / "there" / ".." / "here"))
    assert cache.where() == str(tmp_path / "here")
    monkeypatch.setenv("SKYWASM_CACHE_DIR", "")
    assert os.path.isabs(cache.where() or "")
    assert "skywasm" in (cache.where() or "")


def test_keys_depend_on_every_part() -> None:
    """Keys differ when any part does, and are file names on every system."""
    parts = ["a" * 64, "50.0.1", "configuration", "x86_64 flags"]
    keys = {cache.key(*parts)}
    for at in range(len(parts)):
        keys.add(cache.key(*parts[:at], parts[at] + "x", *parts[at + 1 :]))
    keys.add(cache.key("a" * 64 + "50.0.1", *parts[2:]))
    assert len(keys) == len(parts) + 2
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_the_processor_is_told_by_its_flags() -> None:
    """On Linux the flags of the processor are in: code compiled for one must not run on a lesser one."""
    told = cache.processor()
    assert told.startswith(platform.machine())
    if sys.platform == "linux" and platform.machine() == "x86_64":
        assert "sse2" in told.split()
    assert told == cache.processor()


@pytest.mark.skipif(not cache._HAS_DIR_FD, reason="entries are removed where folders can be held open")
def test_a_used_entry_stays_young(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading an entry that is older than a day makes it young, so that what is in use is not what goes."""
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(tmp_path))
    cache.store(NAME, b"code")
    os.utime(tmp_path / file(), (1e9, 1e9))
    assert cache.load(NAME) == (b"code", "hit")
    assert (tmp_path / file()).stat().st_mtime > 1.5e9


@pytest.mark.skipif(not cache._HAS_DIR_FD, reason="entries are removed where folders can be held open")
def test_what_was_just_written_stays(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry is not the one that goes when it is written, whatever the others' times are."""
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(tmp_path))
    for number in range(cache.MOST_ENTRIES + 2):
        cache.store(f"{number:064x}", b"code")
        os.utime(tmp_path / file(f"{number:064x}"), (4e9, 4e9))
    assert cache.store("f" * 64, b"code") == "written"
    assert cache.load("f" * 64) == (b"code", "hit")
    assert len(list(tmp_path.iterdir())) == cache.MOST_ENTRIES


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_what_is_to_be_expected(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reading and keeping would find is told without doing it."""
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(tmp_path / "cache"))
    assert cache.prospect(NAME) == "miss"
    cache.store(NAME, b"code")
    assert (cache.prospect(NAME), cache.prospect("1" * 64)) == ("hit", "miss")
    os.chmod(tmp_path / "cache", 0o777)
    assert cache.prospect(NAME) == "off"
    os.chmod(tmp_path / "cache", 0o700)
    (tmp_path / "cache" / file("2" * 64)).symlink_to(tmp_path / "cache" / file())
    assert cache.prospect("2" * 64) == "off"
    monkeypatch.setenv("SKYWASM_CACHE_DIR", os.devnull + "/x")
    assert cache.prospect(NAME) == "off"
    monkeypatch.setenv("SKYWASM_CACHE", "0")
    assert cache.prospect(NAME) == "off"


@pytest.mark.skipif(not cache._HAS_DIR_FD, reason="entries are removed where folders can be held open")
def test_old_entries_go(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest entries stay, and whatever is not the cache's; what killed writers left goes after a day."""
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(tmp_path))
    names = [f"{number:064x}" for number in range(cache.MOST_ENTRIES + 5)]
    for age, name in enumerate(reversed(names)):
        assert cache.store(name, b"code") == "written"
        os.utime(tmp_path / file(name), (1e9 - age, 1e9 - age))
    strangers = ["notes.txt", "a" * 64, file("a" * 63), file("A" * 64)]
    for name in strangers:
        (tmp_path / name).write_text("the user's own")
        os.utime(tmp_path / name, (1, 1))
    left, being_written = file(f"{'b' * 64}.1.aa"), file(f"{'b' * 64}.2.bb")
    for name in (left, being_written):
        (tmp_path / name).write_text("half")
    os.utime(tmp_path / left, (1e9, 1e9))
    assert cache.store(NAME, b"the newest") == "written"
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {file(), *map(file, names[-(cache.MOST_ENTRIES - 1) :]), *strangers, being_written}
