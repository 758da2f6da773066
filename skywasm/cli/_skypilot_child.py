"""SkyPilot's answers for ``skywasm demo``, out of a process of its own: a line in, a line out, each a pickle
in hexadecimal.

Run as a script, with nothing of skywasm: importing SkyPilot takes seconds, may fail, writes to the home folder, and
in the demo's own process its functions could be the drop-in's. The first line out is SkyPilot's version.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def packed(value: Any) -> str:
    """A value as a line of text."""
    return pickle.dumps(value).hex() + "\n"


def unpacked(line: str) -> Any:
    """The value of a line."""
    return pickle.loads(bytes.fromhex(line))  # noqa: S301 - written by the process at the other end


def outcome(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What a call comes to, as a line can hold it: the result, a hash object's digest, or the error."""
    try:
        result = function(*arguments)
        return result.hexdigest() if hasattr(result, "hexdigest") else result
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _serve() -> None:
    # What SkyPilot prints must not come between the replies.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as replies:
        os.dup2(2, 1)
        # Python looks for modules beside a script first, and only commands of skywasm are there.
        del sys.path[0]

        def reply(value: Any) -> None:
            replies.write(packed(value))
            replies.flush()

        reply(importlib.import_module("sky").__version__)
        for line in sys.stdin:
            module, name, calls = unpacked(line)
            function = getattr(importlib.import_module(module), name)
            reply([outcome(function, arguments) for arguments in calls])


if __name__ == "__main__":
    _serve()
