"""The mode in force, and who chose it."""

from __future__ import annotations

import os

MODES = ("auto", "wasm", "python")

_mode: str | None = None
_set_mode: str | None = None


def environment_mode() -> str:
    """The mode that the environment asks for.

    ``SKYPILOT_USE_RUST=0`` (also ``false``, ``no``) means python and beats ``SKYWASM_BACKEND``.

    Raises:
        ValueError: SKYWASM_BACKEND is none of auto, wasm, python.
    """
    if switched_off():
        return "python"
    mode = os.environ.get("SKYWASM_BACKEND", "").strip().lower() or "auto"
    if mode not in MODES:
        raise ValueError(f"SKYWASM_BACKEND is {mode!r}; it must be one of auto, wasm, python")
    return mode


def switched_off() -> bool:
    """Whether ``SKYPILOT_USE_RUST`` switches the artifact off for this process."""
    return os.environ.get("SKYPILOT_USE_RUST", "").strip().lower() in ("0", "false", "no")


def mode() -> str:
    """The mode in force: what was chosen, else the environment's at the first call."""
    global _mode
    if _mode is None:
        _mode = _set_mode or environment_mode()
    return _mode


def decided() -> str | None:
    """The mode if there is one yet."""
    return _mode


def chosen() -> str | None:
    """The mode that the program has chosen, which beats the environment."""
    return _set_mode


def choose(mode: str | None) -> None:
    """Sets the mode; None lets the environment decide again, at the next call.

    Raises:
        ValueError: there is no such mode; it stays as it was.
    """
    global _mode, _set_mode
    if mode is not None and (not isinstance(mode, str) or mode not in MODES):
        raise ValueError(f"backend is {mode!r}; it must be one of 'auto', 'wasm', 'python'")
    _mode = _set_mode = mode
