"""The folder of the cache on Windows, where Python tells neither owners nor modes of files.

What lies in a user's own profile nobody else can write to, administrators apart. So an entry is believed there only,
wherever links and junctions lead.
"""

from __future__ import annotations

import os
import stat
import time

from host_shims.struck import let_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _require_own(path: str) -> None:
    """Raises for what does not lie in the user's profile.

    Raises:
        PermissionError: it does not.
    """
    home = os.path.realpath(os.path.expanduser("~"))
    real = os.path.realpath(path)
    inside = os.path.join(os.path.normcase(home), "")
    if not os.path.isabs(home) or not os.path.normcase(real).startswith(inside):
        raise PermissionError(f"{path} is not in {home}, so that others may be able to write to it")


def load(name: str, path: str, young_s: float) -> bytes:
    """The content of an entry, which is made young where it is older than so many seconds.

    Raises:
        OSError: there is none, or it is not known to be this user's alone.
    """
    entry = os.path.join(path, name)
    _require_own(entry)
    with open(entry, "rb") as file:
        content = file.read()
        changed = os.fstat(file.fileno()).st_mtime
    if abs(time.time() - changed) > young_s:
        try:
            os.utime(entry)
        except OSError as error:
            let_out(error)
    return content


def prospect(name: str, path: str) -> str:
    """As ``cache.prospect``.

    Raises:
        OSError: the folder is not known to be this user's alone.
    """
    entry = os.path.join(path, name)
    _require_own(entry)
    try:
        is_file = stat.S_ISREG(os.stat(entry).st_mode)
    except FileNotFoundError as error:
        let_out(error)
        # The folder may be still to be made.
        return "miss"
    return "hit" if is_file else "off"


def store(
    name: str,
    path: str,
    content: bytes,
    write: Callable[[str, bytes], None],
    outdated: Callable[[dict[str, float], str], list[str]],
) -> None:
    """Writes an entry in one step, and removes what ``outdated`` finds old.

    Raises:
        OSError: it cannot be written, or not where it would be this user's alone.
    """
    _require_own(path)
    os.makedirs(path, exist_ok=True)
    draft = os.path.join(path, f"{name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        write(draft, content)
        os.replace(draft, os.path.join(path, name))
    except BaseException:
        _remove(draft)
        raise
    _remove_old(path, name, outdated)


def _remove(path: str) -> None:
    """Removes a file, unless it is gone, or open in another process: then it goes the next time."""
    try:
        os.unlink(path)
    except OSError as error:
        let_out(error)


def _remove_old(path: str, written: str, outdated: Callable[[dict[str, float], str], list[str]]) -> None:
    try:
        ages = {name: os.stat(os.path.join(path, name)).st_mtime for name in os.listdir(path)}
    except OSError as error:
        # Another process may be doing the same.
        let_out(error)
        return
    for name in outdated(ages, written):
        _remove(os.path.join(path, name))
