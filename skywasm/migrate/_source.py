"""A file's bytes, its text, its libcst tree, and the way from a line and column back into the text."""

from __future__ import annotations

import ast
import bisect
import contextlib
import gc
import io
import re
import sys
import tokenize
import warnings
from typing import NamedTuple

import libcst as cst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst.metadata import CodePosition

_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_END_BYTES = re.compile(rb"\r\n|\r|\n")
# Long sums and chains of calls nest deeply: a few frames of libcst's a term.
_RECURSION_LIMIT = 6000
_DEEPEST = 1000
_TOO_DEEP = "an expression or statement is nested too deeply"


class Unreadable(Exception):
    """The file cannot be understood; the message says why."""


class Edit(NamedTuple):
    """Text to put in place of ``text[start:end]``. Of two that start together, the shorter one goes first."""

    start: int
    end: int
    text: str


class Source:
    """One file. Its text is the file's own; libcst parses one without what it would not give back.

    Raises:
        Unreadable: it cannot be decoded or parsed, or not so that it could be written back unchanged.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = _encoding(data)
        self.text = _decoded(data, self.encoding)
        ends = list(_LINE_END.finditer(self.text))
        self._starts = [0, *(match.end() for match in ends)]
        self.newline = ends[0].group() if ends else "\n"
        # libcst loses a form feed at the beginning of a line.
        self._feeds = [_feeds_at(self.text, start) for start in self._starts]
        _refuse_what_python_refuses(data)
        self.tree = self._parsed()

    def _parsed(self) -> cst.Module:
        ends = [*self._starts[1:], len(self.text)]
        lines = [self.text[at + feeds : end] for at, feeds, end in zip(self._starts, self._feeds, ends)]
        # Positions are lines and columns, so the ends of lines do not matter, nor blanks at the end of the file.
        text = "".join(_LINE_END.sub("\n", line) for line in lines).rstrip() + "\n"
        try:
            tree = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            # Of what is no token it always says that it stands in the first line.
            where = "" if "tokenizer" in error.message else f"line {error.raw_line}: "
            raise Unreadable(f"{where}libcst cannot parse this; a newer libcst may") from None
        if tree.code != text:
            raise Unreadable("libcst would not give every character of it back")
        return tree

    def offset(self, position: CodePosition) -> int:
        """Where in the text a position of libcst's is."""
        line = position.line - 1
        return self._starts[line] + self._feeds[line] + position.column

    def line_start(self, offset: int) -> int:
        """The beginning of the line that holds ``offset``, behind its form feeds."""
        line = bisect.bisect_right(self._starts, offset) - 1
        return self._starts[line] + self._feeds[line]

    def line_end(self, offset: int) -> int:
        """The beginning of the next line; the end of the text for the last one."""
        line = bisect.bisect_right(self._starts, offset)
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def newline_at(self, offset: int) -> str:
        """How the line that holds ``offset`` ends; the last line of a file may have no end."""
        match = _LINE_END.search(self.text, offset)
        return match.group() if match else self.newline

    def indentation_at(self, offset: int) -> str:
        """The blanks that the line of ``offset`` begins with."""
        line = self.text[self.line_start(offset) : offset]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The file's bytes with some places changed.

        Raises:
            Unreadable: Python would not take the result; then the file is left as it is.
        """
        pieces, at = [], 0
        for start, end, text in self._without_holes(edits):
            if start < at:
                raise Unreadable("left alone, for two changes meet in one place; please report this")
            pieces += [self.text[at:start], text]
            at = end
        data = "".join([*pieces, self.text[at:]]).encode(self.encoding)
        try:
            _refuse_what_python_refuses(data)
        except Unreadable as error:
            raise Unreadable(f"left alone, for the result would not be Python ({error}); please report this") from None
        return data

    def _without_holes(self, edits: Sequence[Edit]) -> list[Edit]:
        """The edits in order; where whole lines go that stood by themselves, the blank lines above them go too."""
        joined: list[Edit] = []
        for edit in sorted(edits):
            if joined and not (joined[-1].text or edit.text) and joined[-1].end == edit.start:
                joined[-1] = Edit(joined[-1].start, edit.end, "")
            else:
                joined.append(edit)
        for index, edit in enumerate(joined):
            others = joined[:index] + joined[index + 1 :]
            wider = edit if edit.text else self._with_blank_lines(edit)
            if not any(other.start <= wider.end and wider.start <= other.end for other in others):
                joined[index] = wider
        return joined

    def _with_blank_lines(self, gone: Edit) -> Edit:
        """Lines that go, and the blank ones around them that would be one too many."""
        start, end, _ = gone
        if self.text[end : self.line_end(end)].strip():
            return gone
        while start and not self.text[self.line_start(start - 1) : start].strip():
            start = self.line_start(start - 1)
        if self.text[:start].rstrip().endswith(":"):
            # The first lines of a block.
            while end < len(self.text) and not self.text[end : self.line_end(end)].strip():
                end = self.line_end(end)
        return Edit(start, end, "")


@contextlib.contextmanager
def hard_work() -> Iterator[None]:
    """Lets libcst go as deep as long expressions need; a third faster where nobody collects among its many nodes.

    Raises:
        Unreadable: it was not deep enough.
    """
    depth, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(depth, _RECURSION_LIMIT))
    gc.disable()
    try:
        yield
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    finally:
        sys.setrecursionlimit(depth)
        if collecting:
            gc.enable()


def _encoding(data: bytes) -> str:
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        if "missing encoding" in error.msg:
            # In the first two lines; it does not say where.
            _decoded(data, "utf-8")
        raise Unreadable(f"cannot be decoded: {error.msg}") from None


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        same = text.encode(encoding) == data
    except UnicodeDecodeError as error:
        raise Unreadable(f"line {_line_at(data, error.start)}: cannot be decoded: {error}") from None
    except UnicodeError as error:
        raise Unreadable(f"cannot be decoded: {error}") from None
    except LookupError:
        # As rot13, which makes text of text, and zlib, which makes bytes of bytes.
        raise Unreadable(f"line {_cookie_line(data)}: cannot be decoded: {encoding} is no encoding of text") from None
    if not same:
        raise Unreadable(f"cannot be written back unchanged in its encoding, {encoding}")
    return text


def _line_at(data: bytes, place: int) -> int:
    """The number of the line that a byte is in."""
    return len(_LINE_END_BYTES.findall(data[:place])) + 1


def _cookie_line(data: bytes) -> int:
    """The line that names the encoding: the first one or the second."""
    return 1 if b"coding" in _LINE_END_BYTES.split(data, 1)[0] else 2


def _feeds_at(text: str, start: int) -> int:
    end = start
    while text.startswith("\f", end):
        end += 1
    return end - start


def _refuse_what_python_refuses(data: bytes) -> None:
    """Python's own parser first: its messages are good, and where it refuses to go deeper libcst crashes."""
    version = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    null = data.find(b"\0")
    if null >= 0:
        # Python does not say where.
        raise Unreadable(f"line {_line_at(data, null)}: not {version}: source code cannot contain null bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except SyntaxError as error:
        # Python 3.8 counts the lines of an f-string's expression from its own beginning.
        where = f"line {error.lineno}: " if error.lineno and error.filename != "<fstring>" else ""
        raise Unreadable(f"{where}not {version}: {error.msg}") from None
    except ValueError as error:
        raise Unreadable(f"not {version}: {error}") from None
    except (RecursionError, MemoryError):
        raise Unreadable(_TOO_DEEP) from None
    if _is_too_deep(tree):
        raise Unreadable(_TOO_DEEP)


def _is_too_deep(tree: ast.AST) -> bool:
    """Whether libcst's parser would take minutes, for its time grows with the cube of the depth, or crash."""
    ahead = [(tree, 1)]
    while ahead:
        node, depth = ahead.pop()
        # `a or b or c` is one node here, and two within each other for libcst.
        depth += len(node.values) if isinstance(node, ast.BoolOp) else 1
        if depth > _DEEPEST:
            return True
        ahead += [(child, depth) for child in ast.iter_child_nodes(node)]
    return False
