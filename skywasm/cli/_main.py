"""From the words on the command line to an exit status, whatever happens in between."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from skywasm.cli._command import Command


def commands() -> tuple[Command, ...]:
    """All commands, in the order of the help text. A new one is a module and a line here."""
    from skywasm.cli import _bench, _check, _demo, _enable, _hash, _info, _migrate, _report, _run, _tail

    return (
        _check.COMMAND,
        _info.COMMAND,
        _demo.COMMAND,
        _bench.COMMAND,
        _report.COMMAND,
        _enable.ENABLE,
        _enable.DISABLE,
        _run.COMMAND,
        _migrate.COMMAND,
        _hash.COMMAND,
        _tail.COMMAND,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` names, ``sys.argv`` by default.

    Returns:
        The exit status; ``skywasm --help`` lists them. Ctrl-C and a reader that has gone end it quietly.
    """
    # Imported inside: Ctrl-C may come while modules are still being loaded.
    try:
        from skywasm.cli import _output

        _output.prepare()
        _heed_lost_interrupts()
        try:
            status = _run(argv)
            _output.flush()
        except OSError as error:
            if _is_closed_pipe(error):
                from skywasm.cli._command import PIPE_CLOSED

                _output.abandon()
                return PIPE_CLOSED
            # Commands answer for the files they read: this is the output that cannot be written, or the machine's.
            _output.abandon(sparing_errors=True)
            return _output.complain("skywasm", _told(error))
        return status
    except KeyboardInterrupt:
        return _interrupted()


def _is_closed_pipe(error: OSError) -> bool:
    """Whether nobody reads the output any more, which on Windows is an invalid argument."""
    import errno
    import os

    return isinstance(error, BrokenPipeError) or (
        os.name == "nt" and error.errno == errno.EINVAL and error.filename is None
    )


def _told(error: OSError) -> str:
    """What an error of the system is about."""
    import os

    text = error.strerror or str(error)
    if error.filename:
        return f"{os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename}: {text}"
    try:
        os.getcwd()
    except FileNotFoundError:
        return f"the current folder has been deleted, so this cannot be done here ({text})"
    except OSError:
        pass
    return text


def _heed_lost_interrupts() -> None:
    """Ctrl-C in the middle of a callback, as imports have them, would be told at length and then forgotten."""
    import sys

    usual = getattr(sys, "unraisablehook", None)
    if usual is None:
        # PyPy tells in another way.
        return

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt):
            usual(lost)
            return
        import threading

        # Again, as soon as the callback is over.
        threading.Timer(0.02, _interrupt_main_thread).start()

    sys.unraisablehook = hook


def _interrupt_main_thread() -> None:
    import _thread
    import signal
    import threading

    main_thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main_thread is not None:
        # Ends a wait of that thread's too.
        signal.pthread_kill(main_thread, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _interrupted() -> int:
    import signal

    from skywasm.cli._command import INTERRUPTED

    # A second Ctrl-C would strike the interpreter while it ends, and be told at length.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    import sys

    from skywasm.cli import _output
    from skywasm.cli._command import USAGE, Failure, UsageError
    from skywasm.errors import SkyPilotError

    parser = _parser()
    try:
        _refuse_unknown(parser, sys.argv[1:] if argv is None else argv)
        options, unknown = parser.parse_known_args(argv)
        if unknown:
            # Told by the command's own parser, so that its usage is shown.
            (parser if options.command is None else options.parser).error(
                f"unrecognized arguments: {' '.join(unknown)}"
            )
        if options.command is None:
            parser.print_help(sys.stderr)
            return USAGE
        try:
            status: int = options.command.run(options)
        except UsageError as error:
            options.parser.error(str(error))
        except Failure as error:
            return _output.complain(options.parser.prog, str(error))
        except SkyPilotError as error:
            return _output.complain(options.parser.prog, f"{error}; `skywasm check` tells more")
        return status
    except SystemExit as end:
        # argparse leaves this way, and what it printed is still to be flushed.
        return end.code if isinstance(end.code, int) else 0


def _refuse_unknown(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Refuses a command that is none, with the one that was meant where that can be guessed."""
    names = [command.name for command in commands()]
    if not words or words[0].startswith("-") or words[0] in names:
        return
    import difflib

    near = difflib.get_close_matches(words[0], names, 1)
    meant = f"; did you mean `skywasm {near[0]}`?" if near else f"; the commands are {', '.join(names)}"
    parser.error(f"unknown command {words[0]!r}{meant}")


def _parser() -> argparse.ArgumentParser:
    import argparse
    import textwrap

    from skywasm import __version__
    from skywasm.cli._command import exit_statuses, help_width

    parser = argparse.ArgumentParser(
        prog="skywasm",
        description=textwrap.fill(
            "SkyPilot's utility functions in a WebAssembly sandbox: see them, check them, use them.", help_width()
        ),
        epilog="examples:\n  skywasm check\n  skywasm demo --quick\n  skywasm COMMAND --help\n\n"
        + exit_statuses(
            "all is well",
            "something is wrong; the output says what",
            "the command line or SKYWASM_BACKEND is wrong, or an extra is not installed",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"skywasm {__version__}")
    parser.set_defaults(command=None)
    group = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in commands():
        sub = group.add_parser(
            command.name,
            help=command.summary,
            description=textwrap.fill(command.description, help_width()),
            epilog=command.epilog(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(sub)
        sub.set_defaults(command=command, parser=sub)
    return parser
