"""The command line. ``main`` is the entry point; one module a command, listed in ``_main.commands``."""

from __future__ import annotations

from skywasm.cli._main import main

__all__ = ["main"]
