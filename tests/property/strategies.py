"""All Hypothesis strategies: inputs as they come, as they should not come, and around the sizes that matter."""

from __future__ import annotations

import decimal
import enum
import fractions
import hashlib
import pathlib
import struct

from hypothesis import strategies as st

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HUGE = st.sampled_from((2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 10**30))
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 50), st.floats(), st.binary(max_size=8), st.text(max_size=8), st.just([1])
)
# st.text() leaves lone surrogates out.
CHARACTERS = st.characters(exclude_categories=())


class Text(str):
    """A text of a derived type, as configuration libraries hand them out."""

    __slots__ = ()


class Number(float):
    """A float of a derived type with a format of its own."""

    def __format__(self, spec: str) -> str:
        return f"<{spec}>"


class Count(enum.IntEnum):
    """An int of a derived type."""

    ONE = 1


# --- base36_encode

_HEX_DIGITS = "0123456789abcdefABCDEF"
HEX = st.one_of(
    st.text(_HEX_DIGITS, min_size=1, max_size=80),
    st.integers(0, 2**600).map("{:x}".format),
    st.integers(0, 300).map(lambda power: f"{36**power:X}"),
    st.tuples(
        st.sampled_from(("", "0", "00000000")), st.text(_HEX_DIGITS, min_size=1, max_size=6), st.integers(1, 900)
    ).map(lambda parts: parts[0] + parts[1] * parts[2]),
)
_EDGES = st.text(" \t\n\r\x0b\x0c\x1c\x1f\x85\u00a0\u2003", max_size=2)
_HEX_LIKE = st.text(_HEX_DIGITS + "_xX+ \uff11\u0663\U0001d7d8\ud800g", max_size=12)
HEX_SPELLINGS = st.tuples(
    _EDGES, st.sampled_from(("", "+", "0x", "0X", "+0x", "0x_")), st.one_of(HEX, _HEX_LIKE), _EDGES
)
HEX_ARGUMENTS = st.one_of(
    HEX,
    HEX.map(Text),
    HEX_SPELLINGS.map("".join),
    HEX_SPELLINGS.map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    HEX.map(lambda text: bytearray(text.encode())),
    st.text(CHARACTERS, max_size=20),
    JUNK,
)

# --- format_float

BIT_PATTERNS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", bits.to_bytes(8, "little"))[0])
_TIES = st.tuples(st.integers(-(10**7), 10**7), st.integers(0, 9)).map(lambda parts: (parts[0] + 0.5) / 10 ** parts[1])
FLOATS = st.one_of(BIT_PATTERNS, _TIES, st.floats(), st.integers(-(2**70), 2**70).map(float))
NUMBERS = st.one_of(
    FLOATS,
    FLOATS.map(Number),
    st.integers(),
    st.integers(0, 4400).map(lambda power: 10**power),
    st.builds(decimal.Decimal, st.integers()),
    st.builds(fractions.Fraction, st.integers(), st.integers(1, 9)),
    JUNK,
)
# Larger ones make megabytes of zeros, up to the 2**31 where Python refuses them.
PRECISIONS = st.one_of(st.integers(-2, 30), st.integers(1095, 1105), HUGE.filter(lambda n: n >= 2**31), JUNK)

# --- truncate_long_string

_WORDY = st.text(st.sampled_from("ab \u00e9\u4e2d\U0001f680\ud83d"), max_size=60)
_SPACED = st.lists(st.text(st.sampled_from("abc\u30af"), max_size=8), max_size=12).map(" ".join)
TEXTS = st.one_of(st.text(CHARACTERS, max_size=60), _WORDY, _SPACED)
LENGTHS = st.one_of(st.integers(-70, 70), st.integers(0, 8), HUGE, HUGE.map(lambda number: -number))
ODD_LENGTHS = st.one_of(LENGTHS, st.floats(-10, 70), JUNK)

# --- files

