"""The page in a real browser: it loads alone, its plots are drawn, its table sorts, it fits and reads well."""

from __future__ import annotations

import re

import pytest

from report import browser, results
from skywasm.report import html, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

browser.need("jinja2", "plotly", "selenium")
# One browser, in one worker.
pytestmark = pytest.mark.xdist_group("browser")
PHONE, DESKTOP = 390, 1280
# WCAG's AA for text of normal size.
LEAST_CONTRAST = 4.5
HOSTILE = '</script ><!--<img src=x onerror="window.struck=1"><script>window.struck=2</script>'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    with browser.started() as made:
        yield made


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return written(tmp_path_factory.mktemp("page"), results.whole())


def written(folder: pathlib.Path, result: Any) -> pathlib.Path:
    path = folder / "report.html"
    path.write_text(html.page(model.read(result)), "utf-8")
    return path


def missing_plots(chromium: Chrome, report: model.Report) -> list[str]:
    """What should be drawn and is not: bars, the line at 1, marks, curves, rings."""
    drawn = chromium.execute_script(
        """
        const count = (where) => [...document.querySelectorAll(where)].filter(
            (shape) => { const box = shape.getBoundingClientRect(); return box.width > 0 || box.height > 0; }).length;
        const found = {
            bars: count("#bars .barlayer .point path"),
            marks: count("#bars .scatterlayer .point"),
            line: count("#bars .shapelayer path"),
        };
        document.querySelectorAll("[id^=curve-]").forEach((plot) => {
            found[plot.id] = [
                count(`#${plot.id} .scatterlayer path.js-line`),
                count(`#${plot.id} .scatterlayer .textpoint text`),
            ];
        });
        return found;
        """
    )
    wanted: dict[str, Any] = {
        "bars": len(report.lines),
        "marks": sum(line.least is not None for line in report.lines),
        "line": 1,
    }
    for index, curve in enumerate(report.curves):
        rings = [r for r in ("python", "wasm") if curve.break_even(r) and not curve.always(r)]
        wanted[f"curve-{index}"] = [len(curve.points), len(rings)]
    return [f"{name}: {drawn.get(name)}, not {value}" for name, value in wanted.items() if drawn.get(name) != value]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_loads_alone_and_is_complete(chromium: Chrome, page: pathlib.Path, width: int, scheme: str) -> None:
    """On phone and desktop, in light and dark: no request, no complaint, every plot, nothing wider than the page."""
    seen = browser.opened(chromium, page, width, scheme=scheme)
    assert seen == browser.Seen([], [])
    assert missing_plots(chromium, model.read(results.whole())) == []
    assert too_wide(chromium) == []


def too_wide(chromium: Chrome, among: str = "body *") -> list[str]:
    """What reaches beyond the window, and the page itself where it can be moved sideways."""
    found: list[str] = chromium.execute_script(
        """
        // Not innerWidth: a phone shows more of a page that is too wide.
        const root = document.documentElement, width = root.clientWidth, wide = [];
        if (root.scrollWidth > width) wide.push(`the page: ${root.scrollWidth}`);
        window.scrollTo(500, 0);
        if (window.scrollX !== 0) wide.push("the page moves sideways");
        window.scrollTo(0, 0);
        for (const element of document.querySelectorAll(arguments[0])) {
            // The table has a frame of its own to be moved in.
            if (element.closest(".scroll table, .visually-hidden")) continue;
            if (element.getBoundingClientRect().right > width + 1) wide.push(element.outerHTML.slice(0, 80));
        }
        return wide;
        """,
        among,
    )
    return found


