"""The rows and blocks a tab is made of, as HTML; whatever they are given is escaped here."""

from __future__ import annotations

from collections.abc import Iterable

from ..text.excerpt import BODY_LIMIT, one_line, pretty, safe_content

_NAME_LIMIT = 120
_VALUE_LIMIT = 500
_NOTE_LIMIT = 2_000


def row(name: str, value: str, *, absent: bool = False) -> str:
    """A name and its value; `absent` if the value only says that there is none."""
    mark = ' class="cm-absent"' if absent else ""
    return row_of(name, f"<td{mark}>{one_line(value, _VALUE_LIMIT)}</td>")


def row_of(name: str, cell: str) -> str:
    """A name and a cell that is HTML already."""
    return f'<tr><th scope="row">{one_line(name, _NAME_LIMIT)}</th>{cell}</tr>'


def group(title: str) -> str:
    """A row that names those after it."""
    return f'<tr><th colspan="2" scope="colgroup" class="cm-group">{one_line(title)}</th></tr>'


def table(rows: Iterable[str]) -> str:
    """Rows under one another."""
    return f'<table class="cm-facts"><tbody>{"".join(rows)}</tbody></table>'


def note(text: str, css_class: str = "cm-note") -> str:
    """One line about what stands above or below it."""
    return f'<p class="{css_class}">{one_line(text, _NOTE_LIMIT)}</p>'


def json_block(value: object) -> str:
    """A value as indented JSON."""
    return text_block(pretty(value))


def text_block(text: str) -> str:
    """Text in its own lines."""
    return f"<pre>{safe_content(text, 2 * BODY_LIMIT)}</pre>"
