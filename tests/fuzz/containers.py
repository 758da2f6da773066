"""Made-up machines: what the kernel's files could hold, and what they never should."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzz.dice import Dice

# Each file of the cgroups, with how many numbers it has.
CGROUP_FILES = {
    "cpu.max": 2,
    "cpu/cpu.cfs_quota_us": 1,
    "cpu/cpu.cfs_period_us": 1,
    "memory.max": 1,
    "memory/memory.limit_in_bytes": 1,
}
_BLANKS = (" ", " ", " ", "\t", "\n", "\r\n", "  ", "\v", "\x1c", "\x1f", "\u00a0", "\x85", "")
_NUMBERS = ("0", "1", "-1", "100000", "50000", "250000.5", "1e5", "1_000", "+7", "0x10", "007", "9" * 25, ".5", "max")
_NUMBERS += ("MAX", "inf", "-inf", "nan", "1e308", "1e400", "-0", "1e-310", "abc", "\uff11\uff10", "\u0663", "\0", "_1")
_LETTERS = "0123456789._e+- \nmaxinf\u0663\xa0\0"


def _number(dice: Dice) -> str:
    return str(dice.below(10 ** (dice.below(12) + 1)) + 1) if dice.chance(2) else str(dice.pick(_NUMBERS))


def _content(dice: Dice, numbers: int) -> bytes | None:
    """What a cgroup file holds: mostly as the kernel writes it; or nearly; or longer than a page; or it is missing."""
    kind = dice.below(12)
    if kind == 0:
        return None
    if kind == 1:
        return dice.data(6)
    if kind == 2:
        return b" " * int(dice.pick((4090, 4095, 4096, 4097, 9000))) + _number(dice).encode()
    text = " ".join(_number(dice) for _ in range(numbers)) + "\n"
    if kind < 5:
        text = "".join(dice.pick(_BLANKS) + part + dice.pick(_BLANKS) for part in text.split(" "))
    return (dice.changed(text, _LETTERS) if kind == 5 else text).encode()


def _meminfo(dice: Dice) -> bytes:
    total, free = dice.bits(10 + dice.below(33)) + 1, dice.below(10**6)
    lines = [f"MemTotal: {total:>14} kB", f"MemFree: {free:>15} kB", f"MemAvailable: {free} kB", "Cached: 5 kB"]
    if dice.chance(10):
        lines.sort(key=lambda _: dice.random())
    if dice.chance(20):
        # psutil wants both of the first lines; without one SkyPilot raises its KeyError.
        del lines[dice.below(2)]
    return "\n".join([*lines, ""]).encode()


def machine(dice: Dice) -> dict[str, Any]:
    """All facts of a machine; a file that is None is missing."""
    files = {name: _content(dice, numbers) for name, numbers in CGROUP_FILES.items()}
    return {
        **files,
        "cgroup.controllers": b"cpu memory\n" if dice.below(3) else None,
        "meminfo": _meminfo(dice),
        "online": f"0-{dice.pick((1, 2, 3, 8, 64, 1000)) - 1}\n".encode(),
        "affinity": dice.pick((None, 1, 2, 8, 200)),
    }
