"""Runs the cluster examples for real, a Dask LocalCluster and a local Ray, and keeps what they said.

python -m cluster                              both, shown
python -m cluster --update docs/CLUSTERS.md    and put between the document's marks
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = {"dask_hash.py": "distributed", "ray_hash.py": "ray"}
BEGIN, END = "<!-- make cluster: begin -->", "<!-- make cluster: end -->"
LONGEST_S = 300
RIGHT = "equal to hashlib's digests: True"


def ran(name: str, package: str) -> tuple[str, list[str]]:
    """What one example said, and what is wrong with it."""
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "", [f"{package} is not installed"]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "cluster" / name)],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    head = f"examples/cluster/{name}: {package} {version}, {time.monotonic() - start:.0f} s"
    problems = []
    if done.returncode != 0 or RIGHT not in done.stdout:
        problems.append(f"{name} failed with {done.returncode}: {done.stderr[-2000:]}")
    if done.stdout.count("worker of its own: {'backend': 'wasm', 'cache': 'hit'") != 2:
        problems.append(f"{name}: not every worker had an engine of its own from the shared cache")
    return f"{head}\n{done.stdout.rstrip()}\n", problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cluster", description="Run the cluster examples for real.")
    parser.add_argument("--update", metavar="DOCUMENT", help="put the log between the marks of this document")
    options = parser.parse_args()
    subprocess.run([sys.executable, "-c", "import skywasm; skywasm.warm_up()"], check=True)
    outcomes = [ran(name, package) for name, package in EXAMPLES.items()]
    log = "\n".join(said for said, _ in outcomes if said)
    print(log)
    problems = [problem for _, some in outcomes for problem in some]
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.update and not problems:
        document = pathlib.Path(options.update)
        text = document.read_text(encoding="utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            print(f"{document} has no lines {BEGIN!r} and {END!r}", file=sys.stderr)
            return 2
        made = f"Run on {datetime.date.today()} with CPython {platform.python_version()}."
        document.write_text(f"{before}{begin}\n\n```text\n{log}```\n\n{made}\n\n{end}{after}", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
