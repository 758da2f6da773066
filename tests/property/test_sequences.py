"""Calls of all functions in any order: none leaves anything behind that the next one finds."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

import skywasm
from property.oracle import assert_same, common_utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

# Around the sizes of the buffers: 64 KiB from the start, windows and hash pieces of 1 MiB.
SIZES = st.sampled_from((0, 1, 5, 64, 200, 4096, 4097, 65_535, 65_536, 65_537, 70_000, 300_000, 1_048_577))
SHORT = st.text("0123456789abcdef", min_size=1, max_size=64)
CALLS = st.one_of(
    st.tuples(st.just("base36_encode"), SHORT),
    st.tuples(st.just("base36_encode"), st.sampled_from(("not hex", " ff", "\u0663", "f" * 3000))),
    st.tuples(st.just("format_float"), st.floats(), st.sampled_from((1, 1100))),
    st.tuples(st.just("truncate_long_string"), SIZES),
    st.tuples(st.just("read_last_n_lines"), SIZES),
    st.tuples(st.just("hash_file"), SIZES),
    st.tuples(st.just("hash_update"), SIZES),
)


def _same_call(path: Path, call: tuple[Any, ...]) -> None:
    name, *arguments = call
    if name == "truncate_long_string":
        arguments = ["ab\u00e9 " * (arguments[0] // 4), arguments[0] // 3]
    elif name in ("read_last_n_lines", "hash_file", "hash_update"):
        path.write_bytes((b"0123456789\n" * (arguments[0] // 11 + 1))[: arguments[0]])
        arguments = [str(path), 7 if name == "read_last_n_lines" else "sha256"]
    if name == "hash_update":
        digest = skywasm.hash_file(*arguments)
        digest.update(path.read_bytes())
        assert digest.hexdigest() == hashlib.sha256(path.read_bytes() * 2).hexdigest()
        return
    assert_same(lambda: getattr(skywasm, name)(*arguments), lambda: getattr(common_utils, name)(*arguments))


@given(calls=st.lists(CALLS, min_size=2, max_size=8))
@example(calls=[("truncate_long_string", 70_000), ("base36_encode", "0"), ("base36_encode", "ff")])
@example(calls=[("read_last_n_lines", 1_048_577), ("base36_encode", "ff"), ("format_float", 0.25, 1)])
@example(calls=[("hash_update", 300_000), ("base36_encode", "ff"), ("truncate_long_string", 64)])
@example(calls=[("base36_encode", " " * 70_000 + "ff"), ("base36_encode", "ff"), ("format_float", 0.1, 1100)])
def test_calls_do_not_disturb_each_other(backend: str, tmp_path: Path, calls: list[tuple[Any, ...]]) -> None:
    """Any sequence of calls, with arguments that outgrow the buffers among them, comes to what SkyPilot's does."""
    for call in calls:
        _same_call(tmp_path / "file", call)
