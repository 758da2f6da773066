"""Shows the last lines of a log whose bytes nobody can vouch for: the sandbox reads them, within a time limit.

python tail_log.py FILE [LINES]
"""

import os
import sys

import skywasm
from skywasm import errors, sandbox


def main(path: str, count: str = "10") -> None:
    """Prints the lines, or says why not."""
    if not os.path.isfile(path):
        sys.exit(f"{path}: no such file")
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    # All that is left to code which the bytes might fool is to read this one file.
    with sandbox.deny("process", "ports", "limits"), sandbox.limits(deadline_s=5):
        try:
            lines = skywasm.read_last_n_lines(path, int(count))
        except (OSError, errors.LimitError) as error:
            sys.exit(f"{path}: {error}")
    for line in lines:
        print(line.rstrip("\n"))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)
