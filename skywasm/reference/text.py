"""Shortening text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["truncate_long_string"]

_DOTS = "..."


def _cut_by_words(s: Any, max_length: Any) -> str:
    """The general form of the cut at the end: any text type, any length, and the errors of all others."""
    words = s.split(" ")
    if len(words[0]) > max_length:
        return words[0][:max_length] + _DOTS  # type: ignore[no-any-return]
    letters = kept = 0
    for index, word in enumerate(words):
        letters += len(word)
        if letters >= max_length or index == len(words) - 1:
            break
        kept += len(word) + 1
    # What is kept ends before the blank of the word that was too much.
    kept = max(kept - 1, 0)
    return s[: max_length if kept < max_length else kept] + _DOTS  # type: ignore[no-any-return]


def truncate_long_string(s: str, max_length: int = 35, truncate_middle: bool = False) -> str:
    length = len(s)
    if length <= max_length:
        return s
    if truncate_middle:
        kept = max_length - 3
        if kept <= 0:
            return _DOTS
        last = kept // 2
        return s[: kept - last] + _DOTS + s[length - last :]
    if type(s) is not str or type(max_length) is not int or max_length < 0:
        return _cut_by_words(s, max_length)
    blanks = s.count(" ", 0, max_length)
    if not blanks:
        return s[:max_length] + _DOTS
    # Where the max_length-th letter stands: every blank before it pushes it on by one, and may bring in more.
    end = max_length
    while blanks:
        start, end = end, end + blanks
        blanks = s.count(" ", start, end)
    word = s.rfind(" ", 0, end)
    return s[: word if word > max_length else max_length] + _DOTS