_LINE_ENDS = st.sampled_from((b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\n\r", b"\r\r\n", b""))
_PIECE = st.one_of(
    st.text(max_size=6).map(lambda text: text.encode()),
    st.binary(max_size=6),
    st.sampled_from(("\u65e5\u672c\u8a9e", "\U0001f680", "\u2028", "\x85", "\f\v\x1c", "\ufeff", "plain text")).map(
        str.encode
    ),
)
CONTENTS = st.one_of(
    st.lists(st.tuples(_PIECE, _LINE_ENDS).map(b"".join), max_size=14).map(b"".join),
    st.binary(max_size=200),
    # More than one chunk of the default size.
    st.tuples(_PIECE, _LINE_ENDS, st.integers(1, 3000), _PIECE).map(
        lambda parts: (parts[0] + parts[1]) * parts[2] + parts[3]
    ),
)
LINE_COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 4000), HUGE, st.booleans())
CHUNK_SIZES = st.one_of(st.integers(1, 9), st.just(8192), HUGE, st.just(True))
ENCODINGS = st.sampled_from(
    ("utf-8",) * 6
    + ("UTF_8", "u8", "ascii", "latin-1", "utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp1252", "cp037")
    + ("shift_jis", "gb18030", "iso2022_jp", "idna", "hex", "nope", "")
)
HANDLERS = st.sampled_from(
    ("replace",) * 4 + ("ignore", "strict", "surrogateescape", "backslashreplace", "surrogatepass", "nope")
)
ODD_COUNTS = st.one_of(st.integers(-3, 0), JUNK)

BLOCKS = st.builds(
    lambda unit, times, rest: unit * times + rest,
    st.binary(min_size=1, max_size=4),
    st.sampled_from((0, 1, 16, 32, 63, 64, 127, 128, 1024, 65_536, 70_000)),
    st.binary(max_size=9),
)
ALGORITHMS = st.sampled_from(sorted(hashlib.algorithms_available))
_SPELLINGS = st.tuples(ALGORITHMS, st.sampled_from((str.upper, str.title, str, lambda name: name.replace("_", "-"))))
ALGORITHM_ARGUMENTS = st.one_of(
    ALGORITHMS,
    _SPELLINGS.map(lambda pair: pair[1](pair[0])),
    st.sampled_from(("", "nope", "md5 ", "SHA-256", "sha2-512/224", "blake2b512", "md5\x00", "\ud800", "MD5-SHA1")),
    JUNK,
)
PATH_KINDS = st.sampled_from((str, lambda path: path.encode(), pathlib.Path, Text))

# --- facts

CPU_COUNTS = st.one_of(st.none(), st.integers(-3, 300), HUGE)
CLOUDS = st.one_of(
    st.none(),
    st.sampled_from(
        ("kubernetes", "KUBERNETES", "Kubernetes", "aws", "k8s", "\u212aubernetes", "kubernete\u017f", "\ud800")
    ),
    st.text(CHARACTERS, max_size=12),
    st.just(Text("Kubernetes")),
)
FILE_LIMITS = st.one_of(st.integers(-5, 5000), HUGE)
PORTS = st.one_of(
    st.integers(60_000, 65_534), st.integers(65_530, 65_540), HUGE, HUGE.map(lambda number: -number), JUNK
)
# What a variable of the environment can hold.
VARIABLES = st.one_of(
    st.sampled_from(
        ("4", "0.5", " 4 ", "4_0", "1e3", "500m", "", "nan", "inf", "-inf", "1e400", "0x4", "\uff14", "-0.0")
    ),
    st.floats().map(str),
    st.integers().map(str),
    st.text("0123456789._e+- infa\u0663\x1c\xa0", max_size=8),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8),
)


def negative(value: Any) -> bool:
    """Whether SkyPilot would never come back from encoding this value."""
    try:
        return int(value, 16) < 0
    except (TypeError, ValueError):
        return False
