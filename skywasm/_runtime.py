"""The life of engine and instances: loaded once, instances in a LIFO pool, everything new after a fork.

An instance is out of the pool while a call uses it. That alone serves threads, calls that re-enter from a
signal handler, and exceptions that strike anywhere: an instance that was out when one struck is simply not put
back. ``list.pop`` and ``append`` are atomic.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import os

from host_shims import facts
from skywasm import _abi, _callbacks, _loading
from skywasm._engine import Engine
from skywasm._instance import GIL_BYTES, CutShort, PublicInstance, RawInstance
from skywasm.errors import BeingLoaded, CapabilityError, CoreUnavailableError, SkyPilotError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Sequence
    from typing import Any, Union

    from skywasm._instance import Buffer

    Instance = Union[RawInstance, PublicInstance]

pool: list[Instance] = []
# Each holds 64 MiB of addresses; a program that once had more calls at a time makes them anew.
MOST_IDLE = max(8, 2 * (os.cpu_count() or 1))

_engine: Engine | None = None
_problem: str | None = None
_loading_now = False
# What the parent of a fork had. Freeing it in the child could meet locks that nobody will release.
_abandoned: list[object] = []


def _after_fork_in_child() -> None:
    global _engine, _problem, _loading_now
    _abandoned.append((_engine, list(pool)))
    pool.clear()
    _engine = _problem = None
    _loading_now = False


def _leave_to_the_system() -> None:
    """At the end of the interpreter: what is still there is never freed.

    wasmtime-py's objects free themselves through module globals that are gone by then, and say so on standard
    error. Other exit handlers may still call skywasm, so nothing is closed either.
    """
    pythonapi = getattr(ctypes, "pythonapi", None)
    if pythonapi is not None:
        for thing in (_engine, _abandoned, *pool):
            pythonapi.Py_IncRef(ctypes.py_object(thing))


atexit.register(_leave_to_the_system)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def loaded() -> Engine | None:
    """The engine if there is one; never loads."""
    return _engine


def problem() -> str | None:
    """Why the last try to load the engine failed."""
    return _problem


def call_path() -> str:
    """ "raw" or "public": how calls are made with the loaded engine."""
    known = _engine
    return "raw" if known is not None and known.raw is not None else "public"


def raw_problem() -> str | None:
    """Why raw calls are not used with the loaded engine."""
    known = _engine
    return known.raw_problem if known is not None else None


def engine() -> Engine:
    """The engine, loaded at the first call.

    Raises:
        CoreUnavailableError: the artifact or wasmtime cannot be used.
    """
    global _engine, _loading_now, _problem
    known = _engine
    if known is not None:
        return known
    with _loading.lock:
        if _engine is None:
            if _loading_now:
                raise BeingLoaded("skywasm was called while the same thread was loading its engine")
            _loading_now = True
            try:
                made = Engine()
                pool.append(_first_instance(made))
                _engine, _problem = made, None
            except BeingLoaded:
                raise
            except CoreUnavailableError as error:
                _problem = str(error)
                raise
            finally:
                _loading_now = False
        return _engine


def unload() -> None:
    """Forgets engine and instances; the next call loads them again."""
    global _engine, _problem
    with _loading.lock:
        _engine = _problem = None
        pool.clear()


def _first_instance(made: Engine) -> Instance:
    """The first instance, by raw calls when they are known to work with this wasmtime and prove themselves."""
    if made.raw is not None:
        try:
            unreliable = _callbacks.problem()
            if unreliable is not None:
                raise CoreUnavailableError(unreliable)
            instance = _instance(made)
            _self_test(instance)
            return instance
        except Exception as error:
            made.raw = None
            made.raw_problem = f"the self-test of raw calls failed: {type(error).__name__}: {error}"
    try:
        instance = _instance(made)
        _self_test(instance)
    except CoreUnavailableError:
        raise
    except Exception as error:
        raise CoreUnavailableError(f"the artifact fails its self-test: {type(error).__name__}: {error}") from error
    return instance


def _self_test(instance: Instance) -> None:
    """Known answers through every part of the convention: bytes in, bytes out, a host function, an error."""
    text = instance.take(instance.call("sky_base36_encode", instance.put(b"ffffffffffffffff")))
    try:
        expected = int(facts.process_signal(os.getpid()) in (0, errno.EPERM))
    except Exception:
        expected = _abi.E_HOST
    alive = instance.call("sky_is_process_alive", os.getpid())
    refused = instance.call("sky_base36_encode", instance.put(b"not hexadecimal"))
    if alive < 0:
        # Whatever a program has put in place of os.kill may raise, and so may a signal: not the engine's fault.
        error = instance.error_for("sky_is_process_alive", alive)
        if not isinstance(error, Exception):
            raise error
        if isinstance(error, CapabilityError):
            # Denied where the engine is being loaded: that the refusal came out shows the way there and back too.
            expected = alive
    if (text, alive, refused) != (b"3w5e11264sgsf", expected, _abi.E_INPUT):
        raise CoreUnavailableError(f"the artifact gave wrong answers to known questions: {text!r}, {alive}, {refused}")


def _instance(made: Engine) -> Instance:
    try:
        return RawInstance(made) if made.raw is not None else PublicInstance(made)
    except SkyPilotError:
        raise
    except Exception as error:
        raise CoreUnavailableError(f"no instance can be made: {type(error).__name__}: {error}") from error


def borrow() -> Instance:
    """An instance nobody else uses. Give it back with ``pool.append``, or drop it after anything unexpected.

    Raises:
        CoreUnavailableError: the engine cannot be loaded or has no room for another instance.
    """
    try:
        return pool.pop()
    except IndexError:
        made = engine()
    try:
        return pool.pop()
    except IndexError:
        return _instance(made)


def call(
    export: str,
    a: int = 0,
    b: int = 0,
    c: int = 0,
    *,
    data: Buffer | None = None,
    release: bool = False,
    file: io.FileIO | None = None,
    paths: Sequence[Any] = (),
) -> int:
    """Calls an export that answers with a plain number.

    ``data`` goes into the input buffer and its length becomes the first argument; ``file`` and ``paths`` are what
    the host functions may work on during the call.

    Raises:
        NeedsReference: the artifact leaves the call to the reference.
        TrapError, LimitError, CoreUnavailableError: as named; and whatever a host function raised.
    """
    return _cross(export, a, b, c, data, release, file, paths, False)[0]


def output(
    export: str,
    a: int = 0,
    b: int = 0,
    c: int = 0,
    *,
    data: Buffer | None = None,
    release: bool = False,
    file: io.FileIO | None = None,
) -> bytes:
    """Calls an export that answers with bytes. Arguments and errors as for ``call``."""
    return _cross(export, a, b, c, data, release, file, (), True)[1]


def _cross(
    export: str,
    a: int,
    b: int,
    c: int,
    data: Buffer | None,
    release: bool,
    file: io.FileIO | None,
    paths: Sequence[Any],
    wants_bytes: bool,
) -> tuple[int, bytes]:
    instance = borrow()
    context = instance.context
    context.file, context.paths = file, paths
    error: BaseException | None = None
    taken = b""
    try:
        if data is not None:
            a = instance.put(data)
            release = release or a > GIL_BYTES
        result = instance.call(export, a, b, c, release)
        if result < 0:
            error = instance.error_for(export, result)
        elif context.error is not None:
            # The artifact went on after a host function had failed, which ours does not. The instance is dropped.
            raise context.error
        elif wants_bytes:
            taken = instance.take(result)
    finally:
        context.clear()
    settle(instance, export, error)
    return result, taken


def settle(instance: Instance, export: str, error: BaseException | None) -> None:
    """Ends a call: puts the instance back unless it is not to be relied on, and raises what came of the call."""
    if error is None:
        if not instance.worn_out() and len(pool) < MOST_IDLE:
            pool.append(instance)
        return
    if isinstance(error, CutShort):
        import threading

        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        raise TrapError(f"{export}: a host function was cut short by an asynchronous exception")
    if not isinstance(error, TrapError) and not instance.worn_out() and len(pool) < MOST_IDLE:
        pool.append(instance)
    raise error
