"""Rows of the journal as a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...wire.short_text import dollars, span
from ..text.plain import plain
from .table import Kind, table, words

_WORDS = 60  # characters of a prompt
_HEAD = ("id", "time", "model", "first words", "tokens", "price", "seconds", "request-id")
_KINDS: dict[str, Kind] = {"first words": "wrap", "request-id": "wrap", "price": "number", "seconds": "number"}
_BELOW = "claude.journal.exchange(id) shows one, claude.journal.search('words') finds more"


def bundle(title: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The mime bundle of rows of the journal, in order."""
    if not rows:
        none = plain(f"{title}: none")
        return {"text/html": f"<div>{html.escape(none)}</div>", "text/plain": none}
    return table(title, _HEAD, [_cells(row) for row in rows], kinds=_KINDS, below=_BELOW)


def tokens(sent: Sequence[int | None], received: int | None) -> str:
    """Input tokens, cached ones included, and output tokens."""
    total = f"{sum(filter(None, sent)):,}" if any(number is not None for number in sent) else "?"
    return f"{total} in / {'?' if received is None else f'{received:,}'} out"


def _cells(row: Mapping[str, Any]) -> list[str]:
    sent = [row[name] for name in ("input_tokens", "cache_write_tokens", "cache_read_tokens")]
    return [
        str(row["id"]),
        _moment(str(row["began"])),
        words(row["model"], 40),
        words(row["prompt"], _WORDS),
        "" if row["is_call"] else tokens(sent, row["output_tokens"]),
        "" if row["is_call"] else "unknown" if row["usd"] is None else dollars(row["usd"]),
        "" if row["seconds"] is None else span(row["seconds"]),
        words(_outcome(row), 60),
    ]


def _outcome(row: Mapping[str, Any]) -> str:
    """The request-id, and why the reply is incomplete, if it is; the call of an endpoint has no stop reason."""
    request_id, is_complete = row["request_id"] or "", row["stop_reason"] or row["is_call"]
    return request_id if is_complete and not row["error"] else f"{request_id} ({row['error'] or 'incomplete'})"


def _moment(began: str) -> str:
    """The time in the local time zone."""
    try:
        return datetime.fromisoformat(began).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return words(began, 30)
