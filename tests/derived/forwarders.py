"""``skywasm/functions/_forwarders.py``: in a file, so that importing skywasm compiles nothing."""

from __future__ import annotations

_HEAD = '''# ruff: noqa
# mypy: ignore-errors
"""Written by `make derived` from the declarations; do not edit. What a function is while calls take another road."""
'''


def text() -> str:
    """The file's text."""
    from skywasm.functions import ROWS
    from skywasm.functions.declare import forwarder_source

    return _HEAD + "".join(f"\n\n{forwarder_source(row)}" for row in ROWS)
