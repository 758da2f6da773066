"""Which functions move, what modules are called, and what can be told about a file without parsing it."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PRODUCT = "skywasm"
MODULES = tuple(dict.fromkeys(row.replaces for row in ROWS if row.replaces is not None))
# The functions of each module that skywasm has with the same meaning.
FUNCTIONS = {module: frozenset(row.name for row in ROWS if row.replaces == module) for module in MODULES}
SHORT = {module.rpartition(".")[2]: module for module in MODULES}
SKYPILOT = "sky"

_ANY_FUNCTION = b"|".join(sorted(name.encode() for names in FUNCTIONS.values() for name in names))
_ANY_MODULE = b"|".join(name.encode() for name in SHORT)
_MENTIONS_FUNCTION = re.compile(rb"\b(?:%s)\b" % _ANY_FUNCTION)
_MENTIONS_MODULE = re.compile(rb"\b(?:%s)\b" % _ANY_MODULE)
# Each begins where a name does: tried at every character of a long one, they would take time by its square.
_THROUGH = (
    # serve_utils.common_utils, sky.serve.serve_utils.common_utils
    re.compile(rb"(?<![\w.])([\w.]+)\s*\.\s*(?=(%s)\b)" % _ANY_MODULE),
    # setattr(serve_utils, "common_utils", ...)
    re.compile(rb"(?<![\w.])([\w.]+)\s*,\s*['\"](%s)['\"]" % _ANY_MODULE),
)
_FROM = re.compile(rb"\bfrom\s+([\w.]+)\s+import\b\s*(\([^)]*\)|[^\r\n;#]*)")
_RENAMED = re.compile(rb"\b(\w+)\s+as\s+(\w+)")


class Reached(NamedTuple):
    """One of the two modules, got at through another module: ``common_utils`` through ``serve_utils``."""

    through: str
    name: str


def is_worth_parsing(data: bytes) -> bool:
    """Whether a file names a function and a module that could be meant; nothing else can have anything to move."""
    return _MENTIONS_MODULE.search(data) is not None and _MENTIONS_FUNCTION.search(data) is not None


def reached_through_others(data: bytes) -> set[Reached]:
    """Where a file takes one of the two modules from a module that merely imports it. Errs on the side of too many."""
    if not _MENTIONS_MODULE.search(data):
        return set()
    found = {match.groups() for pattern in _THROUGH for match in pattern.finditer(data)}
    for match in _FROM.finditer(data):
        names = match.group(2)
        wanted = list(_MENTIONS_MODULE.findall(names)) or (list(map(str.encode, SHORT)) if b"*" in names else [])
        found |= {(match.group(1), name) for name in wanted}
    home = MODULES[0].rpartition(".")[0].encode()
    pairs = {(path.rpartition(b".")[2], name) for path, name in found if path != home}
    renamed = {new: old for old, new in _RENAMED.findall(data)}
    pairs |= {(renamed[through], name) for through, name in pairs if through in renamed}
    return {Reached(through.decode("ascii", "replace"), name.decode()) for through, name in pairs}


def module_name(path: str) -> tuple[str, bool]:
    """The dotted name under which a file is imported, going by the ``__init__.py`` around it; whether it is one."""
    folder, file = os.path.split(os.path.abspath(path))
    stem = os.path.splitext(file)[0]
    is_package = stem == "__init__"
    parts = [] if is_package else [stem]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        if not name:
            break
        parts.insert(0, name)
    return ".".join(parts), is_package


def absolute(module: str, level: int, importer: str, is_package: bool) -> str | None:
    """The absolute name of an imported module; None for dots that lead out of the package."""
    if not level:
        return module
    package = importer.split(".")
    if not is_package:
        package.pop()
    up = level - 1
    if up >= len(package):
        return None
    kept = package[: len(package) - up]
    return ".".join([*kept, module] if module else kept)


def function_of(dotted: str) -> tuple[str, str, str] | None:
    """Splits ``sky.utils.common_utils.hash_file.x`` into module, function and the rest; None for other names."""
    for module in MODULES:
        if dotted.startswith(module + "."):
            name, _, rest = dotted[len(module) + 1 :].partition(".")
            if name in FUNCTIONS[module]:
                return module, name, rest
    return None


def modules_with(function: str) -> list[str]:
    """The modules that have a function of this name."""
    return [module for module in MODULES if function in FUNCTIONS[module]]


def module_of(dotted: str) -> str:
    """Which of the two modules a dotted name is or leads into; nothing for other names."""
    return next((module for module in MODULES if f"{dotted}.".startswith(f"{module}.")), "")


def list_of(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(f"`{name}`" for name in sorted(names))
