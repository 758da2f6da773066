"""Watches which functions SkyPilot's code goes through, and holds still what changes from run to run."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import threading
import time
import uuid

from skywasm.functions import ROWS

NAMES = tuple(row.name for row in ROWS if row.replaces is not None)
SKYPILOT = {row.replaces for row in ROWS} - {None}
OURS = {row.function.__globals__["__name__"] for row in ROWS} | {"skywasm.skypilot.stand_ins"}
CASES = {}


def case(function):
    """A case: takes the folder of files and the first port, gives something that JSON can hold."""
    CASES[function.__name__] = function
    return function


class Watch:
    """Notes which of the functions are entered from elsewhere, by whose code, and what they give."""

    def __init__(self):
        self.seen = []
        self._inside = threading.local()

    def __call__(self, frame, event, value):
        if event not in ("call", "return") or frame.f_code.co_name not in NAMES:
            return
        module = frame.f_globals.get("__name__", "")
        if module not in SKYPILOT | OURS:
            return
        depth = getattr(self._inside, "depth", 0) + (1 if event == "call" else -1)
        self._inside.depth = depth
        if event == "return" and depth == 0:
            whose = "skywasm" if module in OURS else "sky"
            gave = value.hexdigest() if hasattr(value, "hexdigest") else value
            # Each run has ports of its own.
            self.seen.append([frame.f_code.co_name, whose, None if frame.f_code.co_name == "find_free_port" else gave])

    @contextlib.contextmanager
    def watching(self):
        self.seen = []
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield self
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


@contextlib.contextmanager
def numbered_uuids():
    """Random names come out the same in every run."""
    own, source = uuid.uuid4, random.Random(36)
    uuid.uuid4 = lambda: uuid.UUID(int=source.getrandbits(128), version=4)
    try:
        yield
    finally:
        uuid.uuid4 = own


@contextlib.contextmanager
def variables(**changes):
    """Environment variables, for a while."""
    kept = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextlib.contextmanager
def pausing(pauses):
    """Notes how long the program sleeps, which it does between batches."""
    own = time.sleep
    time.sleep = lambda seconds: (pauses.append(seconds), own(seconds))
    try:
        yield
    finally:
        time.sleep = own


def printed(function, *args, **kwargs):
    """What a function prints, and gives."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        gave = function(*args, **kwargs)
    return [out.getvalue(), gave]
