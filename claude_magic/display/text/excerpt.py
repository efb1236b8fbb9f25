"""Prepares untrusted text for display: shortens it, redacts keys, strips control characters, escapes HTML.

The order matters: a key is redacted before a cut could halve it, and again after stripping, which could join one.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from .media import media_note
from .plain import plain

BODY_LIMIT = 20_000
STRING_LIMIT = 8_000
_BASE64_SHOWN = 60
_DEEPEST = 40
_WIDTH = 80  # columns of a line of JSON, the name of a field not counted
_MOST_ITEMS = 400
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")
_KEY = re.compile(r"sk-ant-(?!(?:[a-z]+\d\d-)?\w{2,4}\.\.\.\w{2,4}(?![\w-])|\(not)[\w-]*")  # no hint of the API


def safe(text: str, limit: int = BODY_LIMIT) -> str:
    """HTML that shows `text`, for an element's content or a quoted attribute."""
    return html.escape(clean(text, limit), quote=True)


def safe_content(text: str, limit: int = BODY_LIMIT) -> str:
    """HTML that shows `text` inside an element only: JSON's many quotes stay one byte each."""
    return html.escape(clean(text, limit), quote=False)


_NOTICE = 32  # characters of what says how much is left out


def one_line(text: str, limit: int = BODY_LIMIT) -> str:
    """`safe`, with runs of whitespace, line ends included, as one space."""
    return html.escape(plain_line(text, limit), quote=True)


def line_content(text: str, limit: int = BODY_LIMIT) -> str:
    """`safe_content`, with runs of whitespace as one space."""
    return html.escape(plain_line(text, limit), quote=False)


def plain_line(text: str, limit: int = BODY_LIMIT) -> str:
    """What `one_line` shows, as text that is not HTML."""
    return clean(" ".join(without_key(text).split()), limit)


def short_line(text: str, limit: int) -> str:
    """`plain_line` of at most `limit` characters, with `…` for what is left out; long texts are not read whole."""
    return _ends(plain_line(_ends(without_key(text), 4 * limit)), limit)


def _ends(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - head - 1) :]}"


def cut(text: str, limit: int) -> str:
    """`text`, its middle left out if it is longer than `limit` characters, and how much was, which takes room too."""
    if len(text) <= limit + _NOTICE:
        return text
    tail = limit // 4
    head = limit - tail
    return f"{text[:head]} … {len(text) - limit:,} characters not shown … {text[-tail:]}"


def pretty(value: object, limit: int = BODY_LIMIT, strings: int = STRING_LIMIT) -> str:
    """`value` as indented JSON in readable characters; what fits on a line is on one.

    Args:
        limit: The most characters of all of it.
        strings: The most characters of a string in it.
    """
    return cut(_indent(_brief(value, strings), _WIDTH), limit)


def _indent(value: Any, width: int) -> str:
    """`value` as JSON, an item a line if it is wider than `width` columns."""
    flat = json.dumps(value, ensure_ascii=False, default=repr)
    if not isinstance(value, (dict, list)) or not value or len(flat) <= width:
        return flat
    if isinstance(value, dict):
        items = [f"{json.dumps(name, ensure_ascii=False)}: {_indent(item, width - 2)}" for name, item in value.items()]
    else:
        items = [_indent(item, width - 2) for item in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    lines = ",\n".join(items).replace("\n", "\n  ")
    return f"{start}\n  {lines}\n{end}"


def clean(text: str, limit: int) -> str:
    """What `safe` shows, before it is escaped."""
    text = cut(without_key(text), limit)
    return text if text.isprintable() else without_key(plain(text))  # of printable text nothing is stripped


def without_key(text: str) -> str:
    """`text` with API keys redacted."""
    return _KEY.sub("sk-ant-(not shown)", text) if "sk-ant-" in text else text


def _brief(value: object, limit: int, depth: int = 0) -> Any:
    """A copy of `value` in which nothing is too long, too deep, or not JSON."""
    if isinstance(value, str):
        return _brief_string(value, limit)
    if depth > _DEEPEST and isinstance(value, (Mapping, list, tuple)):
        return "… deeper levels not shown …"
    if isinstance(value, Mapping):
        media = media_note(value)
        pairs = list({**value, "data": f"({media})"}.items() if media else value.items())
        brief = {_brief_string(str(name), limit): _brief(item, limit, depth + 1) for name, item in pairs[:_MOST_ITEMS]}
        if len(pairs) > _MOST_ITEMS:
            brief["…"] = f"{len(pairs) - _MOST_ITEMS:,} more not shown"
        return brief
    if isinstance(value, (list, tuple)):
        return _brief_list(value, limit, depth)
    return value


def _brief_list(items: list[Any] | tuple[Any, ...], limit: int, depth: int) -> list[Any]:
    if len(items) <= _MOST_ITEMS:
        return [_brief(item, limit, depth + 1) for item in items]
    half = _MOST_ITEMS // 2
    return [
        *(_brief(item, limit, depth + 1) for item in items[:half]),
        f"… {len(items) - 2 * half:,} more not shown …",
        *(_brief(item, limit, depth + 1) for item in items[-half:]),
    ]


def _brief_string(text: str, limit: int) -> str:
    text = without_key(text)
    if len(text) >= 400 and _BASE64.fullmatch(text):
        return f"{text[:_BASE64_SHOWN]}… {len(text) - _BASE64_SHOWN:,} characters of base64 not shown"
    return cut(text, limit)
