"""Forms of a reply other than rendered Markdown: JSON as a tree, a page in a frame that runs nothing."""

from __future__ import annotations

import html
import json
from typing import Any

from .plain import plain

_NODES = 2_000
_LONGEST = 2_000  # characters of one text
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"


def json_view(value: Any) -> dict[str, str]:
    """The mime bundle of a JSON value: a folded tree, safe to show."""
    left = [_NODES]
    tree = _node("", value, left, depth=0)
    more = "<div>… more than is shown here</div>" if left[0] <= 0 else ""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return {"text/html": f'<div class="cm-tree">{tree}{more}</div>', "text/plain": plain(text[:100_000])}


def html_view(page: str) -> dict[str, str]:
    """The mime bundle of a page in a frame: no script, no form, nothing fetched.

    The frame's sandbox forbids scripts, forms, pop-ups and refreshes; its policy forbids every request.
    """
    head = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    document = html.escape(f"<!doctype html><html><head>{head}</head><body>{plain(page)}</body></html>", quote=True)
    style = "width:100%;height:24em;resize:vertical;border:1px solid var(--jp-border-color2,#ccc);background:#fff"
    frame = f'<iframe sandbox="" referrerpolicy="no-referrer" srcdoc="{document}" style="{style}"></iframe>'
    return {"text/html": frame, "text/plain": plain(page)}


def _node(name: str, value: Any, left: list[int], depth: int) -> str:
    if left[0] <= 0:
        return ""
    left[0] -= 1
    label = f"<strong>{html.escape(plain(name))}</strong>: " if name else ""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        if depth > 40:
            return f"<div>{label}…</div>"
        inner = "".join(_node(str(key), item, left, depth + 1) for key, item in items)
        count = f"{len(value)} {'keys' if isinstance(value, dict) else 'items'}"
        opened = " open" if depth < 2 else ""
        style = "margin-left:1.2em"
        return f'<details{opened}><summary>{label}{count}</summary><div style="{style}">{inner}</div></details>'
    text = json.dumps(value, ensure_ascii=False, default=str)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST:,} characters more)"
    return f"<div>{label}<code>{html.escape(plain(shown))}</code></div>"
