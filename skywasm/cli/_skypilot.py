"""The demo's side of ``_skypilot_child``: starts it, asks it, and knows what to say when it does not answer."""

from __future__ import annotations

import contextlib
import os
import site
import subprocess
import sys
import threading

from skywasm.cli._skypilot_child import packed, unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCRIPT = os.path.join(os.path.dirname(__file__), "_skypilot_child.py")
# Importing SkyPilot takes two seconds here, and many times that from a cold network drive.
_PATIENCE_SECONDS = 60


class SkyPilot:
    """SkyPilot in a process of its own. Starts at once; ``version`` waits until it has been imported."""

    def __init__(self, folder: str) -> None:
        self._errors = open(os.path.join(folder, "skypilot-errors"), "w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(folder),
            encoding="ascii",
        )
        self._requests: Any = self._process.stdin
        self._replies: Any = self._process.stdout
        self._timer = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def version(self) -> str | None:
        """The version that was imported; None when it could not be, and ``problem`` says why."""
        version: str | None = self._reply()
        return version

    def ask(self, module: str, name: str, calls: list[Any]) -> Any:
        """What the calls of a function come to: an error for each when SkyPilot is gone."""
        with contextlib.suppress(OSError):
            self._requests.write(packed([module, name, calls]))
            self._requests.flush()
        reply = self._reply()
        return [{"error": f"SkyPilot stopped: {self.problem()}"}] * len(calls) if reply is None else reply

    def _reply(self) -> Any:
        line = self._replies.readline()
        return unpacked(line) if line else None

    def problem(self) -> str:
        """Why there is no answer: the last line of what the process said, or how it ended."""
        # It has closed its end of the pipe, and may have its last words still to say.
        status = self._process.wait()
        if not self._timer.is_alive():
            return f"no answer within {_PATIENCE_SECONDS} s"
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return f"{lines[-1] if lines else 'its process ended'} (exit status {status})"

    def close(self) -> None:
        """Ends the process and all that belongs to it."""
        self._timer.cancel()
        self._process.kill()
        # Leaving closes the pipes and waits for the process, so that it stays behind in no form.
        with contextlib.suppress(OSError), self._process:
            pass
        self._errors.close()


def _environment(folder: str) -> dict[str, str]:
    """This process's environment, but SkyPilot's own functions, no report of its use, and a home that goes away."""
    return {
        **os.environ,
        "SKYPILOT_USE_RUST": "0",
        "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
        # Importing it makes ~/.sky.
        "HOME": folder,
        # Found through the home folder otherwise.
        "PYTHONUSERBASE": site.getuserbase(),
    }
