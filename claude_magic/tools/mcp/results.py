"""Converts the result of a server's tool to content blocks. Nothing is dropped: what cannot be sent is described.

Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...wire.message import Block, fix_surrogates
from ...wire.tool import Content, File

_FILES = ("image", "audio")
_NO_TEXT = (*_FILES, "resource", "resource_link")
_NO_BLOCK = object()


def content(result: Mapping[str, Any], output_schema: Any = None) -> Content:
    """The blocks of a result as the server sent it; none if it is empty.

    Args:
        output_schema: The schema of the tool's results; a result that does not match is kept, with a note.
    """
    items = result.get("content")
    items = items if isinstance(items, list) else [] if items is None else [items]
    blocks = [block for item in items for block in _blocks(item)]
    structured = result.get("structuredContent", _NO_BLOCK)
    if structured not in (_NO_BLOCK, None) and not _is_in_text(structured, items):
        blocks.append(_text(json.dumps(structured, ensure_ascii=False)))
    failed = result.get("isError") is True
    if not failed and (fault := _fault(structured, output_schema)):
        blocks.append(_text(f"(The result is not as the tool's outputSchema says: {fault})"))
    return Content(blocks=tuple(blocks), failed=failed)


def _blocks(item: Any) -> Iterator[Block | File]:
    kind = item.get("type") if isinstance(item, dict) else None
    text = item.get("text") if kind == "text" else item
    if isinstance(text, str):
        if text.strip():  # the API refuses a block without text
            yield _text(text)
    elif kind in _FILES and isinstance(item.get("data"), str):
        yield _file(item["data"], item.get("mimeType"), str(kind))
    elif kind == "resource_link":
        about = ", ".join(str(item[key]) for key in ("description", "mimeType") if item.get(key))
        yield _text(f"[link to {item.get('title') or item.get('name')}: {item.get('uri')}{f': {about}' * bool(about)}]")
    elif kind == "resource" and isinstance(item.get("resource"), dict):
        yield from _resource(item["resource"])
    else:
        yield _text(json.dumps(item, ensure_ascii=False))


def _resource(resource: Mapping[str, Any]) -> Iterator[Block | File]:
    yield _text(f"[{resource.get('uri')}]")
    text, data = resource.get("text"), resource.get("blob")
    if isinstance(data, str):
        yield _file(data, resource.get("mimeType"), "file")
    if isinstance(text, str) and text.strip():
        yield _text(text)
    if not isinstance(data, str) and not isinstance(text, str):
        yield _text(json.dumps(resource, ensure_ascii=False))


def _file(data: str, media_type: Any, what: str) -> Block | File:
    """Decodes base64, also from a data URL, with line breaks, in the URL-safe alphabet, or without padding."""
    kind = media_type if isinstance(media_type, str) else ""
    bare = "".join(data.rpartition(";base64,")[2].split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return File(data=base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True), media_type=kind)
    except (binascii.Error, ValueError):
        begins = f", it begins {data[:60]!r}" if data else ""
        return _text(f"[{what}, {kind or 'of no type'}: not sent, its base64 is broken{begins}]")


def _text(text: str) -> Block:
    return {"type": "text", "text": fix_surrogates(text)}


def _is_in_text(structured: Any, items: Sequence[Any]) -> bool:
    """Whether the items already hold the structured value, as the specification requires of servers.

    The official package wraps other values than objects in `{"result": ...}`, and writes a list item by item, also one
    of content blocks.
    """
    texts = [text for text in map(_text_of, items) if isinstance(text, str)]
    parsed = [_parse_json(text) for text in texts]
    values = [structured]
    if isinstance(structured, dict) and list(structured) == ["result"]:
        values.append(structured["result"])
    return any(value in parsed or value in texts or _is_listed(value, parsed, texts) for value in values)


def _is_listed(value: Any, parsed: Sequence[Any], texts: Sequence[str]) -> bool:
    """Whether the items are those of the list `value`, some of which may be blocks."""
    if not isinstance(value, list):
        return False
    left = [_text_of(each) for each in value if not (isinstance(each, dict) and each.get("type") in _NO_TEXT)]
    return left in (parsed, list(texts)) and bool(value)


def _text_of(item: Any) -> Any:
    """The text of a text block; any other item unchanged."""
    return item["text"] if isinstance(item, dict) and "text" in item else item


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _fault(structured: Any, output_schema: Any) -> str:
    """Why a structured result does not match its schema; `""` if it does. Remote references are never fetched."""
    if not isinstance(output_schema, dict):
        return ""
    if structured is _NO_BLOCK:
        return "it has no structuredContent"
    import jsonschema
    import referencing

    checker: Any = jsonschema.validators.validator_for(output_schema, default=jsonschema.Draft202012Validator)
    try:
        best: Any = jsonschema.exceptions.best_match
        error = best(checker(output_schema, registry=referencing.Registry()).iter_errors(structured))
    except Exception as wrong:  # the schema itself is broken
        return f"the schema cannot be used: {' '.join(str(wrong).split())[:200]}"
    return "" if error is None else " ".join(str(error.message).split())[:300]
