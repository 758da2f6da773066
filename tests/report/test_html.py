"""The page as text: one file, nothing outside it, nothing in it but what is meant to be."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from report import results
from skywasm.report import html, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("jinja2")
pytest.importorskip("plotly")
HOSTILE = "\"></script ><!--<script>alert(1)</script><img src=x onerror=alert(2)>&amp;'</style>{{ 7 * 7 }}"
_EMPTY = {"meta", "link", "br", "wbr", "img"}


class Page(HTMLParser):
    """What a parser finds: elements with their attributes, and the text inside each kind of element."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.source = html.page(model.read(result))
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def figures(self) -> dict[str, Any]:
        (text,) = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', self.source, re.DOTALL)
        result: dict[str, Any] = json.loads(text)
        return result


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(results.whole())


def test_nothing_is_outside(page: Page) -> None:
    """No element names an address, a policy forbids every request, and plotly.js is inside."""
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    (policy,) = [a["content"] or "" for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    assert "plotly.js v" in page.texts["script"][1][:200]
    assert 3_000_000 < len(page.source) < 6_000_000
    own = page.source.replace(page.texts["script"][1], "")
    assert not re.findall(r"https?://|@import|url\(", own)


def test_the_policy_allows_our_scripts_and_no_others(page: Page) -> None:
    """Each script that runs is named in the policy by its digest, and nothing else is."""
    policy = next(a["content"] or "" for _, a in page.elements if a.get("http-equiv"))
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    data, *scripts = page.texts["script"]
    assert data.startswith("{")
    assert allowed == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"script-src ([^;]*);", policy)[0].count("'") == 2 * len(allowed)


def test_every_line_is_in_the_table(page: Page) -> None:
    """The table has every comparison with function, size, both times, ratio, CPU time and memory."""
    rows = re.findall(r'<tr class="(?:calls|batches)">.*?</tr>', page.source, re.DOTALL)
    report = model.read(results.whole())
    assert len(rows) == len(report.lines)
    for row, line in zip(rows, report.lines):
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", row))
        for shown in (line.function, line.size, f"{line.ratio:.{2 if line.ratio < 10 else 1}f}", "2.0 KiB"):
            assert shown in text
        keys = re.findall(r'data-key="([^"]*)"', row)
        assert [float(key) for key in keys[2:5]] == [line.after.seconds, line.before.seconds, line.ratio]


def test_the_headline(page: Page) -> None:
    """The head says what is compared, on what machine, when, and how it came out."""
    assert page.texts["h1"] == ["skywasm 0.1.0 against SkyPilot 0.14.1"]
    head = re.sub(r"\s+", " ", page.texts["header"][0])
    assert "7 comparisons on A processor, CPython 3.11.7. Measured 2026-01-02 03:04 UTC." in head
    assert "Only 3 samples a figure" in head
    tiles = dict(zip(page.texts["dt"], page.texts["dd"]))
    assert tiles["not slower"] == "6 of 7"
    assert tiles["reach the ratio asked for"] == "3 of 4"
    assert tiles["same answers"] == "7 of 7"
    assert tiles["median, single calls"].startswith("2.25")


def test_break_even_points_are_in_words(page: Page) -> None:
    """Beside each plot stands where its routes break even, for those who do not see it."""
    said = re.findall(r'<ul class="said">(.*?)</ul>', page.source, re.DOTALL)
    first, second = (re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)).strip() for text in said)
    assert "Python as fast as SkyPilot 0.14.1" in first
    assert "sandbox breaks even at 32 items" in first
    assert "sandbox passes Python at 32 items" in first
    assert "Python faster at every size, from 1 digit" in second


def test_hostile_text_stays_text() -> None:
    """Whatever a processor, a label, a function or an answer that differs is called, it adds no element."""
    result = results.whole(skywasm_processor=HOSTILE, skywasm_odd=HOSTILE, skywasm_skywasm=HOSTILE)
    result["metadata"]["skywasm_compared_with"] = "SkyPilot " + HOSTILE
    result["metadata"]["skywasm_" + HOSTILE] = "1"
    result["benchmarks"] += results.pair(f"f{HOSTILE}", 2.0, 1.0, 3.0, skywasm_against=HOSTILE)
    section = result["skywasm_report"]
    section["differing"] = [HOSTILE]
    section["made"] = HOSTILE
    curve = copy.deepcopy(section["curves"][0])
    section["curves"].append({**curve, "function": HOSTILE, "what": HOSTILE, "unit": HOSTILE})
    found, usual = Page(result), Page(results.whole())
    assert found.tags().count("script") == usual.tags().count("script")
    assert "img" not in found.tags()
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert found.texts["style"] == usual.texts["style"]
    assert HOSTILE in found.texts["h1"][0]
    assert HOSTILE in found.texts["dd"]
    assert "49" not in found.texts["header"][0]
    assert found.figures()["curve-2"]["layout"]["xaxis"]["title"]["text"].startswith('"&gt;&lt;/script')


def test_without_skypilot() -> None:
    """Where the fallback itself was compared with, the page says so, and does not show it as a route of its own."""
    label = "skywasm's own Python fallback (SkyPilot is not installed)"
    result = results.whole(skywasm_compared_with=label)
    for benchmark in result["benchmarks"]:
        benchmark["metadata"]["skywasm_against"] = label
        benchmark["metadata"].pop("skywasm_least", None)
    page = Page(result)
    assert page.texts["h1"] == ["skywasm 0.1.0 against its Python fallback"]
    assert label in page.texts["dd"]
    assert "reach the ratio asked for" not in page.texts["dt"]
    assert {trace["meta"] for trace in page.figures()["curve-0"]["data"]} == {"before", "wasm", "auto"}
    assert "details" not in page.tags()


def test_a_file_of_the_benchmark() -> None:
    """A result without times over size, or when it was made, makes a page that says so."""
    page = Page(results.bench())
    text = re.sub(r"\s+", " ", page.texts["main"][0] + page.texts["header"][0])
    assert "holds no times over size" in text
    assert "When it was measured is not recorded" in text
    assert list(page.figures()) == ["bars"]


def test_answers_that_differ() -> None:
    """What was not timed because its answer differed is named at the top; the rest is there."""
    result = results.whole()
    result["skywasm_report"]["differing"] = ["format_float, 3.14159"]
    page = Page(result)
    assert "format_float, 3.14159" in page.texts["header"][0]
    assert "7 of 8" in page.texts["dd"]
    assert "bars" in page.figures()


def test_nothing_but_answers_that_differ() -> None:
    """Where no answer was right there is a page without plots and table."""
    result = results.bench()
    result["benchmarks"] = []
    result["skywasm_report"] = {"differing": ["a", "b"]}
    page = Page(result)
    assert "a; b" in page.texts["header"][0]
    assert page.figures() == {}
    assert "table" not in page.tags()


def test_a_note_on_what_else_was_compared_with() -> None:
    """Functions that are held against something else than SkyPilot's are listed with it."""
    result = results.bench()
    result["benchmarks"] += results.pair("is_process_alive alive", 2.0, 1.0, skywasm_against="os.kill")
    (note,) = Page(result).texts["details"]
    assert "is_process_alive, alive: os.kill" in note


def test_floors() -> None:
    """A ratio that was missed because the system's own calls take longer is told with the floor."""
    result = results.bench()
    result["benchmarks"] = results.pair("get_cpu_count", 2.0, 1.0, 3.5, skywasm_reachable=2.9)
    page = Page(result)
    assert "floor 2.90" in page.texts["table"][0]
    assert "A floor is" in page.texts["main"][0]
    assert "A floor is" not in Page(results.bench()).texts["main"][0]
