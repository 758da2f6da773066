"""A module: its interface, its compiled code, its instances, and calls of its functions by name.

An instance is out of the pool while a call uses it. That alone serves threads, calls that re-enter from a signal
handler, and exceptions that strike anywhere: an instance that was out when one struck is simply not put back.
``list.pop`` and ``append`` are atomic. After a fork the child begins with an empty pool and loads anew.
"""

from __future__ import annotations

import os
import weakref

from host_shims.struck import let_out
from skywasm import loading
from skywasm.crossing import convention as c
from skywasm.crossing import interface, rules
from skywasm.crossing.engine import cache
from skywasm.crossing.host import answerer
from skywasm.errors import BeingLoaded, CoreUnavailableError, SkyPilotError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from skywasm.crossing.engine.setup import Loaded
    from skywasm.crossing.host import HostFunction
    from skywasm.crossing.instance import Instance, Seat

# Each holds 64 MiB of addresses; a program that once had more calls at a time makes them anew.
MOST_IDLE = max(8, 2 * (os.cpu_count() or 1))
_INITIALIZE = "_initialize"
_modules: weakref.WeakSet[Module] = weakref.WeakSet()
# What the parent of a fork had. Freeing it in the child could meet locks that nobody will release.
_abandoned: list[object] = []


def _after_fork_in_child() -> None:
    for module in list(_modules):
        module.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


