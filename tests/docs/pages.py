"""The code blocks of the project's pages, and how Python ones are run: ``python -m docs.pages PAGE`` runs one page's.

A Python block is a doctest, or plain code in which ``# VALUE`` behind an expression says what it gives.
"""

from __future__ import annotations

import ast
import doctest
import pathlib
import re
import sys
import textwrap
import tokenize
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line it begins in."""

    language: str
    text: str
    line: int


def blocks(page: pathlib.Path, language: str | None = None) -> list[Block]:
    """The blocks of a page in order, all or those of one language."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(match[2].partition(" ")[0].strip(), textwrap.dedent(match[3]), text.count("\n", 0, match.start(3)) + 1)
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def said(comment: str) -> tuple[Any] | None:
    """The value that a comment begins with, if it begins with one."""
    text = comment.lstrip("# ")
    for end in range(len(text), 0, -1):
        if end == len(text) or text[end] in " ;:,":
            try:
                return (ast.literal_eval(text[:end]),)
            except (SyntaxError, ValueError):
                continue
    return None


def run_plain(block: Block, scope: dict[str, Any]) -> int:
    """Runs plain code, and holds expressions against the values behind them; how many those were."""
    lines = iter(block.text.splitlines(keepends=True))
    tokens = tokenize.generate_tokens(lambda: next(lines, ""))
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    checked = 0
    for node in ast.parse(block.text).body:
        wanted = said(comments.get(node.end_lineno or 0, "")) if isinstance(node, ast.Expr) else None
        # The line that an error names is that of the page.
        ast.increment_lineno(node, block.line - 1)
        if wanted is None:
            exec(compile(ast.Module([node], []), "page", "exec"), scope)
            continue
        got = eval(compile(ast.Expression(node.value), "page", "eval"), scope)  # type: ignore[attr-defined]
        assert (type(got), got) == (type(wanted[0]), wanted[0]), f"line {node.lineno}: {got!r} is not {wanted[0]!r}"
        checked += 1
    return checked


def run_page(page: pathlib.Path) -> int:
    """Runs all Python blocks of a page one after the other; how many values were compared."""
    scope: dict[str, Any] = {"__name__": "page"}
    checked = 0
    for block in blocks(page, "python"):
        if ">>>" in block.text:
            examples = doctest.DocTestParser().get_doctest(block.text, scope, page.name, str(page), block.line - 1)
            runner = doctest.DocTestRunner(optionflags=FLAGS)
            runner.run(examples, clear_globs=False)
            assert runner.failures == 0, f"line {block.line}"
            checked += runner.tries
            scope.update(examples.globs)
        else:
            checked += run_plain(block, scope)
    return checked


if __name__ == "__main__":
    print(run_page(pathlib.Path(sys.argv[1])))
