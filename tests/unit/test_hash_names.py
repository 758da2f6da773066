"""The names of hash algorithms: hashlib's, OpenSSL's other spellings, and nothing else."""

from __future__ import annotations

import hashlib

import pytest

from skywasm.functions import hashing

# Some of OpenSSL's own, and some that look like them.
SPELLINGS = (
    *("sha-1", "ssl3-md5", "sha-256", "sha2-256", "sha256", "sha512-224", "sha-512/256", "sha2-512/256", "sha512_224"),
    *(
        "sha3-224",
        "sha3_256",
        "shake128",
        "shake-128",
        "shake_256",
        "blake2b512",
        "blake2b-512",
        "blake2b",
        "blake2s256",
    ),
)
FOREIGN = (
    "sm3",
    "ripemd160",
    "md5-sha1",
    "md4",
    "whirlpool",
    "",
    "blake3-256",
    "sha3",
    "shake",
    "keccak",
    "md5!",
    "md5\0",
)


@pytest.mark.parametrize("algorithm", hashing.ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_hashlib_agrees_on_name_and_sizes(algorithm: hashing.Algorithm) -> None:
    """hashlib knows each algorithm but blake3 under the same name, with the same digest and block size."""
    if algorithm.name == "blake3":
        assert "blake3" not in hashlib.algorithms_guaranteed
        assert (algorithm.digest_size, algorithm.block_size) == (32, 64)
        return
    try:
        known = hashlib.new(algorithm.name)
    except ValueError:
        pytest.skip("this hashlib does not have it")
    assert (known.name, known.digest_size, known.block_size) == (
        algorithm.name,
        algorithm.digest_size,
        algorithm.block_size,
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_other_spellings_mean_what_hashlib_means(spelling: str) -> None:
    """A spelling in any letter case is taken for what hashlib makes of it, and for none where it refuses."""
    for cased in (spelling, spelling.upper(), spelling.title()):
        try:
            known: str | None = hashlib.new(cased).name
        except ValueError:
            known = None
        found = hashing.find(cased)
        assert (found and found.name) == known, cased


def test_every_name_of_hashlibs_is_judged() -> None:
    """Whatever hashlib offers here is either the same algorithm of ours or none."""
    for name in hashlib.algorithms_available:
        try:
            known = hashlib.new(name)
        except ValueError:
            continue
        found = hashing.find(name)
        if found is None:
            assert known.name not in {algorithm.name for algorithm in hashing.ALGORITHMS}, name
        else:
            assert known.name == found.name, name


@pytest.mark.parametrize("name", FOREIGN)
def test_names_that_are_none_of_ours(name: str) -> None:
    """An algorithm that only hashlib has, and a name that nobody has, is not found."""
    assert hashing.find(name) is None


def test_numbers_are_the_places_in_the_table() -> None:
    """The number that crosses is the place in the table, 17 in all, and no name stands twice."""
    assert [algorithm.number for algorithm in hashing.ALGORITHMS] == list(range(17))
    assert len({algorithm.name for algorithm in hashing.ALGORITHMS}) == 17
