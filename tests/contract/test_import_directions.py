"""Who may import whom. Imports inside functions count, those for type checkers alone do not."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

import skywasm

ROOT = pathlib.Path(skywasm.__file__).parent.parent
CONSTANTS = {"skywasm._abi", "skywasm._registry", "skywasm.errors"}
# A table too; where a name is spelt in another way it asks hashlib.
TABLES = {"skywasm._hashes"}

# A module of ours and the modules of ours that it may import. CONSTANTS everybody in skywasm may import: they hold
# names and numbers and import nothing.
OURS: dict[str, set[str]] = {
    "skywasm": {
        "skywasm._backend_info",
        "skywasm._dispatch",
        "skywasm.api",
        "skywasm.batch",
        "skywasm.sandbox",
        "skywasm.skypilot",
    },
    "skywasm._abi": set(),
    "skywasm._registry": set(),
    "skywasm.errors": set(),
    "skywasm._hashes": set(),
    "skywasm._log": set(),
    "skywasm._cache": set(),
    # The reference: the standard library and the machine's facts.
    "skywasm.reference": {
        "skywasm.reference.files",
        "skywasm.reference.numbers",
        "skywasm.reference.system",
        "skywasm.reference.text",
    },
    "skywasm.reference.files": set(),
    "skywasm.reference.numbers": set(),
    "skywasm.reference.system": {"host_shims", "skywasm._log"},
    "skywasm.reference.text": set(),
    # The choice of a road. What belongs to the engine is imported inside functions only; see LATE.
    "skywasm.api": {"skywasm._dispatch"},
    "skywasm._backend_info": {"skywasm._dispatch", "skywasm._policy"},
    "skywasm._loading": set(),
    "skywasm._dispatch": {
        "skywasm._engine",
        "skywasm._loading",
        "host_shims",
        "skywasm._log",
        "skywasm._mixed",
        "skywasm._policy",
        "skywasm._runtime",
        "skywasm._sandboxed",
        "skywasm.api",
        "skywasm.reference",
    },
    "skywasm._mixed": {"skywasm._dispatch", "skywasm._sandboxed", "skywasm.reference"},
    # What calls may ask for and how long they may take; read where the machine or the engine is reached.
    "skywasm._policy": {"skywasm._dispatch"},
    "skywasm.sandbox": {"skywasm._policy"},
    # The engine, from the artifact up.
    "skywasm._engine": {"skywasm._cache", "skywasm._capi"},
    "skywasm._host_link": {"host_shims", "skywasm._policy", "skywasm.reference"},
    "skywasm._callbacks": set(),
    "skywasm._epochs": set(),
    "skywasm._instance": {
        "skywasm._callbacks",
        "skywasm._capi",
        "skywasm._epochs",
        "skywasm._host_link",
        "skywasm._policy",
    },
    "skywasm._capi": {"skywasm._cache"},
    "skywasm._runtime": {
        "host_shims",
        "skywasm._callbacks",
        "skywasm._loading",
        "skywasm._engine",
        "skywasm._instance",
    },
    "skywasm._sandboxed": {
        "skywasm._dispatch",
        "skywasm._hashes",
        "skywasm._instance",
        "skywasm._runtime",
        "skywasm.reference",
    },
    "skywasm.batch": {
        "skywasm._batched",
        "skywasm._dispatch",
        "skywasm._lists",
        "skywasm._many_files",
        "skywasm._policy",
        "skywasm.api",
        "skywasm.reference",
    },
    # Without the artifact, and without its modules.
    "skywasm._lists": {"skywasm._dispatch"},
    "skywasm._batched": {
        "skywasm._dispatch",
        "skywasm._lists",
        "skywasm._runtime",
        "skywasm._sandboxed",
        "skywasm.reference",
    },
    "skywasm._many_files": {
        "host_shims",
        "skywasm._dispatch",
        "skywasm._md5_lanes",
        "skywasm._policy",
        "skywasm.api",
        "skywasm.reference",
    },
    "skywasm._md5_lanes": {
        "skywasm._dispatch",
        "skywasm._runtime",
        "skywasm._sandboxed",
        "skywasm.reference",
    },
    # The drop-in. The first two run while an interpreter starts, before there is a package.
    "skywasm._run.sitecustomize": set(),
    "skywasm._startup": {"skywasm.skypilot"},
    "skywasm._import_hook": set(),
    "skywasm._stand_ins": {"skywasm.api", "skywasm.reference"},
    "skywasm.skypilot": {"skywasm._dispatch", "skywasm._import_hook", "skywasm._stand_ins", "skywasm.api"},
    "host_shims": {
        "host_shims._linux",
        "host_shims._macos",
        "host_shims._unsupported",
        "host_shims._windows",
    },
    "host_shims._common": set(),
    "host_shims.contract": set(),
    "host_shims._linux": {"host_shims._common", "host_shims._posix"},
    "host_shims._macos": {"host_shims._common", "host_shims._posix"},
    "host_shims._posix": set(),
    "host_shims._unsupported": {"host_shims._common"},
    "host_shims._windows": {"host_shims._common"},
}
# Programs on top of the library: they may import all of it, and nothing of it may import them.
PROGRAMS = ("skywasm.__main__", "skywasm.bench", "skywasm.cli", "skywasm.migrate", "skywasm.report")
# Everything else that is not the standard library's. The engine is named in one place only, so that all others
# work where it is missing.
OTHERS: dict[str, set[str]] = {
    "skywasm._engine": {"wasmtime"},
    "skywasm._cache": {"platformdirs"},
    "skywasm._many_files": {"rich"},
    "skywasm.reference.system": {"psutil"},
    # The user's own, behind ours.
    "skywasm._run.sitecustomize": {"sitecustomize"},
    "host_shims._common": {"psutil"},
    "host_shims._unsupported": {"psutil"},
    "host_shims._windows": {"psutil"},
}
OTHERS_OF_PROGRAMS = {"jinja2", "libcst", "markupsafe", "plotly", "psutil", "rich", "sky", "wasmtime"}
# Never at module level in what `import skywasm` and calls in Python load.
LATE = {
    "skywasm._capi",
    "skywasm._engine",
    "skywasm._host_link",
    "skywasm._instance",
    "skywasm._runtime",
    "skywasm._sandboxed",
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


def is_program(name: str) -> bool:
    return any(name == program or name.startswith(program + ".") for program in PROGRAMS)


LIBRARY = sorted(name for name in MODULES if not is_program(name))


def test_the_table_names_every_module() -> None:
    """Each module of the library has its line in the table above, and each line its module."""
    assert sorted(OURS) == LIBRARY


@pytest.mark.parametrize("name", LIBRARY)
def test_imports_go_the_allowed_way(name: str) -> None:
    """A module of the library imports no module of ours but those that its line allows."""
    allowed = OURS.get(name, set()) | (CONSTANTS | TABLES if name.startswith("skywasm") else set())
    assert {other for other in imported(name) if is_ours(other)} <= allowed


def test_programs_stand_on_top() -> None:
    """The command line imports the other programs, and of them none imports it."""
    for name in MODULES:
        wanted = {other for other in imported(name) if is_program(other)}
        if not is_program(name):
            assert wanted == set(), name
        elif not name.startswith(("skywasm.cli", "skywasm.__main__")):
            assert not {other for other in wanted if other.startswith("skywasm.cli")}, name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_other_imports_are_the_standard_librarys(name: str) -> None:
    """Beyond the allowed packages a module imports the standard library only."""
    if not hasattr(sys, "stdlib_module_names"):
        pytest.skip("this Python does not list its standard library")
    foreign = {other.split(".")[0] for other in imported(name) if not is_ours(other)} - set(sys.stdlib_module_names)
    assert foreign <= (OTHERS_OF_PROGRAMS if is_program(name) else OTHERS.get(name, set()))


def test_the_engine_is_imported_late() -> None:
    """What answers in Python reaches the engine's modules, and other packages, inside functions only."""
    ahead, seen = ["skywasm"], set()
    while ahead:
        name = ahead.pop()
        seen.add(name)
        top = imported(name, inside_functions=False)
        assert not top & LATE, name
        assert not {other.split(".")[0] for other in top} & {"wasmtime", "psutil", "rich", "platformdirs"}, name
        ahead += [other for other in top if is_ours(other) and other not in seen]
    assert "skywasm.reference.numbers" in seen


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
