"""Who may import whom. Imports inside functions count, those for type checkers alone do not."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

import skywasm

ROOT = pathlib.Path(skywasm.__file__).parent.parent
CONSTANTS = {"skywasm._abi", "skywasm._registry", "skywasm.errors"}

# A module of ours and the modules of ours that it may import. These three everybody in skywasm may import: they
# hold names and numbers and import nothing but each other.
OURS: dict[str, set[str]] = {
    "skywasm": {"skywasm._dispatch", "skywasm.api"},
    "skywasm._abi": set(),
    "skywasm._registry": set(),
    "skywasm.errors": set(),
    "skywasm._hashes": set(),
    "skywasm._log": set(),
    "skywasm._cache": set(),
    "skywasm.reference": {"host_shims", "skywasm._log"},
    "skywasm.api": {"skywasm._dispatch"},
    "skywasm._dispatch": {
        "skywasm._log",
        "skywasm._runtime",
        "skywasm._sandboxed",
        "skywasm.api",
        "skywasm.reference",
    },
    "skywasm._engine": {"skywasm._cache"},
    "skywasm._host_link": {"host_shims", "skywasm.reference"},
    "skywasm._instance": {"skywasm._host_link"},
    "skywasm._runtime": {"skywasm._engine", "skywasm._instance"},
    "skywasm._sandboxed": {
        "skywasm._dispatch",
        "skywasm._hashes",
        "skywasm._instance",
        "skywasm._runtime",
        "skywasm.reference",
    },
    "host_shims": {
        "host_shims._linux",
        "host_shims._macos",
        "host_shims._unsupported",
        "host_shims._windows",
    },
    "host_shims._common": set(),
    "host_shims._contract": set(),
    "host_shims._linux": {"host_shims._common", "host_shims._posix"},
    "host_shims._macos": {"host_shims._common", "host_shims._posix"},
    "host_shims._posix": set(),
    "host_shims._unsupported": {"host_shims._common"},
    "host_shims._windows": {"host_shims._common"},
}
# Everything else that is not the standard library's. The engine is named in one place only, so that all others
# work where it is missing.
OTHERS: dict[str, set[str]] = {
    "skywasm._engine": {"wasmtime"},
    "skywasm._cache": {"platformdirs"},
    "skywasm.reference": {"psutil"},
    "host_shims._common": {"psutil"},
    "host_shims._unsupported": {"psutil"},
    "host_shims._windows": {"psutil"},
}
# What an interpreter on another system does not have.
ONE_SYSTEM_ONLY = {
    *("_posixsubprocess", "_winapi", "crypt", "curses", "fcntl", "grp", "msvcrt", "nt", "posix", "pty", "pwd"),
    *("readline", "resource", "spwd", "syslog", "termios", "tty", "winreg", "winsound"),
}


def modules() -> dict[str, ast.Module]:
    """Every Python file of the two packages by its module name."""
    found = {}
    for path in [*ROOT.glob("skywasm/**/*.py"), *ROOT.glob("host_shims/**/*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(tree: ast.AST, *, inside_functions: bool) -> list[ast.stmt]:
    """The import statements of a module, those for type checkers left out."""
    found: list[ast.stmt] = []
    for child in ast.iter_child_nodes(tree):
        if for_type_checkers(child):
            continue
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            found.append(child)
        elif inside_functions or not isinstance(child, (ast.FunctionDef, ast.Lambda)):
            found += statements(child, inside_functions=inside_functions)
    return found


def imported(name: str, *, inside_functions: bool = True) -> set[str]:
    """Dotted names of the modules that a module of ours imports."""
    found = set()
    for statement in statements(MODULES[name], inside_functions=inside_functions):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{name} imports relatively"
            base = str(statement.module)
            below = {f"{base}.{alias.name}" for alias in statement.names} & set(MODULES)
            # `from skywasm import name` loads the package for a name that is no module of it.
            found |= below or {base}
    return found


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("skywasm", "host_shims")


def test_the_table_names_every_module() -> None:
    """Each module has its line in the table above, and each line its module."""
    assert set(OURS) == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_the_allowed_way(name: str) -> None:
    """A module imports no module of ours but those that its line allows."""
    allowed = OURS.get(name, set()) | (CONSTANTS if name.startswith("skywasm") else set())
    assert {other for other in imported(name) if is_ours(other)} <= allowed


@pytest.mark.parametrize("name", sorted(MODULES))
def test_other_imports_are_the_standard_librarys(name: str) -> None:
    """Beyond the allowed packages a module imports the standard library only."""
    if not hasattr(sys, "stdlib_module_names"):
        pytest.skip("this Python does not list its standard library")
    foreign = {other.split(".")[0] for other in imported(name) if not is_ours(other)} - set(sys.stdlib_module_names)
    assert foreign == OTHERS.get(name, set())


def test_constants_import_nothing() -> None:
    """The three modules that everybody may import import nothing themselves."""
    for name in CONSTANTS:
        assert imported(name) - {"__future__"} == set(), name


def test_the_fallback_does_not_need_the_sandbox() -> None:
    """Nothing that the reference imports, directly or through others, leads to the engine."""
    seen: set[str] = set()
    ahead = ["skywasm.reference"]
    while ahead:
        name = ahead.pop()
        seen.add(name)
        ahead += [other for other in imported(name) if is_ours(other) and other not in seen]
        assert "wasmtime" not in imported(name), name
    assert seen.isdisjoint({"skywasm._runtime", "skywasm._sandboxed", "skywasm._instance", "skywasm._engine"})


def test_host_shims_know_nothing_of_skywasm() -> None:
    """host_shims imports neither skywasm nor the engine."""
    for name in MODULES:
        if name.startswith("host_shims"):
            assert not {other.split(".")[0] for other in imported(name)} & {"skywasm", "wasmtime"}, name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_needs_one_system_to_be_imported(name: str) -> None:
    """What only some systems have is imported inside functions."""
    assert not imported(name, inside_functions=False) & ONE_SYSTEM_ONLY
