"""What a server's tool gave, as content blocks.

Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ToolFailed
from ..wire.message import Block, sound
from ..wire.tool import Content

if TYPE_CHECKING:
    from mcp_types import CallToolResult

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_PDF = "application/pdf"
_MOST_OF_AN_ERROR = 10_000  # characters


def content(result: CallToolResult) -> Content:
    """The blocks of `result`; none if the tool gave nothing.

    Raises:
        ToolFailed: The tool says that it failed; the text is its own.
    """
    blocks = [block for item in result.content for block in _blocks(item)]
    texts = [str(block["text"]) for block in blocks if block["type"] == "text"]
    if result.is_error:
        said = "\n".join(texts) or "the tool failed and did not say why."
        raise ToolFailed(said if len(said) <= _MOST_OF_AN_ERROR else said[:_MOST_OF_AN_ERROR] + "… (cut)")
    structured = result.structured_content
    if structured is not None and len(texts) == len(blocks) and not _is_said(structured, texts):
        blocks.append(_text(json.dumps(structured, ensure_ascii=False)))
    return Content(blocks=tuple(blocks))


def _blocks(item: Any) -> Iterator[Block]:
    if item.type == "text":
        if item.text.strip():  # the API refuses a block without text
            yield _text(item.text)
    elif item.type == "image":
        yield _file(item.data, item.mime_type, "an image")
    elif item.type == "audio":
        yield _text(f"[audio, {item.mime_type}: not passed on, the API takes none]")
    elif item.type == "resource_link":
        about = f": {item.description}" if item.description else ""
        yield _text(f"[link to {item.title or item.name}: {item.uri}{about}]")
    elif item.type == "resource":
        yield from _resource(item.resource)
    else:
        yield _text(f"[{item.type}: not passed on]")


def _resource(resource: Any) -> Iterator[Block]:
    yield _text(f"[{resource.uri}]")
    text = getattr(resource, "text", None)
    if text is None:
        yield _file(resource.blob, resource.mime_type or "", "a file")
    elif text.strip():
        yield _text(text)


def _file(data: str, media_type: str, what: str) -> Block:
    """Base64 `data` as a block, or a word in its place."""
    kind = media_type.split(";")[0].strip().lower()
    kind = {"image/jpg": "image/jpeg"}.get(kind, kind)
    try:
        size = len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return _text(f"[{what}, {kind or 'of no type'}: not passed on, its base64 is broken]")
    if kind not in (*_IMAGES, _PDF) or not size:
        return _text(f"[{what}, {kind or 'of no type'}, {size:,} bytes: not passed on, the API does not take it]")
    source = {"type": "base64", "media_type": kind, "data": data}
    return {"type": "document" if kind == _PDF else "image", "source": source}


def _text(text: str) -> Block:
    return {"type": "text", "text": sound(text)}


def _is_said(structured: Any, texts: Sequence[str]) -> bool:
    """Whether `texts` hold the structured value already, as the specification asks of servers.

    The official package wraps what is no object in `{"result": ...}`, and writes a list item by item, also
    one of content blocks. Beside a picture or a file, nothing is added: it could be the same once more.
    """
    said = [_parsed(text) for text in texts]
    values = [structured]
    if isinstance(structured, dict) and list(structured) == ["result"]:
        values.append(structured["result"])
    same = (value in said or value == said or value in texts or _texts(value) == list(texts) for value in values)
    return bool(texts) and any(same)


def _texts(value: Any) -> list[Any]:
    """A list, with the texts of blocks in the place of blocks."""
    items = value if isinstance(value, list) else []
    return [item["text"] if isinstance(item, dict) and "text" in item else item for item in items]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
