"""Results as the benchmark writes them, with times that are made up."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

LABEL = "SkyPilot 0.14.1"
# Function and size, seconds before and after, the ratio asked for.
CASES: tuple[tuple[str, float, float, float | None], ...] = (
    ("base36_encode 32 digits", 2.8e-6, 1.0e-6, 2.5),
    ("base36_encode 1000 digits", 290e-6, 14.5e-6, None),
    ("format_float 16.0", 240e-9, 241e-9, 0.95),
    ("truncate_long_string 200 characters, in the middle", 260e-9, 290e-9, None),
    ("get_cpu_count", 45e-6, 20e-6, 3.5),
    ("batch.base36_encode 10,000 MD5s", 28e-3, 1.6e-3, 12.0),
    ("batch.hash_files md5, 5,000 of 4 KiB, 2 threads", 96e-3, 48e-3, None),
)
SIZES = (1, 10, 100, 1000)


def benchmark(name: str, seconds: float, **metadata: Any) -> dict[str, Any]:
    """One of pyperf's benchmarks, of three samples."""
    about = {"name": name, "unit": "second", "skywasm_cpu_s": seconds, "skywasm_peak_bytes": 2048, **metadata}
    return {"metadata": about, "runs": [{"values": [seconds * 1.2, seconds, seconds * 1.1]}]}


def pair(name: str, before: float, after: float, least: float | None = None, **metadata: Any) -> list[dict[str, Any]]:
    """Both sides of a comparison."""
    asked = {} if least is None else {"skywasm_least": least}
    about = {"skywasm_ratio": before / after, "skywasm_against": LABEL, **asked, **metadata}
    return [benchmark(f"{name} [before]", before, **about), benchmark(f"{name} [after]", after, **about)]


def curve(function: str, unit: str = "items", **seconds: list[float]) -> dict[str, Any]:
    """Time over size; sizes are those of ``SIZES``."""
    points = {route: [list(point) for point in zip(SIZES, times)] for route, times in seconds.items()}
    return {"function": function, "what": "made up", "unit": unit, "points": points}


def crossing() -> dict[str, Any]:
    """The sandbox breaks even at the geometric mean of 10 and 100, Python is as fast as the reference."""
    before = [1e-6, 1e-5, 1e-4, 1e-3]
    return curve(
        "batch.format_float",
        before=before,
        python=[1.02e-6, 0.99e-5, 1e-4, 1.01e-3],
        wasm=[4e-6, 2e-5, 5e-5, 2e-4],
        auto=[1.1e-6, 1e-5, 5e-5, 2e-4],
    )


def bench(**metadata: str) -> dict[str, Any]:
    """What `skywasm bench --json` writes."""
    about = {"skywasm_processor": "A processor", "skywasm_python": "CPython 3.11.7", "skywasm_skywasm": "0.1.0"}
    return {
        "version": "1.0",
        "metadata": {**about, "skywasm_compared_with": LABEL, **metadata},
        "benchmarks": [one for case in CASES for one in pair(*case)],
    }


def whole(**metadata: str) -> dict[str, Any]:
    """What `skywasm report --format json` writes, less the summary."""
    faster = curve("base36_encode", "digits", before=[4e-6] * 4, python=[2e-6] * 4, wasm=[1e-6] * 4, auto=[1e-6] * 4)
    section = {"made": "2026-01-02T03:04:05Z", "differing": [], "curves": [crossing(), faster]}
    return {**bench(**metadata), "skywasm_report": section}


def written(folder: pathlib.Path, result: Any) -> str:
    """The name of a file that holds the result."""
    path = folder / "result.json"
    path.write_text(json.dumps(result))
    return str(path)
