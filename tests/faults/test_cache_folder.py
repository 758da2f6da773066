"""The compiled-module cache in bad company: whatever lies there, the answer is right and nothing foreign is run."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import subprocess
import sys

import artifacts
import pytest
from children import copy_packages, finish, run, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")

USE = """
    import skywasm
    skywasm.set_backend("wasm")
    text = skywasm.base36_encode("deadbeef")
    lines = skywasm.read_last_n_lines(skywasm.__file__, 1)
    report(text=text, cache=skywasm.get_backend_info()["cache"], warnings=warnings)
"""


def use(folder: pathlib.Path | None, **how: Any) -> str:
    """Uses the artifact in a new process with this cache folder; gives what the cache says it did."""
    env = {"SKYWASM_CACHE_DIR": str(folder) if folder else "", **how.pop("env", {})}
    found = run(USE, env=env, **how)
    assert found["text"] == "1ps9wxb"
    assert found["warnings"] == []
    return str(found["cache"])


def entry_of(folder: pathlib.Path) -> pathlib.Path:
    """The one entry of a cache folder; nothing else lies there."""
    (entry,) = folder.iterdir()
    return entry


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A cache folder with its entry."""
    folder = tmp_path_factory.mktemp("filled") / "cache"
    assert use(folder) == "miss; written"
    return folder


@pytest.fixture
def folder(filled: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the filled folder, to be spoilt."""
    copied = tmp_path / "cache"
    shutil.copytree(filled, copied)
    return copied


def test_the_second_process_finds_the_entry(folder: pathlib.Path) -> None:
    """What one process has compiled the next one loads."""
    assert use(folder) == "hit"


def repaired(folder: pathlib.Path) -> None:
    """Holds the cache to its promise: the bad entry is not used, and a good one is there afterwards."""
    state = use(folder)
    assert state.startswith("unusable")
    assert state.endswith("; written")
    assert stat.S_ISREG(entry_of(folder).lstat().st_mode)
    assert use(folder) == "hit"


@pytest.mark.parametrize("size", [0, 10, 32, 1000, -1])
def test_a_cut_entry(folder: pathlib.Path, size: int) -> None:
    """An entry that was cut at any place is compiled anew and replaced."""
    entry = entry_of(folder)
    entry.write_bytes(entry.read_bytes()[:size])
    repaired(folder)


@pytest.mark.parametrize("at", [0, 31, 32, 40, 5000, -1])
def test_a_flipped_byte(folder: pathlib.Path, at: int) -> None:
    """A changed byte is noticed, in the digest as in the code, which the engine itself would run."""
    entry = entry_of(folder)
    content = bytearray(entry.read_bytes())
    content[at] ^= 0x40
    entry.write_bytes(content)
    repaired(folder)


def test_garbage(folder: pathlib.Path) -> None:
    """Bytes that were never an entry are compiled over."""
    entry_of(folder).write_bytes(os.urandom(50_000))
    repaired(folder)


def test_content_of_another_key(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The intact entry of another artifact under this one's name is not run: it would answer wrongly."""
    letter = f"(i32.store8 (i32.const 2048) (i32.const {ord('f')})) {artifacts.packed(2048, 1)}"
    packages = tmp_path / "packages"
    packages.mkdir()
    how = copy_packages(packages)
    artifacts.install(packages, artifacts.text({"base36_encode": letter}))
    other = tmp_path / "other"
    how["env"]["SKYWASM_CACHE_DIR"] = str(other)
    found = run('import skywasm\nskywasm.set_backend("wasm")\nreport(text=skywasm.base36_encode("deadbeef"))', **how)
    assert found["text"] == "f"
    shutil.copyfile(entry_of(other), entry_of(folder))
    repaired(folder)


@posix
def test_an_entry_that_is_a_fifo(folder: pathlib.Path) -> None:
    """A named pipe in the entry's place does not make anybody wait."""
    entry = entry_of(folder)
    entry.unlink()
    os.mkfifo(entry)
    repaired(folder)


@posix
def test_an_entry_that_is_a_link(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A link in the entry's place is not followed, and replaced; what it points to stays as it is."""
    entry, target = entry_of(folder), tmp_path / "target"
    entry.rename(target)
    entry.symlink_to(target)
    before = target.read_bytes()
    repaired(folder)
    assert target.read_bytes() == before


def test_an_entry_that_is_a_folder(folder: pathlib.Path) -> None:
    """A folder in the entry's place cannot be replaced: compiled each time, and no temporary file is left."""
    entry = entry_of(folder)
    entry.unlink()
    entry.mkdir()
    assert "not written" in use(folder)
    assert entry_of(folder) == entry


@posix
@root
def test_an_entry_of_another_user(folder: pathlib.Path) -> None:
    """An entry that somebody else owns is not trusted, even in a folder of one's own."""
    os.chown(entry_of(folder), 65534, 65534)
    repaired(folder)


@posix
@root
def test_a_folder_of_another_user(folder: pathlib.Path) -> None:
    """In a folder that somebody else owns nothing is read and nothing written."""
    before = entry_of(folder).stat()
    os.chown(folder, 65534, 65534)
    assert "not written" in use(folder)
    assert entry_of(folder).stat().st_mtime_ns == before.st_mtime_ns


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o722])
def test_a_folder_that_others_can_write_to(folder: pathlib.Path, mode: int) -> None:
    """In a folder that group or others can write to, sticky or not, nothing is read and nothing written."""
    before = entry_of(folder).stat()
    folder.chmod(mode)
    state = use(folder)
    assert state.startswith("unusable")
    assert "not written" in state
    assert entry_of(folder).stat().st_mtime_ns == before.st_mtime_ns


