"""Many threads at once, in plain threads and in asyncio's, and how many instances they make."""

from __future__ import annotations

from children import run
from hammer.test_interrupts import CALLS
from hammer.test_threads import mixed

from torture.trial import Found, Trial, expect, time_s

THREADS = 64


def mixed_threads(count: int, seed: int) -> Found:
    """64 threads make calls of every kind, with host functions that fail among them; every answer is checked."""
    rounds = -(-count // THREADS)
    found = mixed(THREADS, rounds, timeout_s=time_s(count, 1e-3))
    problems: list[str] = []
    for key in ("crashed", "wrong"):
        expect(problems, found[key] == [], f"{key}: {found[key]}")
    expect(problems, found["done"] == THREADS, f"only {found['done']} threads ended")
    expect(problems, found["fallbacks"] == {}, f"fallbacks: {found['fallbacks']}")
    return Found(rounds * THREADS, problems, f"{THREADS} threads, {found['pool']} instances left")


ASYNCIO = (
    CALLS
    + """
    import asyncio
    from skywasm.crossing import module
    names = [name for name in calls if name != "port"]
    dice = random.Random(SEED)
    cancelled = 0
    async def some(number):
        global cancelled
        for name in dice.choices(names, k=8):
            waiting = asyncio.ensure_future(asyncio.to_thread(check, name))
            if dice.random() < 0.1:
                # Cancelled, the task ends at once and the thread goes on with its call.
                await asyncio.sleep(0)
                waiting.cancel()
                try:
                    await waiting
                except asyncio.CancelledError:
                    cancelled += 1
            else:
                await waiting
    async def everything():
        for _ in range(COUNT // 400):
            await asyncio.gather(*(some(number) for number in range(50)))
    asyncio.run(everything())
    check_all()
    report(wrong=wrong[:5], cancelled=cancelled, pool=len(core.core().pool), most=module.MOST_IDLE)
"""
)


def asyncio_threads(count: int, seed: int) -> Found:
    """Fifty tasks hand calls to asyncio's threads; one in ten is cancelled while its call goes on."""
    rounds = -(-count // 400) * 400
    code = ASYNCIO.replace("SEED", str(seed)).replace("COUNT", str(rounds))
    found = run(code, timeout_s=time_s(count, 2e-3))
    problems: list[str] = []
    expect(problems, found["wrong"] == [], f"wrong: {found['wrong']}")
    expect(problems, found["cancelled"] > 0, "nothing was cancelled")
    expect(problems, found["pool"] <= found["most"], f"{found['pool']} instances in the pool")
    return Found(rounds, problems, f"{found['cancelled']:,} cancelled")


INSTANCES = """
    import gc, sys, threading, time
    import skywasm
    from host_shims import facts
    from skywasm.crossing import instance, module
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    pool = core.core().pool
    # Sets and lists, because adding to a number is not one step for threads.
    made, alive, most = [], set(), 0
    kind = instance.Instance
    class Counted(kind):
        def __init__(self, of):
            global most
            made.append(None)
            alive.add(id(self))
            most = max(most, len(alive))
            kind.__init__(self, of)
        def __del__(self):
            alive.discard(id(self))
    instance.Instance = Counted
    pool.clear()
    def meet(threads):
        # All are inside a host function at the same time.
        barrier = threading.Barrier(threads)
        plain = facts.cpu_count
        def slow():
            barrier.wait()
            return 8
        facts.cpu_count = slow
        works = [threading.Thread(target=skywasm.get_parallel_threads) for _ in range(threads)]
        for work in works:
            work.start()
        for work in works:
            work.join()
        facts.cpu_count = plain
    wrong = []
    for threads in (1, 2, 5, 64, 3):
        meet(threads)
        if len(pool) > min(64, module.MOST_IDLE):
            wrong.append(f"{len(pool)} idle after {threads} threads")
        if most > max(64, threads):
            wrong.append(f"{most} instances at once")
        before = len(made)
        for number in range(COUNT // 5):
            if skywasm.base36_encode("deadbeef") != "1ps9wxb":
                wrong.append("answer")
        if len(made) != before:
            wrong.append(f"calls one after the other made {len(made) - before} instances")
    gc.collect()
    report(wrong=wrong[:5], most=most, alive=len(alive), idle=len(pool), limit=module.MOST_IDLE)
"""


def instances(count: int, seed: int) -> Found:
    """No more instances exist than calls are really under way at once; calls in a row share one."""
    found = run(INSTANCES.replace("COUNT", str(count)), timeout_s=time_s(count, 1e-4))
    problems: list[str] = list(found["wrong"])
    expect(problems, found["most"] == THREADS, f"{found['most']} at once for {THREADS} threads")
    expect(problems, found["alive"] == found["idle"] <= found["limit"], f"alive {found['alive']}, idle {found['idle']}")
    return Found(count, problems, f"{found['most']} at once, {found['alive']} kept")


TRIALS = (
    Trial("threads", "calls", 6_400, 100_000, mixed_threads),
    Trial("asyncio.to_thread", "calls", 2_000, 100_000, asyncio_threads),
    Trial("instances", "calls", 5_000, 200_000, instances),
)
