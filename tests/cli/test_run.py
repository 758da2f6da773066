"""`skywasm run` on what is there and no program: 126 and what to do, as 127 is for what is not there."""

from __future__ import annotations

import os

import pytest

from cli.program import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def place(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a text, a folder, and two files that may be executed, of which one says by what."""
    (tmp_path / "plain.txt").write_text("x\n")
    (tmp_path / "folder").mkdir()
    for name, content in (("bare", "x\n"), ("own-script", "#!/bin/sh\nexit 7\n")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("plain.txt", "plain.txt: it is not executable; name the program that reads it, as in: skywasm run -- sh"),
        ("./plain.txt", "./plain.txt: it is not executable"),
        ("folder", "folder: it is a folder; name a program in it"),
        ("./folder", "./folder: it is a folder"),
        ("own-script", "own-script: the current folder is not searched for programs; to run it, write ./own-script"),
        ("./bare", "./bare: Exec format error; has it a first line that says what runs it, as #!/bin/sh?"),
    ],
)
def test_there_and_no_program(word: str, said: str, place: pathlib.Path) -> None:
    """What exists and cannot be executed ends with 126, as in a shell, and is told with what to do."""
    done = run("run", word, cwd=place)
    assert (done.status, done.out) == (126, "")
    assert done.err.startswith(f"skywasm run: {said}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(place: pathlib.Path) -> None:
    """A file that is another's ends with 126 and says so."""
    (place / "plain.txt").chmod(0)
    done = run("run", "./plain.txt", cwd=place)
    assert (done.status, done.err) == (126, "skywasm run: ./plain.txt: you may not read or execute it\n")


@pytest.mark.parametrize("word", ["no-such-program", "./nothing", "no.py", ""])
def test_not_there(word: str, place: pathlib.Path) -> None:
    """What does not exist ends with 127 and is named, an empty word too."""
    done = run("run", word, cwd=place)
    assert (done.status, done.out) == (127, "")
    assert done.err.startswith(f"skywasm run: {word or repr('')}: no such command beside ")


def test_a_program_in_this_folder(place: pathlib.Path) -> None:
    """A program that is named by a path runs, and its exit status comes out."""
    assert run("run", "./own-script", cwd=place) == (7, "", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such things on Windows")
@pytest.mark.parametrize("name", ["./p", "p", "./p.py", "p.py", "/dev/null"])
def test_what_is_no_file_is_not_run(name: str, tmp_path: pathlib.Path) -> None:
    """Named pipes and devices are refused without being opened: nobody would ever write into one."""
    for made in ("p", "p.py"):
        os.mkfifo(tmp_path / made)
    done = run("run", "--", name, cwd=tmp_path)
    assert (done.status, done.err) == (126, f"skywasm run: {name}: it is no file but a named pipe, socket or device\n")
