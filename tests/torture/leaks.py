"""The same call again and again: memory, descriptors and instances stay what they were."""

from __future__ import annotations

import functools

from children import run

from skywasm.functions import BY_NAME, ROWS
from torture.trial import Found, Trial, expect, time_s

MODES = ("wasm", "auto")
# A piece lost with each call would add up to more even in the quick form.
MOST_BYTES = 2**20
MOST_BLOCKS = 300

CODE = """
    import gc, os, sys, tempfile
    import skywasm
    mode, name = sys.argv[1:3]
    skywasm.set_backend(mode)
    skywasm.warm_up()
    from skywasm.crossing import instance
    from skywasm.routes import core
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "file")
    with open(path, "w") as file:
        file.write("some text \\u00e9\\n" * 40)
    # Good calls, and calls that fail: the ways out are others.
    from skywasm.bench.workplace import Workplace, arguments as made_at
    from skywasm.functions import BY_NAME
    CALLS = {
        "base36_encode": [("7" * 300,), (" 0xff ",), ("not hexadecimal",)],
        "format_float": [(1e300, 3), ("text",)],
        "truncate_long_string": [("\\u00e9" * 90, 9, True), ("x",), (3,)],
        "hash_file": [(path, "sha1"), (path, "blake3"), (path, "md5"), (path + "x", "md5")],
        "read_last_n_lines": [(path, 3), (path, 300), (path, 2, 7, "utf-16"), (path + "x", 3)],
        "find_free_port": [(64_000,), (31_000,), (70_000,)],
        "get_parallel_threads": [(), (7,)],
        "get_max_workers_for_file_mounts": [({"/a": path, "/b": "s3://x"}, "aws"), (3,)],
        "is_process_alive": [(2**31 - 1,), (-3,), ("x",)],
        "estimate_fd_for_directory": [(path,), (folder.encode(),)],
    }
    place = Workplace(quick=True).__enter__()
    first = made_at(next(iter(BY_NAME[name].examples.values())), place)
    call, arguments = getattr(skywasm, name), [first, *CALLS.get(name, [tuple(map(str, first))])]
    made, whole = 0, instance.Instance.__init__
    def counting(self, module):
        global made
        made += 1
        whole(self, module)
    instance.Instance.__init__ = counting
    pool = core.core().pool
    failed = 0
    def some(count):
        global failed
        for number in range(count // len(arguments)):
            for those in arguments:
                try:
                    call(*those)
                except (OSError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError):
                    failed += 1
    def measured():
        gc.collect()
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resident, len(os.listdir("/proc/self/fd")), made, len(pool), sys.getallocatedblocks()
    # Twice, so that what the measuring itself takes is there already.
    some(max(COUNT // 10, 2000))
    measured()
    some(max(COUNT // 10, 2000))
    before = measured()
    failed = 0
    some(COUNT)
    after = measured()
    report(failed=failed, grown=[new - old for old, new in zip(before, after)], pool=len(pool))
"""


def leaks(function: str, count: int, seed: int) -> Found:
    """So many calls of one function, in the modes wasm and auto, leave nothing behind."""
    problems: list[str] = []
    notes = []
    for mode in MODES:
        found = run(CODE.replace("COUNT", str(count)), args=[mode, function], timeout_s=time_s(count, 2e-4))
        resident, descriptors, made, pool, blocks = found["grown"]
        expect(problems, resident <= MOST_BYTES, f"{mode}: {resident:,} bytes more resident memory")
        expect(problems, blocks <= MOST_BLOCKS, f"{mode}: {blocks:,} more blocks of Python's memory")
        expect(problems, descriptors == 0, f"{mode}: {descriptors} descriptors more")
        # What a host function raises ends the instance that asked.
        most = found["failed"] if BY_NAME[function].asks else 0
        expect(problems, made <= most and pool == 0, f"{mode}: {made} instances made, {pool} more in the pool")
        expect(problems, found["pool"] <= 1, f"{mode}: {found['pool']} instances in the pool")
        notes.append(f"{mode} {resident / 2**10:+,.0f} KiB")
    return Found(len(MODES) * count, problems, ", ".join(notes))


FUNCTIONS = tuple(sorted(row.name for row in ROWS))
TRIALS = tuple(
    Trial(f"leaks: {name}", "calls", 20_000, 1_000_000, functools.partial(leaks, name)) for name in FUNCTIONS
)
