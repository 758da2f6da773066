"""What follows from the declarations and is kept in the repository: type stubs, and the sample of vectors.

``make derived`` writes it, a test compares.
"""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
