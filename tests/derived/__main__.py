"""``python -m derived``: writes what follows from the declarations; ``--check`` compares and writes nothing."""

from __future__ import annotations

import sys

from derived import ROOT, texts


def main() -> int:
    """The number of files that differ."""
    stale = 0
    for name, make in texts().items():
        path, text = ROOT / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if "--check" in sys.argv:
            print(f"{name} is not what `make derived` would write")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return stale if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
