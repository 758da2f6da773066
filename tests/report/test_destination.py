"""Where a report goes: the file is whole or as it was."""

from __future__ import annotations

import os
import stat

import pytest

from skywasm.report.destination import File, Unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


def put(path: pathlib.Path | str, content: str) -> None:
    with File(str(path)) as file:
        file.write(content)


def test_a_new_file(tmp_path: pathlib.Path) -> None:
    """A new file holds the content in UTF-8, may be read by whom the mask lets, and is alone."""
    mask = os.umask(0o027)
    try:
        put(tmp_path / "new", "µ\n")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").read_bytes() == "µ\n".encode()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["new"]


def test_the_mask_is_left_as_it_was(tmp_path: pathlib.Path) -> None:
    """Asking for the mask of new files does not change it."""
    before = os.umask(0o022)
    try:
        put(tmp_path / "new", "")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_an_old_file_is_replaced_with_its_mode(tmp_path: pathlib.Path) -> None:
    """A file that is there gets the new content, all of it, and keeps its permissions."""
    path = tmp_path / "old"
    path.write_text("a longer content than the new one")
    path.chmod(0o604)
    put(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert os.listdir(tmp_path) == ["old"]


def test_nobody_sees_half_a_file(tmp_path: pathlib.Path) -> None:
    """Until the new content is complete, whoever opens the file gets the old."""
    path = tmp_path / "old"
    path.write_text("old")
    with File(str(path)) as file:
        assert path.read_text() == "old"
        with open(path, encoding="utf-8") as reader:
            file.write("new" * 100_000)
            # Opened before: it is the old file, not one that is being written over.
            assert reader.read() == "old"
    assert path.read_text() == "new" * 100_000


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_ends_the_work_leaves_the_old_file(tmp_path: pathlib.Path, error: type[BaseException]) -> None:
    """When the work before fails, the old file is as it was, and nothing lies beside it."""
    path = tmp_path / "old"
    path.write_text("old")
    with pytest.raises(error), File(str(path)):
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["old"]
    with pytest.raises(error), File(str(tmp_path / "new")):
        raise error
    assert os.listdir(tmp_path) == ["old"]


def test_a_link_stays_one(tmp_path: pathlib.Path) -> None:
    """A link is followed: what it leads to is replaced."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    put(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "new"


def test_a_device_is_written_as_it_is() -> None:
    """A device is written and not replaced by a file."""
    put(os.devnull, "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_full_device_is_told() -> None:
    """What fails in writing names the file and the reason."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with File("/dev/full") as file, pytest.raises(Unwritable, match="cannot write /dev/full: No space left"):
        file.write("x" * 100_000)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/report.html", "the folder .*missing does not exist; make it first"),
        ("folder", "it is a folder; name a file in it"),
        ("file/report.html", "Not a directory|does not exist"),
        ("x" * 300, "name too long"),
    ],
)
def test_what_cannot_be_written_is_told_before(tmp_path: pathlib.Path, name: str, said: str) -> None:
    """A file that cannot be written is refused on entering, before any work, with its name and the reason."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(Unwritable, match=said) as caught, File(str(tmp_path / name)):
        pytest.fail("the work began")
    assert name in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_folder_that_takes_no_files() -> None:
    """A folder that is there but takes no files, even from root, is refused before any work."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("this system has no /proc")
    with pytest.raises(Unwritable, match=r"cannot write /proc/report\.html: \w"), File("/proc/report.html"):
        pytest.fail("the work began")
