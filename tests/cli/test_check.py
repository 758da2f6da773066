"""`skywasm check`: a checklist that tells what does not work and how to mend it."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import re

import pytest
from children import copy_packages

from cli.program import on_terminal, run, without_wasmtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAMES = [
    *("Python", "wasmtime", "artifact", "engine", "imports", "answers", "cache", "SkyPilot", "drop-in"),
    "backend",
]


def checks(env: Mapping[str, str] | None = None, status: int = 0) -> dict[str, dict[str, Any]]:
    """The checks by name, held against the exit status that they should come to."""
    done = run("check", "--json", env=env)
    assert (done.status, done.err) == (status, "")
    report = json.loads(done.out)
    assert report["ok"] is (status == 0)
    return {check["name"]: check for check in report["checks"]}


def test_all_is_well() -> None:
    """On a machine where everything works every check is ok, in the order of the road from Python to the answer."""
    found = checks()
    assert list(found) == NAMES
    assert {name: check["state"] for name, check in found.items()} == dict.fromkeys(NAMES, "ok")
    assert {check["remedy"] for check in found.values()} == {""}


def test_a_line_a_check() -> None:
    """In a pipe each check is one line that begins with its state and name, and the last line sums up."""
    done = run("check")
    lines = done.out.splitlines()
    assert (done.status, done.err) == (0, "")
    assert [line.split()[0] for line in lines[:-1]] == ["ok"] * len(NAMES)
    assert lines[-1] == f"All {len(NAMES)} checks are ok."


def test_facts_are_this_machines() -> None:
    """Python's and wasmtime's versions, the artifact's size and the number of known answers are the real ones."""
    from importlib.metadata import version

    from skywasm.functions import ROWS
    from skywasm.routes import core

    found = checks()
    vectors = json.loads(core.package_data("vectors.json"))
    cases = sum(len(value) for value in vectors.values() if isinstance(value, list) and isinstance(value[0], dict))
    assert platform.python_version() in found["Python"]["fact"]
    assert found["wasmtime"]["fact"].startswith(version("wasmtime") + ",")
    assert f"{len(core.package_data('core.wasm')):,} bytes" in found["artifact"]["fact"]
    assert found["answers"]["fact"] == f"{cases} of {cases} known answers are right, for all {len(ROWS)} functions"


@pytest.mark.parametrize("variable", [{"SKYPILOT_USE_RUST": "0"}, {"SKYWASM_BACKEND": "python"}], ids=str)
def test_the_sandbox_is_checked_where_it_is_switched_off(variable: dict[str, str]) -> None:
    """A sandbox that works and is switched off is a warning that names the variable, and exit status 0."""
    found = checks(variable)
    (name,) = variable
    assert found["answers"]["state"] == found["engine"]["state"] == "ok"
    assert found["backend"]["state"] == "warning"
    assert f"the sandbox works but is switched off by {name}={variable[name]}" in found["backend"]["fact"]
    assert found["backend"]["remedy"] == f"unset {name} to switch it on"


def test_wasm_mode_is_told() -> None:
    """SKYWASM_BACKEND=wasm shows as the backend and where it comes from."""
    backend = checks({"SKYWASM_BACKEND": "wasm"})["backend"]
    assert (backend["state"], backend["fact"][:5]) == ("ok", "wasm:")


def test_an_unknown_backend_is_a_failed_check() -> None:
    """An unknown SKYWASM_BACKEND fails the backend line only, with what it may be."""
    found = checks({"SKYWASM_BACKEND": "rust"}, status=1)
    assert [name for name, check in found.items() if check["state"] == "failed"] == ["backend"]
    assert "must be one of auto, wasm, python" in found["backend"]["fact"]


def test_missing_wasmtime(tmp_path: pathlib.Path) -> None:
    """Without wasmtime its line fails with the pip line, what needs it is skipped, the artifact is still checked."""
    found = checks(without_wasmtime(tmp_path), status=1)
    assert (found["wasmtime"]["state"], found["wasmtime"]["fact"]) == ("failed", "is not installed")
    assert found["wasmtime"]["remedy"] == "pip install --upgrade 'wasmtime>=50.0.1'"
    assert found["artifact"]["state"] == "ok"
    assert {found[name]["state"] for name in ("engine", "imports", "answers", "cache")} == {"skipped"}
    assert (found["backend"]["state"], found["backend"]["fact"][:14]) == ("warning", "Python answers")


