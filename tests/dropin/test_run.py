"""`skywasm run`: a program with the drop-in, in all other respects as if it had been started alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import metadata

import pytest
from children import environment, run
from cli.program import command

from dropin.places import TIMEOUT_S, WHOSE, base_python, call, make_environment, make_sky, packages
from skywasm.cli import _run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

posix = pytest.mark.skipif(os.name != "posix", reason="processes are replaced on POSIX systems only")


def skywasm_run(*words: str | bytes, **how: Any) -> subprocess.CompletedProcess[str]:
    return call(*command("run", *words), **how)


@pytest.fixture
def sky(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment in which a made-up SkyPilot is found."""
    return {"PYTHONPATH": str(make_sky(tmp_path / "made-up"))}


@pytest.mark.parametrize(
    "words",
    [("--", "python"), ("python",), ("--", sys.executable), (), ("--",), ("--", "-X", "utf8")],
    ids=["name", "no dashes", "path", "options", "dashes and options", "more options"],
)
def test_the_drop_in_is_on(words: tuple[str, ...], sky: dict[str, str]) -> None:
    """A Python found beside this one, named by its path, or this one by its options, has the drop-in."""
    done = skywasm_run(*words, "-c", WHOSE, env=sky)
    assert (done.returncode, done.stdout, done.stderr) == (0, "skywasm\n", "")


def test_skypilots_own_program() -> None:
    """`skywasm run -- sky --version` is SkyPilot's answer."""
    if not os.path.exists(os.path.join(os.path.dirname(sys.executable), "sky")):
        pytest.skip("SkyPilot is not installed beside this Python")
    done = skywasm_run("--", "sky", "--version")
    assert (done.returncode, done.stdout) == (0, f"skypilot, version {metadata.version('skypilot')}\n")


