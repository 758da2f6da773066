"""Exceptions at random moments, and signal handlers that call skywasm in the middle of a call."""

from __future__ import annotations

from children import run
from hammer.test_interrupts import CALLS

from torture.trial import Found, Trial, expect, time_s

GROUPS = ("short process cpu float", "port", "long text", "memory folder tail file")

INTERRUPTS = (
    CALLS
    + """
    names = NAMES
    fired, inside = 0, 0
    HOST = os.sep + "host_shims" + os.sep
    def interrupt(number, frame):
        global fired, inside
        fired += 1
        while frame is not None:
            if HOST in frame.f_code.co_filename or frame.f_code.co_filename.endswith(os.sep + "machine.py"):
                inside += 1
                break
            frame = frame.f_back
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    dice = random.Random(SEED)
    raised, others, most = 0, [], 0
    # In a function of its own: CPython's table of handlers has gaps at the jumps of a loop.
    def busy(seen):
        while fired == seen:
            check(dice.choice(names))
    for _ in range(COUNT):
        seen = fired
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(2e-5, 1.5e-3))
            busy(seen)
        except KeyboardInterrupt:
            raised += 1
        except BaseException as error:
            others.append(repr(error))
        most = max(most, len(core.core().pool))
        for name in names:
            check(name)
    check_all()
    report(fired=fired, raised=raised, inside=inside, others=others[:5], wrong=wrong[:5], most=most)
"""
)


def keyboard_interrupts(count: int, seed: int) -> Found:
    """KeyboardInterrupt inside calls and host functions: it comes out, and every call after it is right."""
    problems: list[str] = []
    done = raised = inside = 0
    each = -(-count // len(GROUPS))
    for at, names in enumerate(GROUPS):
        code = INTERRUPTS.replace("NAMES", repr(names.split())).replace("SEED", str(seed + at))
        found = run(code.replace("COUNT", str(each)), timeout_s=time_s(each, 5e-3))
        done, raised, inside = done + found["fired"], raised + found["raised"], inside + found["inside"]
        for key in ("others", "wrong"):
            expect(problems, found[key] == [], f"{names}: {key}: {found[key]}")
        expect(problems, found["most"] <= 1, f"{names}: {found['most']} instances in the pool")
        # One that strikes while the interpreter frees a dropped instance is ignored by the interpreter itself.
        expect(problems, found["raised"] >= 0.9 * each, f"{names}: only {found['raised']} of {each} came out")
    expect(problems, inside > 0, "none struck inside a host function")
    return Found(done, problems, f"{raised:,} came out, {inside:,} struck inside host functions")


STRUCK = (
    CALLS
    + """
    import ctypes
    class Struck(BaseException):
        pass
    outcomes, stop = {}, threading.Event()
    names = ["short", "process", "cpu", "port", "memory", "folder", "tail", "text", "float"]
    def work():
        dice = random.Random(SEED)
        while not stop.is_set():
            try:
                try:
                    ready.set()
                    while True:
                        check(dice.choice(names))
                except Struck as error:
                    outcomes[type(error).__name__] = outcomes.get(type(error).__name__, 0) + 1
                    for name in names:
                        check(name)
            except Struck:
                # Struck again while checking: the next round checks.
                pass
            except BaseException as error:
                outcomes[repr(error)] = 1
    ready = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    dice = random.Random(SEED + 1)
    def strike():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Struck))
    for _ in range(COUNT):
        time.sleep(dice.uniform(1e-4, 3e-3))
        strike()
    stop.set()
    while thread.is_alive():
        strike()
        thread.join(0.05)
    check_all()
    report(outcomes=outcomes, wrong=wrong[:5], pool=len(core.core().pool))
"""
)


def asynchronous_exceptions(count: int, seed: int) -> Found:
    """An exception set from another thread comes out as itself; every call after it is right."""
    code = STRUCK.replace("COUNT", str(count)).replace("SEED", str(seed))
    found = run(code, timeout_s=time_s(count, 1e-2))
    outcomes: dict[str, int] = found["outcomes"]
    problems: list[str] = []
    expect(problems, set(outcomes) == {"Struck"}, f"came out: {outcomes}")
    expect(problems, sum(outcomes.values()) > count / 6, f"only {outcomes} of {count} came out")
    expect(problems, found["wrong"] == [], f"wrong: {found['wrong']}")
    expect(problems, found["pool"] <= 2, f"{found['pool']} instances in the pool")
    return Found(count, problems, ", ".join(f"{number:,} {name}" for name, number in sorted(outcomes.items())))


HANDLER = (
    CALLS
    + """
    handled, nested, most = 0, 0, 0
    dice = random.Random(SEED)
    names = list(calls)
    def handler(number, frame):
        global handled, nested
        handled += 1
        while frame is not None:
            if os.sep + "skywasm" + os.sep in frame.f_code.co_filename:
                nested += 1
                break
            frame = frame.f_back
        check(dice.choice(names))
        # Set again only now: handlers do not pile up on one another.
        if handled < COUNT:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-4, 1e-3))
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 5e-4)
    while handled < COUNT:
        for name in names:
            check(name)
        most = max(most, len(core.core().pool))
    check_all()
    report(handled=handled, nested=nested, wrong=wrong[:5], most=most)
"""
)


def signal_handlers(count: int, seed: int) -> Found:
    """A signal handler calls any function in the middle of any other call: both get their own answers."""
    code = HANDLER.replace("COUNT", str(count)).replace("SEED", str(seed))
    found = run(code, timeout_s=time_s(count, 5e-3))
    problems: list[str] = []
    expect(problems, found["wrong"] == [], f"wrong: {found['wrong']}")
    expect(problems, found["nested"] > count / 4, f"only {found['nested']} of {count} in the middle of a call")
    expect(problems, found["most"] <= 2, f"{found['most']} instances in the pool")
    return Found(found["handled"], problems, f"{found['nested']:,} in the middle of a call")


TRIALS = (
    Trial("KeyboardInterrupt", "interrupts", 600, 12_000, keyboard_interrupts),
    Trial("PyThreadState_SetAsyncExc", "exceptions", 300, 10_000, asynchronous_exceptions),
    Trial("signal handlers", "handlers", 400, 10_000, signal_handlers),
)
