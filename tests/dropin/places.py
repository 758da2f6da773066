"""Where the drop-in is tried: environments of its own, and small packages in SkyPilot's place that load at once."""

from __future__ import annotations

import inspect
import os
import pathlib
import subprocess
import sys
import sysconfig
import venv

from children import environment

import skywasm
from skywasm.functions import ROWS as ALL
from skywasm.functions import declare
from skywasm.skypilot import stand_ins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TIMEOUT_S = 60
PTH = "skywasm_dropin.pth"
ROWS = [row for row in ALL if row.replaces is not None]
# Prints whose function answers: SkyPilot's module is named, or skywasm.
WHOSE = (
    "import sky.utils.common_utils as c; w = c.base36_encode.__globals__['__name__']; "
    "print('skywasm' if w.startswith('skywasm.') else w)"
)


def definition(name: str) -> str:
    """A function of SkyPilot's name and signature that knows the same variables and gives ``"sky"``."""
    parameters = inspect.signature(getattr(skywasm, name)).parameters.values()
    plain = ", ".join(str(parameter.replace(annotation=parameter.empty)) for parameter in parameters)
    variables = stand_ins.VARIABLES.get(name, ())
    return f"def {name}({plain}):\n    return {' and '.join(map(repr, (*variables, 'sky')))}\n"


def make_sky(folder: pathlib.Path, changes: Mapping[str, str] | None = None, extra: str = "") -> pathlib.Path:
    """A package ``sky`` with the functions that are replaced. ``changes`` gives other texts for some of them; ``extra``
    is added to the end of both modules.
    """
    utils = folder / "sky" / "utils"
    utils.mkdir(parents=True)
    for package in (folder / "sky", utils):
        (package / "__init__.py").write_text("")
    for module in (declare.COMMON, declare.SUBPROCESS):
        names = [row.name for row in ROWS if row.replaces == module]
        texts = [(changes or {}).get(name, definition(name)) for name in names]
        (utils / f"{module.rpartition('.')[2]}.py").write_text("import functools\n" + "\n".join(texts) + extra)
    return folder


def make_environment(folder: pathlib.Path) -> pathlib.Path:
    """A new virtual environment that also sees the packages of the one that runs the tests; gives its Python."""
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    own = sysconfig.get_path("purelib")
    # addsitedir reads the .pth files there too, as the one of an editable installation.
    (packages(folder) / "base.pth").write_text(f"import site; site.addsitedir({own!r})\n")
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def packages(folder: pathlib.Path) -> pathlib.Path:
    """The folder of packages of an environment."""
    return pathlib.Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))


def call(
    *command: str | bytes | pathlib.Path,
    env: Mapping[str, str] | None = None,
    cwd: str | pathlib.Path = "/",
    **how: Any,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    return subprocess.run(
        [str(word) if isinstance(word, pathlib.Path) else word for word in command],
        capture_output=True,
        text=True,
        env=environment({"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "", **(env or {})}),
        cwd=cwd,
        timeout=TIMEOUT_S,
        check=False,
        **how,
    )


def printed(python: str | pathlib.Path, code: str, *options: str, **how: Any) -> str:
    """What a piece of Python prints; it must end well and complain of nothing."""
    done = call(python, *options, "-c", code, **how)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def base_python() -> str:
    """The Python that this environment was made from, which is another environment."""
    return str(getattr(sys, "_base_executable", sys.executable))
