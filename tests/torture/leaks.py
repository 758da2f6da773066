"""The same call again and again: memory, descriptors and instances stay what they were."""

from __future__ import annotations

import functools

from children import run

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
    from skywasm import _runtime
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "file")
    with open(path, "w") as file:
        file.write("some text \\u00e9\\n" * 40)
    # Good calls, and one that fails: the ways out are others.
    CALLS = {
        "base36_encode": [("deadbeef" * 4,), ("7" * 300,), (" 0xff ",), ("not hexadecimal",)],
        "format_float": [(0.25,), (1e300, 3), (2.0,), ("text",)],
        "truncate_long_string": [("sky launch -c dev task.yaml", 12), ("\\u00e9" * 90, 9, True), ("x",), (3,)],
        "hash_file": [(path, "sha1"), (path, "blake3"), (path, "md5"), (path + "x", "md5")],
        "read_last_n_lines": [(path, 3), (path, 300), (path, 2, 7, "utf-16"), (path + "x", 3)],
        "find_free_port": [(23_000,), (64_000,), (31_000,), (70_000,)],
        "get_cpu_count": [()],
        "get_mem_size_gb": [()],
        "get_parallel_threads": [(), ("kubernetes",), (7,)],
        "get_max_workers_for_file_mounts": [({"/a": folder},), ({"/a": path, "/b": "s3://x"}, "aws"), (3,)],
        "is_process_alive": [(os.getpid(),), (2**31 - 1,), (-3,), ("x",)],
        "estimate_fd_for_directory": [(folder,), (path,), (folder.encode(),)],
    }
    call, arguments = getattr(skywasm, name), CALLS[name]
    made, whole = 0, _runtime._instance
    def counting(engine):
        global made
        made += 1
        return whole(engine)
    _runtime._instance = counting
    def some(count):
        for number in range(count // len(arguments)):
            for those in arguments:
                try:
                    call(*those)
                except (OSError, ValueError, TypeError, AttributeError, AssertionError):
                    pass
    def measured():
        gc.collect()
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resident, len(os.listdir("/proc/self/fd")), made, len(_runtime.pool), sys.getallocatedblocks()
    # Twice, so that what the measuring itself takes is there already.
    some(max(COUNT // 10, 2000))
    measured()
    some(max(COUNT // 10, 2000))
    before = measured()
    some(COUNT)
    after = measured()
    report(grown=[new - old for old, new in zip(before, after)], pool=len(_runtime.pool))
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
        expect(problems, (made, pool) == (0, 0), f"{mode}: {made} instances made, {pool} more in the pool")
        expect(problems, found["pool"] <= 1, f"{mode}: {found['pool']} instances in the pool")
        notes.append(f"{mode} {resident / 2**10:+,.0f} KiB")
    return Found(len(MODES) * count, problems, ", ".join(notes))


FUNCTIONS = (
    "base36_encode",
    "estimate_fd_for_directory",
    "find_free_port",
    "format_float",
    "get_cpu_count",
    "get_max_workers_for_file_mounts",
    "get_mem_size_gb",
    "get_parallel_threads",
    "hash_file",
    "is_process_alive",
    "read_last_n_lines",
    "truncate_long_string",
)
TRIALS = tuple(
    Trial(f"leaks: {name}", "calls", 20_000, 1_000_000, functools.partial(leaks, name)) for name in FUNCTIONS
)
