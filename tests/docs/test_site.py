"""The site: it builds without a warning, and its API page has every public name."""

from __future__ import annotations

import html
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from docs.pages import ROOT
from skywasm import batch, errors, sandbox, skypilot
from skywasm.functions import BY_NAME

pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytest.importorskip("myst_parser")

pytestmark = pytest.mark.xdist_group("site")
STEERING = ("get_backend_info", "set_backend", "use_backend", "warm_up")


def build(source: pathlib.Path, target: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` runs."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html", str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The built site."""
    target = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return target


def text(page: pathlib.Path) -> str:
    """The words of a page."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_make_docs_is_that_build() -> None:
    """The target of the Makefile takes warnings for errors."""
    recipe = re.search(r"^docs:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    assert "-m sphinx -q -W --keep-going -E -b html" in recipe[1]


def test_every_public_name_is_on_the_api_page(site: pathlib.Path) -> None:
    """Each function, error and constant that users import has its entry, with its signature."""
    page = (site / "api.html").read_text(encoding="utf-8")
    names = {f"skywasm.{name}" for name in (*BY_NAME, *STEERING)}
    for module in (batch, errors, sandbox, skypilot):
        names |= {f"{module.__name__}.{name}" for name in module.__all__}
    assert {name for name in names if f'id="{name}"' not in page} == set()


def test_an_entry_says_how_the_call_is_answered(site: pathlib.Path) -> None:
    """An entry of the API page has arguments, errors, the route with its reason, capabilities and what it replaces."""
    words = re.sub(r"\s+", " ", text(site / "api.html"))
    entry = words[words.index("skywasm.read_last_n_lines(") :][:3000]
    for part in (
        *("Parameters:", "Returns:", "Raises:", "chunk_size", "RuntimeError"),
        "In auto mode, with the engine loaded, either answers: making the lines costs most",
        "Capabilities that can be denied: files.",
        "Stands in for sky.utils.common_utils.read_last_n_lines.",
    ):
        assert part in entry, part


def test_every_page_is_in_the_menu(site: pathlib.Path) -> None:
    """Each page of docs, and the two that lie above it, is a link on the first page."""
    first = (site / "index.html").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/*.md"):
        if page.stem != "index":
            assert f'href="{page.stem}.html"' in first, page.name


def test_the_site_needs_no_network(site: pathlib.Path) -> None:
    """No page loads a script, style, font or picture from elsewhere."""
    for page in site.glob("*.html"):
        found = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text(encoding="utf-8"))
        assert found == [], page.name


def test_links_out_of_the_folder_lead_somewhere(site: pathlib.Path) -> None:
    """Links to README, SECURITY and CHANGELOG lead to pages of the site, and every link inside it to a file."""
    for page in site.glob("*.html"):
        for target in re.findall(r'href="([^"#:?]+\.html)', page.read_text(encoding="utf-8")):
            assert (site / target).is_file(), f"{page.name}: {target}"
        assert "../" not in re.sub(r"<pre>.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL), page.name


def test_a_broken_link_fails_the_build(tmp_path: pathlib.Path) -> None:
    """A link to a page that there is not is an error with its place."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_build"))
    for name in ("SECURITY.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    page = tmp_path / "docs" / "CLI.md"
    page.write_text(page.read_text() + "\n[nowhere](NOWHERE.md)\n")
    done = build(tmp_path / "docs", tmp_path / "site")
    assert done.returncode == 1
    assert "NOWHERE.md" in done.stderr
