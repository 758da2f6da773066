"""How a program chooses the backend, and loads it beforehand."""

from __future__ import annotations

from host_shims.struck import let_out
from skywasm.loading import late
from skywasm.routes import bind, failures
from skywasm.routes import mode as modes


def warm_up(background: bool = False) -> None:
    """Load the engine now, so that no later call pays for it.

    Args:
        background: load in a daemon thread and return at once; where there is none to be had, load now.

    Raises:
        CoreUnavailableError: in ``wasm`` mode, when the artifact cannot be used. In ``auto`` that is logged once
            and Python goes on answering.

    Cost: about 10 ms the first time, nothing after that; some 300 ms where the artifact has to be compiled, which is
    once a machine and version. In ``python`` mode nothing is loaded.
    """
    if modes.mode() == "python":
        return
    if background:
        try:
            late("threading").Thread(target=bind.load, name="skywasm-warm-up", daemon=True).start()
        except RuntimeError as error:
            # There is no thread to be had.
            let_out(error, "threading")
        else:
            return
    bind.load()


def set_backend(mode: str) -> None:
    """Choose the backend for the whole process.

    Args:
        mode: ``"auto"`` (each call where it is fastest), ``"wasm"`` (everything through the sandbox, failures are
            errors) or ``"python"`` (no sandbox). Beats ``SKYWASM_BACKEND`` and ``SKYPILOT_USE_RUST``.

    Raises:
        ValueError: for any other mode; the backend stays as it was.

    Cost: about 10 us, and what loading takes at the next call that needs it.
    """
    if mode is None:
        raise ValueError("backend is None; it must be one of 'auto', 'wasm', 'python'")
    _chosen(mode)


class use_backend:  # noqa: N801 - used like a function
    """Choose the backend within a ``with`` block, for the whole process; meant for tests and scripts.

    Args, errors and cost as for ``set_backend``. The earlier choice comes back at the end.
    """

    # A class of its own because importing contextlib takes longer than all of skywasm.
    def __init__(self, mode: str) -> None:
        self._wanted = mode
        self._before: list[str | None] = []

    def __enter__(self) -> None:
        before = modes.chosen()
        try:
            set_backend(self._wanted)
            self._before.append(before)
        except BaseException:
            # The block does not begin.
            _chosen(before)
            raise

    def __exit__(self, *exception: object) -> None:
        try:
            _chosen(self._before[-1])
        finally:
            # Whatever has struck the first time.
            _chosen(self._before.pop())


def _chosen(mode: str | None) -> None:
    # Twice, so that whatever strikes in between every call finds out its road by the mode there is.
    bind.undecide()
    modes.choose(mode)
    failures.forget()
    bind.undecide()
