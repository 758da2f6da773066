"""Roads of ``auto`` that depend on the arguments: some calls go to the artifact, the rest to the reference.

Imports the artifact's side only when a call goes there.
"""

from __future__ import annotations

from skywasm import _dispatch, _hashes, reference
from skywasm.errors import CoreUnavailableError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from host_shims._contract import PathOrFd
    from skywasm.api import HashObject

# From about here on, finding the first line in the artifact saves more than the crossing costs.
_MANY_LINES = 200


def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    """hashlib for all that it knows, the artifact for blake3."""
    if hash_alg == "md5" or not isinstance(hash_alg, str) or hash_alg.lower() != "blake3":
        return reference.hash_file(path, hash_alg)
    try:
        from skywasm import _sandboxed

        return _sandboxed.hash_file(path, hash_alg)
    except (TrapError, CoreUnavailableError) as error:
        _dispatch.fell_back("hash_file", error)
        problem = error
    try:
        return reference.hash_file(path, hash_alg)
    except ValueError:
        raise _hashes.blake3_unavailable(problem) from problem


def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    """The artifact for many lines once it is loaded."""
    if isinstance(n, int) and n >= _MANY_LINES and _dispatch.is_warm():
        from skywasm import _sandboxed

        try:
            return _sandboxed.read_last_n_lines(file_path, n, chunk_size, encoding, errors)
        except (TrapError, CoreUnavailableError) as error:
            _dispatch.fell_back("read_last_n_lines", error)
    return reference.read_last_n_lines(file_path, n, chunk_size, encoding, errors)
