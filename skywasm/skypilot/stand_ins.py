"""What stands in for a SkyPilot function in SkyPilot's own module.

All have that module's name as their ``__module__``: a pickle of one names SkyPilot's function, and loads where skywasm
is not installed. Most hand on to skywasm's function. Some would differ inside SkyPilot's own code: skywasm's ask the
machine, SkyPilot's ask through helpers and modules that a program or a test may have replaced, write to SkyPilot's log
and steer how its command line shows an error. Where any of that matters, SkyPilot's own function answers, under the
same denials.
"""

from __future__ import annotations

import builtins
import sys

from host_shims.struck import let_out
from skywasm.crossing import rules
from skywasm.functions import BY_NAME, ROWS
from skywasm.functions import machine as variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any, TypeVar

    from skywasm.functions.declare import Row

    Function = TypeVar("Function", bound=Callable[..., Any])

FUNCTION: Any = type(lambda: None)
"""The type of plain functions."""

# Variables of these types SkyPilot changes itself.
_PLAIN = (bool, bytes, float, int, str, type(None))
# As in `os.path.exists`.
_DEEP = 2
# What SkyPilot takes for few open files, and warns about.
_LOW_FD_LIMIT = 1024

# Environment variables that skywasm follows. A release of SkyPilot that does not know one answers otherwise.
VARIABLES: dict[str, tuple[str, ...]] = {
    "get_cpu_count": (variables.CPU_LIMIT_VARIABLE,),
    "get_mem_size_gb": (variables.MEMORY_GB_VARIABLE, variables.MEMORY_BYTES_VARIABLE),
}


STAND_INS: dict[str, Callable[..., Any]] = {}
"""The stand-ins by the name of the function; all that SkyPilot has are here in the end."""


def _stand_in(function: Function) -> Function:
    STAND_INS[function.__name__] = function
    return function


class Original:
    """A SkyPilot function that has been replaced, and what it rests on: in its module, in others, and built in."""

    __slots__ = ("_is_as_it_was", "function")

    def __init__(self, module: ModuleType, function: Any) -> None:
        self.function: Any = function
        self._is_as_it_was = _watch(_rested_on(vars(module), function))

    def is_touched(self) -> bool:
        """Whether somebody has replaced a function, class or module that this one uses, as tests do."""
        try:
            return not self._is_as_it_was()
        except (KeyError, AttributeError) as error:
            let_out(error)
            return True


def _rested_on(names: dict[str, Any], function: Any) -> list[tuple[Any, str]]:
    """Where what a function uses is found: namespaces or classes, each with a name."""
    found: list[tuple[Any, str]] = []
    ahead, seen = [function], set()
    while ahead:
        code = ahead.pop().__code__
        for name in code.co_names:
            value = names.get(name)
            if name in seen or type(value) in _PLAIN:
                if name not in names and hasattr(builtins, name) and (vars(builtins), name) not in found:
                    found.append((vars(builtins), name))
                continue
            seen.add(name)
            found.append((names, name))
            found += _inside(value, code.co_names, _DEEP)
            if type(value) is FUNCTION:
                ahead.append(value)
    return found


def _inside(thing: Any, names: tuple[str, ...], deep: int) -> list[tuple[Any, str]]:
    """What the code takes out of a module or class, and out of what that gives."""
    found: list[tuple[Any, str]] = []
    if deep and type(thing) is type(sys):
        for name in names:
            value = vars(thing).get(name)
            if value is not None and type(value) not in _PLAIN and value is not thing:
                found.append((vars(thing), name))
                found += _inside(value, names, deep - 1)
    elif isinstance(thing, type):
        found += [(thing, name) for name in names if callable(getattr(thing, name, None))]
    return found


def _watch(places: list[tuple[Any, str]]) -> Callable[[], bool]:
    """A function that tells whether all these places hold what they hold now. It runs in every call."""
    space: dict[str, Any] = {}
    tests: dict[tuple[int, str], str] = {}
    for number, (where, name) in enumerate(places):
        if (id(where), name) in tests:
            continue
        space[f"w{number}"] = where
        held = f"w{number}[{name!r}]" if isinstance(where, dict) else f"w{number}.{name}"
        value = where[name] if isinstance(where, dict) else getattr(where, name)
        # What skywasm itself puts there is no change either.
        row = BY_NAME.get(name)
        allowed = [value] if row is None else [value, row.function, STAND_INS.get(name, value)]
        space.update((f"v{number}_{at}", one) for at, one in enumerate(allowed))
        tests[id(where), name] = "(" + " or ".join(f"{held} is v{number}_{at}" for at in range(len(allowed))) + ")"
    exec(f"def as_it_was():\n    return {' and '.join(tests.values()) or 'True'}\n", space)  # noqa: S102 - names of code
    return space["as_it_was"]  # type: ignore[no-any-return]


