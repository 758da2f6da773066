"""SkyPilot's answers for ``skywasm demo``, out of a process of its own: a line of JSON in, a line of JSON out.

Run as a script, with nothing of skywasm: importing SkyPilot takes seconds, may fail, writes to the home folder, and
in the demo's own process its functions could be the drop-in's. The first line out is SkyPilot's version.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def outcome(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What a call comes to, as JSON can hold it: the result, a hash object's digest, or the error."""
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
            replies.write(json.dumps(value) + "\n")
            replies.flush()

        reply(importlib.import_module("sky").__version__)
        for line in sys.stdin:
            module, name, calls = json.loads(line)
            function = getattr(importlib.import_module(module), name)
            reply([outcome(function, arguments) for arguments in calls])


if __name__ == "__main__":
    _serve()
