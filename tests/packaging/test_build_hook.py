"""No wheel around an artifact that is not what the sources give."""

from __future__ import annotations

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("hatchling")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")


def _hook() -> Any:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = _hook()


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """What a wheel is built from, and no more."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in NEEDED:
        shutil.copy(ROOT / name, folder)
    for name in ("skywasm", "host_shims", "wasm-core"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
    return folder


def _flip_a_byte(folder: pathlib.Path) -> None:
    path = folder / "skywasm" / "core.wasm"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _record_less(folder: pathlib.Path) -> None:
    path = folder / "skywasm" / "core.provenance"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("artifact-blake2b")))


def _change_a_source(folder: pathlib.Path) -> None:
    with (folder / "wasm-core" / "src" / "lib.rs").open("a") as file:
        file.write("// one more line\n")


def _add_a_source(folder: pathlib.Path) -> None:
    (folder / "wasm-core" / "src" / "more.rs").write_text("//! More.\n")


def _change_the_lock_file(folder: pathlib.Path) -> None:
    path = folder / "wasm-core" / "Cargo.lock"
    path.write_text(path.read_text().replace("checksum = ", "checksum =  ", 1))


def _lose(name: str) -> Callable[[pathlib.Path], None]:
    def lose(folder: pathlib.Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    lose.__name__ = f"lose {name}"
    return lose


DAMAGE = [
    (_flip_a_byte, "core.wasm and skywasm/core.provenance do not belong together: artifact-sha256"),
    (_record_less, "artifact-blake2b is .*, recorded is nothing"),
    (_change_a_source, "sources in wasm-core and skywasm/core.provenance do not belong together"),
    (_add_a_source, "sources-sha256"),
    (_change_the_lock_file, "sources-sha256"),
    (_lose("skywasm/core.wasm"), "core.wasm is missing"),
    (_lose("skywasm/core.provenance"), "core.provenance is missing"),
    (_lose("wasm-core"), "build from a whole checkout or sdist"),
]


def test_this_checkout_is_accepted(checkout: pathlib.Path) -> None:
    """What is committed passes."""
    hook.refuse_a_foreign_artifact(checkout)


@pytest.mark.parametrize(("damage", "said"), DAMAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_each_mismatch_is_refused(checkout: pathlib.Path, damage: Callable[[pathlib.Path], None], said: str) -> None:
    """An artifact, a record or a source that was changed, added or lost is an error that says which and what to do."""
    damage(checkout)
    with pytest.raises(hook.ArtifactError, match=said) as caught:
        hook.refuse_a_foreign_artifact(checkout)
    assert "make wasm" in str(caught.value) or "whole checkout" in str(caught.value)


def _build(folder: pathlib.Path, kind: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(folder / "made"), "."]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_build_ends_there(checkout: pathlib.Path, kind: str) -> None:
    """Neither wheel nor sdist comes of a foreign artifact."""
    _flip_a_byte(checkout)
    done = _build(checkout, kind)
    assert done.returncode != 0
    assert "artifact-sha256" in done.stdout + done.stderr
    assert not list(checkout.glob("made/*"))


def test_the_list_of_crates_has_to_fit(checkout: pathlib.Path) -> None:
    """A crate that Cargo.lock does not have is not written into a bill of materials."""
    with (checkout / "wasm-core" / "crates.txt").open("a") as file:
        file.write("left-pad 1.0.0 MIT\n")
    done = _build(checkout, "wheel")
    assert done.returncode != 0
    assert "left-pad 1.0.0" in done.stdout + done.stderr


def test_an_editable_install_may_be_work_in_progress(checkout: pathlib.Path) -> None:
    """Whoever changes the Rust sources can still install the checkout they work on, but not build a wheel of it."""
    _change_a_source(checkout)
    made = hook.CustomBuildHook(str(checkout), {}, None, None, str(checkout), "wheel")
    made.initialize("editable", {})
    with pytest.raises(hook.ArtifactError):
        made.initialize("standard", {})
