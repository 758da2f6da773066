"""Hashes many files on the workers of Ray, here a local one of two processes.

Needs: pip install skywasm ray
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile

import ray

import skywasm
from skywasm import batch


@ray.remote
def on_a_worker() -> dict[str, object]:
    """Some of the functions, and how they were answered there."""
    skywasm.warm_up()
    info = skywasm.get_backend_info()
    return {
        "process": os.getpid(),
        "backend": info["backend"],
        "cache": info["cache"],
        "base36": skywasm.base36_encode("f" * 32),
        "cpus": skywasm.get_cpu_count(),
        "alive": skywasm.is_process_alive(os.getpid()),
    }


@ray.remote
def digests_of(paths: list[str]) -> list[str]:
    """One task hashes many files, eight at a time in its worker's sandbox."""
    return batch.hash_files(paths, "md5", threads=1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, f"part-{number:03}") for number in range(200)]
        for number, path in enumerate(paths):
            path.write_bytes(b"%d\n" % number * 5000)
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            for told in ray.get([on_a_worker.remote() for _ in range(2)]):
                print(f"worker {told.pop('process') != os.getpid() and 'of its own'}: {told}")
            names = [str(path) for path in paths]
            tasks = [digests_of.remote(names[first : first + 50]) for first in range(0, len(names), 50)]
            digests = [digest for some in ray.get(tasks) for digest in some]
        finally:
            ray.shutdown()
        right = [hashlib.md5(path.read_bytes()).hexdigest() for path in paths]
        print(f"{len(digests)} files hashed on the cluster; equal to hashlib's digests: {digests == right}")
        if digests != right:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
