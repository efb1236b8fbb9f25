"""A list as a table: a row an item, the columns in the order that the items name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tables.table import Kind, table
from ..text.excerpt import plain_line
from .json_tree import brief

SHOWN = 100  # rows
_MOST_COLUMNS = 10
_READ = 200  # rows whose names become columns
_CELL = 80  # characters
_VALUE = "\0value"  # the column of items that are no objects: no name of one, and shown without its first character
_LAST = ("type",)  # names that say the same in each row


def item_table(items: Sequence[Any], *, total: int | None = None, note: str = "") -> dict[str, str]:
    """The mime bundle of a list.

    Args:
        total: How many there are; `None` if these are all.
        note: A sentence under the table.
    """
    columns = _columns(items)
    shown = items[:SHOWN]
    rows = [[_cell(item, name, columns) for name in columns] for item in shown]
    kinds: dict[str, Kind] = {}
    for place, name in enumerate(columns):
        values = [item.get(name) for item in shown if isinstance(item, Mapping)]
        if values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None):
            kinds[_head(name)] = "number"
        elif place == 0:
            kinds[_head(name)] = "code"
        elif any(len(row[place]) > 40 for row in rows):
            kinds[_head(name)] = "wrap"
    count = len(items) if total is None else total
    left = f"{len(shown):,} of {count:,} shown" if count > len(shown) else ""
    below = " · ".join(filter(None, (left, note)))
    bundle = table("", _heads(columns), rows, kinds=kinds, below=below)
    return {**bundle, "text/plain": "\n".join(filter(None, (bundle["text/plain"], plain_line(below, 1_000))))}


def _heads(columns: Sequence[str]) -> list[str]:
    """The names as heads of columns, each once."""
    heads: list[str] = []
    for name in columns:
        head = _head(name)
        heads.append(head if head not in heads else f"{head} ({len(heads) + 1})")
    return heads


def _columns(items: Sequence[Any]) -> list[str]:
    """The names of the first items, `id` first; one more column for items that are no objects."""
    names: dict[str, None] = {}
    for item in items[:_READ]:
        if isinstance(item, Mapping):
            names.update(dict.fromkeys(map(str, list(item)[: 4 * _MOST_COLUMNS])))
    ordered = sorted(names, key=lambda name: (name in _LAST) - (name in ("id", "custom_id")))
    if len(ordered) > _MOST_COLUMNS:
        ordered = [*ordered[: _MOST_COLUMNS - 1], "…"]
    has_values = not names or any(not isinstance(item, Mapping) for item in items[:_READ])
    return [*ordered, *[_VALUE] * has_values]


def _head(name: str) -> str:
    return plain_line(name, 40)


def _cell(item: Any, name: str, columns: Sequence[str]) -> str:
    if not isinstance(item, Mapping):
        return _text(item) if name == _VALUE else ""
    if name == "…" and name not in item:
        return f"{sum(str(each) not in columns for each in item):,} more"
    return _text(item[name]) if name in item else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value[: 4 * _CELL]
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = brief(value, _CELL)
    line = plain_line(text, 4 * _CELL)
    return line if len(line) <= _CELL else f"{line[:_CELL]}…"
