"""The program on Windows: what its lines, names, programs and terminals have otherwise."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys

import pytest
from children import environment
from cli import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if sys.platform != "win32":
    pytest.skip("Windows' own", allow_module_level=True)

CONTENT = b"one\r\ntwo\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PIPE_CLOSED, INTERRUPTED = 141, 130


def raw(*words: str, **how: Any) -> tuple[int, bytes, bytes]:
    """Runs the program; its exit status and its output byte for byte."""
    child = program.start(*words, **how)
    out, err = child.communicate(timeout=program.TIMEOUT_S)
    return child.returncode, out, err


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with files whose order depends on what separates names."""
    folder = tmp_path / "tree"
    for name in ("a/inside", "a-b", "a.txt", "b"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(CONTENT)
    return folder


def test_lines_that_other_systems_can_check(tree: pathlib.Path) -> None:
    """Digests stand before names with slashes and a drive, escaped by nothing, ended as sha256sum wants it."""
    for given in (str(tree), str(tree).replace("\\", "/")):
        status, out, err = raw("hash", "-r", given)
        names = [f"{tree.as_posix()}/{name}" for name in ("a-b", "a.txt", "a/inside", "b")]
        assert (status, err) == (0, b"")
        assert out == "".join(f"{DIGEST}  {name}\n" for name in names).encode()
        assert b":/" in out


def test_a_junction_is_no_folder(tree: pathlib.Path) -> None:
    """A junction back to the folder itself is left out as a link is, so that no file comes twice and nothing loops."""
    import _winapi

    try:
        _winapi.CreateJunction(str(tree), str(tree / "loop"))
        os.scandir(tree / "loop").close()
    except OSError as error:
        pytest.skip(f"no junction can be made here: {error}")
    done = program.run("hash", "-r", str(tree))
    assert (done.status, done.err, done.out.count(DIGEST)) == (0, "", 4)


def test_a_folder_is_told_to_be_one(tree: pathlib.Path) -> None:
    """What Windows calls a refused permission is a folder in its place, for `hash` and for `tail`."""
    hashed, tailed = program.run("hash", str(tree), str(tree / "b")), program.run("tail", str(tree))
    assert hashed.err == f"skywasm hash: {tree}: Is a directory; add -r to hash all files in it\n"
    assert (hashed.status, hashed.out.count(DIGEST)) == (1, 1)
    assert (tailed.status, tailed.err) == (1, f"skywasm tail: {tree}: Is a directory\n")


@pytest.mark.parametrize("page", ["cp1252", "cp437", "ascii"])
def test_a_code_page_without_the_letters(page: str, tmp_path: pathlib.Path) -> None:
    """A page of a log is shown in every code page; what that lacks is escaped."""
    log = tmp_path / "log.txt"
    log.write_bytes("first\r\nready \U0001f680 f\xfcr\r\nlast".encode())
    status, out, err = raw("tail", str(log), env={"PYTHONIOENCODING": page})
    assert (status, err) == (0, b"")
    umlaut = "\xfc".encode(page, "backslashreplace")
    # Lines keep their own ends, and the last one gets this system's.
    assert out.replace(b"\r\r\n", b"\r\n") == b"first\r\nready \\U0001f680 f" + umlaut + b"r\r\nlast\r\n"


def test_a_name_that_the_code_page_lacks(tmp_path: pathlib.Path) -> None:
    """A complaint about such a name is shown too."""
    status, _, err = raw("hash", str(tmp_path / "\U0001f680"), env={"PYTHONIOENCODING": "cp1252"})
    assert (status, err.count(b"\\U0001f680: No such file")) == (1, 1)


def test_what_others_have_open_alone(tree: pathlib.Path) -> None:
    """A file that another program keeps to itself costs its own line only."""
    import ctypes

    opened = ctypes.windll.kernel32.CreateFileW  # type: ignore[attr-defined]
    opened.restype, opened.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_wchar_p, *[ctypes.c_uint32] * 2] + [ctypes.c_void_p] * 4,
    )
    handle = opened(str(tree / "a.txt"), 0x80000000, 0, None, 3, None, None)
    try:
        done = program.run("hash", "-r", str(tree))
    finally:
        ctypes.windll.kernel32.CloseHandle(ctypes.c_void_p(handle))  # type: ignore[attr-defined]
    assert (done.status, done.out.count(DIGEST)) == (1, 3)
    assert done.err.startswith(f"skywasm hash: {tree / 'a.txt'}: ")
    assert done.has_no_traceback()


def test_names_that_are_devices(tmp_path: pathlib.Path) -> None:
    """NUL is an empty file in every folder, and no program."""
    for name in ("NUL", str(tmp_path / "nul")):
        assert program.run("hash", name).out.split()[0] == hashlib.sha256(b"").hexdigest()
    done = program.run("run", "NUL")
    assert (done.status, done.err) == (126, "skywasm run: NUL: it is no file but a named pipe, socket or device\n")


