"""The logger, made at first use: importing logging takes longer than all of skywasm."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

_seen: set[str] = set()


def logger() -> logging.Logger:
    """The ``skywasm`` logger. Silent unless the program configures logging."""
    import logging

    log = logging.getLogger("skywasm")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log


def warn_once(reason: str) -> None:
    """Logs a warning the first time a reason comes up in this process."""
    if reason not in _seen:
        _seen.add(reason)
        logger().warning("%s", reason)
