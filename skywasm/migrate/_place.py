"""Where ``import skywasm`` goes among the imports at the top of a module."""

from __future__ import annotations

import os
import sys

import libcst as cst

from skywasm.migrate import _names
from skywasm.migrate._source import Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skywasm.migrate._source import Source
    from skywasm.migrate._survey import Survey

    # Indices of import lines that follow one another without a blank line.
    Group = list[int]

_STANDARD: frozenset[str] | None = getattr(sys, "stdlib_module_names", None)


class Imports:
    """The import lines around one of them, ``origin``, by the index of the module's statement."""

    def __init__(self, source: Source, survey: Survey, origin: int, importer: str) -> None:
        self._source = source
        self._survey = survey
        self._own = importer.partition(".")[0]
        self._body = survey.tree.body
        self._origin = origin
        self.first, self.last = self._run()

    def _run(self) -> tuple[int, int]:
        """The first and last of the import lines that nothing else stands between."""
        first = last = self._origin
        while first > 0 and self._imports(first - 1):
            first -= 1
        while last + 1 < len(self._body) and self._imports(last + 1):
            last += 1
        return first, last

    def _imports(self, index: int) -> list[cst.Import | cst.ImportFrom]:
        """The imports of a line that holds nothing else; those from ``__future__`` must stay above all others."""
        line = self._body[index]
        if not isinstance(line, cst.SimpleStatementLine):
            return []
        found = [part for part in line.body if isinstance(part, (cst.Import, cst.ImportFrom))]
        future = any(_root(part) == "__future__" for part in found)
        return found if len(found) == len(line.body) and not future else []

    def _groups(self) -> list[Group]:
        groups: list[Group] = []
        for index in range(self.first, self._origin + 1):
            blank_above = any(line.comment is None for line in getattr(self._body[index], "leading_lines", ()))
            if blank_above or not groups:
                groups.append([])
            groups[-1].append(index)
        # What follows the origin without a blank line belongs to its group.
        for index in range(self._origin + 1, self.last + 1):
            if any(line.comment is None for line in getattr(self._body[index], "leading_lines", ())):
                break
            groups[-1].append(index)
        return groups

    def insertion(self, statement: str) -> Edit:
        """The edit that puts a statement into its group."""
        if not self._imports(self._origin):
            return self._before(self._origin, statement)
        groups = self._groups()
        if self._own != _names.SKYPILOT:
            # To everybody else SkyPilot is a package like skywasm.
            return self._into(groups[-1], statement)
        for group in reversed(groups):
            if any(self._kind(index) == "other" for index in group):
                return self._into(group, statement)
        own = next(group for group in groups if any(self._kind(index) == "own" for index in group))
        return self._before(own[0], statement, blank_line=True)

    def _kind(self, index: int) -> str:
        roots = {_root(part) for part in self._imports(index)}
        if roots & {"", self._own}:
            return "own"
        return "standard" if all(map(_is_standard, roots)) else "other"

    def _into(self, group: Group, statement: str) -> Edit:
        """By the order of the group: plain imports first, or all by the module's name where they are mixed."""
        group = [index for index in group if self._kind(index) != "standard"] or group
        plain = [index for index in group if isinstance(self._imports(index)[0], cst.Import)]
        is_mixed = bool(plain) and plain != group[: len(plain)]
        candidates = group if is_mixed or plain == group else plain
        for index in candidates:
            if _root(self._imports(index)[0]).lower() > _names.PRODUCT:
                return self._before(index, statement)
        return self._behind(candidates[-1], statement) if candidates else self._before(group[0], statement)

    def _before(self, index: int, statement: str, blank_line: bool = False) -> Edit:
        source = self._source
        start = source.line_start(source.offset(self._survey.position(self._body[index]).start))
        newline = source.newline_at(start)
        if not blank_line:
            return Edit(start, start, statement + newline)
        # The comments above the group stay with it.
        while start and source.text[source.line_start(start - 1) : start].lstrip(" \t").startswith("#"):
            start = source.line_start(start - 1)
        return Edit(start, start, statement + newline * 2)

    def _behind(self, index: int, statement: str) -> Edit:
        source = self._source
        end = source.line_end(source.offset(self._survey.position(self._body[index]).end))
        newline = source.newline_at(source.offset(self._survey.position(self._body[index]).start))
        if source.text[:end].endswith(("\r", "\n")):
            return Edit(end, end, statement + newline)
        return Edit(end, end, newline + statement)


def _is_standard(root: str) -> bool:
    """Whether a module is the standard library's."""
    if _STANDARD is not None:
        return root in _STANDARD
    # Before Python 3.10: nearly all of it is in one folder.
    home = os.path.dirname(os.__file__)
    return root in sys.builtin_module_names or any(
        os.path.exists(os.path.join(home, root + end)) for end in ("", ".py")
    )


def _root(node: cst.Import | cst.ImportFrom) -> str:
    """The first part of the module's name; nothing for a relative import."""
    if isinstance(node, cst.ImportFrom) and node.relative:
        return ""
    name: cst.BaseExpression | None = node.module if isinstance(node, cst.ImportFrom) else node.names[0].name
    while isinstance(name, cst.Attribute):
        name = name.value
    return name.value if isinstance(name, cst.Name) else ""
