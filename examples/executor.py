"""Hashes many files with processes of its own: any executor of concurrent.futures will do, or Dask's.

python executor.py [FOLDER]
"""

import pathlib
import sys
from concurrent.futures import ProcessPoolExecutor

from skywasm import batch


def main(folder: str) -> None:
    """Prints how many files have which digest, by both ways."""
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    with ProcessPoolExecutor(max_workers=2) as executor:
        spread = batch.hash_files(files, "md5", executor=executor)
    alone = batch.hash_files(files, "md5")
    print(f"{len(files)} files, {len(set(spread))} different digests")
    print("both ways agree" if spread == alone else "THE WAYS DIFFER")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
