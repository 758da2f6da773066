"""Cases of the functions whose answer depends on nothing but their arguments."""

from __future__ import annotations

import hashlib
import random
import re
import string
import struct

import forms
from oracle import common_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Case = dict[str, Any]

PRECISION_LIMIT = 1100
_CANONICAL = re.compile("[0-9a-fA-F]+")


def _case(function: Any, args: list[Any], crosses: bool, note: str = "") -> Case:
    """A case with SkyPilot's answer; what SkyPilot refuses never crosses."""
    case: Case = {"args": forms.encode(args), **forms.outcome(function, *args)}
    if not crosses or "raises" in case:
        case["python_only"] = True
    if note:
        case["note"] = note
    return case


# --- base36_encode

_OTHER_SPELLINGS = (
    *(" ff", "ff\n", "\tff\x0b\x0c\r", "ff\x1c\x1f", "\u00a0ff\u2003", "0xff", "0XFF", "+ff", "-0", "-0x0", "f_f"),
    *("0x_ff", "\uff11\uff12", "\u0663\u0664", "\uff41", "f\U0001d7d8", b"ff", b" 0xFF\n", b"f_f"),
)
_REFUSED = (
    *("", " ", "\n", "_", "_ff", "ff_", "f__f", "0x", "0x__1", "+", "-", "+-1", "--1", "xyz", "fg", "g", "f f"),
    *("1.5", "ff\x00", "\x00ff", "ff#", "\u00b2", "\u2460", "\ud800", "ff\udfff", "\U0001f680", "0o7", "1e5h"),
    *(b"", b"xyz", b"\xff", b"f\x00", None, 5, 1.5, True, ["ff"]),
)


def _hex_texts(rng: random.Random) -> list[str]:
    md5 = [hashlib.md5(name.encode()).hexdigest() for name in ("", "my-cluster", "Cuda_11.8")]
    texts = ["0", "1", "9", "a", "F", "f", "10", "23", "24", "ff", "FF", "Ff", "0f", "00ff", "0" * 32, "0" * 65, *md5]
    for power in (1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 24, 25, 36, 49, 50, 51, 99, 100):
        texts += [f"{36**power + step:x}" for step in (-1, 0, 1)]
    for bits in (31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 512):
        texts += [f"{2**bits - 1:x}", f"{2**bits:X}"]
    digits = string.digits + "abcdefABCDEF"
    texts += ["".join(rng.choices(digits, k=length)) for length in range(1, 100)]
    texts += ["".join(rng.choices(digits, k=32)) for _ in range(60)]
    texts += ["0" * rng.randrange(1, 40) + "".join(rng.choices(digits, k=rng.randrange(1, 40))) for _ in range(30)]
    # Around the lengths at which the artifact, or the Python body, goes another way.
    texts += [
        "".join(rng.choices(digits, k=length)) for length in (128, 129, 255, 256, 257, 1993, 1994, 4095, 4096, 4097)
    ]
    return texts


def base36_encode(rng: random.Random) -> list[Case]:
    """Hex numbers of every length, other spellings of numbers, and what is none."""
    call = common_utils.base36_encode
    cases = [
        _case(call, [text], isinstance(text, str) and _CANONICAL.fullmatch(text) is not None)
        for text in (*_hex_texts(rng), *_OTHER_SPELLINGS, *_REFUSED)
    ]
    for text in ("-1", "-ff", " -0x1\n", b"-5"):
        # No message: it is skywasm's own.
        refused = {"args": forms.encode([text]), "raises": {"type": "ValueError"}, "python_only": True}
        cases.append({**refused, "note": "SkyPilot never returns for negative numbers"})
    return cases


# --- format_float