# By function; what skypilot.install() has replaced. It stays after uninstall(): somebody may hold a stand-in.
ORIGINALS: dict[str, Original] = {}


def _is_replaced(module: str, name: str) -> bool:
    """Whether a program has put a function of its own into a module, if that is loaded at all."""
    function = getattr(sys.modules.get(module), name, None)
    return function is not None and getattr(function, "__module__", None) != module


def _original(name: str, *arguments: Any) -> Any:
    """SkyPilot's own function, which knows nothing of denials."""
    if rules.armed:
        rules.check(name, BY_NAME[name].asks)
    return ORIGINALS[name].function(*arguments)


def _is_touched(name: str) -> bool:
    original = ORIGINALS.get(name)
    return original is not None and original.is_touched()


def _answered(name: str, psutil_name: str) -> Any:
    """A fact of the machine from skywasm, or from SkyPilot's function where that would say something else."""
    ours: Callable[[], Any] = BY_NAME[name].function
    if name not in ORIGINALS:
        return ours()
    if not _is_touched(name) and not _is_replaced("psutil", psutil_name):
        try:
            return ours()
        except (ValueError, OverflowError) as error:
            # The same error, which SkyPilot raises so that its command line shows no traceback.
            let_out(error)
    return _original(name)


@_stand_in
def get_cpu_count() -> int:
    """As ``skywasm.get_cpu_count``; SkyPilot's own function where what that rests on has been replaced."""
    count: int = _answered("get_cpu_count", "cpu_count")
    return count


@_stand_in
def get_mem_size_gb() -> float:
    """As ``skywasm.get_mem_size_gb``; SkyPilot's own function where what that rests on has been replaced."""
    size: float = _answered("get_mem_size_gb", "virtual_memory")
    return size


@_stand_in
def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    """As ``skywasm.get_max_workers_for_file_mounts``.

    SkyPilot's own function answers where what that rests on has been replaced, and where the limit of open files is
    so low that it says so in its log.
    """
    name = "get_max_workers_for_file_mounts"
    workers: int
    if name in ORIGINALS:
        import resource

        if _is_touched(name) or resource.getrlimit(resource.RLIMIT_NOFILE)[0] < _LOW_FD_LIMIT:
            workers = _original(name, common_file_mounts, cloud_str)
            return workers
    workers = BY_NAME[name].function(common_file_mounts, cloud_str)
    return workers


@_stand_in
def hash_file(path: Any, hash_alg: str) -> Any:
    """As ``skywasm.hash_file``, less ``"blake3"``, for which hashlib's error comes out, as in SkyPilot."""
    if _is_touched("hash_file"):
        return _original("hash_file", path, hash_alg)
    row = BY_NAME["hash_file"]
    if type(hash_alg) is str and hash_alg.lower() == "blake3":
        if rules.armed:
            rules.check("hash_file", row.asks)
        return row.reference(path, hash_alg)
    return row.function(path, hash_alg)


@_stand_in
def read_last_n_lines(
    file_path: Any, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    """As ``skywasm.read_last_n_lines``; SkyPilot's own function where what that rests on has been replaced."""
    name, arguments = "read_last_n_lines", (file_path, n, chunk_size, encoding, errors)
    lines: list[str] = _original(name, *arguments) if _is_touched(name) else BY_NAME[name].function(*arguments)
    return lines


@_stand_in
def find_free_port(start_port: int) -> int:
    """As ``skywasm.find_free_port``; SkyPilot's own function where what that rests on has been replaced."""
    name = "find_free_port"
    port: int = _original(name, start_port) if _is_touched(name) else BY_NAME[name].function(start_port)
    return port


def _handing_on(row: Row) -> Callable[..., Any]:
    """A function of the same parameters that calls skywasm's."""
    body = row.reference
    names = ", ".join(body.__code__.co_varnames[: body.__code__.co_argcount])
    space: dict[str, Any] = {"__name__": __name__, "ours": row.function}
    text = f"def {row.name}({names}):\n    return ours({names})\n"
    exec(compile(text, f"<skywasm's stand-in for {row.name}>", "exec"), space)  # noqa: S102 - names of code
    function: Any = space[row.name]
    function.__defaults__ = body.__defaults__
    function.__annotations__ = dict(body.__annotations__)
    function.__doc__ = f"As ``skywasm.{row.name}``."
    return function  # type: ignore[no-any-return]


for _row in ROWS:
    if _row.replaces is not None:
        STAND_INS.setdefault(_row.name, _handing_on(_row)).__module__ = _row.replaces
