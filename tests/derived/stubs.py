"""The stubs of ``skywasm`` and ``skywasm.batch``, whose functions follow from the table: type checkers run nothing."""

from __future__ import annotations

import inspect
import pathlib
import re
import textwrap

from derived import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_HEAD = "# Written by `make derived` from the declarations; do not edit.\n"
# Where the names in annotations come from.
_NAMES = {
    "Any": "typing",
    "Callable": "collections.abc",
    "Executor": "concurrent.futures",
    "HashObject": "skywasm.functions.hashing",
    "Iterable": "collections.abc",
    "Mapping": "collections.abc",
    "PathOrFd": "host_shims.contract",
}
_TOP = {
    "errors": "from skywasm import errors as errors",
    "batch": "from skywasm import batch as batch",
    "reference": "from skywasm import reference as reference",
    "sandbox": "from skywasm import sandbox as sandbox",
    "skypilot": "from skywasm import skypilot as skypilot",
}


def definition(function: Callable[..., Any]) -> str:
    """A function as a stub has it, with its docstring, which editors show."""
    parameters = []
    star = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parameters.append("*")
            star = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parameters.append(f"{parameter.name}: {parameter.annotation}{default}")
    returns = inspect.signature(function).return_annotation
    quotes = 'r"""' if "\\" in (function.__doc__ or "") else '"""'
    doc = textwrap.indent(inspect.getdoc(function) or "", "    ")
    doc = "\n".join(line.rstrip() for line in doc.splitlines())
    return f'def {function.__name__}({", ".join(parameters)}) -> {returns}:\n    {quotes}{doc.strip()}\n    """\n'


def module_of(function: Callable[..., Any]) -> str:
    """The module whose text defines a function, which may call itself another's."""
    path = pathlib.Path(function.__code__.co_filename).relative_to(ROOT)
    return ".".join(path.with_suffix("").parts)


def imports(text: str) -> list[str]:
    """The imports of the names that annotations use."""
    signatures = "\n".join(line for line in text.splitlines() if line.startswith("def "))
    used: dict[str, list[str]] = {}
    for name, module in sorted(_NAMES.items()):
        if re.search(rf"\b{name}\b", signatures):
            used.setdefault(module, []).append(name)
    return [f"from {module} import {', '.join(names)}" for module, names in sorted(used.items())]


def _listed(names: Iterable[str]) -> str:
    return "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"


def top() -> str:
    """``skywasm/__init__.pyi``."""
    import skywasm
    from skywasm.functions import ROWS

    # Editors show the types and docstrings that stand where these are declared.
    functions = [f"from {module_of(row.reference)} import {row.name} as {row.name}" for row in ROWS]
    steering = [
        "from skywasm.routes.backend import set_backend as set_backend",
        "from skywasm.routes.backend import use_backend as use_backend",
        "from skywasm.routes.backend import warm_up as warm_up",
        "from skywasm.routes.info import get_backend_info as get_backend_info",
    ]
    head = "\n".join(sorted([*functions, *_TOP.values(), *steering]))
    return f"{_HEAD}\n{head}\n\n{_listed(skywasm.__all__)}\n__version__: str\n"


def batch() -> str:
    """``skywasm/batch/__init__.pyi``."""
    from skywasm import batch as module

    functions = "\n".join(definition(getattr(module, name)) for name in module.__all__)
    head = "\n".join(sorted(imports(functions)))
    return f"{_HEAD}\n{head}\n\n{_listed(module.__all__)}\n{functions}"
