"""Where SkyPilot's own code is run: processes with a home of their own, and files that all of them see."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from children import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

TESTS = pathlib.Path(__file__).resolve().parents[1]
# The other Python sees these files and nothing else of this one's.
CALLS = f"import sys; sys.path.insert(0, {str(TESTS)!r}); from integration.sky_calls import main; main(*sys.argv[1:])"
MODES = ("off", "auto", "wasm", "python")
TIMEOUT_S = 150
# Below what the system gives to connections and what a Workplace takes, and apart for tests that run at once.
FIRST_PORT, PORTS_A_MODE = 18_000, 20
_MARK = "ANSWERS "


def make_files(folder: pathlib.Path) -> pathlib.Path:
    """Files as a user mounts them: small and large, trees, links, one that is empty."""
    (folder / "tree" / "sub" / "deep").mkdir(parents=True)
    (folder / "many").mkdir()
    (folder / "one.txt").write_bytes(b"one\n" * 1000)
    (folder / "empty").write_bytes(b"")
    for number in range(12):
        (folder / "tree" / f"file {number}").write_bytes(bytes([number]) * number * 997)
    (folder / "tree" / "sub" / "deep" / "large.bin").write_bytes(bytes(range(256)) * 1200)
    for number in range(400):
        (folder / "many" / str(number)).touch()
    (folder / "link").symlink_to(folder / "one.txt")
    (folder / "linked-tree").symlink_to(folder / "tree")
    return folder


def home(folder: pathlib.Path) -> dict[str, str]:
    """Variables for a SkyPilot that keeps everything below ``folder`` and reports nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(folder),
        "SKYPILOT_USER_ID": "abcdef12",
        "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
        "PYTHONWARNINGS": "",
        "COLUMNS": "200",
    }


def answers(
    folder: pathlib.Path, first_port: int, python: str = sys.executable, modes: Sequence[str] = MODES
) -> dict[str, dict[str, Any]]:
    """What SkyPilot's code answers in each mode, from as many processes at once."""
    files = make_files(folder / "files")
    started = {}
    for number, mode in enumerate(modes):
        words = [python, "-c", CALLS, mode, str(files), str(first_port + number * PORTS_A_MODE)]
        with open(folder / f"{mode}.err", "w") as err, open(folder / f"{mode}.out", "w") as out:
            env = environment(home(folder / f"home-{mode}"))
            started[mode] = subprocess.Popen(words, stdout=out, stderr=err, env=env, cwd="/")
    try:
        return {mode: _finish(child, folder / mode) for mode, child in started.items()}
    finally:
        for child in started.values():
            child.kill()
            child.wait()


def _finish(child: subprocess.Popen[bytes], files: pathlib.Path) -> dict[str, Any]:
    status = child.wait(timeout=TIMEOUT_S)
    complaints = files.with_suffix(".err").read_text()
    assert status == 0, complaints[-4000:]
    lines = files.with_suffix(".out").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(_MARK)]
    found: dict[str, Any] = json.loads(line[len(_MARK) :])
    return found


def run_sky(words: Sequence[str], variables: Mapping[str, str], cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Runs a command line to its end."""
    env = environment(variables)
    return subprocess.run(words, capture_output=True, text=True, env=env, cwd=cwd, timeout=TIMEOUT_S, check=False)
