"""The blocks of a tool's result as HTML: text, JSON as a tree, images from their own bytes, the rest as JSON.

A tool's result is as untrusted as a reply: nothing of it is loaded or run, and an image is shown only if its bytes
say that it is one of four kinds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from ...wire import Block
from ..text.excerpt import one_line, pretty, safe_content
from .steps import blocks_of, parse_json

MOST_IMAGE = 1_400_000  # characters of base64: about a megabyte
_MOST_BLOCKS = 30
_MOST_IMAGES = 8
_TEXT = 20_000
_TREE = 20_000
_IMAGE = (
    "display:block;max-width:min(100%,320px);max-height:240px;width:auto;height:auto;margin:0.4em 0;background:#fff;"
    "border:1px solid var(--jp-border-color2,#e0e0e0)"
)


def blocks_html(content: Any) -> str:
    """What a result holds, safe to show and of bounded size."""
    blocks = blocks_of({"content": content})
    if not blocks:
        return '<div class="cm-none">nothing</div>' if not content else json_html(content)
    result = "".join(_block_pieces(blocks[:_MOST_BLOCKS]))
    left = len(blocks) - _MOST_BLOCKS
    return result + (f'<div class="cm-none">… {left:,} more blocks not shown</div>' if left > 0 else "")


def text_html(text: str) -> str:
    """Text in its own lines."""
    return f'<pre class="cm-json">{safe_content(text, _TEXT)}</pre>'


def json_html(value: object) -> str:
    """A value as indented JSON."""
    return text_html(pretty(value, _TEXT))


def image_html(source: object) -> str:
    """An image from its base64 data; a line about it if it is none that can be shown."""
    data = source.get("data") if isinstance(source, Mapping) else None
    if not isinstance(data, str):
        return _omission("an image that is not here")
    if len(data) > MOST_IMAGE:
        return _omission(f"an image of about {len(data) * 3 // 4:,} bytes: too large to be shown here")
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    kind = _kind(content)
    if not kind:
        return _omission("an image of an unknown kind")
    data = base64.b64encode(content).decode("ascii")
    return f'<img src="data:image/{kind};base64,{data}" alt="image of the result" style="{_IMAGE}">'


def _kind(content: bytes) -> str:
    """What an image is, by its first bytes."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def _block_pieces(blocks: Iterable[Block]) -> Iterable[str]:
    images = 0
    for block in blocks:
        text = block.get("text")
        if block.get("type") == "text" and isinstance(text, str):
            parsed = parse_json(text)
            yield text_html(text) if not isinstance(parsed, dict | list) or not parsed else _tree(parsed)
        elif block.get("type") == "image" and images < _MOST_IMAGES:
            images += 1
            yield image_html(block.get("source"))
        else:
            yield json_html(block)


def _tree(value: object) -> str:
    from .views import json_view

    tree = json_view(value)["text/html"]
    return tree if len(tree) <= 2 * _TREE else json_html(value)


def _omission(text: str) -> str:
    return f'<div class="cm-none">{one_line(text)}</div>'
