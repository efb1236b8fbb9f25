"""Spending as a table with a bar chart; a DataFrame where pandas is installed."""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from ...wire.short_text import dollars
from ..text.plain import plain
from .table import Kind, table

_WIDTH, _BAR, _NAME = 640, 18, 200  # pixels
_MOST_BARS = 40
_NAME_LIMIT = 28
_NUMBERS = ("exchanges", "failed", "tokens_in", "tokens_out", "usd", "unpriced")

Row = Mapping[str, Any]


def spending_table(rows: Sequence[Row], by: str) -> Any:
    """The sums of a period as a table with a bar chart.

    Args:
        rows: Each with the group (under the name `by`), exchanges, failed, tokens_in, tokens_out, usd, unpriced.
        by: What the sums are grouped by, such as `model`.
    """
    if importlib.util.find_spec("pandas") is None:
        return SpendingRows(rows, by)
    return _frame(rows, by)


class SpendingRows(Sequence[Row]):
    """The sums as a sequence of rows, where pandas is not installed."""

    def __init__(self, rows: Sequence[Row], by: str) -> None:
        self._rows = list(rows)
        self._by = by

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        return self._table["text/plain"]

    def _repr_html_(self) -> str:
        return chart(self._rows, self._by) + self._table["text/html"]

    @property
    def _table(self) -> dict[str, str]:
        if not self._rows:
            return {"text/plain": "nothing spent yet", "text/html": "<div>nothing spent yet</div>"}
        cells = [[_amount_text(name, value) for name, value in row.items()] for row in self._rows]
        numbers: dict[str, Kind] = dict.fromkeys(_NUMBERS, "number")
        return table("", tuple(self._rows[0]), cells, kinds=numbers)


def chart(rows: Sequence[Row], by: str) -> str:
    """The dollars as an SVG bar chart; `""` if nothing was spent."""
    bars_data = list(rows)[-_MOST_BARS:] if by == "day" else list(rows)[:_MOST_BARS]
    most = max((row["usd"] for row in bars_data), default=0.0)
    if not most:
        return ""
    bars = "".join(_bar(place, str(row[by] or "(none)"), row["usd"], most) for place, row in enumerate(bars_data))
    height = len(bars_data) * (_BAR + 6)
    return (
        f'<svg role="img" aria-label="US dollars by {html.escape(by)}" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" style="max-width:100%;font:12px sans-serif">{bars}</svg>'
    )


def _bar(place: int, name: str, usd: float, most: float) -> str:
    top, width = place * (_BAR + 6), (_WIDTH - _NAME - 90) * usd / most
    line = " ".join(plain(name).split())
    line = line if len(line) <= _NAME_LIMIT else "…" + line[-_NAME_LIMIT:]
    text = 'fill="currentColor" dominant-baseline="middle"'
    return (
        f'<text x="{_NAME - 8}" y="{top + _BAR / 2}" text-anchor="end" {text}>{html.escape(line)}</text>'
        f'<rect x="{_NAME}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2" fill="#c96442"></rect>'
        f'<text x="{_NAME + width + 6:.1f}" y="{top + _BAR / 2}" {text}>{dollars(usd)}</text>'
    )


def _amount_text(name: str, value: Any) -> str:
    if name == "usd":
        return dollars(value)
    return f"{value:,}" if isinstance(value, int) else " ".join(plain(str(value or "")).split())


def _frame(rows: Sequence[Row], by: str) -> Any:
    import pandas

    class DataFrame(pandas.DataFrame):
        """The table with its chart; operations on it return a plain DataFrame."""

        @property
        def _constructor(self) -> Any:
            return pandas.DataFrame

        def _repr_html_(self) -> str:
            return chart(rows, by) + str(super()._repr_html_())

    names = [by, *_NUMBERS]
    return DataFrame(list(map(dict, rows)), columns=names)