def test_a_script_and_a_module(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A script file and a module behind -m run with this Python, with their own folder first on the path."""
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "program.py").write_text(f"import sys, beside\n{WHOSE}; print(sys.argv[1:])\n")
    for words in (("program.py",), (str(tmp_path / "program.py"),), ("-m", "program")):
        done = skywasm_run(*words, "--help", env={**sky, "PYTHONSAFEPATH": ""}, cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("skywasm\n['--help']\n", "")


@posix
def test_arguments_go_verbatim() -> None:
    """Whatever stands behind the command reaches it as it was typed: dashes, blanks, nothing, bytes."""
    words = [b"--", b"-h", b"", b"a b", b"--version", b"\xff\xfe", b"*", b"--system", b"--"]
    code = "import os, sys; print(ascii([os.fsencode(word) for word in sys.argv[1:]]))"
    done = skywasm_run("--", "python", "-c", code, *words)
    assert (done.stdout, done.stderr) == (f"{words}\n", "")


@pytest.mark.parametrize("status", [0, 1, 7, 127, 255])
def test_the_exit_status_is_the_programs(status: int) -> None:
    """The exit status comes out as it is."""
    assert skywasm_run("-c", f"raise SystemExit({status})").returncode == status


@posix
def test_a_signal_ends_it_as_it_would_alone() -> None:
    """A program that a signal ends is seen to have been ended by it, and a closed pipe ends what writes to it."""
    assert skywasm_run("sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    done = skywasm_run("sh", "-c", "{ yes; echo $? >&2; } | head -n 1")
    assert (done.stdout, done.stderr.strip()) == ("y\n", str(128 + signal.SIGPIPE))


@posix
@pytest.mark.parametrize(("handler", "status"), [("", -signal.SIGINT), ("except KeyboardInterrupt: sys.exit(5)\n", 5)])
def test_ctrl_c_is_the_programs(handler: str, status: int) -> None:
    """Ctrl-C reaches the program and nobody else, which deals with it or ends by it."""
    code = "import sys, time\ntry:\n print('up', flush=True); time.sleep(60)\n" + (handler or "finally: pass\n")
    process = subprocess.Popen(
        command("run", "-c", code),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd="/",
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == status
    assert b"skywasm" not in err


@pytest.mark.parametrize("word", ["no-such-command", "./no-such-command", "no-such-script.py", ""])
def test_a_command_that_is_not_there(word: str, tmp_path: pathlib.Path) -> None:
    """An unknown command ends with 127 and a line that names it and where it was looked for."""
    done = skywasm_run("--", word, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr.startswith(f"skywasm run: {word or repr('')}: no such command beside ")
    assert done.stderr.endswith(" or on PATH, and no such file\n")
    assert done.stderr.count("\n") == 1


@posix
def test_a_file_that_is_no_program(tmp_path: pathlib.Path) -> None:
    """A file that cannot be executed ends with 126 and the reason, and so do a folder and a file of nonsense."""
    (tmp_path / "plain").write_text("text")
    (tmp_path / "nonsense").write_bytes(b"\0\1\2")
    (tmp_path / "nonsense").chmod(0o755)
    for name, reason in (("plain", "it is not executable"), ("nonsense", "Exec format error"), ("", "it is a folder")):
        path = str(tmp_path / name)
        done = skywasm_run(path)
        assert done.returncode == 126
        assert done.stderr.startswith(f"skywasm run: {path}: {reason}")


def test_no_command_is_a_usage_error() -> None:
    """`skywasm run` alone ends with 2 and an example."""
    for words in ((), ("--",)):
        done = skywasm_run(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "skywasm run -- sky status" in done.stderr


def test_help() -> None:
    """--help before the command is run's own, and fits a narrow terminal."""
    for option in ("-h", "--help"):
        done = skywasm_run(option, env={"COLUMNS": "80"})
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: skywasm run [-h] [--] COMMAND")
        assert "examples:\n  skywasm run -- sky status" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_children_have_it_too(sky: dict[str, str]) -> None:
    """Processes that the program starts have the drop-in: by subprocess, by spawn, by fork, through a shell."""
    code = f"""
import multiprocessing, subprocess, sys
def whose(queue):
    import sky.utils.common_utils as c
    queue.put(c.base36_encode.__globals__['__name__'].partition('.')[0])
if __name__ == "__main__":
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        queue = context.SimpleQueue()
        process = context.Process(target=whose, args=(queue,))
        process.start()
        print(queue.get())
        process.join()
    command = [sys.executable, "-c", {WHOSE!r}]
    print(subprocess.run(command, capture_output=True, text=True).stdout.strip())
    print(subprocess.run(["sh", "-c", '"$@"', "sh", *command], capture_output=True, text=True).stdout.strip())
"""
    script = os.path.join(sky["PYTHONPATH"], "program.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(code)
    done = skywasm_run("--", script, env=sky)
    assert done.stderr == ""
    answers = done.stdout.split()
    assert len(answers) >= 3
    assert set(answers) == {"skywasm"}


def test_another_environment_is_left_alone(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A Python of another environment, even one that sees the same packages, runs without the drop-in."""
    other = make_environment(tmp_path / "other")
    for python in (other, base_python()):
        if python == sys.executable:
            continue
        done = skywasm_run("--", str(python), "-c", WHOSE, env=sky)
        assert (done.returncode, done.stdout, done.stderr) == (0, "sky.utils.common_utils\n", "")


def test_an_environment_reached_through_a_link(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """The same environment under another path is the same."""
    make_environment(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    python, same = (str(tmp_path / name / "bin" / "python") for name in ("real", "link"))
    done = call(python, "-m", "skywasm", "run", "--", same, "-c", WHOSE, env=sky)
    assert (done.stdout, done.stderr) == ("skywasm\n", "")


def test_the_switch_wins(sky: dict[str, str]) -> None:
    """With SKYPILOT_USE_RUST=0 the program runs with SkyPilot's own functions."""
    done = skywasm_run("-c", WHOSE, env={**sky, "SKYPILOT_USE_RUST": "0"})
    assert (done.stdout, done.stderr) == ("sky.utils.common_utils\n", "")


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_options_that_leave_it_out(option: str, sky: dict[str, str]) -> None:
    """Python's options that leave out PYTHONPATH or site leave out the drop-in, and nothing else happens."""
    path = sky["PYTHONPATH"]
    done = skywasm_run(option, "-c", f"import sys; sys.path.insert(0, {path!r}); {WHOSE}", env=sky)
    assert (done.returncode, done.stdout, done.stderr) == (0, "sky.utils.common_utils\n", "")


SEE = "import json, sys; print(json.dumps([sys.path, 'sitecustomize' in sys.modules, sys.meta_path[0].__module__]))"


def test_the_users_own_sitecustomize_runs_once(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A sitecustomize that the program would have had runs exactly once, and is the module of that name."""
    (tmp_path / "sitecustomize.py").write_text("print('mine', __name__)\nVALUE = 5\n")
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{sky['PYTHONPATH']}"}
    code = f"import sitecustomize; print(sitecustomize.VALUE, sitecustomize.__file__); {WHOSE}"
    done = skywasm_run("-c", code, env={**env, "SKYPILOT_USE_RUST": ""})
    # Once in skywasm's own process, before it becomes the program.
    own = "mine sitecustomize\n"
    assert done.stdout == f"{own}{own}5 {tmp_path / 'sitecustomize.py'}\nskywasm\n"
    assert done.stderr == ""


@posix
@pytest.mark.parametrize("how", ["execl", "subprocess", "spawn"])
def test_a_program_that_puts_its_own_sitecustomize_first(how: str, sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """As opentelemetry-instrument, ddtrace-run and newrelic-admin do: theirs is run, and the drop-in is on too."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("print('instrumented')\n")
    ways = {
        "execl": "os.execl(sys.executable, sys.executable, *sys.argv[1:])",
        "subprocess": "import subprocess; subprocess.run([sys.executable, *sys.argv[1:]])",
        "spawn": "os.spawnl(os.P_WAIT, sys.executable, sys.executable, *sys.argv[1:])",
    }
    (tmp_path / "instrument.py").write_text(
        "import os, sys\nassert type(os.environ).__name__ == '_Environ'\n"
        f"os.environ['PYTHONPATH'] = os.pathsep.join([{str(theirs)!r}, os.getcwd(), os.environ['PYTHONPATH']])\n"
        f"{ways[how]}\n"
    )
    done = skywasm_run(str(tmp_path / "instrument.py"), "-c", WHOSE, env=sky)
    assert (done.returncode, done.stdout, done.stderr) == (0, "instrumented\nskywasm\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError('mine')",
        "raise ImportError('mine')",
        "import no_such_module",
        "raise ModuleNotFoundError('mine', name='sitecustomize.x')",
    ],
)
def test_a_sitecustomize_that_raises(text: str, sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """An error of the user's sitecustomize is told as it would be without skywasm, and the drop-in is on."""
    (tmp_path / "sitecustomize.py").write_text(text)
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{sky['PYTHONPATH']}"}
    alone = call(sys.executable, "-c", WHOSE, env=env)
    done = skywasm_run("-c", WHOSE, env=env)
    assert (alone.stdout, done.stdout) == ("sky.utils.common_utils\n", "skywasm\n")
    # Once in skywasm's own process.
    assert done.stderr == alone.stderr * 2
    assert "Error in sitecustomize" in alone.stderr


def test_the_path_is_as_without(tmp_path: pathlib.Path) -> None:
    """Where the user has no sitecustomize, sys.path is what it would have been: the current folder does not get in."""
    for value in ("", os.pathsep, f"{tmp_path}{os.pathsep}"):
        env = {"PYTHONPATH": value}
        alone = json.loads(call(sys.executable, "-c", SEE, env=env).stdout)[0]
        done = json.loads(skywasm_run("-c", SEE, env=env).stdout)[0]
        # Empty entries stand for the current folder; they are left out.
        assert done == [entry for entry in alone if entry != "/"]


def test_runs_within_runs(sky: dict[str, str]) -> None:
    """`skywasm run` started by `skywasm run` adds nothing to PYTHONPATH, and the drop-in is on once."""
    code = "import os, sys; print(os.environ['PYTHONPATH'], sum(hasattr(f, 'skywasm_drop_in') for f in sys.meta_path))"
    once = skywasm_run("-c", code, env=sky)
    twice = skywasm_run("-m", "skywasm", "run", "-m", "skywasm", "run", "--", "python", "-c", code, env=sky)
    assert (twice.stdout, twice.stderr) == (once.stdout, "")
    assert once.stdout.endswith(f"{os.pathsep}{sky['PYTHONPATH']} 1\n")


@posix
def test_a_script_of_another_environment_is_told(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A script on PATH whose first line names another Python runs, after a line that says the drop-in is off in it."""
    other = make_environment(tmp_path / "other")
    script = tmp_path / "tool"
    env = {**sky, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for python, told in ((other, True), (sys.executable, False)):
        script.write_text(f"#!{python}\n{WHOSE}\n")
        script.chmod(0o755)
        done = skywasm_run("tool", env=env)
        assert done.stdout == ("sky.utils.common_utils\n" if told else "skywasm\n")
        assert (f"{script} belongs to another Python, {python}: the drop-in is off in it" in done.stderr) is told


@posix
def test_any_program_runs() -> None:
    """What is no Python at all runs as well."""
    done = skywasm_run("sh", "-c", "echo $0 $1", "a", "b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a b\n", "")


def test_the_users_environment_is_kept(sky: dict[str, str]) -> None:
    """Beyond PYTHONPATH and its own variable the program's environment is the user's."""
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    alone = json.loads(call(sys.executable, "-c", code, env=sky).stdout)
    seen = json.loads(skywasm_run("-c", code, env=sky).stdout)
    assert seen.pop(_run.VARIABLE).endswith(f":{sys.prefix}")
    assert seen.pop("PYTHONPATH").endswith(f"{os.pathsep}{alone.pop('PYTHONPATH')}")
    for variable in ("_", "SHLVL", "LC_CTYPE"):
        alone.pop(variable, None)
        seen.pop(variable, None)
    assert seen == alone


def test_where_processes_cannot_be_replaced() -> None:
    """As on Windows: the program runs as a child, its exit status comes out, and Ctrl-C is left to it."""
    code = """
        import os, signal, sys, threading
        from skywasm.cli import _run
        child = "import sys, time\\ntry:\\n time.sleep(30)\\nexcept KeyboardInterrupt:\\n time.sleep(0.2); sys.exit(9)"
        threading.Timer(0.7, os.killpg, (0, signal.SIGINT)).start()
        report(plain=_run.wait_for([sys.executable, "-c", "raise SystemExit(6)"], dict(os.environ)))
        report(interrupted=_run.wait_for([sys.executable, "-c", child], dict(os.environ)))
    """
    start = time.monotonic()
    assert run(code)["interrupted"] == 9
    assert time.monotonic() - start < 20


def test_from_an_archive(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where skywasm lies in an archive the command says that it must be installed."""
    monkeypatch.setattr(_run, "__file__", str(tmp_path / "a.whl" / "skywasm" / "cli" / "_run.py"))
    with pytest.raises(_run.Failure, match="install skywasm with pip"):
        _run.environment()


def test_no_trace_is_left(sky: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A program that has run leaves no file in its environment."""
    python = make_environment(tmp_path / "own")
    before = sorted(packages(tmp_path / "own").rglob("*"))
    done = call(python, "-m", "skywasm", "run", "-c", WHOSE, env=sky)
    assert (done.stdout, done.stderr) == ("skywasm\n", "")
    assert sorted(packages(tmp_path / "own").rglob("*")) == before
