"""Debian's Chromium without a window, as it is installed: nothing is downloaded."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
from typing import NamedTuple

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

    from selenium.webdriver import Chrome

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_DRIVER = "chromedriver"
_PHONE_WIDTH = 600
_FLAGS = (
    "--headless=new",
    "--hide-scrollbars",
    # Containers keep little in /dev/shm, and a browser that reports home would disturb a test for silence.
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--no-first-run",
    "--force-color-profile=srgb",
)


def required() -> bool:
    """Whether this machine is said to have all that the tests in a browser need: then nothing is skipped."""
    return bool(os.environ.get("CI")) or os.environ.get("SKYWASM_TEST_BROWSER") == "required"


def need(*packages: str) -> None:
    """Skips where a package is missing, or fails where it must not be."""
    for package in packages:
        if not required():
            pytest.importorskip(package)
        elif importlib.util.find_spec(package) is None:
            pytest.fail(f"{package} is missing: pip install --group test", pytrace=False)


def programs() -> tuple[str, str]:
    """The browser and its driver. Skips where one is missing, or fails where it must not be."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which(_DRIVER)
    if browser and driver:
        return browser, driver
    reason = "no chromium or no chromedriver here: apt-get install chromium chromium-driver"
    if required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Seen(NamedTuple):
    """What a page did while it was looked at: addresses it asked for, and what it complained of."""

    requests: list[str]
    complaints: list[str]


@contextlib.contextmanager
def started() -> Iterator[Chrome]:
    """A browser for several tests."""
    browser, driver = programs()
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = browser
    options.page_load_strategy = "normal"
    for flag in _FLAGS:
        options.add_argument(flag)
    if os.geteuid() == 0:
        # Chromium's own sandbox refuses to work for root, which is what containers run as.
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    made = Chrome(options=options, service=Service(executable_path=driver))
    try:
        # Other tests may have the processors.
        made.set_page_load_timeout(120)
        yield made
    finally:
        made.quit()


def opened(browser: Chrome, page: pathlib.Path, width: int = 1280, height: int = 900, scheme: str = "light") -> Seen:
    """Opens a file at a width in light or dark, and gives what it did until its plots stood."""
    resize(browser, width, height)
    prefer(browser, scheme)
    browser.get("about:blank")
    for log in ("performance", "browser"):
        browser.get_log(log)
    browser.get(page.resolve().as_uri())
    settle(browser)
    return Seen(_requests(browser), [entry["message"] for entry in browser.get_log("browser")])


def resize(browser: Chrome, width: int, height: int) -> None:
    """Gives the window a size; a narrow one is a phone's."""
    phone = width < _PHONE_WIDTH
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(browser: Chrome, scheme: str) -> None:
    """Switches between light and dark, as the user's system would."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def settle(browser: Chrome) -> None:
    """Waits until what is to be drawn is drawn."""
    browser.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)))"
    )


def _requests(browser: Chrome) -> list[str]:
    """Addresses that were asked for, the page itself and data inside it left out."""
    found = []
    for entry in browser.get_log("performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            parameters = message["params"]
            url = parameters.get("url") or parameters["request"]["url"]
            found.append(url)
    return [url for url in found if not url.startswith(("data:", "blob:", "about:"))][1:]
