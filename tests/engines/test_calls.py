"""The calls that are made of the vectors, which the artifact's record tells how to make."""

from __future__ import annotations

import collections
import json
from pathlib import Path

import artifacts
import pytest
from vectors import forms

from engines import __main__ as command
from engines import batches, calls
from skywasm.crossing.interface import Interface


def test_every_vector_is_asked_or_is_pythons() -> None:
    """No vector is lost: each becomes calls or is counted as Python's, and what has an answer that crosses is asked."""
    cases, apart = calls.of_vectors(command.maker())
    vectors = {path.stem: forms.read(path.stem)["cases"] for path in forms.FOLDER.glob("*.json")}
    assert len(cases) + apart == sum(map(len, vectors.values()))
    asked = collections.Counter(case["function"] for case in cases if case["kind"] == "answer")
    crossing = {name: sum(calls.PYTHON_ONLY not in case for case in some) for name, some in vectors.items()}
    assert asked == crossing


def test_every_export_is_called() -> None:
    """Each function of the artifact's record is called, and each batch of them."""
    maker = command.maker()
    cases = calls.of_vectors(maker)[0] + batches.of_vectors(maker)
    called = {call["export"] for case in cases for call in case["calls"]}
    functions = maker.interface.functions.values()
    assert called == {function.name for function in functions} | {f"{one.name}[]" for one in functions if one.batch}


def test_lists_hold_every_vector() -> None:
    """The lists of each form are made of all vectors of their functions that cross or raise."""
    maker = command.maker()
    for name in ("base36_encode", "format_float", "truncate_long_string", "is_process_alive"):
        items = [item for group in batches.groups(maker, name) for item in group.items]
        cases = forms.read(name)["cases"]
        crossing = sum(calls.PYTHON_ONLY not in case for case in cases)
        # One number is too long for a list.
        assert sum(item.answer is not None for item in items) == crossing - (name == "base36_encode")
        assert any(item.answer is None for item in items) == (name in ("base36_encode", "format_float"))
    assert sum(len(group.items) for group in batches.groups(maker, "hash_string")) > 300


COUNT_WORDS = {
    "cases": [
        {"args": ["one two"], "expect": 2},
        {"args": ["three"], "expect": 1},
        {"args": ["\u00a0"], "expect": 0, "python_only": True},
        {"args": [5], "raises": {"type": "TypeError"}, "python_only": True},
    ]
}


def test_new_function_needs_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function whose vectors hold its parameters is asked as soon as the record has it, one by one and in lists."""
    functions, line = dict.fromkeys(("count_words", "count_words[]"), "unreachable"), "count_words(text:str)->int batch"
    core = artifacts.compiled(artifacts.text(functions, record=f"skywasm 2\nfn {line}\n"))
    (tmp_path / "count_words.json").write_text(json.dumps(COUNT_WORDS))
    monkeypatch.setattr(forms, "FOLDER", tmp_path)
    maker = calls.Maker(Interface(core, "core.wasm"), calls.Blobs())
    cases, apart = calls.of_vectors(maker)
    assert ([case["kind"] for case in cases], apart) == (["answer", "answer", "refusal"], 1)
    (call,) = cases[0]["calls"]
    assert call == {"export": "count_words", "slots": ["7"], "input": [0], "result": "0", "cells": {"0": "2"}}
    assert cases[2]["calls"][0]["refusable"]
    (one, *_) = batches.lists(maker, maker.interface.functions["count_words"])
    assert one["calls"][0]["slots"] == [None, str(ord("\n") << 8)]
    assert list(maker.blobs.places)[one["calls"][0]["bytes"]] == bytes((2, *bytes(7), 1, *bytes(7)))
