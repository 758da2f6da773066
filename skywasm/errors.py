"""The errors that the sandbox itself raises. Errors of a function's arguments keep SkyPilot's types."""

from __future__ import annotations

__all__ = ["CapabilityError", "CoreUnavailableError", "LimitError", "SkyPilotError", "TrapError"]


class SkyPilotError(Exception):
    """Base of everything the sandbox raises on its own account."""


class CoreUnavailableError(SkyPilotError):
    """The artifact or the engine that runs it cannot be used; the message says why."""


class TrapError(SkyPilotError):
    """A call ended inside the sandbox without an answer. The instance is gone, the process is unharmed."""


class LimitError(SkyPilotError):
    """A call asked for more than the sandbox allows; the message names the limit."""


class CapabilityError(SkyPilotError):
    """A function needs a capability that has been denied; the message names it."""


class BeingLoaded(CoreUnavailableError):
    """A call came in while its own thread was loading the engine, from a signal handler or finalizer."""


class NeedsReference(Exception):
    """Internal: the artifact leaves this call to the reference. Never seen by callers."""
