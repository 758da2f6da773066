"""Copies of this checkout, as somebody else would have it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def copied(folder: pathlib.Path) -> pathlib.Path:
    """Copies what git knows, and what is new and not ignored, into a folder to be made.

    Environments that are made here stay here: that of Wine has a link to the root of this machine.
    """
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder
