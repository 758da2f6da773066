"""A file that is written keeps all that it has but its content: rights, owner, access lists, attributes, names."""

from __future__ import annotations

import os
import stat
import struct

import pytest

from migrate.sources import outcome
from skywasm.migrate import _walk, one_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

TEXT = b"from sky.utils import common_utils\nprint(common_utils.get_cpu_count())\n"
ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"


def acl(*entries: tuple[int, int, int]) -> bytes:
    """A POSIX access list: tag, permissions and id of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, rights, who) for tag, rights, who in entries)


NOBODY = 0xFFFFFFFF
# The owner writes, user 4711 reads and writes, the group has nothing; the mask, shown as the group's rights, is rw.
LIST = acl((1, 6, NOBODY), (2, 6, 4711), (4, 0, NOBODY), (16, 6, NOBODY), (32, 0, NOBODY))


def give(path: pathlib.Path, name: str, value: bytes) -> None:
    """Gives a file an extended attribute, where its file system has such."""
    if not hasattr(os, "setxattr"):
        pytest.skip("extended attributes are Linux's")
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"{name}: {error}")


def test_an_access_list_is_kept(tmp_path: pathlib.Path) -> None:
    """The list stays, and its mask does not become the group's right."""
    result = outcome(TEXT, tmp_path)
    path = tmp_path / "program.py"
    give(path, ACL, LIST)
    mode = os.stat(path).st_mode
    one_file.write(result)
    assert os.getxattr(path, ACL) == LIST
    assert os.stat(path).st_mode == mode
    assert path.read_bytes() == result.after


def test_a_folders_default_list_is_not_taken(tmp_path: pathlib.Path) -> None:
    """What the folder would give to a new file is not for one that has been there."""
    result = outcome(TEXT, tmp_path)
    path = tmp_path / "program.py"
    os.chmod(path, 0o664)
    give(tmp_path, DEFAULT_ACL, acl((1, 7, NOBODY), (2, 7, 4711), (4, 7, NOBODY), (16, 7, NOBODY), (32, 7, NOBODY)))
    one_file.write(result)
    assert ACL not in os.listxattr(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o664


def test_extended_attributes_are_kept(tmp_path: pathlib.Path) -> None:
    """Those of the user's own."""
    result = outcome(TEXT, tmp_path)
    path = tmp_path / "program.py"
    give(path, "user.origin", b"\0from there")
    one_file.write(result)
    assert os.getxattr(path, "user.origin") == b"\0from there"
    assert path.read_bytes() == result.after


def test_hard_links_are_kept(tmp_path: pathlib.Path) -> None:
    """Two names of one file are one file afterwards, moved once."""
    result = outcome(TEXT, tmp_path)
    os.link(tmp_path / "program.py", tmp_path / "twin.py")
    assert [found.path for found in _walk.files([str(tmp_path)])] == [str(tmp_path / "program.py")]
    one_file.write(result)
    assert os.path.samefile(tmp_path / "program.py", tmp_path / "twin.py")
    assert (tmp_path / "twin.py").read_bytes() == result.after
    assert sorted(os.listdir(tmp_path)) == ["program.py", "twin.py"]


@pytest.mark.parametrize("fails", ["fchown", "setxattr", "fchmod", "replace"])
def test_what_cannot_be_kept_is_not_lost(fails: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a new file could not have all that the old one has, the old one is written into."""
    result = outcome(TEXT, tmp_path)
    path = tmp_path / "program.py"
    if fails == "setxattr":
        give(path, "user.origin", b"there")
    if fails == "fchown":
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("only root may give files away")
        os.chown(path, 4711, 4712)
    before = os.stat(path)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, fails, refuse)
    one_file.write(result)
    after = os.stat(path)
    assert path.read_bytes() == result.after
    assert (after.st_ino, after.st_uid, after.st_gid, after.st_mode) == (
        *(before.st_ino, before.st_uid, before.st_gid),
        before.st_mode,
    )
    assert os.listdir(tmp_path) == ["program.py"]


def test_a_failed_write_into_a_file_leaves_the_old_content(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full in the middle of a file with two names, the old content comes back."""
    result = outcome(TEXT + b"x = 1\n" * 10, tmp_path)
    os.link(tmp_path / "program.py", tmp_path / "twin.txt")
    calls: list[int] = []
    sync = os.fsync

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        one_file.write(result)
    assert (tmp_path / "twin.txt").read_bytes() == result.before
