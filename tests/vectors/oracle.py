"""SkyPilot, whose functions give the expected answers."""

from __future__ import annotations

import hashlib
import logging
import os
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

for _name in [name for name in os.environ if name.startswith("SKYPILOT_")]:
    del os.environ[_name]

with warnings.catch_warnings():
    # Its dependencies use what their own dependencies have deprecated.
    warnings.simplefilter("ignore")
    import sky
    from sky.utils import common_utils, subprocess_utils

__all__ = ["RELEASE", "common_utils", "hash_digest", "subprocess_utils"]

# Its warning about a low limit of open files is no news here.
logging.disable(logging.WARNING)

RELEASE: str = sky.__version__


def hash_digest(path: str, name: str, length: int) -> str:
    """The digest of a file: SkyPilot's, or for BLAKE3, which it lacks, that of its authors' package."""
    if name == "blake3":
        import blake3

        with open(path, "rb") as file:
            return blake3.blake3(file.read()).hexdigest()
    digest: hashlib._Hash = common_utils.hash_file(path, name)
    arguments: tuple[Any, ...] = (length,) if digest.digest_size == 0 else ()
    return digest.hexdigest(*arguments)
