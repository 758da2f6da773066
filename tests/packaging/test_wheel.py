"""The wheel: one for all platforms, small, complete, and at work in an environment of its own."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import venv
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_BYTES = 400_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The wheel that `pip wheel` makes of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (made,) = folder.iterdir()
    return made


def test_one_pure_wheel_for_all_platforms(wheel: pathlib.Path) -> None:
    """`pip wheel .` gives one file, for any Python 3 and any platform, below 400 kB."""
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < LIMIT_BYTES


def test_exactly_the_two_packages(wheel: pathlib.Path) -> None:
    """The wheel holds skywasm, host_shims and its own metadata, with artifact, provenance, vectors and types."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"skywasm", "host_shims"}
    for needed in ("core.wasm", "core.provenance", "vectors.json", "py.typed", "cli/_main.py", "reference/files.py"):
        assert f"skywasm/{needed}" in names
    assert "host_shims/py.typed" in names
    assert not [name for name in names if name.endswith((".rs", ".pyc")) or name.startswith("tests")]


def _run(command: list[str], folder: pathlib.Path) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_works_where_it_is_installed(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """In a new environment, with no Rust on its path, the wheel answers through the sandbox and checks itself."""
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True, capture_output=True, text=True)
    code = (
        "import skywasm; skywasm.set_backend('wasm');"
        "print(skywasm.base36_encode('ff'), skywasm.get_backend_info()['backend'], skywasm.__file__)"
    )
    digits, backend, file = _run([python, "-I", "-c", code], tmp_path).split()
    assert (digits, backend) == ("73", "wasm")
    assert file.startswith(str(tmp_path))
    assert "FAILED" not in _run([str(tmp_path / "env" / "bin" / "skywasm"), "check"], tmp_path)


def test_answers_from_a_zip_file(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A wheel on the path, not unpacked, answers too: the artifact is read through the package's loader."""
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import skywasm;"
        "assert '.whl' in skywasm.__file__, skywasm.__file__;"
        "skywasm.set_backend('wasm'); print(skywasm.base36_encode('ff'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "73\n"
