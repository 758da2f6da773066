"""The drop-in: puts skywasm's functions in the place of SkyPilot's, and takes them back.

Importing this module imports nothing of SkyPilot and changes nothing. ``skywasm enable`` has it done in every program
of an environment, ``skywasm run`` in one.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

from skywasm.functions import BY_NAME, ROWS
from skywasm.routes import mode
from skywasm.skypilot import import_hook, stand_ins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from skywasm.functions.declare import Row

__all__ = ["install", "status", "uninstall"]

_REPLACING = [row for row in ROWS if row.replaces is not None]
MODULES = tuple(dict.fromkeys(str(row.replaces) for row in _REPLACING))
"""SkyPilot's modules that have functions to replace."""

FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder that this skywasm lies in."""

# SkyPilot's two modules reach for each other while they are loaded, so one thread may come here twice.
_lock = RLock()
_hook: import_hook.Finder | None = None
# What was replaced, by the module object and the name in it: two objects when a module was imported anew.
_replaced: dict[tuple[int, str], tuple[ModuleType, Any]] = {}
# Why a function of SkyPilot's was left alone when its module was loaded.
_left_alone: dict[str, str] = {}


def _renew_lock() -> None:
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    # A thread that held it does not exist in the child.
    os.register_at_fork(after_in_child=_renew_lock)


def install() -> bool:
    """Put skywasm's functions in the place of SkyPilot's, for this process and what it forks.

    Modules of SkyPilot's that are loaded change now, others as soon as they are loaded, before any other code can
    use them. A function that SkyPilot lacks, that has another signature than expected, is decorated, or has been
    replaced by somebody else, is left alone; ``status()`` says why. Doing it twice is doing it once.

    What was taken out of SkyPilot before, as in ``from sky.utils.common_utils import base36_encode``, stays SkyPilot's
    where it was taken: call this before importing such modules.

    Returns:
        Whether the drop-in is in force. ``SKYPILOT_USE_RUST=0`` (also ``false``, ``no``) makes this do nothing.

    Cost: 10 microseconds, and once SkyPilot's modules are loaded about 1 ms for comparing signatures.
    """
    global _hook
    with _lock:
        if mode.switched_off():
            return _hook is not None
        if _hook is None:
            _hook = import_hook.Finder(MODULES, _replace)
            sys.meta_path.insert(0, _hook)
            import_hook.remove(is_waiting)
        hook = _hook
    hook.look()
    for name in sorted(hook.awaited & set(sys.modules)):
        _wait_for(name)
    hook.look()
    return True


def _wait_for(name: str) -> None:
    """Waits for a module that another thread is loading. This thread's own comes back at once, unfinished."""
    from contextlib import suppress
    from importlib import import_module

    # Where that fails whoever imports it is told, and it stays awaited.
    with suppress(Exception):
        import_module(name)


def hook() -> import_hook.Finder | None:
    """The finder in force, for whoever is asked for one of SkyPilot's modules at this very moment."""
    return _hook


def is_waiting(finder: Any) -> bool:
    """Whether a finder is what `skywasm enable` or `skywasm run` leaves waiting, for this copy of skywasm."""
    folder = getattr(finder, "skywasm_drop_in", None)
    return type(folder) is str and os.path.realpath(folder) == os.path.realpath(FOLDER)


def _ours(row: Row) -> Any:
    return stand_ins.STAND_INS[row.name]


def _replace(module: ModuleType) -> None:
    """Replaces the functions of one of SkyPilot's modules."""
    with _lock:
        if _hook is None:
            return
        for row in _REPLACING:
            if row.replaces != module.__name__:
                continue
            ours, theirs = _ours(row), vars(module).get(row.name)
            _left_alone.pop(row.name, None)
            if theirs is ours:
                continue
            reason = _why_not(module, row, theirs)
            if reason is not None:
                _left_alone[row.name] = reason
                continue
            stand_ins.ORIGINALS[row.name] = stand_ins.Original(module, theirs)
            _replaced[id(module), row.name] = module, theirs
            setattr(module, row.name, ours)


def _why_not(module: ModuleType, row: Row, theirs: Any) -> str | None:
    """Why a function of SkyPilot's is left alone; None when it is what it is expected to be."""
    name = row.name
    if theirs is None:
        return f"this SkyPilot has no {module.__name__}.{name}"
    if type(theirs) is not stand_ins.FUNCTION or hasattr(theirs, "__wrapped__"):
        return f"it is no plain function but {_described(theirs)}; what it does beyond answering would be lost"
    package = module.__name__.partition(".")[0]
    # Another skywasm's stand-in says that it is of SkyPilot's module, and is made in another.
    if {str(where).partition(".")[0] for where in (theirs.__module__, theirs.__globals__.get("__name__"))} != {package}:
        return f"somebody has replaced it by {_described(theirs)}"
    # The body's: the public function's code may be a forwarder's at the moment.
    expected, found = _parameters(row.reference), _parameters(theirs)
    if expected != found:
        return f"its signature is {name}{found}; skywasm's is {name}{expected}"
    for variable in stand_ins.VARIABLES.get(name, ()):
        if variable not in theirs.__code__.co_consts:
            return f"it does not know the variable {variable}, which skywasm follows"
    return None