class Module:
    """A module of the convention.

    Args:
        content: the bytes of the module.
        name: what errors call it.
        host: the host functions that it may ask.
        digest: of the content, where that is known; the cache's name for the compiled code is made of it.
        fresh: every call gets an instance of its own, in a pool of 64 that calls under way can have at a time.
        prove: is called with the module when it has been loaded, with an instance in the pool; what it raises makes
            loading fail.

    Raises:
        CoreUnavailableError: no module, another version of the convention, or one that wants what it is not given.
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        host: Iterable[HostFunction] = (),
        *,
        digest: str | None = None,
        fresh: bool = False,
        prove: Callable[[Module], None] | None = None,
    ) -> None:
        self.name = name
        self.fresh = fresh
        self.content = content
        self.digest: str = digest or cache.fingerprint(content).hex()
        self.interface: interface.Interface = interface.Interface(content, name)
        self._prove = prove
        functions = self.interface.functions.values()
        names = [c.BUFFERS, c.RESERVE, c.RESUME, *(one.name for one in functions)]
        names += [one.name + "[]" for one in functions if one.batch]
        starts = self.interface.binary.functions.get(_INITIALIZE)
        if starts is not None:
            names.append(_INITIALIZE)
        self._index = {export: index for index, export in enumerate(names)}
        self.exports: list[bytes] = [export.encode() for export in names]
        self.initialize: int | None = self._index[_INITIALIZE] if starts is not None else None
        if starts not in (None, (b"", b"")):
            raise CoreUnavailableError(f"{name}: the export {_INITIALIZE} has parameters or results")
        self.resume: int = self._index[c.RESUME]
        self.places: tuple[int, ...] = ()
        self.pool: list[Seat] = []
        self.host: dict[str, HostFunction] = {one.name: one for one in host}
        self.answers: dict[int, Callable[[Any, Instance], int]] = self._answers(self.host)
        self._world: Loaded | None = None
        self.problem: str | None = None
        self._loading = False
        _modules.add(self)

    def _answers(self, host: Mapping[str, HostFunction]) -> dict[int, Callable[[Any, Instance], int]]:
        answers = {}
        for number, request in self.interface.requests.items():
            function = host.get(request.name)
            if function is None or function.capability != request.capability:
                raise CoreUnavailableError(
                    f"{self.name} asks for {request.name} of the capability {request.capability!r}, which is not given"
                )
            answers[number] = answerer(request, function.call)
        return answers

    def index(self, export: str) -> int:
        """The number of an export."""
        return self._index[export]

    def loaded(self) -> Loaded | None:
        """The compiled module if there is one; never loads."""
        return self._world

    def world(self) -> Loaded:
        """The compiled module, loaded at the first call.

        Raises:
            CoreUnavailableError: the module or wasmtime cannot be used.
        """
        known = self._world
        if known is not None:
            return known
        return loading.under(loading.lock, self._loaded_now)

    def _loaded_now(self) -> Loaded:
        if self._world is None:
            if self._loading:
                raise BeingLoaded(f"{self.name} was called while the same thread was loading it")
            try:
                self._loading = True
                self._load()
            except BeingLoaded:
                raise
            except CoreUnavailableError as error:
                self.problem = str(error)
                raise
            finally:
                try:
                    self._loading = False
                finally:
                    # Whatever has struck the first time.
                    self._loading = False
        return self._world  # type: ignore[return-value]

    def _load(self) -> None:
        from skywasm.crossing.engine.setup import Loaded

        made = Loaded(self.content, self.digest, self.fresh)
        # Seen by this thread's own calls, which the lock lets through, and by nobody else until it has proved itself.
        self._world = made
        try:
            if self._prove is not None:
                self.pool.append(self.new_seat())
                self._prove(self)
        except BaseException:
            self._world = None
            self.pool.clear()
            raise
        self.problem = None

    def unload(self) -> None:
        """Forgets compiled code and instances; the next call loads them again."""
        loading.under(loading.lock, self._forget)

    def _forget(self) -> None:
        self._world = self.problem = None
        self.pool.clear()

    def abandon(self) -> None:
        """Forgets what a forked child has of its parent's.

        Where no thread of the parent was inside the engine it is freed: each generation of forks would have the
        addresses of all before it otherwise. Else that could meet locks that nobody will release.
        """
        from skywasm.crossing.instance import existing

        if existing(self) == len(self.pool):
            for seat in self.pool:
                seat[-1].close()
        else:
            _abandoned.append((self._world, list(self.pool)))
        self.pool.clear()
        self._world = self.problem = None
        self._loading = False

    def new_seat(self) -> Seat:
        """The seat of a new instance.

        Raises:
            CoreUnavailableError: no instance can be made.
        """
        from skywasm.crossing.instance import Instance

        try:
            return Instance(self).seat()
        except TrapError as error:
            # At its start, or its very first answers are lies.
            raise CoreUnavailableError(f"no instance of {self.name} can be used: {error}") from error
        except RuntimeError as error:
            let_out_of_require(error)
            raise CoreUnavailableError(f"no instance of {self.name} can be made: {error}") from error

    def borrow(self) -> Seat:
        """A seat that nobody else uses. Give it back, or close its instance after anything unexpected."""
        if self.fresh:
            return self.new_seat()
        try:
            return self.pool.pop()
        except IndexError as error:
            let_out(error)
        self.world()
        try:
            return self.pool.pop()
        except IndexError as error:
            let_out(error)
        return self.new_seat()

    def give_back(self, seat: Seat) -> None:
        """Ends the use of a seat."""
        instance = seat[-1]
        if self.fresh or instance.worn_out() or len(self.pool) >= MOST_IDLE or instance.world is not self._world:
            instance.close()
        else:
            self.pool.append(seat)

    def call(self, name: str, *args: Any, given: Given = None, release: bool = False) -> Any:
        """Calls a function; the arguments are the record's, in order.

        Args:
            name: the function.
            args: str for text, bytes-like objects for bytes, numbers.
            given: host functions for this call only, by the name of the request.
            release: give the GIL away; large inputs do so anyway.

        Raises:
            NeedsReference: the module leaves the call to the reference.
            TrapError, LimitError, CoreUnavailableError: as named; and whatever a host function raised.
        """
        from skywasm.crossing import calls

        return calls.call(self, self.interface.functions[name], args, given, release)

    def refused(self, number: int) -> None:
        """The sandbox's own look at what is denied: whatever function runs, it gets nothing from the machine."""
        request = self.interface.requests.get(number)
        if request is None:
            raise TrapError(f"{self.name} asked for request {number}, which there is not")
        if rules.armed:
            rules.check(f"{self.name}'s {request.name}", (request.capability,))


def let_out_of_require(error: RuntimeError) -> None:
    """Raises a RuntimeError again that did not come of the engine's own message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if type(error) is not RuntimeError or trace is None or trace.tb_frame.f_code.co_name != "require":
        raise error


if TYPE_CHECKING:
    from typing import Optional

    Given = Optional[Mapping[str, Callable[..., int]]]

__all__ = ["MOST_IDLE", "Module", "SkyPilotError"]
