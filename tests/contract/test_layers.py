"""The rooms of the house and who may import whom. Imports inside functions count, those for type checkers do not."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

import skywasm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(skywasm.__file__).parent.parent

# From the bottom up: each room and the rooms that it may import, itself apart. A module belongs to the longest name.
ROOMS: dict[str, set[str]] = {
    "host_shims": set(),
    "skywasm.errors": set(),
    "skywasm.log": set(),
    "skywasm.loading": set(),
    # Numbers only.
    "skywasm.crossing.convention": set(),
    # Knows nothing of calls.
    "skywasm.crossing.engine": {"host_shims", "skywasm.errors", "skywasm.loading", "skywasm.crossing.convention"},
    # Knows no function.
    "skywasm.crossing": {
        *("host_shims", "skywasm.errors", "skywasm.log", "skywasm.loading"),
        *("skywasm.crossing.convention", "skywasm.crossing.engine"),
    },
    # Know nothing of the crossing: what they need of it is handed to them.
    "skywasm.functions": {"host_shims", "skywasm.errors", "skywasm.log", "skywasm.loading"},
    "skywasm.machine": {"host_shims", "skywasm.errors", "skywasm.crossing", "skywasm.functions"},
    "skywasm.routes": {
        *("host_shims", "skywasm.errors", "skywasm.log", "skywasm.loading", "skywasm.functions", "skywasm.machine"),
        *("skywasm.crossing", "skywasm.crossing.convention", "skywasm.crossing.engine"),
    },
    "skywasm.reference": {"skywasm.functions"},
    "skywasm.sandbox": {"skywasm.crossing", "skywasm.functions"},
    "skywasm.batch": {
        *("host_shims", "skywasm.errors", "skywasm.log", "skywasm.loading", "skywasm.functions", "skywasm.routes"),
        *("skywasm.crossing", "skywasm.crossing.convention"),
    },
    "skywasm.skypilot": {
        *("host_shims", "skywasm", "skywasm.errors", "skywasm.log", "skywasm.loading", "skywasm.functions"),
        *("skywasm.routes", "skywasm.crossing"),
    },
    # The package itself: what programs import.
    "skywasm": {
        *("skywasm.errors", "skywasm.functions", "skywasm.loading", "skywasm.routes"),
        # When somebody asks for them.
        *("skywasm.batch", "skywasm.reference", "skywasm.sandbox", "skywasm.skypilot"),
    },
}
# On top: they may import all of the above, and nothing of it may import them.
PROGRAMS = ("skywasm.bench", "skywasm.migrate", "skywasm.report", "skywasm.cli", "skywasm.__main__")
# Programs that stand on others.
ABOVE = {
    "skywasm.bench": set(),
    "skywasm.migrate": set(),
    "skywasm.report": {"skywasm.bench"},
    "skywasm.cli": {"skywasm.bench", "skywasm.migrate", "skywasm.report"},
    "skywasm.__main__": {"skywasm.cli"},
}
# Everything else that is not the standard library's, by the module that may import it.
OTHERS: dict[str, set[str]] = {
    "skywasm.crossing.engine.setup": {"wasmtime"},
    "skywasm.crossing.engine.proof": {"wasmtime"},
    "skywasm.crossing.engine.cache": {"platformdirs"},
    "skywasm.batch.workers": {"rich"},
    "skywasm.functions.machine": {"psutil"},
    # The user's own, behind ours.
    "skywasm.skypilot.run.sitecustomize": {"sitecustomize"},
    "host_shims._common": {"psutil"},
    "host_shims._unsupported": {"psutil"},
}
OTHERS_OF_PROGRAMS = {"jinja2", "libcst", "markupsafe", "plotly", "psutil", "rich", "sky", "wasmtime"}
# Modules of the standard library that only some systems have: imported inside functions, where they are needed.
ONE_SYSTEM_ONLY = {"_winapi", "fcntl", "grp", "msvcrt", "pwd", "resource", "termios", "winreg"}
# Imported by no more than a first crossing.
SLOW = {"ctypes", "hashlib", "jinja2", "libcst", "platformdirs", "plotly", "psutil", "rich", "wasmtime"}


def name_of(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted([*ROOT.glob("skywasm/**/*.py"), *ROOT.glob("host_shims/**/*.py")])
}
ALL = sorted(MODULES)


def room_of(name: str) -> str:
    """The room that a module lies in: that of the longest name."""
    return max((room for room in (*ROOMS, *PROGRAMS) if f"{name}.".startswith(f"{room}.")), key=len)


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def nodes(tree: ast.AST, *, inside_functions: bool) -> Iterator[ast.AST]:
    """All that runs, or all that runs when the module is imported."""
    for child in ast.iter_child_nodes(tree):
        if for_type_checkers(child):
            continue
        yield child
        if inside_functions or not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from nodes(child, inside_functions=inside_functions)


def named_late(call: ast.Call) -> str | None:
    """The module that ``import_module`` or ``loading.late`` is called for, as far as the text tells."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function.lstrip("_") not in ("late", "import_module", "__import__") or not call.args:
        return None
    name = call.args[0]
    if isinstance(name, ast.Constant):
        return str(name.value)
    if isinstance(name, ast.JoinedStr) and isinstance(name.values[0], ast.Constant):
        return str(name.values[0].value).rstrip(".")
    return None


