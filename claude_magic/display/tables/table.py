"""Rows of short cells as a table: HTML beside aligned text; whatever they are given is escaped here."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ..reply.reply import frame
from ..text.plain import plain

_STYLE = (
    "<style>.cm-rows.cm-rows.cm-rows :is(td,th){text-align:left;padding:1px 8px 1px 0;vertical-align:top;"
    "white-space:nowrap}"
    ".cm-rows.cm-rows.cm-rows td.cm-words{white-space:normal;overflow-wrap:anywhere}</style>"
)


def words(text: object, limit: int) -> str:
    """The beginning of a text, on one line, without what a terminal would obey."""
    line = " ".join(plain(str(text or "")[: 4 * limit]).split())
    return line if len(line) <= limit else line[:limit] + "…"


def table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, wrapped: Sequence[str] = (), below: str = ""
) -> dict[str, str]:
    """The mime bundle of a table.

    Args:
        wrapped: Names of the columns whose cells may take several lines.
        below: A sentence under the table.
    """
    text = "\n".join([plain(title), *_lines([head, *rows])])
    return {"text/html": frame(_STYLE + _html(title, head, rows, wrapped, below), styled=True), "text/plain": text}


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _html(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], wrapped: Sequence[str], below: str) -> str:
    columns = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    marks = [' class="cm-words"' if name in wrapped else "" for name in head]
    lines = (
        "".join(f"<td{mark}>{html.escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True)) for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f"<div><strong>{html.escape(plain(title))}</strong></div>"
        f'<table class="cm-rows mathjax_ignore"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>'
        + (f'<div class="cm-summary">{html.escape(below)}</div>' if below else "")
    )