def test_a_missing_plot_is_seen(chromium: Chrome, page: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The look for plots finds out when one is not drawn, when none is, and when a script is stopped by the policy."""
    report, text = model.read(results.whole()), page.read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace('"curve-1":{', '"curve-0":{'), "utf-8")
    browser.opened(chromium, broken)
    assert missing_plots(chromium, report) != []
    broken.write_text(re.sub(r'"orientation":"h"', '"visible":false', text, count=1), "utf-8")
    browser.opened(chromium, broken)
    assert [line for line in missing_plots(chromium, report) if line.startswith("bars: 2")] != []
    # A byte more in a script and its digest is another.
    broken.write_text(text.replace('"use strict";\n(() =>', '"use strict"; \n(() =>'), "utf-8")
    seen = browser.opened(chromium, broken)
    assert len(missing_plots(chromium, report)) == 5
    assert "Content Security Policy" in "".join(seen.complaints)


def test_a_request_is_seen(chromium: Chrome, page: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The look for requests and complaints finds them, and the policy keeps a picture from another place out."""
    changed = tmp_path / "changed.html"
    text = page.read_text("utf-8")
    changed.write_text(text.replace("<main>", '<img src="picture.png"><main>'), "utf-8")
    seen = browser.opened(chromium, changed)
    assert "Content Security Policy" in "".join(seen.complaints)
    changed.write_text(re.sub(r'<meta http-equiv="Content[^>]*>', "", changed.read_text("utf-8")), "utf-8")
    assert [url.rpartition("/")[2] for url in browser.opened(chromium, changed).requests] == ["picture.png"]


def rows(chromium: Chrome) -> list[tuple[str, float]]:
    """Names and ratios of the table's rows, in the order shown."""
    found = chromium.execute_script(
        "return [...document.querySelectorAll('tbody tr')].map((row) => ["
        "[0, 1].map((index) => row.cells[index].textContent.trim()).join(' ').trim(), row.cells[4].dataset.key])"
    )
    return [(name, float(ratio)) for name, ratio in found]


def head(chromium: Chrome, label: str) -> WebElement:
    return next(th for th in chromium.find_elements("css selector", "thead th") if th.text.strip() == label)


@pytest.mark.parametrize("how", ["click", "\ue007", " "], ids=["click", "Enter", "Space"])
def test_the_table_sorts_both_ways(chromium: Chrome, page: pathlib.Path, how: str) -> None:
    """Click, Enter and Space on a heading sort by its column, again the other way round; aria-sort says which."""
    browser.opened(chromium, page)
    given = rows(chromium)
    assert {th.get_attribute("aria-sort") for th in chromium.find_elements("css selector", "thead th")} == {"none"}

    def press(label: str) -> str | None:
        button = head(chromium, label).find_element("css selector", "button")
        if how == "click":
            button.click()
        else:
            button.send_keys(how)
        return head(chromium, label).get_attribute("aria-sort")

    assert press("Ratio") == "ascending"
    assert rows(chromium) == sorted(given, key=lambda row: row[1])
    assert press("Ratio") == "descending"
    assert rows(chromium) == sorted(given, key=lambda row: -row[1])
    said = chromium.find_element("id", "sorted").get_attribute("textContent")
    assert said == "Sorted by Ratio, descending"
    assert press("Function") == "ascending"
    assert head(chromium, "Ratio").get_attribute("aria-sort") == "none"
    names = [name for name, _ in rows(chromium)]
    assert [name.split(" ")[0] for name in names] == sorted(name.split(" ")[0] for name, _ in given)
    assert len(names) == len(given)


def test_the_keyboard_reaches_every_heading(chromium: Chrome, page: pathlib.Path) -> None:
    """Tab goes to the table's frame and through its headings, and where it is can be seen."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.opened(chromium, page)
    reached = []
    for _ in range(10):
        ActionChains(chromium).send_keys(Keys.TAB).perform()
        focused = chromium.switch_to.active_element
        reached.append(focused.get_attribute("className") or focused.text.replace("\n", " "))
        assert focused.value_of_css_property("outline-style") == "solid"
    assert reached == [
        *("scroll", "Function", "Size", "skywasm", "SkyPilot 0.14.1", "Ratio", "Asked"),
        *("CPU time", "Memory", "Memory before"),
    ]


def test_dark_follows_the_system(chromium: Chrome, page: pathlib.Path) -> None:
    """Page and plots change when the system changes between light and dark, and change back."""
    look = """
        const fill = (where) => getComputedStyle(document.querySelector(where)).fill;
        return [getComputedStyle(document.body).backgroundColor, fill("#bars .point path"), fill("#bars .ytick text")];
    """
    browser.opened(chromium, page, scheme="light")
    light = chromium.execute_script(look)
    browser.prefer(chromium, "dark")
    browser.settle(chromium)
    dark = chromium.execute_script(look)
    assert all(one != other for one, other in zip(light, dark))
    assert brightness(light[0]) > 0.9
    assert brightness(dark[0]) < 0.1
    assert missing_plots(chromium, model.read(results.whole())) == []
    browser.prefer(chromium, "light")
    browser.settle(chromium)
    assert chromium.execute_script(look) == light


def brightness(color: str) -> float:
    """WCAG's relative luminance of an opaque CSS colour."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(chromium: Chrome, page: pathlib.Path, scheme: str) -> None:
    """All text, in plots too, has the contrast with what is behind it that WCAG AA asks for."""
    browser.opened(chromium, page, scheme=scheme)
    found = chromium.execute_script(
        """
        const behind = (element) => {
            for (let at = element; at; at = at.parentElement) {
                const color = getComputedStyle(at).backgroundColor;
                if (!color.startsWith("rgba(0, 0, 0, 0") && color !== "transparent") return color;
            }
            return getComputedStyle(document.body).backgroundColor;
        };
        const own = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        return [...document.querySelectorAll("body *")].filter((element) => own(element) && element.checkVisibility()
                && !["SCRIPT", "NOSCRIPT", "STYLE"].includes(element.tagName)).map((element) => {
            const style = getComputedStyle(element);
            return [element.textContent.slice(0, 40), element instanceof SVGElement ? style.fill : style.color,
                    behind(element)];
        });
        """
    )
    assert len(found) > 100
    weak = []
    for text, color, ground in found:
        light, dark = sorted((brightness(color), brightness(ground)), reverse=True)
        if (light + 0.05) / (dark + 0.05) < LEAST_CONTRAST:
            weak.append((text, color, ground))
    assert weak == []


def test_a_phone_turned_round(chromium: Chrome, page: pathlib.Path) -> None:
    """When the window gets narrow the labels move from beside the bars to above them, and back; all stays drawn."""
    labels = "return [...document.querySelectorAll('#bars .ytick')].length"
    report = model.read(results.whole())
    browser.opened(chromium, page)
    for width, beside in ((PHONE, 0), (DESKTOP, len(report.lines)), (PHONE, 0)):
        browser.resize(chromium, width, 844)
        browser.settle(chromium)
        assert chromium.execute_script(labels) == beside
        assert missing_plots(chromium, report) == []
        assert too_wide(chromium) == []


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
def test_hostile_names_do_nothing(chromium: Chrome, tmp_path: pathlib.Path, width: int) -> None:
    """Names that are HTML are shown as they are: nothing runs, nothing is asked for, nothing is wider than the page."""
    result = results.whole(skywasm_processor=HOSTILE * 5, skywasm_system="x" * 400)
    result["metadata"]["skywasm_compared_with"] = f"SkyPilot {HOSTILE}{'x' * 200}"
    result["benchmarks"] += results.pair(f"{HOSTILE.replace(' ', '/')} {HOSTILE}", 2.0, 1.0, 3.0)
    result["skywasm_report"]["differing"] = [HOSTILE]
    result["skywasm_report"]["curves"] += [{**results.crossing(), "function": HOSTILE, "unit": HOSTILE}]
    seen = browser.opened(chromium, written(tmp_path, result), width)
    assert seen == browser.Seen([], [])
    assert chromium.execute_script("return [window.struck, document.images.length]") == [None, 0]
    assert HOSTILE in chromium.find_element("css selector", "h1").text
    assert missing_plots(chromium, model.read(result)) == []
    assert too_wide(chromium, "body *:not(.plot *)") == []


def test_a_file_of_the_benchmark(chromium: Chrome, tmp_path: pathlib.Path) -> None:
    """A page without curves, and one without any measurement, load without a complaint."""
    assert browser.opened(chromium, written(tmp_path, results.bench())) == browser.Seen([], [])
    assert missing_plots(chromium, model.read(results.bench())) == []
    nothing = {**results.bench(), "benchmarks": [], "skywasm_report": {"differing": ["f"]}}
    assert browser.opened(chromium, written(tmp_path, nothing)) == browser.Seen([], [])
