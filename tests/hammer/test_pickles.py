"""The functions travel to workers that import nothing else first; hash objects do not."""

from __future__ import annotations

import copy
import multiprocessing
import pickle

import pytest

import skywasm
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = [row.name for row in ROWS]


def _there(function: Any) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def test_all_functions_reach_a_spawned_worker() -> None:
    """A spawned worker gets all of them as arguments, and sends them back as themselves."""
    functions = [getattr(skywasm, name) for name in NAMES]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(copy.copy, functions) == functions
        assert pool.map(_there, functions) == [("skywasm", name) for name in NAMES]


def test_hash_objects_are_refused_as_hashlib_refuses_them(backend: str, tmp_path: Any) -> None:
    """A hash object cannot be pickled, in any backend, and the error says that it is a TypeError of pickling."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(skywasm.hash_file(str(path), "sha256"))
