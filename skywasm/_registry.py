"""The table of public functions. ``api`` enters a row beside each function; lists elsewhere are derived from it or
held against it by tests.

Imports nothing and names other modules by their dotted names, so that reading it loads nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

COMMON = "sky.utils.common_utils"
SUBPROCESS = "sky.utils.subprocess_utils"

PYTHON = "python"
WASM = "wasm"
MIXED = "mixed"


class Row:
    """One public function.

    ``patches`` is the SkyPilot module whose function it replaces, None for an addition. ``auto`` is where a scalar
    call goes in ``auto`` mode once the engine is loaded, and ``why`` the measured reason. ``exports`` are the
    functions of the artifact it needs, ``capabilities`` what those may ask of the host.
    """

    __slots__ = ("auto", "capabilities", "exports", "name", "patches", "why")

    def __init__(
        self,
        name: str,
        patches: str | None,
        auto: str,
        why: str,
        capabilities: tuple[str, ...],
        helpers: tuple[str, ...],
    ) -> None:
        self.name = name
        self.patches = patches
        self.auto = auto
        self.why = why
        self.capabilities = capabilities
        self.exports = ("sky_" + name, *helpers)

    def implementation(self, module: Any) -> Any:
        """This function in a module that has all of them."""
        return getattr(module, self.name)


ROWS: list[Row] = []
BY_NAME: dict[str, Row] = {}


def public(
    patches: str | None,
    auto: str,
    why: str,
    *,
    capabilities: tuple[str, ...] = (),
    helpers: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Enters a public function into the table; arguments as in ``Row``, ``helpers`` being further exports."""

    def enter(function: Function) -> Function:
        row = Row(function.__name__, patches, auto, why, capabilities, helpers)
        ROWS.append(row)
        BY_NAME[row.name] = row
        return function

    return enter
