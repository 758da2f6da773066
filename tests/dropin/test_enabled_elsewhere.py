"""`skywasm enable` in environments that print, are copied or moved, and under masks that hide files from others."""

from __future__ import annotations

import os
import shutil
import stat
import sys

import pytest
from children import copy_packages

from dropin.places import PTH, WHOSE, call, packages, printed
from dropin.test_enable import OURS, Environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

# What profilers and coverage tools leave in an environment.
TALKERS = {
    "a line at the end": "import atexit; atexit.register(print, 'profile written')",
    "a literal at the end": "import atexit; atexit.register(print, '[1, 2]')",
    "an empty line at the end": "import atexit; atexit.register(print)",
    "no end of line": "import atexit, sys; atexit.register(sys.stdout.write, 'x')",
    "at the start": "print('hello', end='')",
    "no output at all": "import sys; sys.stdout = None",
    "another output": "import sys, io; sys.stdout = io.StringIO()",
    "bytes that are no UTF-8": "import os, atexit; os.write(1, b'\\xff'); atexit.register(os.write, 1, b'\\xff\\n')",
    "a failure at the end": "import os, atexit; atexit.register(os._exit, 3)",
    "a question": "import sys; sys.stdin.read() if sys.flags.isolated else None",
}


@pytest.fixture
def own(tmp_path: pathlib.Path) -> Environment:
    """An environment with its own copies of skywasm's packages."""
    made = Environment(tmp_path / "first")
    copy_packages(made.packages)
    return made


@pytest.mark.parametrize("talker", TALKERS)
def test_whatever_else_is_printed(talker: str, tmp_path: pathlib.Path) -> None:
    """The answer of a new Python is found among all that others print."""
    place = Environment(tmp_path / "environment")
    line = TALKERS[talker] if TALKERS[talker].startswith("import") else f"import sys; {TALKERS[talker]}"
    # Only in the Python that `enable` asks: its own output is what this test reads.
    code = f"if sys.flags.isolated: exec({line!r})"
    (place.packages / "zz_talker.pth").write_text(f"import sys; exec({code!r})\n")
    done = place.skywasm("enable")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"wrote     {place.pth}" in done.stdout
    assert place.whose() == OURS


@pytest.mark.parametrize("how", ["copied", "moved"])
def test_an_environment_elsewhere(how: str, own: Environment, tmp_path: pathlib.Path) -> None:
    """A copy uses its own skywasm, never that of the environment it was copied from; a moved one goes on."""
    own.enable()
    there = tmp_path / "second"
    shutil.copytree(own.folder, there, symlinks=True)
    if how == "moved":
        shutil.rmtree(own.folder)
    python = there / os.path.relpath(own.python, own.folder)
    code = f"{WHOSE}; import skywasm; print(skywasm.__file__)"
    assert printed(python, code).split() == [OURS, str(packages(there) / "skywasm" / "__init__.py")]
    code = "from skywasm import skypilot; import json; print(skypilot.status()['installed'])"
    assert printed(python, code) == "True"
    done = call(python, "-m", "skywasm", "check")
    assert f"on through {packages(there) / PTH}" in done.stdout


def test_a_line_for_another_skywasm_is_told(own: Environment, tmp_path: pathlib.Path) -> None:
    """Where the line leads to another copy, `check` and `status` say so."""
    own.enable()
    text = own.pth.read_text()
    gone = str(tmp_path / "gone")
    own.pth.write_text(text.replace("locals().get('sitedir') or ", "").replace(repr(str(own.packages)), repr(gone)))
    assert own.pth.read_text() != text
    done = own.skywasm("check")
    assert "is there, but is not for the skywasm in" in done.stdout
    code = "from skywasm import skypilot; status = skypilot.status(); print(status['installed'], status['reason'])"
    assert printed(own.python, code).startswith(f"False this environment is set up for the skywasm in {gone}")


@pytest.mark.parametrize("word", ["enable", "disable"])
def test_the_program_of_a_copy_is_not_the_copys(word: str, own: Environment, tmp_path: pathlib.Path) -> None:
    """The program in a copied environment is run by the Python of the first one, which is refused, with the remedy."""
    there = tmp_path / "second"
    program = there / "bin" / "skywasm"
    shutil.copytree(own.folder, there, symlinks=True)
    program.write_text(f"#!{own.python}\nimport sys\nfrom skywasm.cli import main\nsys.exit(main())\n")
    program.chmod(0o755)
    done = call(own.python, program, word)
    assert done.returncode == 2
    assert f"To mean the copy: {there / 'bin'}" in done.stderr
    assert not own.pth.exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no such mask")
def test_others_may_read_it_whatever_the_umask(own: Environment) -> None:
    """Python passes over a .pth file that it may not read: for everybody else the drop-in would silently be off."""
    code = "import os, sys; os.umask(0o077); from skywasm.cli import main; sys.exit(main(['enable']))"
    assert call(own.python, "-c", code).returncode == 0
    assert stat.S_IMODE(own.pth.stat().st_mode) == 0o644
    own.pth.chmod(0o600)
    assert call(own.python, "-c", code).returncode == 0
    assert stat.S_IMODE(own.pth.stat().st_mode) == 0o644


def test_a_colon_in_the_path(tmp_path: pathlib.Path) -> None:
    """PYTHONPATH cannot name such a folder: `run` says so, and `enable`, which needs no PYTHONPATH, works."""
    folder = tmp_path / "a:b"
    copy_packages(folder)
    place = Environment(tmp_path / "environment")
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from skywasm.cli import main; sys.exit(main())"
    done = call(sys.executable, "-c", code, "run", "--", "python", "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (1, "")
    assert "which PYTHONPATH cannot hold" in done.stderr
    (place.packages / "colon.pth").write_text(f"import sys; sys.path.insert(0, {str(folder)!r})\n")
    place.enable()
    assert place.whose() == OURS
