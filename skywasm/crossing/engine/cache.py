"""The compiled-module cache: compiling takes tens of milliseconds, loading a compiled module less than one.

A compiled module is native code, and the engine loads one with a flipped byte without complaint. So an entry
is used only from a folder that this user owns and nobody else can write to, it is opened without following
links, its owner is checked, it is read once, and its own digest stands before it. Whoever can write as this
user has already won. Any failure means: compile again.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from functools import partial

from host_shims.descriptors import closing
from host_shims.struck import let_out
from skywasm.loading import late

try:
    # hashlib would load OpenSSL, which takes longer than all else here; the interpreter has this one in itself.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from host_shims.descriptors import Result

_DIGEST_SIZE = 32
# Of the names of entries: a folder that the user names may hold other files.
_PREFIX = "skywasm-"
# One for each artifact, wasmtime and processor, of 0.8 MiB. A home may be shared by machines and environments.
MOST_ENTRIES = 16
_HEX = frozenset("0123456789abcdef")
_DAY_S = 24 * 60 * 60
_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_O_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
# Relative opening makes checking the folder and using it one thing. Windows has neither it nor modes, but ``profile``.
_HAS_DIR_FD = os.open in os.supports_dir_fd


class Off(Exception):
    """Internal: there is no cache; the message says why."""


def folder() -> str:
    """Where entries live. ``SKYWASM_CACHE_DIR`` names another folder, ``SKYWASM_CACHE=0`` switches the cache off.

    Raises:
        Off: there is none.
    """
    if os.environ.get("SKYWASM_CACHE", "").lower() in ("0", "false", "no"):
        raise Off("SKYWASM_CACHE=0")
    named = os.environ.get("SKYWASM_CACHE_DIR")
    if named:
        if not os.path.isabs(named):
            raise Off("SKYWASM_CACHE_DIR is not an absolute path")
        return os.path.normpath(named)
    path = _users_folder()
    if not os.path.isabs(path):
        raise Off("this user has no home folder")
    _refuse_others_home(path)
    return path


def where() -> str | None:
    """Where entries live; None where there is no cache."""
    try:
        return folder()
    except Off:
        return None


def _users_folder() -> str:
    if sys.platform == "linux":
        # What platformdirs does here; importing it takes 8 ms, a quarter of what wasmtime takes.
        home = os.environ.get("XDG_CACHE_HOME", "").strip()
        return os.path.join(home if os.path.isabs(home) else os.path.expanduser("~/.cache"), "skywasm")
    import platformdirs

    return platformdirs.user_cache_dir("skywasm", appauthor=False)


def _refuse_others_home(path: str) -> None:
    """Raises Off where the folder would be made in somebody else's: as by sudo, which may leave HOME as it was."""
    if not _HAS_DIR_FD:
        return
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    if os.stat(path).st_uid != os.geteuid():
        raise Off(f"{path} is another user's")


def machine() -> str:
    """The kind of processor, as wasmtime-py asks for it."""
    # Importing platform takes 5 ms; the answer of one that is there may have been replaced.
    if "platform" not in sys.modules and hasattr(os, "uname"):
        return os.uname().machine
    if sys.platform == "win32":
        # platform asks a slow service there. The library has to fit this process, and so what Python was built for.
        return "ARM64" if "(ARM64)" in sys.version else "AMD64" if "(AMD64)" in sys.version else "x86"
    import platform

    return platform.machine()


def processor() -> str:
    """What the compiled code depends on: the flags of the processor where the system tells them."""
    flags = b""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", "rb") as file:
                flags = next((line for line in file if line.startswith((b"flags", b"Features"))), b"")
        except OSError as error:
            let_out(error)
    return f"{machine()} {flags.decode('ascii', 'replace').strip()}"


def fingerprint(*parts: bytes) -> bytes:
    """BLAKE2b over the parts, one after the other; 32 bytes."""
    digest = blake2b(digest_size=_DIGEST_SIZE)
    for part in parts:
        digest.update(part)
    return digest.digest()


def key(*parts: str) -> str:
    """The name of an entry: a digest over everything it depends on."""
    return fingerprint("\0".join(parts).encode()).hex()


def _in_folder(path: str, work: Callable[[int, list[int]], Result]) -> Result:
    """What ``work`` makes of a descriptor of the folder, and of a list for others that are to be closed after it.

    Raises:
        OSError: the folder is not known to be this user's alone.
    """

    def checked(opened: list[int]) -> Result:
        opened += map(os.open, (path,), (os.O_RDONLY | _O_DIRECTORY | _O_NOFOLLOW | _O_CLOEXEC,))
        status = os.fstat(opened[0])
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{path} belongs to another user or can be written to by others")
        return work(opened[0], opened)

    return closing(checked)


