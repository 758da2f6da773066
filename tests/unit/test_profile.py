"""The cache's folder as it is kept on Windows: by where it lies, since nobody tells owners and modes there."""

from __future__ import annotations

import os
import sys

import pytest

from skywasm.crossing.engine import cache
from unit.test_cache_entries import NAME, file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A profile with a cache folder that does not exist yet; the system tells no modes."""
    monkeypatch.setattr(cache, "_HAS_DIR_FD", False)
    profile = tmp_path / "profile"
    profile.mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(profile))
    monkeypatch.setenv("SKYWASM_CACHE_DIR", str(profile / "deep" / "cache"))
    return profile


def test_what_is_stored_is_loaded(home: pathlib.Path) -> None:
    """An entry in the profile comes back byte for byte, and is what is expected of it."""
    assert (cache.prospect(NAME), cache.load(NAME)) == ("miss", (None, "miss"))
    assert cache.store(NAME, b"native code") == "written"
    assert (cache.prospect(NAME), cache.load(NAME)) == ("hit", (b"native code", "hit"))
    assert [path.name for path in (home / "deep" / "cache").iterdir()] == [file()]


def test_nothing_outside_is_believed(
    home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the profile nothing is read or written, and the reason is told; a name that begins alike is beside it."""
    cache.store(NAME, b"native code")
    for other in ("other", "profile2"):
        folder = tmp_path / other
        folder.mkdir()
        entry = folder / file()
        entry.write_bytes((home / "deep" / "cache" / file()).read_bytes())
        monkeypatch.setenv("SKYWASM_CACHE_DIR", str(folder))
        module, state = cache.load(NAME)
        assert module is None
        assert state.startswith("unusable: ")
        assert f"is not in {os.path.realpath(home)}, so that others may be able to write to it" in state
        assert cache.prospect(NAME) == "off"
        assert cache.store("1" * 64, b"code").startswith("not written: ")
        assert [path.name for path in folder.iterdir()] == [file()]


@pytest.mark.parametrize("what", ["folder", "entry"])
def test_links_lead_nowhere(what: str, home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What only looks as if it lay in the profile is refused: a link to a folder, or to a file, of others."""
    cache.store(NAME, b"native code")
    folder = home / "deep" / "cache"
    moved = folder if what == "folder" else folder / file()
    outside = tmp_path / "outside"
    moved.rename(outside)
    try:
        moved.symlink_to(outside, target_is_directory=what == "folder")
        moved.stat()
    except OSError:
        pytest.skip("no link can be made or followed here")
    assert cache.load(NAME)[0] is None
    assert cache.prospect(NAME) == "off"


def test_old_entries_go(home: pathlib.Path) -> None:
    """The newest entries stay, and whatever is not the cache's; what killed writers left goes after a day."""
    folder = home / "deep" / "cache"
    names = [f"{number:064x}" for number in range(cache.MOST_ENTRIES + 5)]
    for age, name in enumerate(reversed(names)):
        assert cache.store(name, b"code") == "written"
        os.utime(folder / file(name), (1e9 - age, 1e9 - age))
    (folder / "notes.txt").write_text("the user's own")
    left = folder / file(f"{'b' * 64}.1.aa")
    left.write_text("half")
    os.utime(left, (1e9, 1e9))
    assert cache.store(NAME, b"the newest") == "written"
    kept = {path.name for path in folder.iterdir()}
    assert kept == {file(), *map(file, names[-(cache.MOST_ENTRIES - 1) :]), "notes.txt"}


def test_a_used_entry_stays_young(home: pathlib.Path) -> None:
    """Reading an entry that is older than a day makes it young."""
    cache.store(NAME, b"code")
    entry = home / "deep" / "cache" / file()
    os.utime(entry, (1e9, 1e9))
    assert cache.load(NAME) == (b"code", "hit")
    assert entry.stat().st_mtime > 1.5e9


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows refuses it")
def test_an_entry_that_is_open(home: pathlib.Path) -> None:
    """An entry that another process reads just now cannot be replaced: that is told, and no draft is left."""
    cache.store(NAME, b"code")
    folder = home / "deep" / "cache"
    with open(folder / file(), "rb"):
        assert cache.store(NAME, b"other").startswith("not written: ")
    assert [path.name for path in folder.iterdir()] == [file()]
    assert cache.load(NAME) == (b"code", "hit")


@pytest.mark.skipif(sys.platform != "win32", reason="Windows' own")
def test_the_processor_without_platform() -> None:
    """What wasmtime's library is for is told without the slow service that ``platform`` asks."""
    import platform

    assert cache.machine() == platform.machine()
