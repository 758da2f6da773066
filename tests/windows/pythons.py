"""The Pythons for Windows that can be had by ordinary package clients, and how each is put together.

- 3.11 is the whole of CPython in one Maven artifact.
- 3.14 is the library and the extension modules that Panda3D's wheel carries for programs made with it, as the Python
  Software Foundation has signed them, with that part of the standard library that is written in Python from Pyodide,
  which is of the same version.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from windows import wine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
_JAR = "org.bytedeco:cpython:3.11.3-1.5.9:jar:windows-x86_64"
_WHEEL = "panda3d==1.10.16"
_STDLIB = "pyodide@314.0.7"
# Wine has the C runtime itself, and its service for questions about the machine crashes whoever asks it. Names with
# ".cp" are of the Python without the global lock, whose own library is not there.
_LEFT_OUT = ("api-ms-", "_wmi.")
WHEELS = (
    *("wasmtime>=50.0.1", "psutil>=5.9", "platformdirs>=3", "rich>=12", "pytest>=8", "pytest-timeout>=2"),
    "pytest-xdist>=3",
    *("hypothesis>=6", "numpy>=1.24", "blake3>=1", "libcst>=1.1", "jinja2>=3.1", "plotly>=5.24", "colorama", "pip"),
)


class Python(NamedTuple):
    """A Python for Windows: its name on the command line, its version, and what fetches it into a folder.

    ``lacks`` says what it is not; ``without`` is a line of a .pth file that takes away what Wine cannot serve.
    """

    key: str
    version: str
    fetch: Callable[[Path], None]
    lacks: str = ""
    without: str = ""

    @property
    def library(self) -> str:
        return "python" + self.key.replace(".", "")


def _maven(home: Path) -> None:
    """CPython of the Maven artifact."""
    fetched = home.with_name(home.name + "-fetched")
    how = ["-q", "-B", "dependency:copy", f"-Dartifact={_JAR}", f"-DoutputDirectory={fetched}"]
    subprocess.run(["mvn", *how], check=True, stdin=subprocess.DEVNULL)
    (jar,) = fetched.glob("*.jar")
    with zipfile.ZipFile(jar) as archive:
        archive.extractall(fetched)
    (fetched / "org" / "bytedeco" / "cpython" / "windows-x86_64").rename(home)
    wine.give_launcher(home / "lib" / "venv" / "scripts" / "nt")
    shutil.rmtree(fetched)


def _panda(home: Path) -> None:
    """CPython of Panda3D's wheel, with Pyodide's standard library."""
    fetched = home.with_name(home.name + "-fetched")
    _pip("download", "--no-deps", "--dest", str(fetched), *_platform("3.14"), _WHEEL)
    (wheel,) = fetched.glob("*.whl")
    home.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for one in archive.infolist():
            name = one.filename.rpartition("/")[2]
            if one.filename.startswith("deploy_libs/") and not name.startswith(_LEFT_OUT) and ".cp" not in name:
                folder = home / "DLLs" if name.endswith(".pyd") else home
                folder.mkdir(exist_ok=True)
                (folder / name).write_bytes(archive.read(one))
    subprocess.run(["npm", "install", "--silent", "--prefix", str(fetched), _STDLIB], check=True)
    with zipfile.ZipFile(fetched / "node_modules" / "pyodide" / "python_stdlib.zip") as archive:
        archive.extractall(home / "Lib")
    wine.give_program(home, "python314")
    shutil.rmtree(fetched)


_LACKS = (
    "its standard library is Pyodide's, which has no `venv`; `_wmi` and `_winapi.CopyFile2`, which Wine 8 cannot serve,"
    " are taken out"
)
_WITHOUT = "import _winapi; vars(_winapi).pop('CopyFile2', None)\n"
PYTHONS = (Python("3.11", "3.11.3", _maven), Python("3.14", "3.14.2", _panda, _LACKS, _WITHOUT))
BY_KEY = {one.key: one for one in PYTHONS}


def _pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *words], check=True)


def _platform(version: str) -> list[str]:
    return ["--platform", "win_amd64", "--implementation", "cp", "--python-version", version, "--only-binary=:all:"]


def _recipe(python: Python) -> str:
    """What a finished folder was made of: another recipe makes it anew."""
    sources = [Path(wine.__file__).read_bytes(), Path(wine.__file__).with_name("launcher.c").read_bytes()]
    parts = (python.key, python.version, _JAR, _WHEEL, _STDLIB, _LEFT_OUT, WHEELS)
    return hashlib.sha256(b"\0".join([*sources, repr(parts).encode()])).hexdigest()


def made(python: Python, folder: Path) -> Path:
    """The Python's own folder, which is made unless it is there; its program is ``python.exe``."""
    home, stamp = folder / python.key, folder / f"{python.key}.made"
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != _recipe(python):
        stamp.unlink(missing_ok=True)
        for old in (home, home.with_name(home.name + "-fetched")):
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        python.fetch(home)
        wine.give_stable_library(home, python.library)
        wine.give_random(home)
        _pip("install", "--target", str(packages(home)), *_platform(python.key), *WHEELS)
        stamp.write_text(_recipe(python), encoding="ascii")
    if python.without:
        (packages(home) / "wine.pth").write_text(python.without, encoding="ascii")
    # The checkout itself, where it lies now.
    (packages(home) / "checkout.pth").write_text(wine.path(ROOT) + "\n", encoding="utf-8")
    return home


def packages(home: Path) -> Path:
    """The folder of installed packages: ``Lib``, or ``lib`` in an archive that was made without regard to case."""
    library = next((one for one in (home / "lib", home / "Lib") if one.is_dir()), home / "Lib")
    return library / "site-packages"
