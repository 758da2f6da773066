"""Found first on PYTHONPATH by the programs that ``skywasm run`` starts: turns the drop-in on, then makes way for the
``sitecustomize`` that would have been found without it.

Any Python may come across this file, the one of some other tool on the command's way included, so it is written in
what all versions understand, and skywasm is touched in the environment only that ``skywasm run`` belongs to.
"""

import os
import sys

VARIABLE = "SKYWASM_RUN"
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_VERSION, _REST = os.environ.get(VARIABLE, "").partition(":")[::2]
# The modules of SkyPilot's that are waited for, and the environment.
_MODULES, _PREFIX = _REST.partition(":")[::2]


def _is_meant():
    # type: () -> bool
    """Whether this is the Python, and the environment, that the variable names."""
    if "%d.%d" % sys.version_info[:2] != _VERSION:  # noqa: UP031 - older than f-strings
        return False
    return sys.prefix == _PREFIX or os.path.realpath(_PREFIX) == os.path.realpath(sys.prefix)


class _Waiting:
    """What `skywasm enable` writes into one line: a finder that does nothing until SkyPilot is asked for."""

    skywasm_drop_in = os.path.dirname(os.path.dirname(os.path.dirname(_FOLDER)))

    @staticmethod
    def find_spec(name, path=None, target=None):
        # type: (str, object, object) -> object
        if name not in _MODULES.split(","):
            return None
        from importlib.machinery import SourceFileLoader

        own, file = "skywasm.skypilot.startup", os.path.join(os.path.dirname(_FOLDER), "startup.py")
        names = {"__name__": own, "__file__": file}
        try:
            exec(SourceFileLoader(own, file).get_code(own), names)  # type: ignore[arg-type] # noqa: S102 - see there
            return names["find_spec"](name, path, target)  # type: ignore[operator]
        except Exception:
            # skywasm has been uninstalled, or replaced by another version, since the interpreter started.
            return None


def _make_way():
    # type: () -> None
    """Imports the next ``sitecustomize``. What it raises is for the interpreter to report, as without this file."""
    sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]
    own = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found] # noqa: F401
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = own


def _stay_first():
    # type: () -> None
    """Keeps this folder first in the environment's PYTHONPATH.

    Programs such as opentelemetry-instrument put a ``sitecustomize`` of their own before it, which hands on to nobody.
    This one does, so that theirs is run too.
    """
    usual = type(os.environ)

    class Environ(usual):  # type: ignore[misc,valid-type]
        def __setitem__(self, key, value):
            # type: (str, str) -> None
            if key == "PYTHONPATH" and type(value) is str:
                entries = value.split(os.pathsep)
                if _FOLDER in entries:
                    value = os.pathsep.join([_FOLDER] + [entry for entry in entries if entry != _FOLDER])
            usual.__setitem__(self, key, value)

    Environ.__name__ = Environ.__qualname__ = usual.__name__
    Environ.__module__ = usual.__module__
    os.environ.__class__ = Environ


if _is_meant():
    _stay_first()
    sys.meta_path.insert(0, _Waiting)  # type: ignore[arg-type]
_make_way()