def _is_ours(status: os.stat_result) -> bool:
    """Whether an entry is a regular file of this user's that nobody else can write to."""
    return (
        status.st_uid == os.geteuid()
        and stat.S_ISREG(status.st_mode)
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def _load(name: str, path: str) -> bytes:
    if not _HAS_DIR_FD:
        return late("skywasm.crossing.engine.profile").load(name, path, _DAY_S)  # type: ignore[no-any-return]
    flags = os.O_RDONLY | _O_NOFOLLOW | _O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)

    def read(where: int, opened: list[int]) -> bytes:
        opened += map(partial(os.open, dir_fd=where), (name,), (flags,))
        status = os.fstat(opened[1])
        if not _is_ours(status):
            raise PermissionError(f"{path}/{name} is not a regular file that only this user can write to")
        if abs(time.time() - status.st_mtime) > _DAY_S:
            _keep_young(opened[1])
        return _read_all(opened[1])

    return _in_folder(path, read)


def load(name: str) -> tuple[bytes | None, str]:
    """The compiled module of an entry, or None; and what happened, for people."""
    name = _PREFIX + name
    try:
        content = _load(name, folder())
    except Off as off:
        return None, f"off ({off})"
    except OSError as error:
        let_out(error)
        return None, "miss" if isinstance(error, FileNotFoundError) else f"unusable: {error}"
    digest, module = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    if fingerprint(name.encode(), module) != digest:
        return None, "unusable: the entry is damaged"
    return module, "hit"


def prospect(name: str) -> str:
    """What is to be expected of an entry that is not read: "hit"; "miss"; "off" where none can be used or kept."""
    name = _PREFIX + name
    try:
        path = folder()
        if not _HAS_DIR_FD:
            return late("skywasm.crossing.engine.profile").prospect(name, path)  # type: ignore[no-any-return]
        return _in_folder(path, lambda where, _: _prospect(name, path, where))
    except Off:
        return "off"
    except OSError as error:
        let_out(error)
        return "miss" if isinstance(error, FileNotFoundError) else "off"


def _prospect(name: str, path: str, where: int) -> str:
    try:
        status = os.stat(name, dir_fd=where, follow_symlinks=False)
    except FileNotFoundError as error:
        let_out(error)
        return "miss" if os.access(path, os.W_OK) else "off"
    return "hit" if _is_ours(status) else "off"


def write(where: int | str, content: bytes) -> None:
    """Writes to an open descriptor, which stays open, or into a new file."""
    with open(where, "xb" if isinstance(where, str) else "wb", closefd=isinstance(where, str)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_young(descriptor: int) -> None:
    """Sets an entry's time to now: the ones that are removed are those that nobody has used for longest."""
    try:
        os.utime(descriptor)
    except OSError as error:
        let_out(error)


def outdated(times: dict[str, float], written: str) -> list[str]:
    """Files, given with their times, that are to go: all but the youngest entries, and what killed writers left."""
    entries, left, now = [], [], time.time()
    for name, changed in times.items():
        key, dot, _ = name.partition(".")
        digits = key[len(_PREFIX) :]
        if name == written or len(key) != len(written) or not key.startswith(_PREFIX) or not set(digits) <= _HEX:
            continue
        # A clock may have been set back: what is of the future counts by its distance too.
        age_s = abs(now - changed)
        if not dot:
            entries.append((age_s, name))
        elif age_s > _DAY_S:
            left.append(name)
    return left + [name for _, name in sorted(entries)[MOST_ENTRIES - 1 :]]


def _remove_old(where: int, written: str) -> None:
    times = {name: os.stat(name, dir_fd=where, follow_symlinks=False).st_mtime for name in os.listdir(where)}
    for name in outdated(times, written):
        os.unlink(name, dir_fd=where)


def _store(name: str, path: str, content: bytes) -> None:
    if not _HAS_DIR_FD:
        return late("skywasm.crossing.engine.profile").store(name, path, content, write, outdated)  # type: ignore[no-any-return]
    os.makedirs(path, mode=0o700, exist_ok=True)
    temporary = f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_NOFOLLOW | _O_CLOEXEC

    def keep(where: int, opened: list[int]) -> None:
        try:
            opened += map(partial(os.open, dir_fd=where), (temporary,), (flags,), (0o600,))
            write(opened[1], content)
            os.replace(temporary, name, src_dir_fd=where, dst_dir_fd=where)
        except BaseException:
            if len(opened) > 1:
                os.unlink(temporary, dir_fd=where)
            raise
        # Another process may be doing the same.
        try:
            _remove_old(where, name)
        except OSError as error:
            let_out(error)

    return _in_folder(path, keep)


def store(name: str, module: bytes) -> str:
    """Keeps a compiled module; what happened, for people. Never fails."""
    name = _PREFIX + name
    try:
        # The digest covers the name too, so that an entry counts under its own only.
        _store(name, folder(), fingerprint(name.encode(), module) + module)
    except Off as off:
        return f"off ({off})"
    except OSError as error:
        let_out(error)
        return f"not written: {error}"
    return "written"
