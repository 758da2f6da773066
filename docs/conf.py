"""How Sphinx makes the site: `make docs`. Warnings are errors there."""

from __future__ import annotations

import pathlib
import re

import skywasm
from skywasm.functions.declare import BY_NAME, MIXED, PYTHON, WASM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sphinx.application import Sphinx

project = "skywasm"
author = "The skywasm maintainers"
project_copyright = "The skywasm maintainers, Apache-2.0"
version = release = skywasm.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
# So that `[...](#differences)` leads to a heading, as it does where the files are shown as they are.
myst_heading_anchors = 3
# Dashes only: quotes belong to code more often than not.
smartquotes_action = "D"

# The annotations are for type checkers alone; what they name is not there to be looked up.
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Cost", "Source", ("In auto mode", "notes_style")]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"skywasm {version}"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
templates_path: list[str] = []

_ROOT = pathlib.Path(__file__).resolve().parent.parent
# Pages outside of this folder that have a page of the site of their own.
_PAGES = {"../SECURITY.md": "security.md", "../CHANGELOG.md": "changelog.md", "../README.md": "index.md"}
_ROUTES = {WASM: "the sandbox answers", PYTHON: "Python answers", MIXED: "either answers"}


def _lead_inside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turns links to files outside of this folder into links to the site's pages, or into names."""
    for path, page in _PAGES.items():
        source[0] = source[0].replace(f"]({path}", f"]({page}")
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"`\1`", source[0])


def _add_row(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Adds to a public function what its declaration says."""
    module, _, function = name.rpartition(".")
    row = BY_NAME.get(function)
    if module != "skywasm" or row is None:
        return
    lines += ["", f"**In auto mode**, with the engine loaded, {_ROUTES[row.auto]}: {row.why}.", ""]
    needs = ", ".join(f"``{capability}``" for capability in row.asks) or "none"
    lines += [f"**Capabilities** that can be denied: {needs}.", ""]
    if row.replaces:
        lines += [f"**Stands in for** ``{row.replaces}.{function}``.", ""]


def setup(app: Sphinx) -> None:
    """Connects the two to Sphinx."""
    app.connect("source-read", _lead_inside)
    # After napoleon, which has made reStructuredText of the docstring by then.
    app.connect("autodoc-process-docstring", _add_row, priority=900)
