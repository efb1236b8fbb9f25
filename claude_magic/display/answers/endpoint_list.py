"""The endpoints of the API as a table that can be searched: a field to type in, and a static twin without one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..tables.table import table
from ..widgets import has_widgets, widget_bundle

_SHOWN = 60  # rows in a page; a terminal gets all


@dataclass(frozen=True, kw_only=True)
class Row:
    """One endpoint, as it is listed."""

    verb: str
    path: str
    summary: str
    facts: str


def endpoint_table(rows: Sequence[Row], total: int, as_of: str) -> dict[str, str]:
    """The mime bundle of the first rows.

    Args:
        total: How many endpoints are known.
        as_of: The date of the data.
    """
    left = f"{min(len(rows), _SHOWN):,} of {len(rows):,} that match" if len(rows) > _SHOWN else f"{len(rows):,}"
    below = f"{left} of {total:,} endpoints, as of {as_of}; %claude --get WORDS searches them"
    if not rows:
        return {
            "text/html": f"<div>no endpoint matches ({below})</div>",
            "text/plain": f"no endpoint matches ({below})",
        }
    head = ("method", "path", "what it does", "")
    cells = [[row.verb, row.path, row.summary, row.facts] for row in rows]
    kinds: dict[str, Any] = {"path": "code", "what it does": "wrap"}
    html = table("", head, cells[:_SHOWN], kinds=kinds, below=below)["text/html"]
    return {"text/html": html, "text/plain": table("", head, cells)["text/plain"] + f"\n{below}"}


def endpoint_bundles(search: Callable[[str], dict[str, str]], words: str) -> list[dict[str, Any]]:
    """What to publish, one output each: a widget with a field, and its twin; the twin alone without widgets.

    Args:
        search: From words to the table of what matches.
    """
    bundle = search(words)
    if not has_widgets():
        return [bundle]
    import ipywidgets

    from ..approval.style import live_style, twin_style

    name = f"cm-static-{uuid.uuid4().hex[:12]}"
    field = ipywidgets.Text(value=words, placeholder="search, such as: files delete", description="search")
    hide = live_style(name)
    shown = ipywidgets.HTML(value=hide + bundle["text/html"])

    def update(change: Any) -> None:
        shown.value = hide + search(str(change["new"]))["text/html"]

    field.observe(update, "value")
    twin = {"text/html": f'{twin_style()}<div class="cm-static {name}">{bundle["text/html"]}</div>'}
    return [widget_bundle(ipywidgets.VBox([field, shown])), {**twin, "text/plain": bundle["text/plain"]}]
