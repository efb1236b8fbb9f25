"""Where citations stand: their places in a text, as places in the tokens of its blocks.

The grammar reads the text without them, so no citation breaks a table or closes a fence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from markdown_it.token import Token

Place = tuple[int, int]
"""Where a citation stands in a text, and its number."""

_LEAVES = {"fence", "code_block", "html_block", "hr", "definition", "table_open"}


def citation_places(
    text: str, tokens: list[Token], places: Sequence[Place]
) -> tuple[dict[int, list[Place]], dict[int, list[int]]]:
    """By index of a token: places inside the content of an inline one, and numbers that come after any other."""
    inside: dict[int, list[Place]] = {}
    after: dict[int, list[int]] = {}
    if not places:
        return inside, after
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    left: dict[int, list[Place]] = {}  # of each line: column and number
    for at, number in places:
        line_number = bisect_right(starts, at) - 1
        left.setdefault(line_number, []).append((at - starts[line_number], number))
    for index, token in enumerate(tokens):
        if token.type == "inline" and token.map:
            found = _inside(token, lines, left)
            if found:
                inside[index] = found
    for index, numbers in _outside(tokens, left):
        after.setdefault(index, []).extend(numbers)
    return inside, after


def _inside(token: Token, lines: list[str], left: dict[int, list[Place]]) -> list[Place]:
    """The places in the content of an inline token; they are taken out of `left`."""
    found: list[Place] = []
    content_start = 0
    first = token.map[0] if token.map else 0
    for number, content in enumerate(token.content.split("\n"), first):
        for column, citation in left.pop(number, []):
            offset = _offset(token, lines[number], content, column)
            if offset is None:
                left.setdefault(number, []).append((column, citation))
            else:
                found.append((content_start + offset, citation))
        content_start += len(content) + 1
    return found


def _offset(token: Token, line: str, content: str, column: int) -> int | None:
    """Where in `content`, which is part of `line`, a column of the line is; `None` if it is elsewhere."""
    if "cell" in token.meta:
        start, raw = int(token.meta["cell"][0]), str(token.meta["cell"][1])
        if not start < column <= start + len(raw) + 1:
            return None
        before = raw[: column - start]
        return min(len(content), max(0, len(before.lstrip()) - before.count("\\|")))
    words = content.strip()
    start = line.rfind(words) - (len(content) - len(content.lstrip()))
    return None if column <= start else min(len(content), column - start)


def _outside(tokens: list[Token], left: dict[int, list[Place]]) -> list[tuple[int, list[int]]]:
    """What no text has taken: after the leaf on whose lines it stands, else after its block at the left margin."""
    found: list[tuple[int, list[int]]] = []
    ends = _ends(tokens)
    for index, token in enumerate(tokens):
        if token.map and token.type in _LEAVES and left:
            for line in range(*token.map):
                found += [(ends[index], [number for _, number in left.pop(line, [])])]
    tops = [(token.map[0], index) for index, token in enumerate(tokens) if token.level == 0 and token.map]
    for line in sorted(left):
        place = bisect_right(tops, (line, len(tokens))) - 1
        found.append((ends[tops[place][1]] if place >= 0 else -1, [number for _, number in left[line]]))
    return [(index, numbers) for index, numbers in found if numbers]


def _ends(tokens: list[Token]) -> list[int]:
    """Of each token, the index of the one that closes it, or its own."""
    ends, opened = list(range(len(tokens))), list[int]()
    for index, token in enumerate(tokens):
        if token.nesting > 0:
            opened.append(index)
        elif token.nesting < 0:
            ends[opened.pop()] = index
    return ends
