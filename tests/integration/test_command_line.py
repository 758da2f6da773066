"""SkyPilot's command line, alone and through ``skywasm run``: the same output and exit status."""

from __future__ import annotations

import contextlib
import importlib.util
import pathlib
import re
import sys
import time

import psutil
import pytest
from cli.program import command
from conftest import PROFILE

from integration.places import home, run_sky

SKY = pathlib.Path(sys.executable).with_name("sky")
PORT = 47_580
# What one second tells from the next, and one request from another.
_CHANGES = re.compile(r"\d+ secs? ago|a few secs ago|[0-9a-f]{8}-[0-9a-f-]{27}|\d+\.\d+s|PID=\d+")
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("sky") is None, reason="SkyPilot is not installed"),
    pytest.mark.skipif(not SKY.exists(), reason="SkyPilot's command is not beside this Python"),
    pytest.mark.xdist_group("command-line"),
]


def both(folder: pathlib.Path, *words: str) -> tuple[tuple[int, str, str], tuple[int, str, str]]:
    """What a command of SkyPilot's gives alone, and through ``skywasm run``."""
    variables = {**home(folder), "SKYPILOT_API_SERVER_LOCAL_PORT": str(PORT)}
    gave = []
    for ahead in ([str(SKY)], command("run", "--", "sky")):
        done = run_sky([*ahead, *words], variables, folder)
        gave.append((done.returncode, _CHANGES.sub("", done.stdout), _CHANGES.sub("", done.stderr)))
    return gave[0], gave[1]


@pytest.mark.parametrize(
    "words",
    [("--version",), ("api", "stop"), ("launch", "--no-such-option")],
    ids=["version", "stop a server that does not run", "wrong"],
)
def test_without_a_server(words: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    """Commands that need no server print the same and end alike."""
    alone, through = both(tmp_path, *words)
    assert through == alone
    assert alone[1] or alone[2]


@pytest.mark.skipif(
    PROFILE == "quick", reason="starting SkyPilot's server takes a minute; SKYWASM_TEST_PROFILE=thorough"
)
def test_with_a_server(tmp_path: pathlib.Path) -> None:
    """SkyPilot's API server works through ``skywasm run``, reaches its worker processes, and answers as one without."""
    variables = {**home(tmp_path), "SKYPILOT_API_SERVER_LOCAL_PORT": str(PORT)}
    started = run_sky(command("run", "--", "sky", "api", "start"), variables, tmp_path)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        servers = _processes(tmp_path)
        assert len(servers) > 2
        assert all("SKYWASM_RUN" in process.environ() for process in servers)
        for words in (("status",), ("storage", "ls"), ("volumes", "ls")):
            alone, through = both(tmp_path, *words)
            assert alone[0] == 0, alone
            assert through == alone
    finally:
        run_sky([str(SKY), "api", "stop"], variables, tmp_path)
    _wait_for_the_end(tmp_path)


def _processes(folder: pathlib.Path) -> list[psutil.Process]:
    """The processes of the server whose home is ``folder``."""
    return [process for process in psutil.process_iter() if _home_of(process) == str(folder)]


def _home_of(process: psutil.Process) -> str | None:
    with contextlib.suppress(psutil.Error):
        return process.environ().get("HOME")
    return None


def _wait_for_the_end(folder: pathlib.Path) -> None:
    last = time.monotonic() + 30
    while _processes(folder):
        assert time.monotonic() < last, "the server's processes do not end"
        time.sleep(0.2)
