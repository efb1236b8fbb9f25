"""Rows of the journal as a table: when, which model, the first words, tokens, price, seconds, request-id."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...wire.money import dollars
from ..reply.summary import span
from ..text.plain import plain
from .table import Kind, table, words

_WORDS = 60  # characters of a question
_HEAD = ("id", "time", "model", "first words", "tokens", "price", "seconds", "request-id")
_KINDS: dict[str, Kind] = {"first words": "wrap", "request-id": "wrap", "price": "number", "seconds": "number"}
_BELOW = "claude.journal.exchange(id) shows one, claude.journal.search('words') finds more"


def bundle(title: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The mime bundle of some of the journal's rows, in their order."""
    if not rows:
        none = plain(f"{title}: none")
        return {"text/html": f"<div>{html.escape(none)}</div>", "text/plain": none}
    return table(title, _HEAD, [_cells(row) for row in rows], kinds=_KINDS, below=_BELOW)


def tokens(sent: Sequence[int | None], received: int | None) -> str:
    """Tokens in, cached ones among them, and out."""
    told = f"{sum(filter(None, sent)):,}" if any(number is not None for number in sent) else "?"
    return f"{told} in / {'?' if received is None else f'{received:,}'} out"


def _cells(row: Mapping[str, Any]) -> list[str]:
    sent = [row[name] for name in ("input_tokens", "cache_write_tokens", "cache_read_tokens")]
    return [
        str(row["id"]),
        _moment(str(row["began"])),
        words(row["model"], 40),
        words(row["prompt"], _WORDS),
        tokens(sent, row["output_tokens"]),
        "unknown" if row["usd"] is None else dollars(row["usd"]),
        "" if row["seconds"] is None else span(row["seconds"]),
        words(_outcome(row), 60),
    ]


def _outcome(row: Mapping[str, Any]) -> str:
    """The request-id; and why the reply is not whole, if it is not."""
    request_id = row["request_id"] or ""
    return request_id if row["stop_reason"] and not row["error"] else f"{request_id} ({row['error'] or 'not ended'})"


def _moment(began: str) -> str:
    """In the reader's own time."""
    try:
        return datetime.fromisoformat(began).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return words(began, 30)
