"""The artifact: ``core.wasm`` as a module of the crossing, once it is known to be the one that was built."""

from __future__ import annotations

import os

from host_shims.struck import let_out
from skywasm.errors import CoreUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skywasm.crossing.module import Module

ARTIFACT = "core.wasm"
PROVENANCE = "core.provenance"
_SHA256_DIGITS = 64
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_core: Module | None = None
_problem: str | None = None


def package_data(name: str) -> bytes:
    """A file of the package, wherever the package was imported from."""
    # Every loader that can hold data has this, those of zip files too. pkgutil would load a dozen modules for it.
    try:
        return __spec__.loader.get_data(location(name))  # type: ignore[union-attr,no-any-return]
    except (OSError, AttributeError) as error:
        let_out(error)
        reason = getattr(error, "strerror", None) or str(error)
        raise CoreUnavailableError(f"{location(name)} cannot be read ({reason}); reinstall skywasm") from error


def location(name: str) -> str:
    """Where a file of the package lies, or would in an archive."""
    return os.path.join(_PACKAGE, name)


def provenance() -> dict[str, str]:
    """The provenance file: ``name: value`` lines."""
    lines = package_data(PROVENANCE).decode("utf-8", "replace").splitlines()
    return {name: value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def digest() -> str:
    """The SHA-256 that the artifact is to have, by the provenance file; reads nothing else."""
    return provenance().get("artifact-sha256", "")


def artifact() -> tuple[bytes, str]:
    """The bytes of the artifact and their SHA-256, once they are known to be the ones that were built."""
    from skywasm.crossing.engine import cache

    content = package_data(ARTIFACT)
    recorded = provenance()
    expected = recorded.get("artifact-sha256", "missing from " + PROVENANCE)
    if recorded.get("artifact-blake2b") == cache.fingerprint(content).hex() and len(expected) == _SHA256_DIGITS:
        return content, expected
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise CoreUnavailableError(
            f"{location(ARTIFACT)} is not the artifact that was built: its SHA-256 is {digest}, expected {expected}; "
            "reinstall skywasm"
        )
    return content, digest


def _prove(module: Module) -> None:
    """Known answers through every part of the convention: data and numbers in and out, requests answered."""
    from skywasm.errors import CapabilityError, NeedsReference, SkyPilotError
    from skywasm.functions.declare import ROWS

    granted = {request.name: lambda *_: 0 for request in module.interface.requests.values()}
    try:
        for row in ROWS:
            missing = [export for export in row.exports if export not in module.interface.functions]
            if missing:
                raise CoreUnavailableError(f"the artifact has no function {missing[0]}; run `make add`")
            if row.crossing is not None:
                continue
            for arguments in row.examples.values():
                if callable(arguments):
                    # They need files or ports that are not there now.
                    continue
                whole = _whole(row.reference, arguments)
                if row.asks:
                    # What this machine is like is no known answer; that the guest asks and goes on is.
                    right = isinstance(
                        _asking(module, row.exports[0], whole, granted, CapabilityError), (int, float, str)
                    )
                else:
                    right = module.call(row.exports[0], *whole) == row.reference(*arguments)
                if not right:
                    raise CoreUnavailableError(f"the artifact gave a wrong answer to a known question: {row.name}")
    except CoreUnavailableError:
        raise
    except (NeedsReference, SkyPilotError) as error:
        raise CoreUnavailableError(f"the artifact fails its self-test: {type(error).__name__}: {error}") from error


def _asking(module: Module, name: str, arguments: object, granted: object, denied: type[Exception]) -> object:
    """The answer of a function that asks; 0 where what it asks for is denied here: the refusal came out as well."""
    try:
        return module.call(name, *arguments, given=granted)  # type: ignore[misc,arg-type]
    except denied:
        return 0


def _whole(function: object, arguments: tuple[object, ...]) -> tuple[object, ...]:
    """The arguments with the function's defaults behind them."""
    code, defaults = function.__code__, function.__defaults__ or ()  # type: ignore[attr-defined]
    missing = code.co_argcount - len(arguments)
    return (*arguments, *defaults[len(defaults) - missing :]) if missing else arguments


def core() -> Module:
    """The artifact as a module; its compiled code is loaded at the first call that needs it.

    Raises:
        CoreUnavailableError: it cannot be used, or this Python lacks what the engine needs.
    """
    if _core is None:
        from skywasm import loading

        return loading.under(loading.lock, _first)
    return _core


def _first() -> Module:
    global _core, _problem
    if _core is None:
        try:
            _core = _made()
        except CoreUnavailableError as error:
            _problem = str(error)
            raise
    return _core


def _made() -> Module:
    try:
        from skywasm import machine

        # All that a call may need later, now, while the lock is held.
        from skywasm.crossing import calls, instance, list_roads, lists, roads  # noqa: F401
        from skywasm.crossing.engine import library, setup  # noqa: F401
        from skywasm.crossing.module import Module
    except (ImportError, OSError) as error:
        let_out(error)
        # Pythons without libffi have no ctypes.
        raise CoreUnavailableError(f"Python cannot load what the engine needs: {error}") from error
    content, digest = artifact()
    return Module(content, ARTIFACT, machine.HOST, digest=digest, prove=_prove)


def if_loaded() -> Module | None:
    """The artifact once its compiled code is loaded, else None. Loads nothing."""
    return _core if _core is not None and _core.loaded() is not None else None


def problem() -> str | None:
    """Why the last try to load it failed."""
    return _problem or (_core.problem if _core is not None else None)


def load() -> None:
    """Loads the artifact.

    Raises:
        CoreUnavailableError: it cannot be used.
    """
    core().world()


def unload() -> None:
    """Forgets it; the next call that needs it loads it again."""
    global _core, _problem
    if _core is not None:
        _core.unload()
    _core = _problem = None
