"""``python -m skywasm`` is the command ``skywasm``."""

from __future__ import annotations

import sys

from skywasm.cli import main

if __name__ == "__main__":
    sys.exit(main())
