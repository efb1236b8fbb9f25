"""Rows of the journal as a table: when, which model, the first words, tokens, price, seconds, request-id."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..wire.money import dollars
from .plain import plain
from .reply import framed
from .summary import span

_WORDS = 60  # characters of a question
_HEAD = ("id", "time", "model", "first words", "tokens", "price", "seconds", "request-id")
_STYLE = (
    "<style>.cm-entries td,.cm-entries th{text-align:left;padding:1px 8px 1px 0;vertical-align:top}"
    ".cm-entries td:nth-child(4){white-space:normal}</style>"
)


def bundle(title: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The mime bundle of some of the journal's rows, in their order."""
    if not rows:
        nothing = plain(f"{title}: none")
        return {"text/html": framed(f"<div>{html.escape(nothing)}</div>", styled=True), "text/plain": nothing}
    lines = [_cells(row) for row in rows]
    return {"text/html": framed(_STYLE + _html(title, lines), styled=True), "text/plain": _text(title, lines)}


def _cells(row: Mapping[str, Any]) -> list[str]:
    words = " ".join(plain(str(row["prompt"] or "")[: 4 * _WORDS]).split())
    return [
        str(row["id"]),
        _moment(str(row["began"])),
        _one_line(row["model"], 40),
        words if len(words) <= _WORDS else words[:_WORDS] + "…",
        _tokens(row),
        "unknown" if row["usd"] is None else dollars(row["usd"]),
        "" if row["seconds"] is None else span(row["seconds"]),
        _one_line(_ending(row), 60),
    ]


def _ending(row: Mapping[str, Any]) -> str:
    """The request-id; and why the reply is not whole, if it is not."""
    request_id = row["request_id"] or ""
    return request_id if row["stop_reason"] and not row["error"] else f"{request_id} ({row['error'] or 'not ended'})"


def _tokens(row: Mapping[str, Any]) -> str:
    sent = [row[name] for name in ("input_tokens", "cache_write_tokens", "cache_read_tokens")]
    told = f"{sum(filter(None, sent)):,}" if any(number is not None for number in sent) else "?"
    received = row["output_tokens"]
    return f"{told} in / {'?' if received is None else f'{received:,}'} out"


def _moment(began: str) -> str:
    """In the reader's own time."""
    try:
        return datetime.fromisoformat(began).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return _one_line(began, 30)


def _one_line(value: object, limit: int) -> str:
    line = " ".join(plain(str(value or "")[: 4 * limit]).split())
    return line if len(line) <= limit else line[:limit] + "…"


def _html(title: str, lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEAD)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    hint = "claude.journal.exchange(id) shows one, claude.journal.search('words') finds more"
    return (
        f"<div><strong>{html.escape(plain(title))}</strong></div>"
        f'<table class="cm-entries mathjax_ignore"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f'<div class="cm-summary">{hint}</div>'
    )


def _text(title: str, lines: Sequence[Sequence[str]]) -> str:
    table = [list(_HEAD), *map(list, lines)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEAD))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table)
    return "\n".join([plain(title), *rows])
