"""A table in a terminal: columns for which a line has no room follow below, beside the first column again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...wire.text_width import align, cells, fit

_GAP = 2
_CUT = "…"


def terminal_lines(rows: Sequence[Sequence[str]], at_right: Sequence[bool], width: int) -> list[str]:
    """The rows as lines that a terminal does not break.

    Args:
        at_right: For each column, whether its texts end below each other.
        width: Of the terminal, in cells; what is longer than a line is cut.
    """
    first = min(max(cells(row[0]) for row in rows), width // 2 if len(at_right) > 1 else width)
    room = [first, *(width - first - _GAP for _ in at_right[1:])]
    short = [[_cut(text, most) for text, most in zip(row, room, strict=True)] for row in rows]
    lines: list[str] = []
    for block in _blocks([max(map(cells, column)) for column in zip(*short, strict=True)], width):
        lines += [""] if lines else []
        lines += align([[row[place] for place in block] for row in short], [at_right[place] for place in block])
    return lines


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The places of the columns that fit beside each other, the first one in each."""
    block, used = [0], widths[0]
    for place, each in enumerate(widths[1:], 1):
        if used + _GAP + each > width and len(block) > 1:
            yield block
            block, used = [0], widths[0]
        block, used = [*block, place], used + _GAP + each
    yield block


def _cut(text: str, width: int) -> str:
    return text if cells(text) <= width else fit(text, width - 1) + _CUT
