"""Adapts requests to the local model, and lists what it ignores.

llama.cpp translates the Messages API to its own chat completions, and drops what it does not know silently.
Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-chat.cpp
(server_chat_convert_anthropic_to_oai)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..wire import Block
from ..wire.attachment_kinds import KINDS, kind_of

MAX_TOKENS = 300  # in longer replies, a small model repeats itself
TEMPERATURE = 0
_SAMPLING = ("temperature", "top_p", "top_k")
_SUPPORTED_FIELDS = {"model", "messages", "max_tokens", "system", "stream", "stop_sequences", "metadata", *_SAMPLING}
_SUPPORTED_FIELDS |= {"tools", "tool_choice", "chat_template_kwargs"}
_OPTIONS = {"thinking": "--thinking", "mcp_servers": "--mcp"}


def default_sampling(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The sampling fields to add to a request; none if it has one."""
    return {} if any(name in fields for name in _SAMPLING) else {"temperature": TEMPERATURE}


def convert_messages(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages with text documents as text blocks, and without images, PDFs and files."""
    return [{**message, "content": _convert_content(message.get("content"))} for message in messages]


def ignored_options(body: Mapping[str, Any], messages: Iterable[Mapping[str, Any]], *, calls_tools: bool) -> list[str]:
    """The options and attachments that the local model ignores, as written on a cell's first line.

    Args:
        messages: Those of this cell, with all attachments.
        calls_tools: Whether the model may be able to call tools; the installed one is not.
    """
    known = _SUPPORTED_FIELDS | {"output_config"}
    options = [_OPTIONS.get(name, f"--param {name}") for name in body if name not in known]
    output = body.get("output_config")
    for name in output if isinstance(output, dict) else ():
        options.append({"effort": "--effort", "format": "--schema"}.get(name, f"--param output_config {name}"))
    for tool in body.get("tools") or ():
        if name := _ignored_tool(tool, calls_tools):
            options.append(name)
    blocks = (block for message in messages for block in _blocks(message))
    options += [_attachment_name(block) for block in blocks if not _is_supported(block)]
    return list(dict.fromkeys(options))


def _ignored_tool(tool: Any, calls_tools: bool) -> str:
    """The option that a tool came from; `""` if the model can use the tool."""
    kind = str(tool.get("type") or "custom") if isinstance(tool, dict) else ""
    if kind == "custom":
        return "" if calls_tools else "--tools"
    if kind == "mcp_toolset":
        return "--mcp"
    return "--" + str(tool.get("name", kind)).replace("_", "-") if isinstance(tool, dict) else ""


def _convert_content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [_as_text(block) for block in content if _is_supported(block)]


def _blocks(message: Mapping[str, Any]) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _is_supported(block: Any) -> bool:
    kind = kind_of(block) if isinstance(block, dict) else None
    if kind is None or not kind.formats:
        return True
    return block["type"] == "document" and _source(block).get("type") == "text"


def _source(block: Block) -> Mapping[str, Any]:
    source = block.get("source")
    return source if isinstance(source, dict) else {}


def _as_text(block: Any) -> Any:
    """Turns a text document into a text block, which llama.cpp can read; also in a tool's result."""
    if not isinstance(block, dict):
        return block
    if block.get("type") == "document":
        title = block.get("title")
        return {
            "type": "text",
            "text": (f"{title}:\n\n" if title else "") + str(_source(block).get("data", "")) + "\n\n",
        }
    if block.get("type") == "tool_result" and isinstance(block.get("content"), list):
        return {**block, "content": _convert_content(block["content"])}
    return block


def _attachment_name(block: Block) -> str:
    """The name of an attachment for the user."""
    title, source = block.get("title"), _source(block)
    if source.get("type") == "file":
        return f"{block['type']} of the Files API"
    kind = KINDS[block["type"]].file_label
    return f"{kind} {title}" if title else kind