def test_missing_wasmtime_in_wasm_mode(tmp_path: pathlib.Path) -> None:
    """In wasm mode, where nothing falls back, a missing wasmtime fails the backend line too."""
    found = checks({**without_wasmtime(tmp_path), "SKYWASM_BACKEND": "wasm"}, status=1)
    assert (found["backend"]["state"], found["backend"]["fact"]) == ("failed", "wasm: every call is an error")


def test_a_failure_reads_well_on_a_terminal(tmp_path: pathlib.Path) -> None:
    """A failed line stands out and the line below says how to mend it."""
    done = on_terminal("check", env=without_wasmtime(tmp_path))
    assert done.status == 1
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
    assert re.search(r"^FAILED +wasmtime +is not installed\n +fix: pip install", text, re.MULTILINE)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "altered", "no provenance"])
def test_a_damaged_artifact(damage: str, tmp_path: pathlib.Path) -> None:
    """A core.wasm that is not the one that was built fails its line with the file's name and how to reinstall."""
    env = copy_packages(tmp_path)["env"]
    path = tmp_path / "skywasm" / ("core.provenance" if damage == "no provenance" else "core.wasm")
    content = path.read_bytes()
    if damage in ("missing", "no provenance"):
        path.unlink()
    else:
        altered = content[:-1] + bytes([content[-1] ^ 1])
        path.write_bytes({"empty": b"", "truncated": content[:1000], "altered": altered}[damage])
    found = checks(env, status=1)
    assert found["artifact"]["state"] == "failed"
    assert str(path) in found["artifact"]["fact"]
    assert found["artifact"]["remedy"] == "pip install --force-reinstall skywasm"
    assert found["engine"]["state"] == "skipped"
    assert found["wasmtime"]["state"] == "ok"


@pytest.mark.parametrize("content", [None, "", "{", "{}", "[]"])
def test_damaged_vectors(content: str | None, tmp_path: pathlib.Path) -> None:
    """A missing or damaged vectors.json fails its line; the engine still counts as running."""
    env = copy_packages(tmp_path)["env"]
    path = tmp_path / "skywasm" / "vectors.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    found = checks(env, status=1)
    assert [name for name, check in found.items() if check["state"] == "failed"] == ["answers"]
    assert str(path) in found["answers"]["fact"]


def test_a_wrong_answer_fails(tmp_path: pathlib.Path) -> None:
    """Known answers that come out differently are counted, and the first is shown."""
    env = copy_packages(tmp_path)["env"]
    path = tmp_path / "skywasm" / "vectors.json"
    vectors = json.loads(path.read_text())
    vectors["base36_encode"][0]["expect"] = "other"
    vectors["is_process_alive"][0]["expect"] = 1
    path.write_text(json.dumps(vectors))
    answers = checks(env, status=1)["answers"]
    assert answers["state"] == "failed"
    assert answers["fact"].startswith("2 of ")
    assert "base36_encode: wanted 'other', got '0'" in answers["fact"]


# A line of the declarations, as it is and with another type.
MEMORY_SIZE = '"wasmtime_memory_data_size": (_SIZE, _POINTER, _POINTER)'
OTHER_SIZE = MEMORY_SIZE.replace("_SIZE, ", "ctypes.c_uint32, ", 1)


def untested(folder: pathlib.Path, *changes: tuple[str, str]) -> dict[str, str]:
    """The environment of a copy that was not tested with this wasmtime; changes are made to its declarations."""
    env = {**copy_packages(folder)["env"], "SKYWASM_CACHE": "0"}
    engine = folder / "skywasm" / "crossing" / "engine"
    edits = [
        ("setup.py", 'TESTED_MAJORS = ("', 'TESTED_MAJORS = ("1'),
        *(("library.py", *change) for change in changes),
    ]
    for name, old, new in edits:
        text = (engine / name).read_text()
        assert text.count(old) == 1
        (engine / name).write_text(text.replace(old, new))
    return env


