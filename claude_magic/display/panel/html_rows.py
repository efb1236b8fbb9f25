"""The rows and blocks a tab is made of, as HTML; whatever they are given is escaped here.

They are saved with each cell: end tags that HTML makes optional are left out.
Source: https://html.spec.whatwg.org/multipage/syntax.html#optional-tags
"""

from __future__ import annotations

from collections.abc import Iterable

from ..clipboard import copy_attributes, copy_json_attributes
from ..text.excerpt import BODY_LIMIT, STRING_LIMIT, clean, line_content, pretty, safe_content
from ..text.json_folds import folds

_NAME_LIMIT = 120
_VALUE_LIMIT = 500
_NOTE_LIMIT = 2_000


def row(name: str, value: str, *, absent: bool = False) -> str:
    """A name and its value; `absent` if the value only says that there is none."""
    mark = ' class="cm-absent"' if absent else ""
    return row_of(name, f"<td{mark}>{line_content(value, _VALUE_LIMIT)}")


def row_of(name: str, cell: str) -> str:
    """A name and a cell that is HTML already."""
    return f"<tr><th>{line_content(name, _NAME_LIMIT)}{cell}"


def group(title: str) -> str:
    """A row that names those after it."""
    return f'<tr><th colspan="2">{line_content(title)}'


def table(rows: Iterable[str], copy: str = "", whole: str = "") -> str:
    """Rows under one another; `copy` is what the button does that copies the text `whole`."""
    attributes = copy_attributes(copy, whole) if copy else ""
    return f"<table{attributes}>{''.join(rows)}</table>"


def note(text: str, css_class: str = "") -> str:
    """One line about what stands above or below it."""
    mark = f' class="{css_class}"' if css_class else ""
    return f"<p{mark}>{line_content(text, _NOTE_LIMIT)}</p>"


def json_block(value: object, limit: int = BODY_LIMIT, strings: int = STRING_LIMIT, copy: str = "") -> str:
    """A value as indented JSON that folds, of at most `limit` characters, its strings of at most `strings`."""
    text = pretty(value, limit, strings)
    attributes = copy_json_attributes(copy, value, text) if copy else ""
    return f"<pre class=cm-fold{attributes}>{folds(clean(text, 2 * BODY_LIMIT))}</pre>"


def text_block(text: str, copy: str = "", whole: str | None = None) -> str:
    """Text in its own lines.

    Args:
        copy: What the button does that copies it; `""` for no button.
        whole: What it copies, if `text` is only a part of it.
    """
    return _pre(text, copy_attributes(copy, text if whole is None else whole, text) if copy else "")


def _pre(text: str, attributes: str) -> str:
    return f"<pre{attributes}>{safe_content(text, 2 * BODY_LIMIT)}</pre>"