_PLAIN = (
    *(0.0, -0.0, 0.25, 0.75, 0.125, 1.25, 1.35, 0.35, 0.05, 0.15, 0.95, 99.95, 2.0, 2.5, 1.005, -0.04, -0.06, 0.5),
    *(1.5, -0.5, 1e15, 1e16, 1e17, 1e22, 1e23, 1e300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
    *(4503599627370495.5, 4503599627370496.0, 9007199254740991.0, 9007199254740993.0, -9007199254740992.0, 1e-7),
    *(float("nan"), -float("nan"), float("inf"), -float("inf"), 0.1, 0.2, 0.3, 1 / 3, 2 / 3, 1e21, 123456.789),
)
_ODD_PRECISIONS = (-1, -(2**40), 1101, 2000, 2**31, 2**63, 2**70, None, True, False, "2", "", "x", 2.0, [1], b"1")
_NOT_FLOATS = (0, 7, -7, 2**53, 10**18, -(10**30), 10**400, 10**4299, 10**4300, True, False, "1.5", b"1", None, [1.5])


def _random_float(rng: random.Random) -> float:
    kind = rng.randrange(4)
    if kind == 0:
        return struct.unpack(">d", rng.getrandbits(64).to_bytes(8, "big"))[0]  # type: ignore[no-any-return]
    if kind == 1:
        # Halves of the last place, where rounding must look at the exact value.
        places = rng.randrange(1, 6)
        return (rng.randrange(-(10**6), 10**6) + 0.5) / 10**places
    if kind == 2:
        return rng.randrange(-(2**60), 2**60) / 2 ** rng.randrange(1, 60)
    return round(rng.uniform(-1000, 1000), rng.randrange(0, 5))


def format_float(rng: random.Random) -> list[Case]:
    """Doubles of every kind with precisions of every kind, and what is no double."""
    call = common_utils.format_float
    cases = [_case(call, [number, precision], True) for number in _PLAIN for precision in (0, 1, 2, 17)]
    cases += [_case(call, [_random_float(rng), rng.choice((0, 1, 1, 2, 3, 10))], True) for _ in range(220)]
    cases += [_case(call, [number, 1], True) for number in (2.0**k + 0.5 for k in range(45, 54))]
    cases += [_case(call, [number, 1100], True) for number in (0.1, 2.0)]
    for precision in _ODD_PRECISIONS:
        cases += [_case(call, [number, precision], False) for number in (1.5, 2.0)]
    cases += [_case(call, [number, 1], False) for number in _NOT_FLOATS]
    return cases


# --- truncate_long_string

_WORDS = ("sky", "launch", "-c", "dev", "a", "", "task.yaml", "\u30af\u30e9\u30b9\u30bf", "e\u0301", "r\u00e9gion")
_LETTERS = "ab  \u00e9\u4e2d\U0001f680\u200d\u0301\t\n\u00a0\u2003\x00\ud83d\ude80\udfff"
_FIXED = (
    *("", " ", "    ", "abc", "0123456789", "sky launch -c dev task.yaml", "one two three", "a  b  c  d  e"),
    *("  leading spaces here", "a b c d e f g h i j", "trailing   ", "x" * 35, "x" * 36, "ab " * 20),
    *(
        "\u30af\u30e9\u30b9\u30bf\u540d\u304c\u3068\u3066\u3082\u9577\u3044",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
    ),
    *("e\u0301" * 20, "r\u00e9gion-eu-ouest-zone-1", "a\tb\nc\u2003d e", "nul\x00 in the middle", "\ud83d\ude80 pair"),
)
_LENGTHS = (-(2**53), -3, -1, 0, 1, 2, 3, 4, 5, 7, 10, 20, 35, 2**53)
_ODD_LENGTHS = (2**70, -(2**70), None, 5.0, 5.5, float("nan"), float("inf"), True, False, "5", [5])
_ODD_TEXTS = (None, b"0123456789", b"", 5, ["a", "b", "c"], [])


def _random_text(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return " ".join(rng.choices(_WORDS, k=rng.randrange(1, 12)))
    return "".join(rng.choices(_LETTERS, k=rng.randrange(0, 40)))


def truncate_long_string(rng: random.Random) -> list[Case]:
    """Texts of every script, cut at every length at the end and in the middle."""
    call = common_utils.truncate_long_string
    cases = [
        _case(call, [text, length, middle], True) for text in _FIXED for length in _LENGTHS for middle in (False, True)
    ]
    for _ in range(250):
        text = _random_text(rng)
        length = rng.choice((rng.randrange(-5, 45), len(text), len(text) - 1, len(text) + 1))
        cases.append(_case(call, [text, length, rng.random() < 0.4], True))
    for length in _ODD_LENGTHS:
        cases += [_case(call, ["sky launch -c", length, middle], False) for middle in (False, True)]
    cases += [_case(call, ["0123456789", 5, middle], False) for middle in (None, 0, 1, "", "x", [])]
    cases += [_case(call, [text, 2, middle], False) for text in _ODD_TEXTS for middle in (False, True)]
    return cases
