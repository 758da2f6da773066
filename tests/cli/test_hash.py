"""`skywasm hash`: the format of coreutils, every algorithm, errors a file at a time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from cli.program import on_terminal, run
from skywasm.functions import hashing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

NAMES = (
    b"plain",
    b"two words",
    b"back\\slash",
    b"new\nline",
    b"return\r",
    b"caf\xc3\xa9",
    b"broken-\xff-utf8",
    b"-dash",
)
UTILITIES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def utility(algorithm: str) -> str:
    path = shutil.which(algorithm + "sum")
    if path is None:
        pytest.skip(f"{algorithm}sum is not installed")
    return path


def in_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.fixture
def files(tmp_path: pathlib.Path) -> list[bytes]:
    """Files of awkward names."""
    for number, name in enumerate(NAMES):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(name * number * 1000)
    return list(NAMES)


@pytest.mark.parametrize("algorithm", UTILITIES)
def test_same_bytes_as_coreutils(algorithm: str, files: list[bytes], tmp_path: pathlib.Path) -> None:
    """The output for awkward names is that of md5sum, sha256sum and their kin, byte for byte."""
    theirs = subprocess.run([utility(algorithm), "--", *files], cwd=tmp_path, capture_output=True, check=True)
    done = run("hash", "--alg", algorithm, "--", *files, cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    assert in_bytes(done.out) == theirs.stdout


def test_coreutils_accepts_the_output(files: list[bytes], tmp_path: pathlib.Path) -> None:
    """sha256sum -c finds every file good by the list that we print."""
    done = run("hash", "--", *files, cwd=tmp_path)
    subprocess.run(
        [utility("sha256"), "-c", "-"], input=in_bytes(done.out), cwd=tmp_path, check=True, capture_output=True
    )


def test_standard_input(tmp_path: pathlib.Path) -> None:
    """A dash is standard input, read once; a second dash finds it empty, as in coreutils."""
    done = run("hash", "-", "-", data=b"abc")
    assert done.out.splitlines() == [f"{hashlib.sha256(data).hexdigest()}  -" for data in (b"abc", b"")]


@pytest.mark.parametrize("algorithm", [row.name for row in hashing.ALGORITHMS])
def test_every_algorithm_of_the_artifact(algorithm: str, tmp_path: pathlib.Path) -> None:
    """Every algorithm inside the artifact can be asked for in wasm mode and agrees with the reference library."""
    data = bytes(range(256)) * 40
    (tmp_path / "file").write_bytes(data)
    length = ("--length", "20") if algorithm.startswith("shake") else ()
    done = run("hash", "--alg", algorithm, *length, "file", cwd=tmp_path, env={"SKYWASM_BACKEND": "wasm"})
    if algorithm == "blake3":
        expected = pytest.importorskip("blake3").blake3(data).hexdigest()
    else:
        digest = hashlib.new(algorithm, data)
        expected = digest.hexdigest(20) if length else digest.hexdigest()  # type: ignore[call-arg]
    assert done == (0, f"{expected}  file\n", "")


def test_other_spellings_of_a_name(tmp_path: pathlib.Path) -> None:
    """An algorithm's name is taken in the spellings that hashlib takes, OpenSSL's among them."""
    outs = {run("hash", "--alg", name, "-", data=b"").out for name in ("sha3_256", "sha3-256", "SHA3-256")}
    assert outs == {f"{hashlib.sha3_256(b'').hexdigest()}  -\n"}


def test_an_unknown_algorithm_gets_the_list() -> None:
    """An unknown algorithm is a usage error that lists the known ones, before any file is looked at."""
    done = run("hash", "--alg", "sha257", "nosuch")
    assert (done.status, done.out) == (2, "")
    assert "unknown algorithm 'sha257'" in done.err
    assert "nosuch" not in done.err
    for row in hashing.ALGORITHMS:
        assert row.name in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--alg", "shake_128"), "add --length BYTES"),
        (("--alg", "shake_256", "--length", "0"), "must be 1 to"),
        (("--alg", "shake_256", "--length", "-1"), "must be 1 to"),
        (("--alg", "shake_256", "--length", "99999999999"), "must be 1 to"),
        (("--alg", "sha256", "--length", "32"), "leave out --length"),
        (("--length", "x"), "invalid int value"),
    ],
)
def test_lengths_that_do_not_fit(arguments: tuple[str, ...], message: str) -> None:
    """A length where there is none, none where there must be one, and impossible ones are usage errors."""
    done = run("hash", *arguments, "-", data=b"")
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_bad_files_do_not_stop_the_others(tmp_path: pathlib.Path) -> None:
    """A missing file and a folder are told on standard error, the others are hashed, the exit status is 1."""
    (tmp_path / "good").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    done = run("hash", "missing", "folder", "good", cwd=tmp_path)
    assert done.status == 1
    assert done.out == f"{hashlib.sha256().hexdigest()}  good\n"
    assert done.err.splitlines() == [
        "skywasm hash: missing: No such file or directory",
        "skywasm hash: folder: Is a directory; add -r to hash all files in it",
    ]


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of folders with awkward names, an empty folder, links, one of them a loop, and a pipe."""
    root = tmp_path / "tree"
    for name in ("a/x", "a-b/x", "a.c", "a/b/deep", "b\\slash", "new\nline/x", "Z", "caf\xe9"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
    (root / "empty").mkdir()
    (root / "a" / "loop").symlink_to("..")
    (root / "link").symlink_to("a.c")
    (root / "nowhere").symlink_to("missing")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_folders(algorithm: str, tree: pathlib.Path) -> None:
    """-r prints what `find FOLDER -type f` finds, in the order of `LC_ALL=C sort`, in coreutils' format."""
    done = run("hash", "-r", "--alg", algorithm, "tree", cwd=tree.parent)
    script = f"find tree -type f -print0 | LC_ALL=C sort -z | xargs -0 {utility(algorithm)}"
    theirs = subprocess.run(["sh", "-c", script], cwd=tree.parent, capture_output=True, check=True).stdout
    assert (done.status, done.err) == (0, "")
    assert in_bytes(done.out) == theirs
    assert len(theirs.splitlines()) == 8


def test_folders_and_files_in_their_order(tree: pathlib.Path) -> None:
    """-r keeps the order of the arguments, takes files too, and follows a link that is named itself."""
    done = run("hash", "-r", "tree/Z", "tree/a/loop/a-b", "tree/a/b/", "-", cwd=tree.parent, data=b"")
    assert done.status == 0
    names = [line.split("  ", 1)[1] for line in done.out.splitlines()]
    assert names == ["tree/Z", "tree/a/loop/a-b/x", "tree/a/b/deep", "-"]


def test_an_empty_folder_is_nothing(tree: pathlib.Path) -> None:
    """A folder without files prints nothing and is no error."""
    assert run("hash", "-r", "tree/empty", cwd=tree.parent) == (0, "", "")
    assert json.loads(run("hash", "-r", "--json", "tree/empty", cwd=tree.parent).out)["files"] == []


def test_what_cannot_be_read_below_a_folder(tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a file that cannot be read are told by name, the rest is hashed, the exit status is 1."""
    # Root may read everything; what has vanished in the meantime nobody can.
    (tree / "sitecustomize.py").write_text("""
import builtins, os
scan, opened = os.scandir, os.open
def scandir(path="."):
    if str(path).endswith("new\\nline"):
        raise PermissionError(13, "Permission denied", path)
    return scan(path)
def open_(path, *rest, **named):
    if str(path).endswith("a.c"):
        raise PermissionError(13, "Permission denied", path)
    return opened(path, *rest, **named)
def python_open(path, *rest, _open=builtins.open, **named):
    if str(path).endswith("a.c"):
        raise PermissionError(13, "Permission denied", path)
    return _open(path, *rest, **named)
os.scandir, os.open, builtins.open = scandir, open_, python_open
""")
    env = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run("hash", "-r", "--alg", "md5", ".", "missing", cwd=tree, env=env)
    assert done.status == 1
    assert sorted(done.err.splitlines()) == sorted(
        [
            "skywasm hash: ./a.c: Permission denied",
            "skywasm hash: ./new",
            "line: Permission denied",
            "skywasm hash: missing: No such file or directory",
        ]
    )
    names = [line.split("  ", 1)[1] for line in done.out.splitlines()]
    assert names == ["./Z", "./a-b/x", "./a/b/deep", "./a/x", "./b\\\\slash", "./caf\xe9", "./sitecustomize.py"]


def test_very_deep_folders(tmp_path: pathlib.Path) -> None:
    """Folders deeper than Python's recursion limit are walked through."""
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=folder)
        folder, last = os.open("d", os.O_RDONLY, dir_fd=folder), folder
        os.close(last)
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
    os.close(folder)
    done = run("hash", "-r", "d", cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("/d/file\n")
    # pytest's own clearing up recurses.
    subprocess.run(["rm", "-rf", "d"], cwd=tmp_path, check=True)


def test_a_bar_on_a_terminal_only_when_it_takes_long(tmp_path: pathlib.Path) -> None:
    """On a terminal a bar counts files after a second when the lines go elsewhere; a short run shows none."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"")
    # The pipe is fed after two seconds.
    slow = (
        "import os, sys, threading, time\n"
        f"def feed():\n    time.sleep(2)\n    open({str(tmp_path / 'pipe')!r}, 'wb').close()\n"
        "threading.Thread(target=feed, daemon=True).start()\n"
    )
    (tmp_path / "sitecustomize.py").write_text(slow)
    arguments = ("hash", "--json", *(str(tmp_path / name) for name in ("a", "b")))
    assert " of 2 files" not in on_terminal(*arguments).out
    shown = on_terminal(*arguments, str(tmp_path / "pipe"), env={"PYTHONPATH": str(tmp_path)}).out
    assert "hashing 0 of 3 files" in shown
    assert json.loads(re.sub(r"^.*?(?=\{)", "", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown), flags=re.DOTALL))["ok"]


def test_json(tmp_path: pathlib.Path) -> None:
    """--json gives a digest or an error a file, and names that are no text survive."""
    name = b"broken-\xff"
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    done = run("hash", "--json", "missing", name, cwd=tmp_path)
    assert done.status == 1
    assert json.loads(done.out) == {
        "algorithm": "sha256",
        "ok": False,
        "files": [
            {"file": "missing", "error": "No such file or directory"},
            {"file": os.fsdecode(name), "digest": hashlib.sha256().hexdigest()},
        ],
    }


def test_what_only_hashlib_knows_is_refused_in_wasm_mode() -> None:
    """An algorithm that is hashlib's alone is an error in wasm mode that says what to do."""
    name = next((name for name in sorted(hashlib.algorithms_available) if works(name)), None)
    if name is None:
        pytest.skip("this hashlib has no algorithm that the artifact lacks")
    assert run("hash", "--alg", name, "-", data=b"").status == 0
    done = run("hash", "--alg", name, "-", data=b"", env={"SKYWASM_BACKEND": "wasm"})
    assert (done.status, done.out) == (1, "")
    assert "use the backend 'auto' or 'python'" in done.err


def works(name: str) -> bool:
    try:
        hashlib.new(name)
    except ValueError:
        return False
    return hashing.find(name) is None


def test_blake3_without_the_sandbox() -> None:
    """blake3 is the sandbox's alone: where that is switched off the message says so."""
    done = run("hash", "--alg", "blake3", "-", data=b"", env={"SKYWASM_BACKEND": "python"})
    assert (done.status, done.out) == (1, "")
    assert "blake3 is computed by the sandbox only" in done.err
    assert done.has_no_traceback()


def test_rich_and_the_engine_are_not_loaded_for_a_digest(tmp_path: pathlib.Path) -> None:
    """A digest that hashlib computes loads neither rich nor wasmtime."""
    code = (
        "import sys; from skywasm.cli import main; status = main(['hash', '-']); "
        "sys.exit(status or bool({'rich', 'ctypes', 'wasmtime', 'skywasm.crossing.module'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=True)
