"""The migration of SkyPilot's own package: it compiles, it imports, nothing is missed, and a second run rests."""

from __future__ import annotations

import ast
import compileall
import importlib.util
import json
import os
import pathlib
import shutil

import pytest
from children import run as run_child
from cli import program
from cli.program import run
from conftest import PROFILE

from skywasm.migrate import _names

pytest.importorskip("libcst")

# What the quick form migrates. The thorough form takes the whole package, which takes a minute.
PARTS = ("utils/infra_utils.py", "utils/resources_utils.py", "utils/subprocess_utils.py", "utils/common_utils.py")
PARTS += ("utils/cli_utils", "client/cli/table_utils.py", "skylet", "provision/gcp/instance_utils.py")
# Importing it starts a service.
STARTS_SOMETHING = {"sky.skylet.attempt_skylet"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with a copy of the installed package, less what is not Python's."""
    spec = importlib.util.find_spec("sky")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("SkyPilot is not installed")
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "dashboard")
    shutil.copytree(spec.submodule_search_locations[0], folder / "sky", ignore=ignored)
    return folder


def uses(path: pathlib.Path) -> int:
    """How many uses of a function through its module there are, counted without what is tested."""
    return sum(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in _names.FUNCTIONS.get(_names.SHORT.get(node.value.id, ""), ())
        for node in ast.walk(ast.parse(path.read_bytes()))
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
def test_skypilot_itself(copy: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every use is moved, all files compile, each changed module imports from the copy, and nothing is left to do."""
    if PROFILE != "quick":
        monkeypatch.setattr(program, "TIMEOUT_S", 300)
    paths = [f"sky/{part}" for part in PARTS] if PROFILE == "quick" else ["sky"]
    files = [
        file for path in paths for file in ([copy / path] if path.endswith(".py") else (copy / path).rglob("*.py"))
    ]
    before = {file: file.read_bytes() for file in files}
    expected = sum(map(uses, files))
    assert expected >= 10
    done = run("migrate", "--write", "--json", *paths, cwd=copy)
    report = json.loads(done.out)
    assert (done.status, report["uses"], report["changed"] > 5) == (0, expected, True)
    assert sum(map(uses, files)) == 0
    assert {file for file in files if file.read_bytes() != before[file]} == {
        copy / row["file"] for row in report["files"] if row["changed"]
    }
    assert compileall.compile_dir(str(copy / "sky"), quiet=2)
    assert run("migrate", "--check", *paths, cwd=copy) == (0, "", f"nothing to move in {report['files_seen']} files\n")
    names = [row["file"][:-3].replace(os.sep, ".") for row in report["files"] if row["changed"]]
    imports_from(copy, sorted(set(names) - STARTS_SOMETHING))


def imports_from(copy: pathlib.Path, names: list[str]) -> None:
    """Imports modules in a process that finds the copy first, and sees that they have skywasm."""
    facts = run_child(
        f"""
        import importlib, sys
        sys.path.insert(0, {str(copy)!r})
        found = {{}}
        for name in {names!r}:
            module = importlib.import_module(name)
            found[name] = [module.__file__, hasattr(module, "skywasm")]
        report(found=found)
        """,
        env={"HOME": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=str(copy),
    )
    assert facts["found"] == {name: [str(copy / f"{name.replace('.', os.sep)}.py"), True] for name in names}
