"""An upper bound of the input tokens of a request, computed without a request to the API."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..wire.attachment_kinds import kind_of
from .figures import UnknownCount, object_field, object_list

TOOLS_TOKENS = 1_000  # for the system prompt that the API adds if there are tools or an output schema
MESSAGE_TOKENS = 20  # the overhead of a message
REQUEST_TOKENS = 100  # the overhead of a request

# Fields that add no input beyond their own text.
_KNOWN_FIELDS = frozenset(
    ("model", "max_tokens", "messages", "system", "stream", "stop_sequences", "tools", "tool_choice")
)
_KNOWN_FIELDS |= {"thinking", "output_config", "cache_control", "metadata", "service_tier", "speed", "inference_geo"}
_KNOWN_FIELDS |= {"diagnostics", "temperature", "top_p", "top_k", "prompt", "max_tokens_to_sample"}
_KNOWN_FIELDS |= {"stop", "stream_options", "parallel_tool_calls", "response_format"}  # of OpenAI's form
_JSON_BLOCKS = ("thinking", "redacted_thinking", "tool_use", "search_result")
_API_DEFINED_TOOLS = ("bash_", "text_editor_")  # documented: 245 and 700 tokens


def token_bound(body: Mapping[str, Any]) -> int | None:
    """An upper bound of the input tokens of a request: a token has at least one byte.

    Args:
        body: The request, as the API's JSON.

    Returns:
        `None` if it holds anything whose size is not visible: PDFs and files, citations, tools that the API runs,
        unknown fields.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/vision
    """
    try:
        return _bound(body)
    except UnknownCount:
        return None


def _bound(body: Mapping[str, Any]) -> int:
    if any(value for name, value in body.items() if name not in _KNOWN_FIELDS):
        raise UnknownCount
    tools, config = object_list(body, "tools"), object_field(body, "output_config")
    return (
        REQUEST_TOKENS
        + _content(body.get("system"))
        + (_text(body["prompt"]) if "prompt" in body else 0)
        + sum(map(_tool, tools))
        + (TOOLS_TOKENS if tools else 0)
        + (TOOLS_TOKENS + _json(config["format"]) if config.get("format") else 0)
        + (TOOLS_TOKENS + _json(body["response_format"]) if body.get("response_format") else 0)
        + sum(map(_message, object_list(body, "messages")))
    )


def _message(message: Mapping[str, Any]) -> int:
    calls = _json(message["tool_calls"]) if message.get("tool_calls") else 0
    return MESSAGE_TOKENS + _content(message.get("content")) + calls


def _tool(tool: Mapping[str, Any]) -> int:
    kind = tool.get("type")
    if kind in (None, "custom", "function"):
        return _json(tool)
    if str(kind).startswith(_API_DEFINED_TOOLS):
        return _json(tool) + TOOLS_TOKENS
    raise UnknownCount


def _content(content: object) -> int:
    if isinstance(content, str):
        return _text(content)
    return sum(map(_block, object_list({"content": content}, "content")))


def _block(block: Mapping[str, Any]) -> int:
    kind = block.get("type")
    if kind != "text" and object_field(block, "citations").get(
        "enabled"
    ):  # the API adds instructions, and splits the text
        raise UnknownCount
    if kind == "text":
        return _text(block.get("text")) + (_json(block["citations"]) if block.get("citations") else 0)
    if kind == "tool_result":
        return _json({**block, "content": None}) + _content(block.get("content"))
    if kind in _JSON_BLOCKS:
        return _json(block)
    if attachment_kind := kind_of(block):
        bound = attachment_kind.max_tokens
        return _json({**block, "source": None}) + _source(object_field(block, "source")) if bound is None else bound
    raise UnknownCount


def _source(source: Mapping[str, Any]) -> int:
    if source.get("type") == "text":
        return _text(source.get("data"))
    if source.get("type") == "content":
        return _content(source.get("content"))
    raise UnknownCount


def _text(text: object) -> int:
    """The number of bytes, also if a tokenizer normalizes the text: NFKC can replace one character by many.

    Each character is normalized separately, as `normalize` takes quadratic time for a long row of accents.
    """
    if not isinstance(text, str):
        raise UnknownCount
    if text.isascii():
        return len(text)
    return sum(_bytes(character) * count for character, count in Counter(text).items())


def _bytes(character: str) -> int:
    forms = (character, unicodedata.normalize("NFKC", character))
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)


def _json(value: object) -> int:
    return len(json.dumps(value))
