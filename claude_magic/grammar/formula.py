r"""The start and end of formulas: `$..$`, `$$..$$`, `\(..\)`, `\[..\]` and `\begin{..}..\end{..}`.

A single `$` opens a formula only if no space follows, and closes one only if no space precedes and no digit or letter
follows; a number followed by prose between two `$` is a price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_INLINE = re.compile(
    r"(?<![^\W_])\$(?=[^\s$])((?:[^$\\`]|\\[^`]){1,1000})(?<=\S)\$(?!\d|[^\W_])"
    r"|\$(?:[^$\\`\s]|\\[^`\s]){1,60}\$(?=(?:th|st|nd|rd|s)\b)",
    re.S,
)
_MATH_SIGN = re.compile(r"[\\^_={}+*<>]")
_WORD = re.compile(r"\s\(?[A-Za-z]{3}")
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:align|aligned|alignat|array|cases|eqnarray|equation|flalign|gather|gathered|[pbvBV]?matrix|multline|"
    r"split)\*?)\}"
)
_MAX_LENGTH = 20_000
_ENDS = {"$$": "$$", r"\(": r"\)", r"\[": r"\]"}


def formula_end(text: str, at: int, stop: int) -> int:
    """The end of the formula that begins at `at`, at most `stop`; 0 if there is none."""
    opening = text[at : at + 2]
    environment = _ENVIRONMENT.match(text, at, stop) if opening == r"\b" else None
    end = rf"\end{{{environment[1]}}}" if environment else _ENDS.get(opening, "")
    if end:
        position = text.find(end, at + 2, min(stop, at + _MAX_LENGTH)) if _last_position(text, end) > at else -1
        inside = text[at + 2 : position] if position > 0 else ""
        return position + len(end) if inside.strip() and "`" not in inside else 0
    inline = _INLINE.match(text, at, stop) if opening[0] == "$" else None
    return inline.end() if inline and not _is_price(inline[1] or "") else 0


@lru_cache(maxsize=8)
def _last_position(text: str, end: str) -> int:
    """The position of the last `end`; cached, so that many unclosed openings need only one search."""
    return text.rfind(end)


def _is_price(text: str) -> bool:
    """Whether the text between two `$` is a number followed by prose."""
    return text[:1].isdigit() and not _MATH_SIGN.search(text) and _WORD.search(text) is not None


def display_end(lines: Iterable[str], *, growing: bool = False) -> int:
    """The number of lines of a displayed formula that begins the first of `lines`; 0 for none, or one of one line.

    Args:
        growing: Whether the text may continue with the end of the formula.
    """
    end, count = "", 0
    for count, line in enumerate(lines, 1):
        if count == 1:
            environment = _ENVIRONMENT.match(line)
            end = rf"\end{{{environment[1]}}}" if environment else {"$$": "$$", r"\[": r"\]"}.get(line[:2], "")
            if not end or end in line[2:]:
                return 0
        elif not line.strip():
            return count - 1 if growing else 0
        elif end in line:
            return count
    return count if growing else 0
