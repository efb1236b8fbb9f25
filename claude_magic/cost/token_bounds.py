"""More input tokens than a request can have, told without asking anybody."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..wire.attachment_kinds import kind_of
from .figures import UnknownCount, inner, mappings

TOOLS_TOKENS = 1_000  # the system prompt that the API writes when there are tools, or a schema to keep to
MESSAGE_TOKENS = 20  # what stands around a message
REQUEST_TOKENS = 100  # and around all of them

# What a request may say without adding input that is not seen in it.
_SEEN = frozenset(("model", "max_tokens", "messages", "system", "stream", "stop_sequences", "tools", "tool_choice"))
_SEEN |= {"thinking", "output_config", "cache_control", "metadata", "service_tier", "speed", "inference_geo"}
_SEEN |= {"diagnostics", "temperature", "top_p", "top_k"}
_AS_JSON = ("thinking", "redacted_thinking", "tool_use", "search_result")
_DESCRIBED_BY_THE_API = ("bash_", "text_editor_")  # documented: 245 and 700 tokens


def token_bound(body: Mapping[str, Any]) -> int | None:
    """More input tokens than a request can have, without asking anybody: a token is a byte at least.

    Args:
        body: The request, as the API's JSON.

    Returns:
        `None` if it holds what is not seen here: PDFs and files, citations, tools that the API runs, fields
        that are not known here.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/vision
    """
    try:
        return _bound(body)
    except UnknownCount:
        return None


def _bound(body: Mapping[str, Any]) -> int:
    if any(value for name, value in body.items() if name not in _SEEN):
        raise UnknownCount
    tools, config = mappings(body, "tools"), inner(body, "output_config")
    return (
        REQUEST_TOKENS
        + _content(body.get("system"))
        + sum(map(_tool, tools))
        + (TOOLS_TOKENS if tools else 0)
        + (TOOLS_TOKENS + _json(config["format"]) if config.get("format") else 0)
        + sum(MESSAGE_TOKENS + _content(message.get("content")) for message in mappings(body, "messages"))
    )


def _tool(tool: Mapping[str, Any]) -> int:
    kind = tool.get("type")
    if kind is None or kind == "custom":
        return _json(tool)
    if str(kind).startswith(_DESCRIBED_BY_THE_API):
        return _json(tool) + TOOLS_TOKENS
    raise UnknownCount


def _content(content: object) -> int:
    if isinstance(content, str):
        return _text(content)
    return sum(map(_block, mappings({"content": content}, "content")))


def _block(block: Mapping[str, Any]) -> int:
    kind = block.get("type")
    if kind != "text" and inner(block, "citations").get("enabled"):  # the API adds instructions, and cuts it up
        raise UnknownCount
    if kind == "text":
        return _text(block.get("text")) + (_json(block["citations"]) if block.get("citations") else 0)
    if kind == "tool_result":
        return _json({**block, "content": None}) + _content(block.get("content"))
    if kind in _AS_JSON:
        return _json(block)
    if attached := kind_of(block):
        bound = attached.max_tokens
        return _json({**block, "source": None}) + _source(inner(block, "source")) if bound is None else bound
    raise UnknownCount


def _source(source: Mapping[str, Any]) -> int:
    if source.get("type") == "text":
        return _text(source.get("data"))
    if source.get("type") == "content":
        return _content(source.get("content"))
    raise UnknownCount


def _text(text: object) -> int:
    """Its bytes, as it is or as a tokenizer may write it out: one letter of compatibility can be many.

    Letter by letter, since `normalize` takes quadratic time on a long row of accents.
    """
    if not isinstance(text, str):
        raise UnknownCount
    return len(text) if text.isascii() else sum(_bytes(letter) * count for letter, count in Counter(text).items())


def _bytes(letter: str) -> int:
    return max(len(form.encode("utf-8", "surrogatepass")) for form in (letter, unicodedata.normalize("NFKC", letter)))


def _json(value: object) -> int:
    return len(json.dumps(value))
