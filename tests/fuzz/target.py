"""What a function to be fuzzed brings along: its cases, the oracle's answer and skywasm's."""

from __future__ import annotations

import warnings

import skywasm
from fuzz.outcomes import outcome

with warnings.catch_warnings():
    # Its dependencies use what their own dependencies have deprecated.
    warnings.simplefilter("ignore")
    from sky.utils import common_utils, subprocess_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzz.dice import Dice
    from fuzz.outcomes import Outcome

    Case = tuple[Any, ...]

__all__ = ["Target", "common_utils", "subprocess_utils"]


class Target:
    """A function. A case is a tuple of all that may change from call to call, so that it can be made smaller."""

    name: str
    oracle = "SkyPilot 0.14.1"
    # What one case varies, for the report.
    varies = "arguments"
    # Whether others on the machine can change an answer between two calls: then a difference must show again.
    shared_machine = False
    # Whether the worker needs a mount namespace of its own to vary the machine.
    namespace = False

    def open(self, folder: str) -> None:
        """Prepares what all blocks share, in an empty folder."""

    def close(self) -> None:
        """Undoes what ``open`` did to this process."""

    def begin(self, dice: Dice) -> None:
        """Prepares a block."""

    def case(self, dice: Dice) -> Case:
        """The next case of a block."""
        raise NotImplementedError

    def apply(self, case: Case) -> None:
        """Makes the machine the case's."""

    def arguments(self, case: Case) -> Case:
        """What the call is given."""
        return case

    def theirs(self, case: Case) -> Outcome:
        """The oracle's outcome."""
        return outcome(getattr(common_utils, self.name), *self.arguments(case))

    def ours(self, case: Case) -> Outcome:
        """skywasm's, with the backend that is set."""
        return outcome(getattr(skywasm, self.name), *self.arguments(case))

    def same(self, case: Case, want: Outcome, got: Outcome, backend: str) -> bool:
        """Whether an outcome that is not equal to the oracle's is one of the documented differences."""
        return False

    def shown(self, case: Case) -> str:
        """The case as a call."""
        return f"skywasm.{self.name}({', '.join(ascii(value) for value in case)})"
