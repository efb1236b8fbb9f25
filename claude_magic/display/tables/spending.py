"""Spending as a table with a bar chart: what the journal counted, and what the organization reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..text.excerpt import plain_line
from .bars import Bars, Row, bar_table
from .table import Kind, table

_NUMBERS = ("exchanges", "failed", "tokens_in", "tokens_out", "usd", "unpriced")
_NAME_LIMIT = 200


def spending_table(rows: Sequence[Row], by: str) -> Any:
    """The sums of the journal.

    Args:
        rows: Each with the group (under the name `by`), exchanges, failed, tokens_in, tokens_out, usd, unpriced.
        by: What the sums are grouped by, such as `model`.
    """
    return bar_table(rows, (by, *_NUMBERS), Bars(by=by))


def usage_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """The mime bundle of what a kernel has used: names, then counts, then the cost."""
    kinds: dict[str, Kind] = {**dict.fromkeys(head[1:], "number"), head[0]: "wrap"}
    return table("", head, rows, kinds=kinds)


def report_table(
    rows: Sequence[Row], by: str, notes: Sequence[str], *, is_cost: bool, names: Mapping[str, str] | None = None
) -> Any:
    """The sums of a report of the organization; names in it are made harmless, amounts are exact.

    Args:
        rows: Each with the group under the name `by`, then `usd`, or `total_tokens`, among other numbers.
        notes: Lines under the table.
        names: Of groups that have an id only; a column of its own.
    """
    safe = [_safe(row, by, names or {}) for row in rows]
    measure, unit = ("usd", "US dollars") if is_cost else ("total_tokens", "tokens")
    bars = Bars(
        by=by,
        measure=measure,
        unit=unit,
        text=_usd if is_cost else "{:,}".format,
        none="nothing was spent" if is_cost else "nothing was used",
        notes=notes,
        label="name" if names else "",
    )
    return bar_table(safe, list(safe[0]) if safe else [by, measure], bars)


def _safe(row: Row, by: str, names: Mapping[str, str]) -> dict[str, Any]:
    group = plain_line(row[by], _NAME_LIMIT) or "(none)"
    name = {"name": plain_line(names.get(row[by], ""), _NAME_LIMIT)} if names else {}
    return {by: group, **name, **{key: value for key, value in row.items() if key != by}}


def _usd(amount: Any) -> str:
    return f"${amount:,f}"
