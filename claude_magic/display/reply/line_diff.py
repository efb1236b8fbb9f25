"""Compares two texts line by line, and similar lines word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..text.excerpt import pretty

_MOST_LINES = 1_000  # between the lines that are equal at both ends
_MOST_WORDS = 150  # of a line
_AROUND = 2  # equal lines around changed ones
_ALIKE = 0.4
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_LONGEST = 200_000  # characters


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a comparison.

    Attributes:
        sign: `-` for a removed line, `+` for an added one, ` ` for an equal one, `…` for omitted lines.
        words: The text in pieces, and whether each piece changed.
    """

    sign: str
    words: Sequence[tuple[str, bool]]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.words)


def unified_diff(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """The changed lines, with some equal lines around them."""
    begin, end = equal_ends(old, new)
    begin, end = max(begin - _AROUND, 0), max(end - _AROUND, 0)
    removed, added = old[begin : len(old) - end], new[begin : len(new) - end]
    result = [omission("")] if begin else []
    matcher = SequenceMatcher(None, removed[:_MOST_LINES], added[:_MOST_LINES])
    for number, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        result += [omission("")] if number else []
        for kind, a, b, c, d in group:
            result += (
                [_plain_line(" ", text) for text in removed[a:b]]
                if kind == "equal"
                else _replace_lines(removed[a:b], added[c:d])
            )
    if max(len(removed), len(added)) > _MOST_LINES:
        result.append(omission(f"the lines after the first {_MOST_LINES:,} are not compared"))
    elif end:
        result.append(omission(""))
    return result


def _replace_lines(removed: Sequence[str], added: Sequence[str]) -> list[Line]:
    """Removed lines and the added lines in their place; similar ones are compared word by word."""
    old, new = [_plain_line("-", text) for text in removed], [_plain_line("+", text) for text in added]
    for place, (was, now) in enumerate(zip(removed, added, strict=False)):
        words = _word_diff(was, now)
        if words is not None:
            old[place], new[place] = words
    return [*old, *new]


def _word_diff(was: str, now: str) -> tuple[Line, Line] | None:
    """Two lines with their changed words; `None` if they are too long or too different."""
    old, new = _WORD.findall(was), _WORD.findall(now)
    if max(len(old), len(new)) > _MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < _ALIKE or matcher.ratio() < _ALIKE:
        return None
    removed, added = list[tuple[str, bool]](), list[tuple[str, bool]]()
    for kind, a, b, c, d in matcher.get_opcodes():
        removed.append(("".join(old[a:b]), kind != "equal"))
        added.append(("".join(new[c:d]), kind != "equal"))
    return Line(sign="-", words=[w for w in removed if w[0]]), Line(sign="+", words=[w for w in added if w[0]])


def equal_ends(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """The number of equal items at the start, and of the rest at the end."""
    most = min(len(old), len(new))
    begin = next((at for at in range(most) if not is_same(old[at], new[at])), most)
    rest = most - begin
    return begin, next((at for at in range(rest) if not is_same(old[-1 - at], new[-1 - at])), rest)


def _plain_line(sign: str, text: str) -> Line:
    return Line(sign=sign, words=[(text, sign != " ")])


def omission(why: str) -> Line:
    return Line(sign="…", words=[(why, False)])


def is_same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; `1` is not `true`."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return one is other or _canonical(one) == _canonical(other)


def _canonical(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, default=repr)
    except (ValueError, TypeError, RecursionError):
        return pretty(value, _LONGEST)
