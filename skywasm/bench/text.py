"""The outcome as text: tables for people, and Markdown for the documentation."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skywasm.bench.run import Row

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
BEGIN = "<!-- skywasm bench: begin -->"
END = "<!-- skywasm bench: end -->"
# The short table, for a document's first page.
SHORT_BEGIN = "<!-- skywasm bench, short: begin -->"
SHORT_END = "<!-- skywasm bench, short: end -->"
# Beginnings that are told on their own.
IMPORT_SKYWASM = "import skywasm"
IMPORT_WASMTIME = "import wasmtime"
FIRST_WASM = "first call in wasm, cache warm"
# The unit of crossings.
BARE_CALL = "bare ctypes call"


def duration(seconds: float) -> str:
    """Three figures and a unit."""
    for unit, name in _UNITS:
        if seconds >= unit or name == "ns":
            value = seconds / unit
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {name}"
    raise AssertionError


def size(count: int) -> str:
    """Bytes in KiB or MiB."""
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 1024:.1f} KiB"


COLUMNS = ("what", "before", "skywasm", "ratio", "asked", "CPU", "memory before", "memory", "other routes")


def cells(row: Row) -> tuple[str, ...]:
    """One row of the table."""
    what = f"{row.name}, {row.size}" if row.size else row.name
    if row.before is None or row.after is None:
        return (what, "", "", "ANSWERS DIFFER", "", "", "", "", "")
    routes = "; ".join(f"{name} {duration(timing.seconds)}" for name, timing in row.routes.items())
    if row.wrong_route:
        routes += f" ({row.wrong_route} is faster)"
    return (
        what,
        duration(row.before.seconds),
        duration(row.after.seconds),
        f"{row.ratio:.2f}",
        _asked(row),
        duration(row.after.cpu_s),
        size(row.before.peak_bytes),
        size(row.after.peak_bytes),
        routes,
    )


def _asked(row: Row) -> str:
    if row.least is None:
        return ""
    if row.met:
        return f"{row.least:g}"
    beyond = row.reachable is not None and row.reachable < row.least
    return f"{row.least:g} MISSED" + (f" (floor {row.reachable:.2f})" if beyond else "")


def floors_table(rows: Iterable[Row]) -> str:
    """What the system's own calls take, and the ratio that they alone would reach."""
    timed = [row for row in rows if row.before and row.after and row.floor]
    return markdown_table(
        ("what", "before", "skywasm", "floor", "ratio", "ratio at the floor"),
        [
            (
                f"{row.name}, {row.size}" if row.size else row.name,
                *(duration(timing.seconds) for timing in (row.before, row.after, row.floor) if timing),
                f"{row.ratio:.2f}",
                f"{row.reachable:.2f}",
            )
            for row in timed
        ],
    )


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, numbers to the right."""
    head = "| " + " | ".join(columns) + " |\n|---" + "|---:" * (len(columns) - 1) + "|\n"
    return head + "".join("| " + " | ".join(row) + " |\n" for row in rows)


def markdown(
    label: str,
    rows: Sequence[Row],
    about: dict[str, str],
    growth: dict[str, tuple[float, float, list[tuple[int, float]]]],
    crossing: dict[str, float],
    starts: dict[str, tuple[float, str]],
) -> str:
    """Everything, as the documentation shows it."""
    parts = ["".join(f"- {name}: {value}\n" for name, value in {"compared with": label, **about}.items())]
    parts.append("### Every function\n\n" + markdown_table(COLUMNS, map(cells, rows)))
    against = {f"{row.name}, {row.size}": row.against for row in rows if row.against}
    parts.append(
        "Compared with something else than SkyPilot:\n\n" + "".join(f"- {k}: {v}\n" for k, v in against.items())
    )
    parts.append("### The floor: what the system's own calls take\n\n" + floors_table(rows))
    parts.append("### The cost as the work grows\n\n" + growth_table(growth))
    parts.append("### The crossing\n\n" + crossing_table(crossing))
    parts.append("### Starting\n\n" + starts_table(starts))
    return "\n".join(parts)


def growth_table(growth: dict[str, tuple[float, float, list[tuple[int, float]]]]) -> str:
    """A batch of n costs a + b * n."""
    sizes = [n for n, _ in next(iter(growth.values()))[2]] if growth else []
    rows = [
        (name, duration(max(a, 0.0)), duration(b), *(duration(seconds) for _, seconds in points))
        for name, (a, b, points) in growth.items()
    ]
    return markdown_table(("batch of n", "a", "b an item", *(f"n = {n:,}" for n in sizes)), rows)


def crossing_table(crossing: dict[str, float]) -> str:
    """Forced through wasm, in units of a bare ctypes call."""
    bare = crossing.get(BARE_CALL)
    rows = [(name, duration(seconds), f"{seconds / bare:.1f}" if bare else "") for name, seconds in crossing.items()]
    return markdown_table(("forced through wasm", "time", "in bare ctypes calls"), rows)


def starts_table(starts: dict[str, tuple[float, str]]) -> str:
    """What a new process pays."""
    unit = starts.get(IMPORT_WASMTIME, (0.0, ""))[0]
    rows = [
        (name, duration(seconds), f"{seconds / unit:.2f}" if unit else "", heavy.replace(",", ", ") or "none")
        for name, (seconds, heavy) in starts.items()
    ]
    return markdown_table(
        ("in a new process, after Python's own start", "time", "in imports of wasmtime", "heavy modules loaded"), rows
    )


def short(label: str, rows: Sequence[Row], about: dict[str, str], starts: dict[str, tuple[float, str]]) -> str:
    """The cases of which the project asks a ratio, what a new process pays, and what all was measured on."""
    asked = [row for row in rows if row.least is not None and row.before and row.after]
    table = markdown_table(
        ("what", "before", "skywasm", "times faster"),
        [
            (
                f"{row.name}, {row.size}" if row.size else row.name,
                duration(row.before.seconds) if row.before else "",
                duration(row.after.seconds) if row.after else "",
                f"{row.ratio:.2f}",
            )
            for row in asked
        ],
    )
    where = ", ".join(about[name] for name in ("processor", "system", "python") if name in about)
    told = f"{table}\nCompared with {label}, or what docs/BENCHMARKS.md names, on {where}."
    if {IMPORT_SKYWASM, IMPORT_WASMTIME, FIRST_WASM} <= set(starts):
        taken = {name: duration(seconds) for name, (seconds, _) in starts.items()}
        told += (
            f" In a new process `{IMPORT_SKYWASM}` takes {taken[IMPORT_SKYWASM]}; that and a first call through the "
            f"sandbox {taken[FIRST_WASM]} (`{IMPORT_WASMTIME}` alone: {taken[IMPORT_WASMTIME]})."
        )
    return told + "\n"


def replace_marked(document: str, new: str, brief: str = "") -> str:
    """The document with what stands between the marks replaced: by ``new``, or by ``brief`` between the short ones.

    Raises:
        ValueError: the marks are not there.
    """
    for begin, end, content in ((BEGIN, END, new), (SHORT_BEGIN, SHORT_END, brief)):
        before, found, rest = document.partition(begin)
        _, closed, after = rest.partition(end)
        if found and closed:
            return f"{before}{begin}\n\n{content}\n{end}{after}"
    raise ValueError(f"the document has no lines {BEGIN!r} and {END!r}, nor the short ones")
