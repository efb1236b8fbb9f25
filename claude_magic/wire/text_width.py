"""The width of text in the cells of a terminal, where a letter of Chinese takes two and an accent none."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_GAP = "  "


def cells(text: str) -> int:
    """The cells of a terminal that `text` takes."""
    return len(text) if text.isascii() else sum(map(_cell_count, text))


def fit(text: str, width: int) -> str:
    """The beginning of a text that takes at most `width` cells."""
    while text and (over := cells(text) - width) > 0:
        text = text[: -max(1, over // 2)]
    return text


def align(rows: Sequence[Sequence[str]], at_right: Sequence[bool]) -> list[str]:
    """The rows as lines, their columns below each other.

    Args:
        at_right: For each column, whether its texts end below each other.
    """
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(
            " " * (width - cells(text)) + text if right else text + " " * (width - cells(text))
            for text, width, right in zip(row, widths, at_right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cell_count(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
