"""Wine: its folder, the two libraries that it and the Pythons lack, and programs run in it.

Every program gets nothing to read and a pipe to write to: Python for Windows does not start on Wine's text console.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

COMPILER = "x86_64-w64-mingw32-gcc"
LISTING = "x86_64-w64-mingw32-objdump"
# Debian keeps the 64-bit program beside its libraries: the one on the path wants the 32-bit ones too.
PROGRAMS = ("/usr/lib/wine/wine64", "wine64", "wine")
_LINK = ("-s", "-O1", "-shared", "-nostdlib", "-Wl,--entry=_DllMainCRTStartup")
_ENTRY = "int _DllMainCRTStartup(void *a, int b, void *c) { return 1; }\n"
# Rust's standard library asks this one for random numbers, and Wine 8 has none.
_RANDOM = (
    """
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID room, ULONG size);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE room, SIZE_T size) { return SystemFunction036(room, (ULONG)size); }
"""
    + _ENTRY
)
# python.exe itself is no more than this.
_PROGRAM = """
#include <wchar.h>
__declspec(dllimport) int Py_Main(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv) { return Py_Main(argc, argv); }
"""


def program() -> str:
    """Wine's program for 64-bit Windows.

    Raises:
        SystemExit: there is none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise SystemExit("Wine is missing: apt-get install wine64")
    return found


def path(where: Path) -> str:
    """How a file of this machine is called under Wine, whose drive Z: is the root."""
    return "Z:" + str(where.resolve()).replace("/", "\\")


def compiled(source: str, made: Path, *options: str) -> None:
    """Compiles a C source for Windows."""
    text = made.with_suffix(".c")
    text.write_text(source, encoding="ascii")
    subprocess.run([COMPILER, str(text), "-o", str(made), *options], check=True)
    text.unlink()


def exports(library: Path) -> list[str]:
    """The names that a library for Windows exports."""
    told = subprocess.run([LISTING, "-p", str(library)], check=True, capture_output=True, text=True).stdout
    rows = told.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0].splitlines()[1:]
    return [row.split()[-1] for row in rows if row.strip()]


def give_stable_library(home: Path, name: str) -> None:
    """Makes python3.dll, for wheels of the stable ABI: every name of it is the versioned library's."""
    rows = [f"  {export} = {name}.{export}" for export in exports(home / f"{name}.dll")]
    (home / "python3.def").write_text("\n".join(["LIBRARY python3", "EXPORTS", *rows, ""]), encoding="ascii")
    compiled(_ENTRY, home / "python3.dll", *_LINK, str(home / "python3.def"))


def give_program(home: Path, name: str) -> None:
    """Makes python.exe for a library that came without."""
    (home / "only.def").write_text(f"LIBRARY {name}.dll\nEXPORTS\n  Py_Main\n", encoding="ascii")
    maker = COMPILER.replace("gcc", "dlltool")
    subprocess.run([maker, "-d", str(home / "only.def"), "-l", str(home / "only.a")], check=True)
    compiled(_PROGRAM, home / "python.exe", "-s", "-municode", str(home / "only.a"))
    for left in ("only.def", "only.a"):
        (home / left).unlink()


def give_launcher(folder: Path) -> None:
    """Makes the python.exe of virtual environments, where the module ``venv`` looks for it."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("launcher.c").read_text(encoding="ascii")
    compiled(source, folder / "python.exe", "-s", "-municode")


def give_random(home: Path) -> None:
    """Puts bcryptprimitives.dll beside a program."""
    compiled(_RANDOM, home / "bcryptprimitives.dll", *_LINK, "-ladvapi32", "-lkernel32")


class Wine:
    """Wine with a folder of its own, in which drive C: lies."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.program = program()
        self.env = {
            **os.environ,
            **{"WINEPREFIX": str(prefix), "WINEARCH": "win64", "WINEDEBUG": "-all"},
            # Neither .NET nor a browser, which it would ask to download, and no debugger for what crashes.
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winedbg.exe=",
        }

    def make(self) -> None:
        """Makes the folder, unless it is there."""
        if not (self.prefix / "system.reg").is_file():
            self.prefix.mkdir(parents=True, exist_ok=True)
            self.run(["wineboot", "-i"])
            # Debian's says it is Windows 7 otherwise, on which no Python of today starts.
            self.run(["winecfg", "/v", "win10"])

    def version(self) -> str:
        return subprocess.run([self.program, "--version"], check=True, capture_output=True, text=True).stdout.strip()

    def started(self, words: Sequence[str], env: Mapping[str, str] | None = None, **how: Any) -> subprocess.Popen[str]:
        """Starts a program whose output comes in a pipe, errors with it unless ``how`` says otherwise."""
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **how}
        command = [self.program, *words]
        return subprocess.Popen(command, env={**self.env, **(env or {})}, text=True, errors="replace", **how)

    def run(self, words: Sequence[str], env: Mapping[str, str] | None = None, **how: Any) -> tuple[int, str]:
        """Runs a program to its end; its exit status, and what it wrote."""
        with self.started(words, env, **how) as child:
            out, _ = child.communicate()
        return child.returncode, out.replace("\r\n", "\n")

    def stop(self) -> None:
        """Ends what still runs in this folder, and nothing else of Wine's."""
        beside = shutil.which("wineserver", path=os.pathsep.join([os.path.dirname(self.program), os.environ["PATH"]]))
        if beside is not None:
            subprocess.run([beside, "-k"], env=self.env, check=False)