def imported(name: str, *, inside_functions: bool = True) -> set[str]:
    """Dotted names of the modules that a module imports."""
    found = set()
    for node in nodes(MODULES[name], inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            base = str(node.module)
            below = {f"{base}.{alias.name}" for alias in node.names} & set(MODULES)
            # `from skywasm import name` loads the package for a name that is no module of it.
            found |= below if len(below) == len(node.names) else below | {base}
        elif isinstance(node, ast.Call) and (named_late(node) or ""):
            found.add(str(named_late(node)))
    return found


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("skywasm", "host_shims")


def rooms_of(name: str) -> set[str]:
    """The other rooms that a module imports from."""
    return {room_of(other) for other in imported(name) if is_ours(other)} - {room_of(name)}


@pytest.mark.parametrize("name", ALL)
def test_imports_go_down(name: str) -> None:
    """A module imports from no other room than those below its own."""
    room = room_of(name)
    allowed = set(ROOMS) | ABOVE[room] if room in ABOVE else ROOMS[room]
    assert rooms_of(name) <= allowed


def test_rooms_stand_one_upon_the_other() -> None:
    """Each room may import only rooms that come before it, the package's own late modules apart."""
    before: set[str] = set()
    for room, allowed in ROOMS.items():
        late = {"skywasm"} if room == "skywasm.skypilot" else set()
        assert allowed - late <= before, room
        before.add(room)


def test_the_tables_name_no_room_that_is_not_there() -> None:
    """Each room of the tables has modules, and each line of the other table a module that imports it."""
    rooms = {room_of(name) for name in ALL}
    assert rooms == {*ROOMS, *PROGRAMS}
    for name, others in OTHERS.items():
        assert others <= {other.partition(".")[0] for other in imported(name)}, name


def test_no_circle_of_modules() -> None:
    """No module leads back to itself, by imports inside functions neither, the package's own late modules apart."""
    graph = {name: {other for other in imported(name) if other in MODULES and other != "skywasm"} for name in ALL}
    # The package loads these when somebody asks it for them.
    graph["skywasm"] = {other for other in imported("skywasm", inside_functions=False) if other in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in ALL:
        visit(name, ())


def test_rooms_that_know_little() -> None:
    """Whatever lies below the functions says no function's name, nor SkyPilot's."""
    from skywasm.functions import BY_NAME

    for path in [*ROOT.glob("skywasm/crossing/**/*.py"), *ROOT.glob("skywasm/routes/*.py")]:
        text = path.read_text(encoding="utf-8")
        assert [name for name in BY_NAME if name in text] == [], path
    for path in ROOT.glob("skywasm/crossing/**/*.py"):
        text = path.read_text(encoding="utf-8").lower()
        assert "skypilot" not in text.replace("skypiloterror", "").replace("nothing of skypilot", ""), path


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def aliases(tree: ast.AST) -> dict[str, str]:
    """The names under which a module knows modules of ours, those for type checkers too."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({(alias.asname or alias.name): alias.name for alias in node.names if is_ours(alias.name)})
        elif isinstance(node, ast.ImportFrom) and is_ours(str(node.module)):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in MODULES:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def reached_into(name: str) -> list[str]:
    """Private names of other rooms that a module imports or uses."""
    tree, room = MODULES[name], room_of(name)
    known, found = aliases(tree), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(str(node.module)) and room_of(str(node.module)) != room:
            parts = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            found += [f"{node.module}: {part}" for part in parts if private(part)]
        elif isinstance(node, ast.Attribute) and private(node.attr) and isinstance(node.value, ast.Name):
            module = known.get(node.value.id)
            if module is not None and room_of(module) != room:
                found.append(f"{module}.{node.attr}")
    return found


@pytest.mark.parametrize("name", ALL)
def test_private_names_stay_in_their_room(name: str) -> None:
    """No module imports another room's names with a leading underscore, nor asks its modules for one."""
    assert reached_into(name) == []


@pytest.mark.parametrize("name", ALL)
def test_other_imports_are_the_standard_librarys(name: str) -> None:
    """Beyond our own packages a module imports the standard library, and what its line allows."""
    if not hasattr(sys, "stdlib_module_names"):
        pytest.skip("this Python does not list its standard library")
    foreign = {other.split(".")[0] for other in imported(name) if not is_ours(other)} - set(sys.stdlib_module_names)
    assert foreign <= (OTHERS_OF_PROGRAMS if room_of(name) in PROGRAMS else OTHERS.get(name, set()))


def test_what_is_slow_is_imported_late() -> None:
    """``import skywasm`` leads to no part of the engine, and to nothing that takes longer than itself."""
    ahead, seen = ["skywasm"], set()
    while ahead:
        name = ahead.pop()
        seen.add(name)
        top = imported(name, inside_functions=False)
        assert not {other.split(".")[0] for other in top} & SLOW, name
        ahead += [other for other in top if is_ours(other) and other not in seen]
        # A package is imported before its modules.
        ahead += [package for package in (name.rpartition(".")[0],) if package and package not in seen]
    assert "skywasm.functions.numbers" in seen
    assert not {name for name in seen if name.startswith("skywasm.crossing.engine") or name == "skywasm.machine"}
    assert not seen & {"skywasm.crossing.instance", "skywasm.crossing.calls", "skywasm.crossing.module"}


def test_functions_do_not_need_the_sandbox() -> None:
    """Nothing that the functions import, directly or through others, at once or late, leads to the engine."""
    seen: set[str] = set()
    ahead = [name for name in ALL if name.startswith("skywasm.functions")]
    while ahead:
        name = ahead.pop()
        seen.add(name)
        assert not imported(name) & {"ctypes", "wasmtime"}, name
        ahead += [other for other in imported(name) if other in MODULES and other not in seen]
    assert not {name for name in seen if name.startswith(("skywasm.crossing", "skywasm.routes"))}


@pytest.mark.parametrize("name", ALL)
def test_no_module_needs_one_system_to_be_imported(name: str) -> None:
    """What only some systems have is imported inside functions."""
    assert not imported(name, inside_functions=False) & ONE_SYSTEM_ONLY


def test_the_tests_see_what_they_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measures themselves: late imports, names as strings, private names by import and by attribute."""
    text = (
        "from skywasm.crossing import module as m\nimport skywasm.routes.core\n"
        "if TYPE_CHECKING:\n    from skywasm.cli import _main\n"
        "def f():\n    from skywasm import batch, base36_encode\n    m._modules\n    late('skywasm.sandbox')\n"
        "    from skywasm.routes.core import _prove\n    return loading.late(f'skywasm.skypilot.{f}')\n"
    )
    monkeypatch.setitem(MODULES, "skywasm.functions.made_up", ast.parse(text))
    name = "skywasm.functions.made_up"
    assert imported(name, inside_functions=False) == {"skywasm.crossing.module", "skywasm.routes.core"}
    late = {"skywasm", "skywasm.batch", "skywasm.sandbox", "skywasm.skypilot"}
    assert imported(name) == {"skywasm.crossing.module", "skywasm.routes.core", *late}
    assert sorted(reached_into(name)) == [
        "skywasm.cli: _main",
        "skywasm.crossing.module._modules",
        "skywasm.routes.core: _prove",
    ]
    assert room_of("skywasm.crossing.engine.proof") == "skywasm.crossing.engine"
    assert room_of("skywasm.crossing.roads") == "skywasm.crossing"
    assert room_of("skywasm.machine") == "skywasm.machine"
