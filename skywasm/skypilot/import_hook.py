"""A finder that lets a function have a look at certain modules as soon as they are loaded, and changes nothing else."""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any


def is_module(thing: Any) -> bool:
    """Whether it is a module and not something that stands in for one. Does not ask the thing itself."""
    return issubclass(type(thing), type(sys))


def is_being_loaded(module: ModuleType) -> bool:
    """Whether a module's code is still running, in this thread or another."""
    return getattr(getattr(module, "__spec__", None), "_initializing", False) is True


class Loader:
    """Loads as the loader that it wraps, and calls ``loaded`` with the module after that."""

    def __init__(self, loader: Any, loaded: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._loaded = loaded

    def __getattr__(self, name: str) -> Any:
        # Whoever looks before the module is loaded finds get_source, get_code and the rest.
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        """As the wrapped loader; None for a plain module."""
        create = getattr(self._loader, "create_module", None)
        return None if create is None else create(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's code, which sees no trace of this loader."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._loaded(module)


class Finder:
    """Finds ``modules`` by asking all finders behind it, and has ``loaded`` called once each is loaded or reloaded.

    ``awaited`` are those that have not been seen yet. They are also looked for among the loaded modules at every
    import: some were being loaded when the finder came, some are loaded past it by other import hooks.
    """

    def __init__(self, modules: Iterable[str], loaded: Callable[[ModuleType], None]) -> None:
        self._modules = frozenset(modules)
        self._loaded = loaded
        self._asking: set[tuple[int, str]] = set()
        self.awaited: set[str] = set(self._modules)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec that would be found without this finder, with another loader; None for any other module."""
        if self.awaited:
            self.look()
        if name not in self._modules:
            return None
        asking = (get_ident(), name)
        if asking in self._asking:
            # Another hook does the same as this one, and asks everybody in turn.
            return None
        self._asking.add(asking)
        try:
            spec = self._ask_others(name, path, target)
        finally:
            self._asking.discard(asking)
        if hasattr(getattr(spec, "loader", None), "exec_module"):
            spec.loader = Loader(spec.loader, self._seen)
        return spec

    def _ask_others(self, name: str, path: Any, target: Any) -> Any:
        finders = list(sys.meta_path)
        place = next((number for number, finder in enumerate(finders) if finder is self), -1)
        for finder in finders[place + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is not None:
                return spec
        return None

    def look(self) -> None:
        """Catches up with the awaited modules that are loaded by now."""
        for name in tuple(self.awaited):
            module = sys.modules.get(name)
            # A test may have put a mock or anything else in the module's place, which is left alone.
            if module is not None and is_module(module) and not is_being_loaded(module):
                self._seen(module)

    def _seen(self, module: ModuleType) -> None:
        self.awaited.discard(module.__name__)
        self._loaded(module)


def remove(unwanted: Callable[[Any], bool]) -> None:
    """Takes finders off ``sys.meta_path``."""
    # A new list, because threads that are just importing walk along the old one and would miss a finder.
    if any(unwanted(finder) for finder in sys.meta_path):
        sys.meta_path = [finder for finder in sys.meta_path if not unwanted(finder)]