def test_an_untested_wasmtime_with_the_same_declarations(tmp_path: pathlib.Path) -> None:
    """A wasmtime that the tests have not seen is used where all its own declarations are the expected ones."""
    found = checks(untested(tmp_path))
    assert {check["state"] for check in found.values()} == {"ok"}
    assert found["backend"]["fact"].startswith("auto: each call goes where it is fastest")


def test_an_untested_wasmtime_with_other_declarations(tmp_path: pathlib.Path) -> None:
    """Where they differ nothing is called: the engine's line fails with the declaration, and Python answers."""
    found = checks(untested(tmp_path, (MEMORY_SIZE, OTHER_SIZE)), status=1)
    assert found["engine"]["state"] == "failed"
    assert "wasmtime_memory_data_size is declared otherwise" in found["engine"]["fact"]
    assert found["answers"]["state"] == "skipped"
    assert found["backend"]["fact"].startswith("Python answers")


def test_a_wasmtime_below_the_security_floor(tmp_path: pathlib.Path) -> None:
    """An installed wasmtime older than 50.0.1 is a warning with the pip line, and the exit status stays 0."""
    import wasmtime

    # The real engine under an older version's name: a folder of links, found first.
    os.symlink(os.path.dirname(wasmtime.__file__), tmp_path / "wasmtime")
    info = tmp_path / "wasmtime-50.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wasmtime\nVersion: 50.0.0\n")
    found = checks({"PYTHONPATH": str(tmp_path)})["wasmtime"]
    assert found["state"] == "warning"
    assert found["fact"] == "50.0.0 is older than 50.0.1 and lacks its security fixes"
    assert found["remedy"] == "pip install --upgrade 'wasmtime>=50.0.1'"


def test_the_security_floor_is_the_one_that_is_installed() -> None:
    """The oldest version without a warning is the lowest that the package asks pip for, and SECURITY.md's."""
    from skywasm.cli._sandbox_checks import OLDEST_WASMTIME

    root = pathlib.Path(__file__).resolve().parents[2]
    assert f'"wasmtime>={OLDEST_WASMTIME};' in (root / "pyproject.toml").read_text()
    assert f"wasmtime {OLDEST_WASMTIME} or newer" in (root / "SECURITY.md").read_text()


def test_the_help_tells_what_an_unknown_backend_is() -> None:
    """Where other commands end with 2 for an unknown SKYWASM_BACKEND, check's help says that it fails a check."""
    assert re.search(r"an unknown SKYWASM_BACKEND is a check that\s+failed", run("check", "--help").out)


def test_cache_states(tmp_path: pathlib.Path) -> None:
    """The cache line tells first that it keeps the module, then that it found it, and when it is off."""
    env = {"SKYWASM_CACHE_DIR": str(tmp_path / "cache")}
    assert checks(env)["cache"]["fact"] == f"the compiled artifact is now kept in {tmp_path / 'cache'}"
    assert checks(env)["cache"]["fact"] == f"the compiled artifact was found in {tmp_path / 'cache'}"
    assert checks({"SKYWASM_CACHE": "0"})["cache"]["fact"].startswith("off by SKYWASM_CACHE")


def test_a_cache_folder_open_to_others_is_a_warning(tmp_path: pathlib.Path) -> None:
    """A cache folder that others can write to is not used, and the line says what to do."""
    folder = tmp_path / "cache"
    folder.mkdir()
    os.chmod(folder, 0o777)
    cache = checks({"SKYWASM_CACHE_DIR": str(folder)})["cache"]
    assert cache["state"] == "warning"
    assert str(folder) in cache["remedy"]


def test_skypilot_is_not_imported(tmp_path: pathlib.Path) -> None:
    """SkyPilot's version is read from what is installed; its code is not run."""
    info = tmp_path / "skypilot-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: skypilot\nVersion: 9.9\n")
    (tmp_path / "sky.py").write_text("raise SystemExit('imported')")
    skypilot = checks({"PYTHONPATH": str(tmp_path)})["SkyPilot"]
    assert (skypilot["state"], skypilot["fact"]) == ("ok", "9.9; skywasm gives the answers of 0.14.1")
