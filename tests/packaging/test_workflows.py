"""The workflows, which cannot be run here: that they name what exists, and that other systems can load the tests."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
PYTHONS = re.search(r"python=\[([^\]]*)\]\)\ndef tests\(", NOXFILE)[1].replace('"', "").split(", ")


@pytest.mark.parametrize("workflow", ["tests", "release"])
def test_oldest_and_newest_on_every_system(workflow: str) -> None:
    """Linux, ARM, macOS and Windows each run the oldest and the newest Python that nox knows."""
    matrix = re.search(r"os: \[(.*)\]\n +python: \[(.*)\]", WORKFLOWS[workflow])
    systems = {name.strip().split("-")[0] for name in matrix[1].split(",")}
    assert systems == {"ubuntu", "macos", "windows"}
    assert "-arm" in matrix[1]
    assert matrix[2].replace('"', "").split(", ") == [PYTHONS[0], PYTHONS[-1]]


def _sessions() -> set[str]:
    known = set()
    for pythons, name in re.findall(r"@nox\.session\(python=(.*)\)\ndef (\w+)\(", NOXFILE):
        versions = re.findall(r'"([\w.]+)"', pythons)
        known |= {f"{name}-{version}" for version in versions} if pythons.startswith("[") else {name}
    # Tables, and what takes hours: `make torture`.
    return {one for one in known if one.partition("-")[0] not in ("table", "opcodes", "opcodes_table")}


def test_every_session_is_run() -> None:
    """Each session of nox is run by the workflow, and each that the workflow names is one of nox."""
    named = set(re.findall(r"session: ([\w.-]+),", WORKFLOWS["tests"]))
    assert named | {f"tests-{PYTHONS[0]}", f"tests-{PYTHONS[-1]}"} == _sessions()


def test_the_table_names_every_session() -> None:
    """docs/PYTHONS.md has a row for each session of nox, or says that there is no result."""
    text = (ROOT / "docs" / "PYTHONS.md").read_text(encoding="utf-8")
    text = text.partition("<!-- nox -s table: begin -->")[2].partition("<!-- nox -s table: end -->")[0]
    rows = re.findall(r"^\| ([\w.-]+) \| \w", text, re.MULTILINE)
    missing = re.search(r"^Sessions without a result: (.*)\.$", text, re.MULTILINE)[1].split(", ")
    assert set(rows) - {"session"} | set(missing) - {"none"} == _sessions()


def test_every_make_target_exists() -> None:
    """What the workflows ask of make is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"run: make ([\w-]+)", "".join(WORKFLOWS.values())):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE) or target.startswith("test-"), target


# Without what only POSIX has, from the moment on when pytest looks for tests.
ELSEWHERE = """
import os, signal, sys
import asyncio, concurrent.futures, ctypes, getpass, multiprocessing.context, platform, shutil, socket, subprocess
import psutil, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    for name in ("crypt", "curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"):
        sys.modules[name] = None
    for name in ("fork", "getuid", "geteuid", "getgid", "register_at_fork", "sched_getaffinity", "sysconf", "uname",
                 "mkfifo", "killpg", "getpgid", "setsid", "WNOHANG", "pread", "fchmod", "fchown", "O_CLOEXEC",
                 "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK"):
        if hasattr(os, name):
            delattr(os, name)
    for name in ("SIGKILL", "SIGALRM", "SIGHUP", "SIGUSR1", "setitimer", "alarm", "ITIMER_REAL"):
        if hasattr(signal, name):
            delattr(signal, name)
    sys.modules["conftest"].IS_POSIX = False

def pytest_collection_finish(session):
    skipped = [item.name for item in session.items if any(mark.args or mark.kwargs
               for mark in item.iter_markers("skip") if "POSIX" in mark.kwargs.get("reason", ""))]
    print("left out:", " ".join(skipped))
"""


def test_the_tests_load_where_posix_is_not(tmp_path: pathlib.Path) -> None:
    """No test module needs what only POSIX has to be loaded; a test that names such a thing is left out there."""
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    command = [sys.executable, "-m", "pytest", "-p", "elsewhere", "-p", "no:cacheprovider", "-q", "--collect-only"]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command[1:3] = ["-c", code]
    done = subprocess.run([*command, "tests"], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    left_out = re.search(r"left out: (.*)", done.stdout)[1].split()
    assert "test_the_forked_child_of_a_thread" in left_out or any("fifo" in name or "fork" in name for name in left_out)
    assert "test_one_version" not in left_out
    assert 20 < len(left_out) < 600