def test_paths_beyond_the_old_limit(tmp_path: pathlib.Path) -> None:
    """A file below folders of more than 260 letters is hashed, or told where Windows keeps to its limit."""
    deep = "\\\\?\\" + os.path.join(str(tmp_path), *["d" * 60] * 6)
    os.makedirs(deep)
    pathlib.Path(deep, "file").write_bytes(CONTENT)
    done = program.run("hash", "-r", str(tmp_path))
    assert done.has_no_traceback()
    assert (done.status, done.out.count(DIGEST)) in ((0, 1), (1, 0))
    assert bool(done.err) == (done.status == 1)
    assert program.run("hash", "-r", "\\\\?\\" + str(tmp_path)).out.count(DIGEST) == 1


def test_a_reader_that_has_gone(tmp_path: pathlib.Path) -> None:
    """Nobody reads the output any more: the program ends quietly, although Windows calls it an invalid argument."""
    for number in range(4000):
        (tmp_path / f"{'n' * 100}{number}").touch()
    with program.start("hash", "-r", str(tmp_path)) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(100)
        child.stdout.close()
        assert (child.stderr.read(), child.wait(program.TIMEOUT_S)) == (b"", PIPE_CLOSED)


def test_ctrl_c(tmp_path: pathlib.Path) -> None:
    """Ctrl-C in the middle of work ends the program with 130 and not a word."""
    (tmp_path / "large").write_bytes(bytes(10_000_000))
    code = """
import _thread, sys, threading
from skywasm import cli
threading.Timer(1.5, _thread.interrupt_main).start()
sys.exit(cli.main(["hash", *[sys.argv[1]] * 5000]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "large")]
    done = subprocess.run(command, capture_output=True, timeout=program.TIMEOUT_S, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (INTERRUPTED, b"")


def test_a_program_that_crashes() -> None:
    """What Windows says of a crash comes out of `skywasm run` as it went in."""
    crash = "import ctypes as c; k = c.windll.kernel32; k.TerminateProcess(c.c_void_p(-1), 0xC0000005)"
    status, _, err = raw("run", "-c", crash)
    assert (status, err) == (0xC0000005, b"")


def test_a_text_is_no_program(tree: pathlib.Path) -> None:
    """Every file may be executed on Windows; one whose name says otherwise is refused with what to do."""
    for name in ("a.txt", ".\\a.txt"):
        done = program.run("run", name, cwd=tree)
        assert done.status == 126
        assert done.err.startswith(f"skywasm run: {name}: its name does not end as a program's does")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder Scripts of a new environment that has skywasm, its program, and another one, as pip makes them."""
    pytest.importorskip("venv", reason="this Python has no venv")
    makers = pytest.importorskip("pip._vendor.distlib.scripts", reason="this Python has no pip")
    from dropin.places import make_environment

    folder = tmp_path_factory.mktemp("environment")
    make_environment(folder)
    maker = makers.ScriptMaker(None, str(folder / "Scripts"))
    maker.executable, maker.variants = str(folder / "Scripts" / "python.exe"), {""}
    for line in ("skywasm = skywasm.cli:main", "tells = platform:python_version"):
        maker.make(line)
    return folder / "Scripts"


def in_scripts(scripts: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(scripts / "skywasm.exe"), *words]
    env = environment({"COLUMNS": "", "PYTHONPATH": ""})
    return subprocess.run(command, capture_output=True, text=True, timeout=program.TIMEOUT_S, env=env, check=False)


def test_enable_and_disable(scripts: pathlib.Path) -> None:
    """The program in Scripts switches the drop-in of its environment on and off again, and tells where."""
    on, check, off, again = (in_scripts(scripts, word) for word in ("enable", "check", "disable", "disable"))
    pth = scripts.parent / "Lib" / "site-packages" / "skywasm_dropin.pth"
    assert (on.returncode, on.stderr) == (0, "")
    assert f"wrote     {pth}, one line" in on.stdout
    assert f"drop-in   on through {pth}" in check.stdout
    assert (off.returncode, f"removed  {pth}" in off.stdout, pth.exists()) == (0, True, False)
    assert (again.returncode, "was not on" in again.stdout) == (0, True)


@pytest.mark.parametrize("name", ["tells", "tells.exe", "PATH\\tells", "PATH\\tells.EXE"])
def test_programs_beside_this_python(name: str, scripts: pathlib.Path) -> None:
    """A program in Scripts is found by its name, with its ending and without, and by its path."""
    done = in_scripts(scripts, "run", name.replace("PATH", str(scripts)))
    version = ".".join(map(str, sys.version_info[:3]))
    # Such a script ends with what its function gives.
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{version}\n")


def test_the_drop_in_in_a_program(scripts: pathlib.Path) -> None:
    """`skywasm run -- python` is the environment's Python with the drop-in on, and its exit status comes out."""
    code = "import sys; print(sys.prefix, any(hasattr(one, 'skywasm_drop_in') for one in sys.meta_path)); sys.exit(5)"
    done = in_scripts(scripts, "run", "--", "python", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (5, f"{scripts.parent} True\n", "")
