"""A table of sums with a bar chart above it; a DataFrame where pandas is installed."""

from __future__ import annotations

import html
import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...wire.short_text import dollars
from ..text.excerpt import one_line, plain_line
from ..text.plain import plain
from .table import Kind, table

_WIDTH, _BAR, _NAME = 640, 18, 200  # pixels
_MOST_BARS, _MOST_ROWS = 40, 200
_NAME_LIMIT = 28
_NOTE_LIMIT = 500
_NOTE_STYLE = "opacity:.75;font-size:85%;margin-top:.4em"  # a DataFrame brings no style sheet

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bars:
    """How rows become bars.

    Attributes:
        by: What the sums are grouped by, such as `model`.
        measure: The column that the bars show.
        unit: What it is, in words.
        text: From a sum to what stands beside its bar.
        none: What is shown of no rows.
        notes: Lines under the table.
        label: The column that names a bar, where it says more than the group; `""` for none.
    """

    by: str
    measure: str = "usd"
    unit: str = "US dollars"
    text: Callable[[Any], str] = dollars
    none: str = "nothing spent yet"
    notes: Sequence[str] = ()
    label: str = ""

    @property
    def notes_html(self) -> str:
        return "".join(f'<div style="{_NOTE_STYLE}">{one_line(note, _NOTE_LIMIT)}</div>' for note in self.notes)

    @property
    def notes_text(self) -> str:
        return "".join(f"\n{plain_line(note, _NOTE_LIMIT)}" for note in self.notes)


def bar_table(rows: Sequence[Row], columns: Sequence[str], bars: Bars) -> Any:
    """The rows as a table with its chart.

    Args:
        columns: Their names; all but the first are numbers.
    """
    if importlib.util.find_spec("pandas") is None:
        return BarRows(rows, columns, bars)
    return _frame(rows, columns, bars)


class BarRows(Sequence[Row]):
    """The rows as a sequence, where pandas is not installed."""

    def __init__(self, rows: Sequence[Row], columns: Sequence[str], bars: Bars) -> None:
        self._rows = list(rows)
        self._columns = columns
        self._bars = bars

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        return self._table["text/plain"] + self._bars.notes_text

    def _repr_html_(self) -> str:
        return chart(self._rows, self._bars) + self._table["text/html"] + self._bars.notes_html

    @property
    def _table(self) -> dict[str, str]:
        return _table(self._rows, self._columns, self._bars)


def _table(rows: Sequence[Row], columns: Sequence[str], bars: Bars) -> dict[str, str]:
    if not rows:
        return {"text/plain": bars.none, "text/html": f"<div>{html.escape(bars.none)}</div>"}
    cells = [[_cell(row.get(name), is_money="usd" in name) for name in columns] for row in rows[:_MOST_ROWS]]
    more = len(rows) - len(cells)
    if more > 0:
        cells.append([f"… {more:,} more", *("" for _ in columns[1:])])
    numbers: dict[str, Kind] = {name: "number" for name in columns[1:] if name != bars.label}
    return table("", columns, cells, kinds=numbers)


def chart(rows: Sequence[Row], bars: Bars) -> str:
    """The sums as an SVG bar chart; `""` if all are zero."""
    drawn = list(rows)[-_MOST_BARS:] if bars.by == "day" else list(rows)[:_MOST_BARS]
    most = max((float(row[bars.measure]) for row in drawn), default=0.0)
    if most <= 0:
        return ""
    lines = "".join(_bar(place, row, bars, most) for place, row in enumerate(drawn))
    height = len(drawn) * (_BAR + 6)
    which = "last" if bars.by == "day" else "first"
    cut = f"the bars show the {which} {len(drawn)} of {len(rows):,}" if len(rows) > len(drawn) else ""
    return (
        f'<svg role="img" aria-label="{html.escape(f"{bars.unit} by {bars.by}")}" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" style="max-width:100%;font:12px sans-serif">{lines}</svg>'
        + (f'<div style="{_NOTE_STYLE}">{cut}</div>' if cut else "")
    )


def _bar(place: int, row: Row, bars: Bars, most: float) -> str:
    amount = row[bars.measure]
    top, width = place * (_BAR + 6), (_WIDTH - _NAME - 90) * max(0.0, float(amount)) / most
    name = row.get(bars.label) or row[bars.by] or "(none)"
    line = " ".join(plain(str(name)).split())
    line = line if len(line) <= _NAME_LIMIT else "…" + line[-_NAME_LIMIT:]
    text = 'fill="currentColor" dominant-baseline="middle"'
    return (
        f'<text x="{_NAME - 8}" y="{top + _BAR / 2}" text-anchor="end" {text}>{html.escape(line)}</text>'
        f'<rect x="{_NAME}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2" fill="#c96442"></rect>'
        f'<text x="{_NAME + width + 6:.1f}" y="{top + _BAR / 2}" {text}>{html.escape(bars.text(amount))}</text>'
    )


def _cell(value: Any, *, is_money: bool) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return "unknown"
        return dollars(value) if is_money else f"{value:,.12g}"  # counts beside a missing one are floats to pandas
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return f"{value:,}" if isinstance(value, int) else " ".join(plain(str(value or "")).split())


def _frame(rows: Sequence[Row], columns: Sequence[str], bars: Bars) -> Any:
    import pandas

    class DataFrame(pandas.DataFrame):
        """The table with its chart; operations on it return a plain DataFrame."""

        @property
        def _constructor(self) -> Any:
            return pandas.DataFrame

        def __repr__(self) -> str:
            return str(super().__repr__()) + bars.notes_text

        def _repr_html_(self) -> str:
            records = [{str(name): value for name, value in row.items()} for row in self.to_dict("records")]
            names = [str(name) for name in self.columns]
            return chart(rows, bars) + _table(records, names, bars)["text/html"] + bars.notes_html

    return DataFrame(list(map(dict, rows)), columns=list(columns))
