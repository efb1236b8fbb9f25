"""The one table: rows of short cells as HTML beside aligned text. Everything that it is given is escaped here.

A column in which no row has anything is left out; if that is because it is unknown, a sentence below the table says so.
What does not fit is scrolled: no id, number or moment is broken, and a column of words keeps a width to be read in.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...wire.text_width import align
from ..terminal.waiting_line import is_terminal
from ..terminal.word_wrap import columns as terminal_width
from ..text.plain import plain
from .terminal_table import terminal_lines

Kind = Literal["number", "wrap", "code", "state"]
"""How a column is shown: `number` at the right, `wrap` on several lines, `code` in the code font, `state` in colour."""

_BAR = 24  # characters of a full bar in text
_STYLE = (
    "<style>.cm-rows.cm-rows.cm-rows{display:block;table-layout:auto;border-collapse:collapse;border:0;margin:0;"
    "max-width:100%;overflow-x:auto;line-height:1.45;font-size:var(--jp-ui-font-size1,13px)}"
    ".cm-rows.cm-rows.cm-rows :is(td,th){text-align:left;padding:2px 12px 2px 0;border:0;vertical-align:top;"
    "white-space:nowrap}"
    ".cm-rows.cm-rows.cm-rows thead th{border-bottom:1px solid var(--jp-border-color1,rgba(128,128,128,.5))}"
    ".cm-rows.cm-rows.cm-rows td.cm-wrap{white-space:normal;overflow-wrap:anywhere;min-width:9em}"
    ".cm-rows.cm-rows.cm-rows :is(td,th).cm-number{text-align:right;font-variant-numeric:tabular-nums}"
    ".cm-rows.cm-rows.cm-rows td.cm-code{font-family:var(--jp-code-font-family,monospace)}"
    ".cm-rows td>i{opacity:.65}"
    ".cm-rows .cm-ended td{opacity:.55}.cm-rows .cm-ended .cm-code{text-decoration:line-through}"
    ".cm-rows .cm-ends .cm-state{color:var(--jp-warn-color1,#ef6c00);font-weight:600}"
    ".cm-rows.cm-rows.cm-rows .cm-within td:first-child{padding-left:1.5em;opacity:.75}"
    ".cm-rows .cm-within .cm-share>span{opacity:.5}"
    ".cm-rows.cm-rows.cm-rows .cm-total>*{border-top:1px solid var(--jp-border-color2,rgba(128,128,128,.35));"
    "font-weight:600}"
    ".cm-rows .cm-share{display:block;width:12em;height:.6em;margin-top:.35em;border-radius:.3em;overflow:hidden;"
    "background:var(--jp-layout-color3,rgba(128,128,128,.3))}"
    ".cm-rows .cm-share>span{display:block;height:100%;background:var(--jp-brand-color1,#1976d2)}"
    ".cm-below{color:var(--jp-ui-font-color2,#6b6b6b);font-size:var(--jp-ui-font-size0,11px);margin-top:.5em}</style>"
)


@dataclass(frozen=True)
class Bar:
    """A cell that is a bar.

    Attributes:
        share: How much of it is full, between 0 and 1.
    """

    share: float

    def __str__(self) -> str:
        return "█" * round(_BAR * self.share)


@dataclass(frozen=True, kw_only=True)
class Press:
    """A cell that is a button; what it does is up to the page around the table.

    Attributes:
        name: What it does, for screen readers.
        value: What it is about.
    """

    label: str
    name: str
    value: str

    def __str__(self) -> str:
        return ""


Cell = str | Bar | Press | None
"""`None` for what is unknown."""
_UNKNOWN = "unknown"


def words(text: object, limit: int) -> str:
    """The beginning of a text, on one line, without what a terminal would obey."""
    line = " ".join(plain(str(text or "")[: 4 * limit]).split())
    return line if len(line) <= limit else line[:limit] + "…"


def table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    kinds: Mapping[str, Kind] | None = None,
    marks: Sequence[str] = (),
    below: str = "",
) -> dict[str, str]:
    """The mime bundle of a table.

    Args:
        title: Above it; `""` for none.
        kinds: By the name of a column.
        marks: The CSS class of each row, `""` for none: `cm-ended`, `cm-ends`, `cm-within` or `cm-total`.
        below: A sentence under the table; not in the text.
    """
    head, rows, unknown = _without_empty(head, rows)
    column_kinds = kinds or {}
    columns: list[Kind | None] = [column_kinds.get(name) for name in head]
    below = " · ".join(filter(None, (unknown, below)))
    above = f'<div class="mathjax_ignore"><strong>{html.escape(plain(title))}</strong></div>' if title else ""
    under = f'<div class="cm-below mathjax_ignore">{html.escape(below)}</div>' if below else ""
    lines = [*_lines([head, *rows], columns), *([unknown] if unknown else [])]
    return {
        "text/html": _STYLE + above + _html(head, rows, columns, marks) + under,
        "text/plain": "\n".join([plain(title), *lines] if title else lines),
    }


def _without_empty(
    head: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> tuple[Sequence[str], Sequence[Sequence[Cell]], str]:
    """The columns in which there is something, and a sentence about those that are unknown in each row."""
    columns = [[row[place] for row in rows] for place in range(len(head))]
    kept = [place for place, column in enumerate(columns) if not rows or any(cell not in ("", None) for cell in column)]
    unknown = [name for name, column in zip(head, columns, strict=True) if rows and all(c is None for c in column)]
    said = f"{_UNKNOWN}: {', '.join(unknown)}" if unknown else ""
    return [head[place] for place in kept], [[row[place] for place in kept] for row in rows], said


def _lines(rows: Sequence[Sequence[Cell]], columns: Sequence[Kind | None]) -> list[str]:
    texts = [[_UNKNOWN if cell is None else str(cell) for cell in row] for row in rows]
    at_right = [kind == "number" for kind in columns]
    return terminal_lines(texts, at_right, terminal_width()) if is_terminal() else align(texts, at_right)


def _html(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], columns: Sequence[Kind | None], marks: Sequence[str]
) -> str:
    css = [f' class="cm-{kind}"' if kind else "" for kind in columns]
    names = "".join(f'<th scope="col"{mark}>{html.escape(name)}</th>' for name, mark in zip(head, css, strict=True))
    body = ""
    for row, mark in zip(rows, marks or [""] * len(rows), strict=True):
        cells = "".join(f"<td{each}>{_cell(cell)}</td>" for each, cell in zip(css, row, strict=True))
        body += f'<tr class="{mark}">{cells}</tr>'
    return f'<table class="cm-rows mathjax_ignore"><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>'


def _cell(cell: Cell) -> str:
    if isinstance(cell, Bar):
        return f'<span class="cm-share"><span style="width:{cell.share:.1%}"></span></span>'
    if isinstance(cell, Press):
        attributes = f'aria-label="{html.escape(cell.name)}" data-open="{html.escape(cell.value)}"'
        return (
            f'<button type="button" data-lm-suppress-shortcuts="true" {attributes}>{html.escape(cell.label)}</button>'
        )
    return f"<i>{_UNKNOWN}</i>" if cell is None else html.escape(cell)
