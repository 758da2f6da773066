"""`skywasm enable` and `disable` in real environments: what they write, what it does, and that nothing stays."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import shutil
import sys
import sysconfig

import pytest
from children import copy_packages, run
from cli.program import command

import skywasm
from dropin.places import PTH, WHOSE, base_python, call, make_environment, make_sky, packages, printed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

OURS, SKYS = "skywasm", "sky.utils.common_utils"


class Environment:
    """A virtual environment with a made-up SkyPilot."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.python = make_environment(folder)
        self.packages = packages(folder)
        self.pth = self.packages / PTH
        make_sky(self.packages)

    def skywasm(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Runs skywasm's command line with the environment's Python."""
        return call(self.python, "-m", "skywasm", *words, **how)

    def enable(self, **how: Any) -> str:
        done = self.skywasm("enable", **how)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def whose(self, *options: str, **how: Any) -> str:
        """Whose function a program of the environment uses."""
        return printed(self.python, WHOSE, *options, **how)

    def files(self) -> list[str]:
        return sorted(str(path) for path in self.packages.rglob("*"))


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Environment:
    return Environment(tmp_path / "environment")


@pytest.fixture
def with_copies(tmp_path: pathlib.Path) -> Environment:
    """An environment with its own copies of skywasm's packages, beside the tests' that it also sees."""
    made = Environment(tmp_path / "own copies \u00e9 'and' \"so on\"")
    copy_packages(made.packages)
    return made


def test_on_and_off_with_skypilot_itself(tmp_path: pathlib.Path) -> None:
    """In a new environment SkyPilot's functions are skywasm's after `enable`, and SkyPilot's after `disable`, which
    leaves no file.
    """
    if importlib.util.find_spec("sky") is None:
        pytest.skip("SkyPilot is not installed")
    python = make_environment(tmp_path / "environment")
    before = sorted((tmp_path / "environment").rglob("*"))
    assert call(python, "-m", "skywasm", "enable").returncode == 0
    code = (
        "import skywasm; skywasm.get_parallel_threads.__code__ = (lambda cloud_str=None: 4321).__code__;"
        f"import sky.provision.kubernetes.instance as i; {WHOSE}; print(i._NUM_THREADS)"
    )
    # Its standard error is not looked at: SkyPilot's dependencies complain.
    assert call(python, "-c", code).stdout.split() == [OURS, "4321"]
    assert call(python, "-m", "skywasm", "disable").returncode == 0
    assert call(python, "-c", WHOSE).stdout == f"{SKYS}\n"
    assert sorted((tmp_path / "environment").rglob("*")) == before


def test_it_says_what_it_wrote(place: Environment) -> None:
    """`enable` writes one line into one file and names it; `disable` removes it and names it."""
    before = place.files()
    said = place.enable()
    assert f"The drop-in is on in {place.folder}" in said
    assert f"wrote     {place.pth}, one line" in said
    assert place.whose() == OURS
    text = place.pth.read_bytes()
    assert text.count(b"\n") == 1
    assert text.startswith(b"import ")
    assert text.isascii()
    done = place.skywasm("disable")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"removed  {place.pth}" in done.stdout
    assert place.files() == before
    assert place.whose() == SKYS


def test_twice(place: Environment) -> None:
    """A second `enable` keeps the file, an old form of it is written anew, and a second `disable` has nothing to do."""
    place.enable()
    assert f"kept      {place.pth}" in place.enable()
    place.pth.write_text("import sys\n")
    assert f"wrote     {place.pth}" in place.enable()
    assert place.skywasm("disable").returncode == 0
    done = place.skywasm("disable")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"there is no {place.pth}" in done.stdout


@pytest.mark.parametrize(("options", "owner"), [("-I", OURS), ("-E", OURS), ("-s", OURS), ("-B", OURS)])
def test_for_good(options: str, owner: str, place: Environment) -> None:
    """It is on whatever the options of Python, but for -S, with which no environment's packages are seen."""
    place.enable()
    assert place.whose(options) == owner
    assert printed(place.python, f"import sys; sys.path.append({str(place.packages)!r}); {WHOSE}", "-S") == SKYS


@pytest.mark.parametrize("value", ["0", "false", "no"])
def test_the_switch_wins(value: str, place: Environment) -> None:
    """SKYPILOT_USE_RUST switches it off for one process, and status() says so."""
    place.enable()
    env = {"SKYPILOT_USE_RUST": value}
    assert place.whose(env=env) == SKYS
    code = "from skywasm import skypilot as s; import sky.utils.common_utils; print(s.status()['reason'])"
    assert printed(place.python, code, env=env) == f"SKYPILOT_USE_RUST={value} switches it off"


def test_status_and_undo_before_skypilot_is_imported(place: Environment) -> None:
    """What waits for SkyPilot counts as installed, and uninstall() calls it off for the process."""
    place.enable()
    assert printed(place.python, "from skywasm import skypilot as s; print(s.status()['installed'])") == "True"
    code = f"from skywasm import skypilot as s; print(s.uninstall(), s.status()['installed']); {WHOSE}"
    assert printed(place.python, code).split() == ["True", "False", SKYS]
    assert printed(place.python, f"{WHOSE}; from skywasm import skypilot as s; s.uninstall(); {WHOSE}").split() == [
        OURS,
        SKYS,
    ]


def evil(folder: pathlib.Path) -> pathlib.Path:
    """A folder with packages of skywasm's names that should not be imported."""
    for name in ("skywasm", "host_shims"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("print('evil')\n")
    (folder / "skywasm" / "skypilot").mkdir()
    for name in ("__init__", "startup"):
        (folder / "skywasm" / "skypilot" / f"{name}.py").write_text("print('worse')\n")
    return folder


def test_neither_pythonpath_nor_the_current_folder_counts(place: Environment, tmp_path: pathlib.Path) -> None:
    """Packages of skywasm's names on PYTHONPATH and in the current folder are not imported in its place."""
    place.enable()
    folder = evil(tmp_path / "evil")
    assert place.whose(cwd=folder) == OURS
    assert place.whose(env={"PYTHONPATH": str(folder)}) == OURS
    # A program that imports them itself gets what it asks for, and SkyPilot stays as it is.
    code = f"import skywasm; {WHOSE}; print(sorted(n for n in __import__('sys').modules if n.startswith('skywasm')))"
    assert printed(place.python, code, cwd=folder).split("\n") == ["evil", SKYS, "['skywasm']"]


def test_another_finder_that_comes_first(place: Environment, tmp_path: pathlib.Path) -> None:
    """A program's own finder does not bring in another skywasm, and where it does SkyPilot is left alone."""
    place.enable()
    folder = copy_packages(tmp_path)["cwd"]
    code = f"""
import sys
from importlib.machinery import PathFinder
class First:
    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, [{folder!r}]) if name in ("skywasm", "host_shims") else None
class FirstStays(list):
    def insert(self, place, finder):
        super().insert(place + 1, finder)
sys.meta_path = {{}}([First(), *sys.meta_path])
{WHOSE}
"""
    assert printed(place.python, code.format("list")) == OURS
    assert printed(place.python, code.format("FirstStays")) == SKYS


def test_enable_run_from_a_checkout(with_copies: Environment, tmp_path: pathlib.Path) -> None:
    """`enable` names the environment's own skywasm, also when another copy is running."""
    elsewhere = copy_packages(tmp_path / "checkout")
    said = with_copies.enable(**elsewhere)
    assert str(with_copies.packages / "skywasm") in said
    assert str(tmp_path / "checkout") not in said + with_copies.pth.read_text()
    assert with_copies.whose() == OURS
    assert with_copies.skywasm("check", "--json").returncode == 0


def test_without_skywasm_in_the_environment(tmp_path: pathlib.Path) -> None:
    """A skywasm that is only on PYTHONPATH cannot be enabled: the message says where it is and what to install."""
    python = make_environment(tmp_path / "environment")
    (packages(tmp_path / "environment") / "base.pth").unlink()
    folder = copy_packages(tmp_path)["cwd"]
    # What skywasm itself depends on, without the packages of the tests.
    env = {"PYTHONPATH": os.pathsep.join([folder, sysconfig.get_path("purelib")])}
    done = call(python, "-m", "skywasm", "enable", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"skywasm is not among the packages of {tmp_path / 'environment'}; the one running now is" in done.stderr
    assert f"{python} -m pip install skywasm" in done.stderr
    assert not (packages(tmp_path / "environment") / PTH).exists()


def test_outside_an_environment() -> None:
    """Without a virtual environment `enable` refuses with 2 and names --system; that asks for skywasm to be there."""
    python = base_python()
    folders = [path for path in sys.path if path.endswith("packages")] + [str(pathlib.Path(command()[0]).parent)]
    env = {"PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).parents[2]), *folders])}
    if python == sys.executable or call(python, "-I", "-c", "import skywasm").returncode == 0:
        pytest.skip("this Python is no virtual environment, or its base has skywasm")
    done = call(python, "-m", "skywasm", "enable", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no virtual environment" in done.stderr
    assert "--system" in done.stderr
    done = call(python, "-m", "skywasm", "enable", "--system", env=env)
    assert done.returncode == 1
    assert "-m pip install skywasm" in done.stderr
    done = call(python, "-m", "skywasm", "disable", env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_python_that_talks_while_it_starts(place: Environment) -> None:
    """What other .pth files print when Python starts does not confuse `enable`; one that ends Python is told."""
    talker = place.packages / "talker.pth"
    talker.write_text("import sys; print('good morning')\n")
    assert "The drop-in is on" in place.enable()
    talker.write_text("import os, sys; '-I' in sys.orig_argv and (os.write(2, b'no way'), os._exit(3))\n")
    done = place.skywasm("enable")
    assert done.returncode == (1 if hasattr(sys, "orig_argv") else 0)
    if done.returncode:
        assert done.stderr == f"skywasm enable: {place.python} does not start as it should: no way\n"


def test_a_place_that_cannot_be_written(place: Environment) -> None:
    """Where the file cannot be written or removed the commands say so and end with 1."""
    place.pth.mkdir()
    for word, problem in (("enable", "cannot be written"), ("disable", "cannot be removed")):
        done = place.skywasm(word)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"skywasm {word}: {place.pth} {problem}: Is a directory\n" == done.stderr
    assert [path.name for path in place.packages.glob("skywasm*")] == [PTH]


def test_a_python_that_does_not_read_it(place: Environment, tmp_path: pathlib.Path) -> None:
    """Where a new Python does not read the file, `enable` takes it back and says so."""
    (place.packages / "zzz.pth").write_text(
        "import sys; sys.meta_path[:] = [f for f in sys.meta_path if not hasattr(f, 'skywasm_drop_in')]\n"
    )
    done = place.skywasm("enable")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"a new Python does not read {place.pth}, so the file was removed again" in done.stderr
    assert not place.pth.exists()


@pytest.mark.parametrize("gone", ["skywasm", "host_shims", "skywasm/skypilot", "skywasm/skypilot/startup.py"])
def test_uninstalled_without_disable(gone: str, with_copies: Environment) -> None:
    """When skywasm goes while it is enabled, Python starts without a word and SkyPilot is as it was."""
    with_copies.enable()
    assert with_copies.whose() == OURS
    (with_copies.packages / "base.pth").unlink()
    path = with_copies.packages / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert printed(with_copies.python, "print('up')") == "up"
    assert with_copies.whose() == SKYS


# What `skywasm enable` wrote before the start-up's module moved, for a skywasm in FOLDER.
OLDER_LINE = pathlib.Path(__file__).with_name("older_line.txt")


def test_enabled_by_an_older_version(place: Environment) -> None:
    """A file that an older version has written does nothing and says nothing; `check` tells, `enable` renews it."""
    folder = str(pathlib.Path(skywasm.__file__).parents[1])
    line = OLDER_LINE.read_text().replace("FOLDER", folder)
    place.pth.write_text(line)
    waiting = "import sys; print([f.skywasm_drop_in for f in sys.meta_path if hasattr(f, 'skywasm_drop_in')])"
    assert printed(place.python, waiting) == f"[{folder!r}]"
    assert place.whose() == SKYS
    assert drop_in_check(place) == {
        "name": "drop-in",
        "state": "warning",
        "fact": f"{place.pth} was written by another version",
        "remedy": "run `skywasm enable` again",
    }
    assert f"wrote     {place.pth}" in place.enable()
    assert place.whose() == OURS
    place.pth.write_text(line)
    assert place.skywasm("disable").returncode == 0
    assert place.whose() == SKYS


def test_a_broken_skywasm_is_told_and_harms_nothing(with_copies: Environment) -> None:
    """An error in skywasm itself leaves SkyPilot as it is, with one warning that names the error."""
    with_copies.enable()
    (with_copies.packages / "skywasm" / "skypilot" / "__init__.py").write_text("raise RuntimeError('broken')\n")
    done = call(with_copies.python, "-c", WHOSE)
    assert (done.returncode, done.stdout) == (0, f"{SKYS}\n")
    assert (
        "RuntimeWarning: skywasm's drop-in stays off: RuntimeError: broken; `skywasm check` tells more" in done.stderr
    )


def test_python_starts_as_before(place: Environment) -> None:
    """Until SkyPilot is imported an enabled environment loads no module more, and sys.path is the same."""
    code = "import sys, json; print(json.dumps([sorted(sys.modules), sys.path, len(sys.meta_path)]))"
    modules, path, finders = json.loads(printed(place.python, code))
    place.enable()
    assert json.loads(printed(place.python, code)) == [modules, path, finders + 1]


def test_both_ways_at_once(place: Environment) -> None:
    """`skywasm run` in an enabled environment does no harm: the drop-in is on once."""
    place.enable()
    own = "type(f).__module__ == 'skywasm.skypilot.import_hook'"
    kinds = f"[hasattr(f, 'skywasm_drop_in') or {own} for f in sys.meta_path]"
    code = f"import sys; print(sum({kinds})); {WHOSE}; print(sum({kinds}))"
    done = place.skywasm("run", "-c", code)
    assert (done.stdout, done.stderr) == (f"2\n{OURS}\n1\n", "")


def drop_in_check(place: Environment, **how: Any) -> dict[str, Any]:
    """The drop-in's line of `skywasm check`, started in the given way."""
    checks = json.loads(place.skywasm("check", "--json", **how).stdout)["checks"]
    return next(check for check in checks if check["name"] == "drop-in")


def test_check_tells_how_it_stands(place: Environment) -> None:
    """`skywasm check` says whether the drop-in is on, through what, and what is wrong with a file that does nothing."""
    assert drop_in_check(place)["fact"].startswith("off; `skywasm enable` switches it on")
    place.enable()
    assert drop_in_check(place)["fact"] == f"on through {place.pth}"
    assert drop_in_check(place, env={"SKYPILOT_USE_RUST": "no"})["fact"] == "off by SKYPILOT_USE_RUST=no"
    place.pth.write_text("import sys\n")
    found = drop_in_check(place)
    assert (found["state"], found["remedy"]) == ("warning", "run `skywasm enable` again, or `skywasm disable`")
    place.skywasm("disable")
    done = place.skywasm("run", "-m", "skywasm", "check")
    assert "on in this process by `skywasm run`" in done.stdout


def test_help(place: Environment) -> None:
    """Both commands tell what they do, with an example, in 80 columns."""
    for word in ("enable", "disable"):
        done = place.skywasm(word, "--help", env={"COLUMNS": "80"})
        assert (done.returncode, done.stderr) == (0, "")
        assert f"examples:\n  skywasm {word}" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert place.skywasm(word, "extra").returncode == 2


def test_the_tests_run_without_it() -> None:
    """The environment of the tests is not enabled itself, or they would compare skywasm with itself."""
    assert run("import sys; report(on=[f for f in sys.meta_path if hasattr(f, 'skywasm_drop_in')])")["on"] == []
