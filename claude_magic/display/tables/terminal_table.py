"""A table in a terminal: columns for which a line has no room follow below, beside the first column again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...wire.text_width import align, cells, fit

_GAP = 2
_CUT = "…"


def terminal_lines(rows: Sequence[Sequence[str]], at_right: Sequence[bool], width: int) -> list[str]:
    """The rows as lines that a terminal does not break.

    A first column that takes more than half of a line is whole at first, as an id must be, and short where it follows.

    Args:
        at_right: For each column, whether its texts end below each other.
        width: Of the terminal, in cells; what is longer than a line is cut.
    """
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    most = [width, *(width - min(widths[0], width // 2) - _GAP for _ in at_right[1:])]
    lines: list[str] = []
    for block in _blocks([min(pair) for pair in zip(widths, most, strict=True)], width):
        room = most if not lines else [width // 2, *most[1:]]
        lines += [""] if lines else []
        texts = [[_cut(row[place], room[place]) for place in block] for row in rows]
        lines += align(texts, [at_right[place] for place in block])
    return lines


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The places of the columns that fit beside each other, the first one in each."""
    block, used = [0], widths[0]
    for place, each in enumerate(widths[1:], 1):
        if used + _GAP + each > width:
            yield block
            block, used = [0], min(widths[0], width // 2)
        block, used = [*block, place], used + _GAP + each
    yield block


def _cut(text: str, width: int) -> str:
    return text if cells(text) <= width else fit(text, width - 1) + _CUT
