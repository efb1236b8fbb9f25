"""Rows of the journal as a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...wire.short_text import dollars
from ..text.plain import plain
from .table import Cell, Kind, Press, table, words

_WORDS = 60  # characters of a prompt
_HEAD = (*("time", "model", "first words", "error", "tokens in", "tokens out", "price, $", "seconds", "request-id"),)
NUMBERS: dict[str, Kind] = dict.fromkeys(("tokens in", "tokens out", "price, $", "seconds"), "number")
_KINDS: dict[str, Kind] = {**NUMBERS, "id": "number", "first words": "wrap", "request-id": "code", "error": "wrap"}
_BELOW = "claude.journal.exchange(id) shows one, claude.journal.search('words') finds more"


def bundle(title: str, rows: Sequence[Mapping[str, Any]], button: str = "") -> dict[str, str]:
    """The mime bundle of rows of the journal, in order.

    Args:
        button: What a button at each row that asked for a message does; `""` for no buttons.
    """
    if not rows:
        none = plain(f"{title}: none")
        return {"text/html": f"<div>{html.escape(none)}</div>", "text/plain": none}
    presses = [
        Press(label="workbench", name=f"{button}: {row['id']}", value=str(row["id"]))
        if button and not row["is_call"]
        else ""
        for row in rows
    ]
    cells: list[list[Cell]] = [[str(row["id"]), press, *_cells(row)] for row, press in zip(rows, presses, strict=True)]
    return table(title, ["id", "", *_HEAD], cells, kinds=_KINDS, below=_BELOW)


def tokens(*counts: Any) -> str | None:
    """The sum of the counts that are known; `None` if none is."""
    known = [count for count in counts if isinstance(count, int)]
    return f"{sum(known):,}" if known else None


def price(usd: float | None) -> str | None:
    """Dollars without their sign, which is in the head of the column; `None` if they are unknown."""
    return None if usd is None else dollars(usd).replace("$", "")


def seconds(value: float | None) -> str | None:
    """Seconds to a hundredth below ten, else to a tenth: their unit is in the head of the column."""
    return None if value is None else f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    """The cells of a row; the call of an endpoint has no tokens and no price, and what failed may have none."""
    sent = [row[name] for name in ("input_tokens", "cache_write_tokens", "cache_read_tokens")]
    none = "" if row["is_call"] or row["error"] else None
    return [
        _moment(str(row["began"])),
        words(row["model"], 40),
        words(row["prompt"], _WORDS),
        words(_problem(row), _WORDS),
        tokens(*sent) or none,
        tokens(row["output_tokens"]) or none,
        "" if row["is_call"] else price(row["usd"]) or none,
        seconds(row["seconds"]) or "",
        words(row["request_id"], 60),
    ]


def _problem(row: Mapping[str, Any]) -> str:
    """Why the reply is incomplete; `""` if it is not. The call of an endpoint has no stop reason."""
    return row["error"] or ("" if row["stop_reason"] or row["is_call"] else "incomplete")


def _moment(began: str) -> str:
    """The time in the local time zone."""
    try:
        return datetime.fromisoformat(began).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return words(began, 30)
