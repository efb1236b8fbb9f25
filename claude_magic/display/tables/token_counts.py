"""Where the input tokens of a request are, as a table with a bar for each portion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..text.excerpt import plain_line
from .table import Bar, Cell, table

_NAME_LIMIT = 100  # characters


class PortionCount(Protocol):
    """The token count of a portion of a request.

    Attributes:
        tokens: May be negative, where the API left out what an earlier count included.
        within: The name of the portion whose tokens include these; `""` for none.
    """

    @property
    def name(self) -> str: ...
    @property
    def tokens(self) -> int: ...
    @property
    def within(self) -> str: ...


def token_counts(portions: Sequence[PortionCount], note: str = "") -> dict[str, str]:
    """The mime bundle of the portions of a request, in their order, and their total.

    Args:
        note: What is not counted.
    """
    total = sum(portion.tokens for portion in portions if not portion.within)
    rows = [_row(_name(portion), portion.tokens, total) for portion in portions]
    marks = ["cm-within" if portion.within else "" for portion in portions]
    shown = table(
        "",
        ("portion", "tokens", "share", ""),
        [*rows, _row("total", total, total)],
        kinds={"tokens": "number", "share": "number"},
        marks=[*marks, "cm-total"],
        below=note,
    )
    return {**shown, "text/plain": f"{shown['text/plain']}\n{plain_line(note, 400)}"} if note else shown


def _name(portion: PortionCount) -> str:
    name = plain_line(portion.name, _NAME_LIMIT)
    return f"  in it: {name}" if portion.within else name


def _row(name: str, tokens: int, total: int) -> list[Cell]:
    share = min(max(tokens / total, 0.0), 1.0) if total > 0 else 0.0
    percent = "under 1%" if 0 < share < 0.005 else f"{share:.0%}"
    return [name, f"{tokens:,}", percent, Bar(share)]
