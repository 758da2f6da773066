"""Every module can be imported, and Python answers, on systems that lack what this one has."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSIX_ONLY = (
    *("_posixsubprocess", "crypt", "curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "spwd", "syslog"),
    *("termios", "tty"),
)
# os has these on POSIX systems alone, or on Linux alone.
NOT_EVERYWHERE = (
    *("fork", "getuid", "geteuid", "getgid", "getegid", "register_at_fork", "sched_getaffinity", "sysconf", "uname"),
    *("O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_PATH", "fchmod", "fchown"),
    *("pread", "posix_fadvise", "getpgid", "killpg", "setsid", "WNOHANG"),
)


def _names() -> list[str]:
    """Every module of the two packages, less those that are programs or run while an interpreter starts."""
    found = []
    for path in sorted([*ROOT.glob("skywasm/**/*.py"), *ROOT.glob("host_shims/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not name.endswith((".__main__", "_skypilot_child", ".run.sitecustomize")):
            found.append(name)
    return found


CHILD = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
# What Python itself imports belongs to the machine it runs on.
import asyncio, ctypes, hashlib, importlib, multiprocessing, os, pathlib, platform, shutil, socket, subprocess, tempfile
import concurrent.futures, typing, json
try:
    import platformdirs, psutil, rich.console, wasmtime
except ImportError:
    pass
# psutil as it is on that system: what it would say, recorded.
import types
psutil.cpu_count = lambda logical=True: 8
psutil.virtual_memory = lambda: types.SimpleNamespace(total=17179869184, free=1234567890)
psutil.pid_exists = lambda pid: pid == os.getpid()
platform_name, os_name, gone = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
for name in {POSIX_ONLY!r}:
    sys.modules[name] = None
for name in {NOT_EVERYWHERE!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in filter(None, gone):
    sys.modules[name] = None
os.supports_dir_fd = set()
# Decided once, on this machine.
shutil._use_fd_functions = False
shutil._rmtree_impl = getattr(shutil, "_rmtree_unsafe", None)
tempfile.gettempdir()
native = sys.platform == platform_name
if platform_name == "win32" and not native:
    # Its own calls, as far as they are made: a process is there when it is this one.
    def open_process(right, inherited, pid):
        if pid != os.getpid():
            raise OSError(22, "invalid parameter")
        return pid
    sys.modules["_winapi"] = types.SimpleNamespace(
        OpenProcess=open_process, WaitForSingleObject=lambda handle, patience: 0x102, CloseHandle=lambda handle: None
    )
    # Numbers of processes are multiples of four there.
    os.getpid = lambda: 4000
sys.platform, os.name = platform_name, os_name
import skywasm, host_shims
if platform_name == "win32" and not native:
    # An option that sockets have here.
    host_shims.facts._EXCLUSIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
"""
EVERYTHING = f"""
for name in {_names()!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in ("libcst", "jinja2", "plotly", "markupsafe", "sky", "numpy"):
            raise
"""
ANSWERS = """
skywasm.set_backend("auto")
assert skywasm.base36_encode("ff") == "73"
assert skywasm.format_float(0.25) == "0.2"
assert skywasm.truncate_long_string("sky launch -c dev task.yaml", 12) == "sky launch -c..."
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "log")
    with open(path, "wb") as file:
        file.write(b"one\\r\\ntwo\\n\\xff\\xc3\\xbc three")
    assert skywasm.read_last_n_lines(path, 2) == ["two\\n", "\\ufffd\\xfc three"]
    assert skywasm.hash_file(path, "md5").hexdigest() == hashlib.md5(open(path, "rb").read()).hexdigest()
    assert skywasm.estimate_fd_for_directory(folder) == 5
assert skywasm.get_cpu_count() >= 1
assert skywasm.get_mem_size_gb() > 0
assert skywasm.get_parallel_threads() >= 1
try:
    assert skywasm.get_max_workers_for_file_mounts({}) >= 1
except OSError as error:
    # What an unknown system cannot tell is an error that says so.
    assert "limit of open files" in str(error) and host_shims.facts.__name__ == "host_shims._unsupported"
assert skywasm.is_process_alive(os.getpid())
assert skywasm.find_free_port(20000) >= 20000
assert skywasm.batch.base36_encode(["ff", "0"]) == ["73", "0"]
for row in skywasm.functions.ROWS:
    for example in row.examples.values():
        if not callable(example):
            assert row.function(*example) == row.reference(*example), row.name
print(host_shims.facts.__name__, skywasm.get_backend_info(load=True)["backend"])
"""
SYSTEMS = [
    ("win32", "nt", "_windows"),
    ("freebsd14", "posix", "_unsupported"),
    ("emscripten", "posix", "_unsupported"),
]


def _run(code: str, platform: str, name: str, gone: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", CHILD + code, platform, name, gone],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("platform", "name", "module"), SYSTEMS)
def test_every_module_can_be_imported(platform: str, name: str, module: str) -> None:
    """Without the modules and the functions that only POSIX has, nothing fails to be imported."""
    _run(EVERYTHING, platform, name)


@pytest.mark.parametrize(("platform", "name", "module"), SYSTEMS)
def test_python_answers_where_wasmtime_cannot_load(platform: str, name: str, module: str) -> None:
    """All functions answer in Python, by that system's module, when there is no wasmtime for it."""
    assert _run(ANSWERS, platform, name, "wasmtime").split() == [f"host_shims.{module}", "python"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_text_file_is_read_in_the_encoding_of_the_system(encoding: str) -> None:
    """Answers do not depend on the locale's encoding: a text file opened without one would warn here, and fail."""
    code = "import host_shims, skywasm\n" + ANSWERS.replace("host_shims.facts.__name__, ", "")
    imports = "import hashlib, os, tempfile\n"
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-c", imports + code],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr
