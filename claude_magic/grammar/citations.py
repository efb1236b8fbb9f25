"""Converts places of citations in a text to places in the tokens of its blocks.

The grammar reads the text without citations, so that none can break a table or close a fence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from markdown_it.token import Token

Place = tuple[int, int]
"""The position of a citation in a text, and its number."""

_LEAVES = {"fence", "code_block", "html_block", "hr", "definition", "table_open"}


def citation_places(
    text: str, tokens: list[Token], places: Sequence[Place]
) -> tuple[dict[int, list[Place]], dict[int, list[int]]]:
    """By the index of a token: the places in the content of an inline token; the numbers after other tokens."""
    inside: dict[int, list[Place]] = {}
    after: dict[int, list[int]] = {}
    if not places:
        return inside, after
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    by_line: dict[int, list[Place]] = {}  # the column and the number
    for at, number in places:
        line_number = bisect_right(starts, at) - 1
        by_line.setdefault(line_number, []).append((at - starts[line_number], number))
    for index, token in enumerate(tokens):
        if token.type == "inline" and token.map and (content_places := _places_in(token, lines, by_line)):
            inside[index] = content_places
    for index, numbers in _places_after(tokens, by_line):
        after.setdefault(index, []).extend(numbers)
    return inside, after


def _places_in(token: Token, lines: list[str], by_line: dict[int, list[Place]]) -> list[Place]:
    """The places in the content of an inline token; they are removed from `by_line`."""
    places: list[Place] = []
    content_start = 0
    first = token.map[0] if token.map else 0
    for number, content in enumerate(token.content.split("\n"), first):
        for column, citation in by_line.pop(number, []):
            offset = _offset(token, lines[number], content, column)
            if offset is None:
                by_line.setdefault(number, []).append((column, citation))
            else:
                places.append((content_start + offset, citation))
        content_start += len(content) + 1
    return places


def _offset(token: Token, line: str, content: str, column: int) -> int | None:
    """The position in `content`, a part of `line`, of a column of the line; `None` if it is outside."""
    if "cell" in token.meta:
        start, raw = int(token.meta["cell"][0]), str(token.meta["cell"][1])
        if not start < column <= start + len(raw) + 1:
            return None
        before = raw[: column - start]
        return min(len(content), max(0, len(before.lstrip()) - before.count("\\|")))
    words = content.strip()
    start = line.rfind(words) - (len(content) - len(content.lstrip()))
    return None if column <= start else min(len(content), column - start)


def _places_after(tokens: list[Token], by_line: dict[int, list[Place]]) -> list[tuple[int, list[int]]]:
    """The citations that fit in no text: after the leaf block of their line, else after its top-level block."""
    places: list[tuple[int, list[int]]] = []
    ends = _closing_indices(tokens)
    for index, token in enumerate(tokens):
        if token.map and token.type in _LEAVES and by_line:
            for line in range(*token.map):
                places += [(ends[index], [number for _, number in by_line.pop(line, [])])]
    tops = [(token.map[0], index) for index, token in enumerate(tokens) if token.level == 0 and token.map]
    for line in sorted(by_line):
        top = bisect_right(tops, (line, len(tokens))) - 1
        places.append((ends[tops[top][1]] if top >= 0 else -1, [number for _, number in by_line[line]]))
    return [(index, numbers) for index, numbers in places if numbers]


def _closing_indices(tokens: list[Token]) -> list[int]:
    """For each token, the index of the token that closes it, or its own index."""
    ends, open_tokens = list(range(len(tokens))), list[int]()
    for index, token in enumerate(tokens):
        if token.nesting > 0:
            open_tokens.append(index)
        elif token.nesting < 0:
            ends[open_tokens.pop()] = index
    return ends