def _parameters(function: Any) -> str:
    """A function's parameters and defaults as text, without types."""
    import inspect

    signature = inspect.signature(function, follow_wrapped=False)
    untyped = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    text = str(signature.replace(parameters=untyped, return_annotation=signature.empty))
    return text + (" (a coroutine)" if inspect.iscoroutinefunction(function) else "")


def _described(thing: Any) -> str:
    """What somebody has put in the place of a function."""
    if type(thing) is not stand_ins.FUNCTION:
        return f"an object of type {type(thing).__module__}.{type(thing).__qualname__}"
    where = thing.__globals__.get("__name__", thing.__module__)
    return f"{where}.{thing.__qualname__}" + (" with a decorator" if hasattr(thing, "__wrapped__") else "")


def uninstall() -> bool:
    """Put SkyPilot's own functions back, the very same objects.

    Where somebody has put something else in skywasm's place since, as a test's mock does, that is left alone;
    ``status()`` says so, and calling this again once the mock has gone puts SkyPilot's function back.

    Returns:
        Whether nothing of skywasm's is, or can come back, in a module of SkyPilot's.

    Cost: microseconds.
    """
    global _hook
    with _lock:
        import_hook.remove(lambda finder: finder is _hook or is_waiting(finder))
        _hook = None
        _left_alone.clear()
        for (key, name), (module, theirs) in list(_replaced.items()):
            now = vars(module).get(name)
            if now is _ours(BY_NAME[name]):
                setattr(module, name, theirs)
            elif now is not theirs:
                continue
            del _replaced[key, name]
        return not _replaced


def status() -> dict[str, Any]:
    """Tell what the drop-in does in this process.

    Returns:
        A dict with ``installed``; ``reason`` (why, or why not); ``functions``, which has for each function its
        ``module`` in SkyPilot, its ``state`` and a ``reason``; and ``elsewhere``, the variables of other modules that
        still hold a function of SkyPilot's which has been replaced. The states: "replaced" (skywasm's answers),
        "original" (SkyPilot's own or somebody else's does), "not loaded" (SkyPilot's module has not been imported)
        and "addition" (SkyPilot has no such function).

    Cost: some milliseconds, since all loaded modules are looked through for ``elsewhere``.
    """
    # What `skywasm enable` and `skywasm run` leave waiting for SkyPilot is as good as installed.
    if _hook is None and any(map(is_waiting, sys.meta_path)):
        install()
    if _hook is not None:
        _hook.look()
    with _lock:
        return {
            "installed": _hook is not None,
            "reason": _reason(),
            "functions": {row.name: _state(row) for row in ROWS},
            "elsewhere": _elsewhere() if _hook is not None else [],
        }


def _reason() -> str:
    if _hook is not None:
        return "skywasm's functions stand in for SkyPilot's in this process"
    if mode.switched_off():
        return f"SKYPILOT_USE_RUST={os.environ['SKYPILOT_USE_RUST']} switches it off"
    others = [finder for finder in sys.meta_path if hasattr(finder, "skywasm_drop_in") and not is_waiting(finder)]
    if others:
        folder = others[0].skywasm_drop_in
        return f"this environment is set up for the skywasm in {folder}, not for this one: run `skywasm enable` again"
    return "nobody has called install(), and neither `skywasm enable` nor `skywasm run` is at work"


def _state(row: Row) -> dict[str, str | None]:
    def state(name: str, reason: str) -> dict[str, str | None]:
        return {"module": row.replaces, "state": name, "reason": reason}

    if row.replaces is None:
        return state("addition", "SkyPilot has no such function")
    module = sys.modules.get(row.replaces)
    if module is None:
        return state("not loaded", f"{row.replaces} has not been imported")
    if not import_hook.is_module(module):
        return state("original", f"somebody has put an object of type {type(module).__name__} in the module's place")
    return state(*_in_module(row, module))


def _in_module(row: Row, module: ModuleType) -> tuple[str, str]:
    """The state of a function in SkyPilot's module, and why."""
    now = vars(module).get(row.name)
    if now is _ours(row):
        if _hook is None:
            return "replaced", ("somebody put it back after uninstall(); call that again")
        return ("replaced", f"skywasm.{row.name} answers")
    if (id(module), row.name) in _replaced and now is not _replaced[id(module), row.name][1]:
        return ("original", f"somebody has put {_described(now)} in its place since; left alone")
    if _hook is None:
        return ("original", "the drop-in is not installed")
    if row.replaces in _hook.awaited:
        return ("original", f"{row.replaces} is still being loaded")
    return ("original", _left_alone.get(row.name, "somebody has put SkyPilot's own function back"))


def _elsewhere() -> list[str]:
    """Variables of modules that still hold a replaced function, as dotted names."""
    originals = {id(theirs) for _, theirs in _replaced.values()}
    names_of = type(sys).__dict__["__dict__"].__get__  # type: ignore[index]
    found = []
    for module_name, module in list(sys.modules.items()):
        # Read past what some modules make of attribute access, which may import or fail; some only say they are one.
        if import_hook.is_module(module):
            names = list(names_of(module).items())
            found += [f"{module_name}.{name}" for name, value in names if id(value) in originals]
    return sorted(found)
