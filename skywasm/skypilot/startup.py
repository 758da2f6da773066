"""Brings in skywasm and its drop-in when a program asks for one of SkyPilot's modules.

Not imported but executed by its path, with no package around it: by the line that ``skywasm enable`` writes and by the
``sitecustomize`` of ``skywasm run``. They leave a finder on ``sys.meta_path``, of the smallest kind since every start
of the interpreter pays for it, which hands the question on to ``find_spec`` here.

skywasm is loaded from the folder that this file lies in, and PYTHONPATH and the current folder do not count.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGES = ("skywasm", "host_shims")


class _OwnFolder:
    """A finder for the two packages, for as long as they are being loaded."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(self, name: str, *_: "Any") -> "Any":
        if name not in _PACKAGES:
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, [self._folder])


def _are_from(folder: str) -> bool:
    """Whether the two packages, if they are loaded, were loaded from this folder."""
    found = [getattr(sys.modules[name], "__file__", None) or "" for name in _PACKAGES if name in sys.modules]
    parents = {os.path.dirname(os.path.dirname(file)) for file in found}
    return parents <= {folder} or {os.path.realpath(parent) for parent in parents} == {os.path.realpath(folder)}


def _drop_in(folder: str) -> "Any":
    """The drop-in's own finder, in force; None where it is switched off or a program has loaded another skywasm."""
    if not _are_from(folder):
        return None
    own = _OwnFolder(folder)
    sys.meta_path.insert(0, own)
    try:
        from skywasm.skypilot import hook, install
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not own]
    # Another finder may have come first.
    if not _are_from(folder):
        return None
    install()
    return hook()


def find_spec(name: str, path: "Any", target: "Any") -> "Any":
    """What the drop-in's finder answers; None where there is no drop-in, so that SkyPilot stays as it is.

    Raises:
        ImportError: skywasm has been uninstalled since the interpreter started.
    """
    try:
        hook = _drop_in(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    except ImportError:
        raise
    except Exception as error:
        from host_shims.struck import let_out

        let_out(error)
        import warnings

        problem = f"skywasm's drop-in stays off: {type(error).__name__}: {error}; `skywasm check` tells more"
        warnings.warn(problem, RuntimeWarning, stacklevel=2)
        return None
    return None if hook is None else hook.find_spec(name, path, target)
