"""Traps by the thousand, and a cache entry that is spoilt again and again."""

from __future__ import annotations

import pathlib
import tempfile

from children import run
from faults.test_traps import BODIES, trapping

from torture.trial import Found, Trial, expect, time_s

TRAPS = """
    import os, sys
    import skywasm
    from skywasm.routes import core
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    wrong, traps, before = [], 0, 0
    skywasm.set_backend("wasm")
    for number in range(COUNT):
        try:
            wrong.append(skywasm.base36_encode("fff"))
        except skywasm.errors.TrapError:
            traps += 1
        if skywasm.base36_encode("f" * 16) != "3w5e11264sgsf":
            wrong.append("after")
        if number == COUNT // 10:
            before = resident()
    report(wrong=wrong[:5], traps=traps, grown=resident() - before, pool=len(core.core().pool))
"""


def traps(count: int, seed: int) -> Found:
    """Every trap is a TrapError, every next call is right, and the instances that were lost are freed."""
    problems: list[str] = []
    each, most = -(-count // len(BODIES)), 0
    for name, body in BODIES.items():
        with tempfile.TemporaryDirectory() as folder:
            how = trapping(pathlib.Path(folder), body)
            found = run(TRAPS.replace("COUNT", str(each)), timeout_s=time_s(each, 5e-3), **how)
        expect(problems, found["wrong"] == [] and found["traps"] == each, f"{name}: {found['wrong']}, {found['traps']}")
        expect(problems, found["pool"] == 1, f"{name}: {found['pool']} instances in the pool")
        # A store that is not freed keeps megabytes.
        expect(problems, found["grown"] < 4 * 2**20, f"{name}: {found['grown']:,} bytes more")
        most = max(most, found["grown"])
    return Found(each * len(BODIES), problems, f"{len(BODIES)} kinds; at most {most / 2**10:,.0f} KiB more memory")


CACHE = """
    import os, pathlib, random, sys
    import skywasm
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    folder = pathlib.Path(os.environ["SKYWASM_CACHE_DIR"])
    def right():
        core.core().unload()
        digest = skywasm.hash_file(os.devnull, "blake3").hexdigest()[:8]
        return (skywasm.base36_encode("deadbeef"), digest) == ("1ps9wxb", "af1349b9")
    wrong = [] if right() else ["first"]
    entries = [path for path in folder.rglob("*") if path.is_file()]
    whole = {path: path.read_bytes() for path in entries}
    dice = random.Random(SEED)
    def flipped(data):
        at = dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    spoilers = {
        "flipped": flipped,
        "truncated": lambda data: data[: dice.randrange(len(data))],
        "longer": lambda data: data + dice.randbytes(dice.randrange(1, 99)),
        "noise": lambda data: dice.randbytes(dice.randrange(5000)),
        "shuffled": lambda data: data[(at := dice.randrange(len(data))) :] + data[:at],
    }
    used, refused = 0, 0
    for number in range(COUNT):
        path, how = dice.choice(entries), dice.choice(list(spoilers))
        path.write_bytes(spoilers[how](whole[path]))
        if not right():
            wrong.append(how)
        refused += path.read_bytes() == whole[path]
        path.write_bytes(whole[path])
    report(wrong=wrong[:5], entries=len(entries), refused=refused, cache=skywasm.get_backend_info()["cache"])
"""


def cache_entries(count: int, seed: int) -> Found:
    """However a compiled module in the cache is spoilt, it is never run: it is compiled anew, and answers are right."""
    with tempfile.TemporaryDirectory() as folder:
        code = CACHE.replace("COUNT", str(count)).replace("SEED", str(seed))
        found = run(code, env={"SKYWASM_CACHE_DIR": folder, "SKYWASM_CACHE": ""}, timeout_s=time_s(count, 0.3))
    problems: list[str] = []
    expect(problems, found["wrong"] == [], f"wrong after: {found['wrong']}")
    expect(problems, found["entries"] >= 1, "there is no cache entry to spoil")
    expect(problems, found["refused"] == count, f"only {found['refused']} of {count} were replaced by a good one")
    return Found(count, problems, f"{found['refused']:,} refused and written anew")


TRIALS = (
    Trial("traps", "traps", 400, 20_000, traps),
    Trial("spoilt cache entries", "entries", 10, 150, cache_entries),
)
