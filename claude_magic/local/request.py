"""A request as the local model can take it, and what it cannot take.

llama.cpp translates the Messages API for its own chat completions, and drops what it does not know without a word.
Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-chat.cpp
(server_chat_convert_anthropic_to_oai)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..wire import Block
from ..wire.attachment_kinds import KINDS, kind_of

MAX_TOKENS = 300  # beyond, a small model repeats itself
TEMPERATURE = 0
_SAMPLING = ("temperature", "top_p", "top_k")
_TAKEN = {"model", "messages", "max_tokens", "system", "stream", "stop_sequences", "metadata", *_SAMPLING}
_TAKEN |= {"tools", "tool_choice", "chat_template_kwargs"}
_OPTIONS = {"thinking": "--thinking", "mcp_servers": "--mcp"}


def sampling(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The sampling fields that a request gets by itself; none if it has one."""
    return {} if any(name in fields for name in _SAMPLING) else {"temperature": TEMPERATURE}


def readable(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages with text documents as text, and without images, PDFs and files."""
    return [{**message, "content": _readable(message.get("content"))} for message in messages]


def ignored(body: Mapping[str, Any], messages: Iterable[Mapping[str, Any]], *, calls_tools: bool) -> list[str]:
    """What the local model takes no notice of, as it is written on a cell's first line.

    Args:
        messages: Those of this cell, with all that is attached.
        calls_tools: Whether the model may know how to call a tool; the one that is installed does not.
    """
    found = [_OPTIONS.get(name, f"--param {name}") for name in body if name not in _TAKEN | {"output_config"}]
    output = body.get("output_config")
    for name in output if isinstance(output, dict) else ():
        found.append({"effort": "--effort", "format": "--schema"}.get(name, f"--param output_config {name}"))
    for tool in body.get("tools") or ():
        if name := _ignored_tool(tool, calls_tools):
            found.append(name)
    found += [_media(block) for message in messages for block in _blocks(message) if not _is_readable(block)]
    return list(dict.fromkeys(found))


def _ignored_tool(tool: Any, calls_tools: bool) -> str:
    """The option that a tool came from; `""` if the model is told of it."""
    kind = str(tool.get("type") or "custom") if isinstance(tool, dict) else ""
    if kind == "custom":
        return "" if calls_tools else "--tools"
    if kind == "mcp_toolset":
        return "--mcp"
    return "--" + str(tool.get("name", kind)).replace("_", "-") if isinstance(tool, dict) else ""


def _readable(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [_as_text(block) for block in content if _is_readable(block)]


def _blocks(message: Mapping[str, Any]) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _is_readable(block: Any) -> bool:
    kind = kind_of(block) if isinstance(block, dict) else None
    if kind is None or not kind.formats:
        return True
    return block["type"] == "document" and _source(block).get("type") == "text"


def _source(block: Block) -> Mapping[str, Any]:
    source = block.get("source")
    return source if isinstance(source, dict) else {}


def _as_text(block: Any) -> Any:
    """A document of text as a text, which is how llama.cpp reads it; and so in a tool's result."""
    if not isinstance(block, dict):
        return block
    if block.get("type") == "document":
        title = block.get("title")
        return {
            "type": "text",
            "text": (f"{title}:\n\n" if title else "") + str(_source(block).get("data", "")) + "\n\n",
        }
    if block.get("type") == "tool_result" and isinstance(block.get("content"), list):
        return {**block, "content": _readable(block["content"])}
    return block


def _media(block: Block) -> str:
    """What a block is, in words."""
    title, source = block.get("title"), _source(block)
    if source.get("type") == "file":
        return f"{block['type']} of the Files API"
    kind = KINDS[block["type"]].file_label
    return f"{kind} {title}" if title else kind
