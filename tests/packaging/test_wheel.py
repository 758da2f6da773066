"""The wheel: one for all platforms, small, complete, the same for everybody, and at work where it is installed."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile

import checkouts
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_BYTES = 400_000
# 2031-05-07 07:08:10 UTC; zip files count in steps of two seconds.
EPOCH, EPOCH_DATE = "1935904090", (2031, 5, 7, 7, 8, 10)


def _build(kind: str, source: pathlib.Path, into: pathlib.Path, **environment: str) -> pathlib.Path:
    """Builds a wheel or an sdist with what is installed here, so that no registry is needed."""
    into.mkdir()
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(into), str(source)]
    base = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=into, env={**base, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of this checkout, so that nothing changes between two builds."""
    return checkouts.copied(tmp_path_factory.mktemp("first") / "checkout")


@pytest.fixture(scope="module")
def wheel(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return _build("wheel", checkout, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.fixture(scope="module")
def sdist(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return _build("sdist", checkout, tmp_path_factory.mktemp("sdist") / "dist")


def _package_files(folder: pathlib.Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for package in ("skywasm", "host_shims")
        for path in (folder / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_one_pure_wheel_for_all_platforms(wheel: pathlib.Path) -> None:
    """The build gives one file, for any Python 3 and any platform, below 400 kB."""
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < LIMIT_BYTES


def test_exactly_the_two_packages(wheel: pathlib.Path, checkout: pathlib.Path) -> None:
    """The wheel holds every file of skywasm and host_shims, its own metadata, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert names - metadata == _package_files(checkout)
    for needed in ("core.wasm", "core.provenance", "vectors.json", "py.typed", "skypilot/run/sitecustomize.py"):
        assert f"skywasm/{needed}" in names
    assert {"skywasm/report/page.html", "skywasm/report/page.css", "skywasm/report/page.js"} < names
    assert {"/".join(name.split("/")[1:]) for name in metadata} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt"),
        *("licenses/LICENSE", "sboms/skywasm.cdx.json"),
    }


@pytest.fixture(scope="module")
def moved(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The same checkout in another folder, with other times, and no rights for others."""
    other = tmp_path_factory.mktemp("a much longer name") / "checkout"
    shutil.copytree(checkout, other)
    for number, path in enumerate(sorted(other.rglob("*"))):
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        if path.is_file():
            path.chmod(path.stat().st_mode & 0o700)
    return other


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_same_everywhere_and_always(
    kind: str, moved: pathlib.Path, tmp_path: pathlib.Path, request: pytest.FixtureRequest
) -> None:
    """In another folder, with other times, rights, time zone and hash seed, the build gives the same bytes."""
    first: pathlib.Path = request.getfixturevalue(kind)
    again = _build(kind, moved, tmp_path / "dist", TZ="Asia/Kathmandu", PYTHONHASHSEED="4711")
    assert again.read_bytes() == first.read_bytes()


def test_the_sdist_builds_the_same_wheel(sdist: pathlib.Path, wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The sdist is small, holds the sources of the artifact, and gives the wheel that the checkout gives."""
    assert sdist.stat().st_size < 4_000_000
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (folder,) = tmp_path.iterdir()
    assert (folder / "wasm-core" / "src" / "lib.rs").is_file()
    assert not list(folder.rglob("*.pyc"))
    assert _build("wheel", folder, tmp_path / "dist").read_bytes() == wheel.read_bytes()


def test_the_date_of_the_sources(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """``SOURCE_DATE_EPOCH`` is the date of every file in the wheel."""
    made = _build("wheel", checkout, tmp_path / "dist", SOURCE_DATE_EPOCH=EPOCH)
    with zipfile.ZipFile(made) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {EPOCH_DATE}


def _alone(prefix: list[str], command: list[str], folder: pathlib.Path) -> str:
    """Runs a command that knows of no checkout and no Rust."""
    # Windows starts nothing without its own folder.
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **kept}
    done = subprocess.run([*prefix, *command], check=False, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _no_network() -> list[str]:
    """A command in front that takes the network away, where this system can do that."""
    prefix = ["unshare", "-r", "-n"]
    works = (
        shutil.which("unshare") and not subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    )
    return prefix if works else []


def _installed(folder: pathlib.Path, prefix: list[str], *arguments: str) -> pathlib.Path:
    """The Python of a new environment, into which pip put something without a registry."""
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    _alone(prefix, [str(python), "-m", "pip", "install", "-q", "--no-index", *arguments], folder)
    return python


def test_alone_it_answers_in_python(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Installed without anything that it needs, the wheel answers in Python and says why, once."""
    prefix = _no_network()
    python = str(_installed(tmp_path, prefix, "--no-deps", str(wheel)))
    code = (
        "import skywasm; print(skywasm.base36_encode('ff'), skywasm.format_float(0.25), *skywasm.batch.base36_encode"
        "(['ff'])); info = skywasm.get_backend_info(load=True); print(info['backend'], info['reason'], sep='; ')"
    )
    answers, backend = _alone(prefix, [python, "-I", "-c", code], tmp_path).splitlines()
    assert answers == "73 0.2 73"
    assert backend == "python; wasmtime cannot be used: ModuleNotFoundError: No module named 'wasmtime'"


def test_works_where_it_is_installed(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """In a new environment, without a network and without Rust, the wheel installs, answers and checks itself."""
    shelf = tmp_path / "shelf"
    command = [sys.executable, "-m", "pip", "download", "-q", "-d", str(shelf), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    prefix = _no_network()
    python = str(_installed(tmp_path, prefix, "--find-links", str(shelf), "skywasm"))
    program = str(pathlib.Path(python).with_name("skywasm"))
    code = (
        "import skywasm; skywasm.set_backend('wasm');"
        "print(skywasm.base36_encode('ff'), skywasm.get_backend_info()['backend'], skywasm.__file__)"
    )
    digits, backend, file = _alone(prefix, [python, "-I", "-c", code], tmp_path).split()
    assert (digits, backend) == ("73", "wasm")
    assert file.startswith(str(tmp_path))
    assert "FAILED" not in _alone(prefix, [program, "check"], tmp_path)
    assert _alone(prefix, [program, "run", "--", python, "-c", "print(1)"], tmp_path) == "1\n"


@pytest.mark.parametrize("backend", ["wasm", "python"])
def test_answers_from_a_zip_file(wheel: pathlib.Path, tmp_path: pathlib.Path, backend: str) -> None:
    """A wheel on the path, not unpacked, answers too: the artifact is read through the package's loader."""
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import skywasm;"
        "assert '.whl' in skywasm.__file__, skywasm.__file__;"
        f"skywasm.set_backend({backend!r}); print(skywasm.base36_encode('ff'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "73\n"


def test_checks_itself_in_a_zip_file(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """``skywasm check`` in a wheel that is not unpacked finds the artifact, the questions and nothing amiss."""
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); from skywasm.cli import main;"
        "assert '.whl' in sys.modules['skywasm'].__file__; sys.exit(main(['check']))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout


# Kept out of the tests' environment, because one of them needs a newer click than SkyPilot allows; `make wheel`
# makes them.
TOOLS = ROOT / ".venv" / "release" / "bin"


@pytest.mark.parametrize(
    "command", [["check-wheel-contents", "--config", "pyproject.toml"], ["twine", "check", "--strict"]], ids="-".join
)
def test_others_find_nothing_amiss(wheel: pathlib.Path, checkout: pathlib.Path, command: list[str]) -> None:
    """What PyPI's own tools say of the wheel is nothing."""
    program = TOOLS / command[0]
    if not program.exists():
        pytest.skip(f"{command[0]} is not installed; `make wheel` installs it")
    done = subprocess.run(
        [str(program), *command[1:], str(wheel)], check=False, capture_output=True, text=True, cwd=checkout
    )
    assert done.returncode == 0, done.stdout + done.stderr
