"""Takes the picture that README shows: `python tests/report/picture.py report.html report.png`."""

from __future__ import annotations

import base64
import pathlib
import sys

import browser

WIDTH = 1280


def main(page: str, picture: str) -> None:
    """Writes the page from its top to below the first plot, in light, as PNG."""
    with browser.started() as chromium:
        browser.opened(chromium, pathlib.Path(page), WIDTH)
        bottom = chromium.execute_script("return document.getElementById('bars').getBoundingClientRect().bottom")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": bottom + 24, "scale": 1}
        how = {"format": "png", "clip": clip, "captureBeyondViewport": True}
        shot = chromium.execute_cdp_cmd("Page.captureScreenshot", how)
    pathlib.Path(picture).write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
