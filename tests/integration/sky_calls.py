"""Calls SkyPilot's own code, in all places that use the functions, and prints what it answers.

``main`` is run in a process of its own. MODE is ``off``, where SkyPilot runs alone, or a backend. FOLDER holds files to
work on, which all modes share; what SkyPilot keeps goes to HOME. Prints JSON: for each case its answer, or its error,
and what the functions gave on the way, by which implementation.

Written for several releases of SkyPilot: what one of them lacks ends in the same error with and without the drop-in.
"""

from __future__ import annotations

import json
import pathlib

from integration import sky_sizes, sky_tables  # noqa: F401 - they define the cases
from integration.sky_watch import CASES, Watch


def run_case(watch, function, folder, port):
    """The answer of a case or its error, and what happened on the way."""
    with watch.watching():
        try:
            gave = {"gave": function(folder, port)}
        except Exception as error:
            gave = {"error": f"{type(error).__name__}: {error}"}
    return {**gave, "seen": sorted(watch.seen, key=repr)}


def main(mode, folder, port):
    """Runs all cases and prints the answers."""
    folder = pathlib.Path(folder)
    status = None
    if mode != "off":
        import skywasm
        from skywasm import skypilot

        skypilot.install()
        skywasm.set_backend(mode)
    watch = Watch()
    answers = {name: run_case(watch, function, folder, int(port)) for name, function in CASES.items()}
    if mode != "off":
        status = skypilot.status()
        status["backend"] = skywasm.get_backend_info()["backend"]
    print("ANSWERS " + json.dumps({"cases": answers, "status": status}, default=repr))
