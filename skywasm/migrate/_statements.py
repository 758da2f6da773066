"""Changes to one import statement, made in its text, so that comments and layout of what stays survive."""

from __future__ import annotations

import re

from skywasm.migrate import _names
from skywasm.migrate._source import Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from skywasm.migrate._source import Source
    from skywasm.migrate._survey import Alias, Site, Survey

_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)")
_FROM = re.compile(r"from\b.*?\bimport\b", re.DOTALL)
_LONGEST_LINE = 79


class Statement:
    """An import statement as text: its names, and what stands before, between and behind them."""

    def __init__(self, source: Source, survey: Survey, site: Site) -> None:
        self._source = source
        self.site = site
        where = survey.position(site.node)
        self.start, self.end = source.offset(where.start), source.offset(where.end)
        self.indentation = source.indentation_at(self.start)
        self.newline = source.newline_at(self.start)
        self._aliases = [alias.node for alias in site.aliases]
        spans = [survey.position(node) for node in self._aliases]
        starts = [source.offset(span.start) for span in spans] + [self.end]
        ends = [self.start] + [source.offset(span.end) for span in spans]
        self._between = [source.text[end:start] for end, start in zip(ends, starts)]
        self._written = [source.text[start:end] for start, end in zip(starts, ends[1:])]
        # Comments of the line it ends in, and of single names.
        rest = source.text[self.end : source.line_end(self.end)]
        self.has_comment = "#" in rest

    def comments(self, alias: Alias) -> list[str]:
        """The comments that stand above a name within the parentheses, or beside it."""
        at = self._aliases.index(alias.node)
        above = _split(self._between[at])[1]
        beside = _split(self._between[at + 1])[0]
        return _COMMENT.findall(above) + _COMMENT.findall(beside)

    def text(self, without: Collection[Alias] = ()) -> str:
        """The statement less some of its names, of which at least one stays."""
        between, written = self._between[:], self._written[:]
        gone = {id(alias.node) for alias in without}
        for at in reversed(range(len(self._aliases))):
            if id(self._aliases[at]) in gone:
                is_last = at == len(written) - 1
                before, behind = between[at : at + 2]
                joined = _closed(before, behind) if is_last else _joined(before, behind, self.newline)
                between[at : at + 2] = [joined]
                del written[at]
        return "".join(piece for pair in zip(between, [*written, ""]) for piece in pair)

    def from_product(self) -> str:
        """The statement with all that it has, from skywasm."""
        return _FROM.sub(f"from {_names.PRODUCT} import", self.text(), count=1)

    def moved(self, aliases: Sequence[Alias]) -> str:
        """A new statement for some of its names, with their comments; more lines than one are indented."""
        names = [self._written[self._aliases.index(alias.node)] for alias in aliases]
        comments = [comment for alias in aliases for comment in self.comments(alias)]
        line = f"from {_names.PRODUCT} import {', '.join(names)}"
        lines = [line]
        if len(self.indentation) + len(line) > _LONGEST_LINE and self.site.alone:
            lines = [f"from {_names.PRODUCT} import (", *(f"    {name}," for name in names), ")"]
        if comments and self.site.alone:
            if len(comments) == len(lines) == 1:
                lines[0] += f"  {comments[0]}"
            else:
                lines[:0] = comments
        return (self.newline + self.indentation).join(lines)

    def edits(self, removed: Sequence[Alias], moved: Sequence[Alias], extra: str | None) -> list[Edit]:
        """What to change so that some names go, some come from skywasm, and another import is added.

        ``extra`` is that other import, None for none. Names that go must have company, or a line for themselves.
        """
        stay = len(self._aliases) - len(removed) - len(moved)
        pieces = [] if extra is None else [extra]
        if not stay and not removed:
            return [Edit(self.start, self.end, self.from_product())]
        if not stay and pieces:
            return [Edit(self.start, self.end, pieces[0])]
        if not stay:
            return [Edit(self._source.line_start(self.start), self._source.line_end(self.end), "")]
        if moved:
            pieces.append(self.moved(moved))
        edits = [self._added(pieces)] if pieces else []
        if removed or moved:
            edits.append(Edit(self.start, self.end, self.text([*removed, *moved])))
        return edits

    def _added(self, pieces: list[str]) -> Edit:
        """More statements: on lines of their own below, or before it on a line that it shares."""
        if not self.site.alone:
            return Edit(self.start, self.start, "".join(f"{piece}; " for piece in pieces))
        at = self._source.line_end(self.end)
        lines = [self.indentation + piece for piece in pieces]
        if self._source.text[:at].endswith(("\r", "\n")):
            return Edit(at, at, "".join(line + self.newline for line in lines))
        return Edit(at, at, "".join(self.newline + line for line in lines))


def _split(between: str) -> tuple[str, str]:
    """What stands between two names: the rest of the first one's line, and the lines that lead to the second."""
    match = _LINE_END.search(between)
    return (between[: match.end()], between[match.end() :]) if match else (between, "")


def _joined(before: str, behind: str, newline: str) -> str:
    """What stands between two names when the one between them is gone."""
    (head, _), (beside, below) = _split(before), _split(behind)
    if _LINE_END.search(before):
        return head + below if _LINE_END.search(behind) else before
    if not _LINE_END.search(behind):
        return before
    if before.lstrip().startswith(","):
        return _COMMENT.sub("", beside) + below
    # The first name after `import (`: the next one takes its place.
    return before + newline + below if "#" in below else before


def _closed(before: str, behind: str) -> str:
    """What stands behind the last name that stays, when the one behind it is gone."""
    (head, _), (beside, below) = _split(before), _split(behind)
    if not _LINE_END.search(before):
        return _COMMENT.sub("", beside) + below
    if _LINE_END.search(behind):
        comma_stays = behind.lstrip().startswith(",")
        return (head if comma_stays else head.replace(",", "", 1)) + below
    return head + behind.lstrip(", ") if "#" in head else behind
