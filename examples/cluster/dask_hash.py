"""Hashes many files on the workers of a Dask cluster, here one of two processes on this machine.

Needs: pip install skywasm 'dask[distributed]'
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile

from dask.distributed import Client, LocalCluster

import skywasm
from skywasm import batch


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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, f"part-{number:03}") for number in range(200)]
        for number, path in enumerate(paths):
            path.write_bytes(b"%d\n" % number * 5000)
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(
            cluster
        ) as client:
            for told in client.run(on_a_worker).values():
                print(f"worker {told.pop('process') != os.getpid() and 'of its own'}: {told}")
            # A Dask client gives an executor of the standard interface.
            digests = batch.hash_files([str(path) for path in paths], "md5", executor=client.get_executor())
        right = [hashlib.md5(path.read_bytes()).hexdigest() for path in paths]
        print(f"{len(digests)} files hashed on the cluster; equal to hashlib's digests: {digests == right}")
        if digests != right:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