@posix
def test_a_folder_that_is_a_link(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A link to a good folder is not followed: it may point elsewhere tomorrow."""
    link = tmp_path / "link"
    link.symlink_to(folder)
    state = use(link)
    assert state.startswith("unusable")
    assert "not written" in state


def test_a_folder_that_is_a_file(tmp_path: pathlib.Path) -> None:
    """A file in the folder's place, or on the way to it, is left as it is."""
    file = tmp_path / "file"
    file.write_bytes(b"mine")
    for path in (file, file / "below", file / "far" / "below"):
        assert "not written" in use(path)
    assert file.read_bytes() == b"mine"
    assert entry_of(tmp_path) == file


@posix
@pytest.mark.parametrize(
    ("home", "caches"),
    [("/dev/null", ""), ("/proc/self", ""), ("/dev/null/\udcff", ""), ("/dev/null", "not/absolute")],
)
def test_a_useless_home(home: str, caches: str, tmp_path: pathlib.Path) -> None:
    """A home that cannot hold anything costs nothing but the compiling, and nothing is made in the current folder."""
    assert "not written" in use(None, env={"HOME": home, "XDG_CACHE_HOME": caches}, cwd=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@posix
@root
def test_read_only_and_full_file_systems(tmp_path: pathlib.Path) -> None:
    """On a file system that takes nothing, or too little, the answer is right and no torn entry stays."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare command")
    for options, why in (("ro,mode=700", "Read-only"), ("size=16k,mode=700", "No space")):
        mount = f'mount -t tmpfs -o {options} tmpfs "$1" && shift && "$@" && ls -A "$SKYWASM_CACHE_DIR" | wc -l >&2'
        prefix = ["unshare", "-m", "sh", "-c", mount, "sh", str(tmp_path)]
        tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "t", str(tmp_path)], check=False)
        if tried.returncode:
            pytest.skip("mounting is not permitted")
        found = run(USE, env={"SKYWASM_CACHE_DIR": str(tmp_path)}, prefix=prefix)
        assert found["text"] == "1ps9wxb"
        assert why in found["cache"]
        assert found["stderr"].split()[-1] == "0"


@posix
@root
def test_a_folder_of_a_user_without_rights(tmp_path: pathlib.Path) -> None:
    """Somebody without the right to write gets the right answer and leaves the folder alone."""
    tmp_path.chmod(0o755)
    # Python's own files may be the first user's, so what is imported later is imported now.
    code = "import os, resource, _blake2, wasmtime, skywasm.cli\nfrom skywasm.crossing import lists, module, roads\n"
    code += "from skywasm.crossing.engine import setup\nskywasm.set_backend('wasm')\nos.setuid(65534)\n"
    lines = [line[4:] for line in USE.splitlines() if "import" not in line and "set_backend" not in line]
    found = run(code + "\n".join(lines), env={"SKYWASM_CACHE_DIR": str(tmp_path / "cache")})
    assert found["text"] == "1ps9wxb"
    assert "not written" in found["cache"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("off", ["0", "false", "no"])
def test_switched_off(folder: pathlib.Path, tmp_path: pathlib.Path, off: str) -> None:
    """SKYWASM_CACHE=0 neither reads an entry nor writes one nor makes the folder."""
    assert use(folder, env={"SKYWASM_CACHE": off}).startswith("off")
    assert use(tmp_path / "new", env={"SKYWASM_CACHE": off}).startswith("off")
    assert not (tmp_path / "new").exists()
    entry = entry_of(folder)
    entry.unlink()
    assert use(folder, env={"SKYWASM_CACHE": off}).startswith("off")
    assert list(folder.iterdir()) == []


def test_many_processes_at_once(tmp_path: pathlib.Path) -> None:
    """Processes that all find the folder missing are all right, and leave one good entry and nothing else."""
    folder = tmp_path / "deep" / "cache"
    code = "import sys, wasmtime\nsys.stdin.readline()\n" + "\n".join(line[4:] for line in USE.splitlines())
    children = [start(code, env={"SKYWASM_CACHE_DIR": str(folder)}) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert finish(child)["text"] == "1ps9wxb"
    entry_of(folder)
    assert use(folder) == "hit"


def test_the_artifact_is_part_of_the_key(tmp_path: pathlib.Path) -> None:
    """Another artifact gets an entry of its own beside the first one's."""
    folder = tmp_path / "cache"
    use(folder)
    packages = tmp_path / "packages"
    packages.mkdir()
    how = copy_packages(packages)
    artifacts.install(packages, artifacts.text())
    how["env"]["SKYWASM_CACHE_DIR"] = str(folder)
    found = run("import skywasm\nskywasm.warm_up()\nreport(info=skywasm.get_backend_info())", **how)
    assert found["info"]["cache"] == "miss; written"
    assert len(list(folder.iterdir())) == 2
    assert use(folder) == "hit"
