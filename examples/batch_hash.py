"""Hashes all files below a folder in one call, and checks one of them against hashlib.

python batch_hash.py [FOLDER]
"""

import hashlib
import pathlib
import sys

from skywasm import batch


def main(folder: str) -> None:
    """Prints what sha256sum would."""
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    digests = batch.hash_files(files, "sha256")
    for path, digest in zip(files, digests):
        print(f"{digest}  {path}")
    if files and digests[0] != hashlib.sha256(files[0].read_bytes()).hexdigest():
        sys.exit(f"{files[0]}: hashlib gives another digest")
    print(f"{len(files)} files")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
