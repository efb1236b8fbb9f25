"""JSON as a folded tree of `<details>`, which needs no script: the first levels open, the rest closed.

Names and values are untrusted: each passes `text.excerpt`, and stands in the content of an element only. The number of
nodes, their depth and the length of each are bounded, and what is left out is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ..text.excerpt import clean, one_line, plain_line, safe_content

_MOST_NODES = 3_000
_MOST_ITEMS = 200  # of one object or list
_DEEPEST = 40
_OPEN_DEPTH = 2
_OPEN_ITEMS = 30  # an object or list of more is closed
_NAME_LIMIT = 200
_TEXT_LIMIT = 4_000
_PREVIEW = 80  # characters of what is folded
_IGNORED = "mathjax_ignore tex2jax_ignore"
STYLE = (
    "<style>.cm-tree.cm-tree{font-family:var(--jp-code-font-family,monospace);"
    "font-size:var(--jp-code-font-size,13px);line-height:1.5;overflow-wrap:anywhere}"
    ".cm-tree.cm-tree .cm-node{padding-left:1.2em}.cm-tree.cm-tree summary{cursor:pointer;margin-left:-1.1em}"
    ".cm-tree.cm-tree .cm-leaf{white-space:pre-wrap}"
    ".cm-tree .cm-name{color:var(--jp-mirror-editor-attribute-color,#0a5fa8)}"
    ".cm-tree .cm-count,.cm-tree details[open]>summary>.cm-ahead{opacity:.65}"
    ".cm-tree details[open]>summary>.cm-ahead{display:none}"
    ".cm-tree .cm-text{color:var(--jp-mirror-editor-string-color,#a31515)}"
    ".cm-tree .cm-number{color:var(--jp-mirror-editor-number-color,#098658)}"
    ".cm-tree .cm-word{color:var(--jp-mirror-editor-keyword-color,#7a1fa2)}</style>"
)


class _Count:
    """The nodes that may still be shown."""

    def __init__(self) -> None:
        self.left = _MOST_NODES

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def tree_html(value: Any) -> str:
    """HTML of a value, safe to put into a page, of bounded size."""
    return f'{STYLE}<div class="cm-tree {_IGNORED}">{_node("", value, 0, _Count())}</div>'


def tree_text(value: Any, limit: int = 20_000) -> str:
    """The same as indented JSON, for a terminal."""
    from ..text.excerpt import pretty

    return clean(pretty(value, limit), 2 * limit)


def _node(name: str, value: Any, depth: int, count: _Count) -> str:
    if not count.take():
        return ""
    label = f'<span class="cm-name">{one_line(name, _NAME_LIMIT)}</span>: ' if name else ""
    if isinstance(value, Mapping | list | tuple) and value:
        return _branch(label, value, depth, count)
    return f'<div class="cm-node cm-leaf">{label}{_leaf(value)}</div>'


def _branch(label: str, value: Any, depth: int, count: _Count) -> str:
    unit = "names" if isinstance(value, Mapping) else "items"
    head = f'{label}<span class="cm-count">{len(value):,} {unit}</span>'
    if depth >= _DEEPEST:
        return f'<div class="cm-node">{head} <span class="cm-count">… deeper levels not shown</span></div>'
    inner = "".join(_node(each, item, depth + 1, count) for each, item in _items(value))
    left = len(value) - _MOST_ITEMS
    more = f"{left:,} more not shown" if left > 0 else "more not shown" if count.left < 0 else ""
    inner += f'<div class="cm-node cm-count">… {more}</div>' if more else ""
    is_open = " open" if depth < _OPEN_DEPTH and (len(value) <= _OPEN_ITEMS or not depth) else ""
    ahead = f' <span class="cm-ahead">{_ahead(value)}</span>'
    return f'<details class="cm-node"{is_open}><summary>{head}{ahead}</summary>{inner}</details>'


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, item in islice(pairs, _MOST_ITEMS):
        yield str(name) or '""', item


def _ahead(value: Any) -> str:
    """The beginning of what is folded, on one line."""
    return one_line(brief(value, _PREVIEW), 2 * _PREVIEW)


def brief(value: Any, limit: int) -> str:
    """The beginning of a value as compact JSON, of at most `limit` characters; large values are not read whole."""
    text = json.dumps(_beginning(value, limit, 0), ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _beginning(value: Any, limit: int, depth: int) -> Any:
    if depth > 4 and isinstance(value, Mapping | list | tuple):
        return "…"
    if isinstance(value, Mapping):
        return {str(k)[:limit]: _beginning(v, limit, depth + 1) for k, v in islice(value.items(), limit // 4 + 1)}
    if isinstance(value, list | tuple):
        return [_beginning(v, limit, depth + 1) for v in islice(value, limit // 4 + 1)]
    return value[: limit + 1] if isinstance(value, str) else value


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return f'<span class="cm-text">{safe_content(json.dumps(value, ensure_ascii=False), _TEXT_LIMIT)}</span>'
    if isinstance(value, bool) or value is None:
        return f'<span class="cm-word">{json.dumps(value)}</span>'
    if isinstance(value, int | float):
        return f'<span class="cm-number">{plain_line(_number(value), 100)}</span>'
    return "{}" if isinstance(value, Mapping) else "[]"


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) >= 10**300:
        return "a number too large"
    return repr(value)
