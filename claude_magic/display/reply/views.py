"""Other views of a reply: JSON as a tree, HTML in a sandboxed frame that runs and loads nothing.

A frame's sandbox stops scripts, forms and pop-ups, and its policy every request, but neither stops a link in it
from taking the frame elsewhere. So the page stands in a frame within a frame: the outer one's policy allows no
frame to leave, which holds for clicks too. Names of hosts could still be looked up ahead: that is turned off, and
the elements that ask for it, which have no other use here, are made unknown ones.
Tried with some 70 elements in Chromium. An untrusted notebook shows no frames: there the text beside it remains.
Source: https://www.w3.org/TR/CSP3/#directive-frame-src
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from ..text.excerpt import cut, pretty
from ..text.plain import join_surrogates, plain

_MOST_NODES = 2_000
_MOST_HTML = 100_000  # characters
_LONGEST_TEXT = 2_000
_DEEPEST = 40
_OPEN_LEVELS = 2
_LONGEST_OPEN = 50  # items
_TREE_STYLE = re.sub(
    r"\s*\n\s*",
    " ",
    """
.cm-tree { font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px);
  line-height: 1.5; color: var(--jp-content-font-color1, inherit); overflow-wrap: anywhere; }
.cm-tree details > div { margin-left: 0.35em; padding-left: 1em;
  border-left: 1px solid var(--jp-border-color2, #e0e0e0); }
.cm-tree summary { cursor: pointer; width: fit-content; }
.cm-tree summary > i, .cm-tree .cm-more { color: var(--jp-content-font-color2, #6b6b6b); font-style: italic; }
.cm-tree strong { font-weight: 600; }
.cm-tree span { white-space: pre-wrap; }
.cm-tree .cm-text { color: var(--jp-mirror-editor-string-color, #b22222); }
.cm-tree .cm-value { color: var(--jp-mirror-editor-number-color, #080); }
""",
).strip()

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_HEAD = (
    '<!doctype html><meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    '<meta http-equiv="x-dns-prefetch-control" content="off">'
)
_FILLING = "position:fixed;inset:0;width:100%;height:100%;border:0"
_FRAME = "display:block;width:100%;height:100%;border:0;background:#fff;color-scheme:light"
_AROUND = (  # a frame itself cannot be resized by hand
    "height:24em;min-height:4em;padding-bottom:12px;resize:vertical;overflow:hidden;box-sizing:border-box;"
    "border:1px solid var(--jp-border-color2,#ccc)"
)
_LOOKS_AHEAD = re.compile(r"<link(?=[\s/>])|\bsrcdoc(?=[\s=])", re.IGNORECASE)


def json_view(value: Any) -> dict[str, str]:
    """The mime bundle of a JSON value: a folded tree, safe to show and of bounded size.

    Not `application/json`: front ends show it differently, and in an untrusted notebook not at all.
    """
    tree = _Tree()
    inner = tree.node("", value, depth=0)
    more = f'<div class="cm-more">… only the first {tree.nodes:,} values are shown here</div>' if tree.full else ""
    return {
        "text/html": f'<div class="cm-tree"><style>{_TREE_STYLE}</style>{inner}{more}</div>',
        "text/plain": plain(pretty(value, _MOST_HTML)),
    }


def html_view(page: str) -> dict[str, str]:
    """The mime bundle of a page in a frame: no script, no form, nothing fetched, whatever is clicked."""
    safe_page = _LOOKS_AHEAD.sub(lambda match: f"{match[0]}-off", join_surrogates(page))
    inner = _frame(_HEAD + safe_page, _FILLING)
    frame = _frame(_HEAD + inner, _FRAME)
    return {"text/html": f'<div style="{_AROUND}">{frame}</div>', "text/plain": plain(page)}


def _frame(document: str, style: str) -> str:
    return (
        '<iframe sandbox="" referrerpolicy="no-referrer" title="HTML of the reply" '
        f'style="{style}" srcdoc="{html.escape(document)}"></iframe>'
    )


class _Tree:
    """Builds the HTML of a tree of bounded size.

    Attributes:
        nodes: The number of values shown.
        full: Whether values are left out at the end.
    """

    def __init__(self) -> None:
        self.nodes = 0
        self.full = False
        self._size = 0

    def node(self, name: str, value: Any, depth: int) -> str:
        """HTML of a value and of the values in it."""
        self.nodes += 1
        label = f"<strong>{_escape(json.dumps(name, ensure_ascii=False), 200)}</strong>: " if name else ""
        if not isinstance(value, (dict, list, tuple)) or not value:
            return self._count_label(f"<div>{label}{_leaf(value)}</div>")
        is_object = isinstance(value, dict)
        unit = ("key" if is_object else "item") + ("" if len(value) == 1 else "s")
        count = f"<i>{len(value):,} {unit}</i>"
        if depth >= _DEEPEST:
            return self._count_label(f"<div>{label}{count} <i>(deeper levels are not shown)</i></div>")
        opened = " open" if depth < _OPEN_LEVELS and len(value) <= _LONGEST_OPEN else ""
        begin = self._count_label(f"<details{opened}><summary>{label}{count}</summary><div>")
        items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        return f"{begin}{''.join(self._inner(items, depth, is_object))}</div></details>"

    def _inner(self, items: Iterable[tuple[Any, Any]], depth: int, is_object: bool) -> Iterable[str]:
        for key, item in items:
            if self.nodes >= _MOST_NODES or self._size >= _MOST_HTML:
                self.full = True
                return
            yield self.node(str(key) if is_object else "", item, depth + 1)

    def _count_label(self, text: str) -> str:
        self._size += len(text)
        return text


def _leaf(value: Any) -> str:
    kind = "cm-text" if isinstance(value, str) else "cm-value"
    value = cut(value, _LONGEST_TEXT) if isinstance(value, str) else value
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return f'<span class="{kind}">{_escape(text, 2 * _LONGEST_TEXT)}</span>'


def _escape(text: str, limit: int) -> str:
    return html.escape(plain(cut(text, limit)), quote=False)
