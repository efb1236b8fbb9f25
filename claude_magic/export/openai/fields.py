"""A request's fields in the words of the OpenAI API, as far as the compatibility endpoint has them.

`strict` of a tool, `metadata` and others are passed over there in silence; here they are named.
Source: https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..formatting import File

_SAME = {"model", "max_tokens", "temperature", "top_p", "stream"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


@dataclass(kw_only=True)
class Omissions:
    """Names of what the endpoint does not have, each once, in the order found."""

    names: dict[str, None] = field(default_factory=dict)

    def add(self, *names: str) -> None:
        self.names.update(dict.fromkeys(names))

    def rest(self, value: Mapping[str, Any], *known: str) -> None:
        """Name the fields of `value` that are not known."""
        self.add(*(name for name in value if name not in known))


def fields(body: Mapping[str, Any], left_out: Omissions) -> Iterator[tuple[str, Any]]:
    """Names and values of what the OpenAI SDK is given."""
    for name, value in body.items():
        if name in _SAME:
            yield name, value
        elif name == "messages":
            yield name, [*_system(body.get("system"), left_out), *_messages(value, left_out)]
        elif name == "stop_sequences":
            yield "stop", value
        elif name == "tools":
            yield from _tools(value, left_out)
        elif name == "tool_choice":
            yield from _tool_choice(value, body.get("tools") or [], left_out)
        elif name == "output_config":
            yield from _response_format(value, left_out)
        elif name not in {"system", "thinking"}:
            left_out.add(name)
    if "thinking" in body:
        yield "extra_body", {"thinking": body["thinking"]}


def _system(system: Any, left_out: Omissions) -> Iterator[dict[str, Any]]:
    if system is not None:
        yield {"role": "system", "content": _content(system, left_out)}


def _messages(messages: list[dict[str, Any]], left_out: Omissions) -> Iterator[dict[str, Any]]:
    for message in messages:
        left_out.rest(message, "role", "content")
        content = message["content"]
        blocks = content if isinstance(content, list) else []
        yield from _results([b for b in blocks if b["type"] == "tool_result"], left_out)
        calls = [_call(block, left_out) for block in blocks if block["type"] == "tool_use"]
        text = content if isinstance(content, str) else _content(_without_tools(blocks), left_out)
        if text or calls or not blocks:
            result = {"role": message["role"], "content": text or (None if calls else "")}
            yield {**result, "tool_calls": calls} if calls else result


def _without_tools(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in blocks if block["type"] not in {"tool_use", "tool_result"}]


def _content(content: Any, left_out: Omissions) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    return [part for block in content for part in _block(block, left_out)]


def _block(block: dict[str, Any], left_out: Omissions) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        left_out.rest(block, "type", "text")
        yield {"type": "text", "text": block["text"]}
    elif block["type"] == "image" and block["source"]["type"] in {"base64", "url"}:
        left_out.rest(block, "type", "source")
        yield {"type": "image_url", "image_url": {"url": _url(block["source"])}}
    else:
        left_out.add(block["type"])


def _url(source: dict[str, Any]) -> str | File:
    if source["type"] == "url":
        url: str = source["url"]
        return url
    before = f"data:{source['media_type']};base64,"
    data = source["data"]
    return File(path=data.path, before=before) if isinstance(data, File) else before + data


def _results(blocks: list[dict[str, Any]], left_out: Omissions) -> Iterator[dict[str, Any]]:
    for block in blocks:
        left_out.rest(block, "type", "tool_use_id", "content")
        content = block.get("content", "")
        if not isinstance(content, str):
            left_out.add(*(f"{b['type']} in a tool_result" for b in content if b["type"] != "text"))
            content = _content([b for b in content if b["type"] == "text"], left_out)
        yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}


def _call(block: dict[str, Any], left_out: Omissions) -> dict[str, Any]:
    left_out.rest(block, "type", "id", "name", "input")
    arguments = json.dumps(block["input"], ensure_ascii=False)
    return {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": arguments}}


def _tools(tools: list[dict[str, Any]], left_out: Omissions) -> Iterator[tuple[str, Any]]:
    result = [_tool(tool, left_out) for tool in tools if _is_custom(tool)]
    left_out.add(*(tool["type"] for tool in tools if not _is_custom(tool)))
    if result:
        yield "tools", result


def _tool(tool: dict[str, Any], left_out: Omissions) -> dict[str, Any]:
    left_out.rest(tool, "type", "name", "description", "input_schema")
    known = {name: tool[name] for name in ("name", "description") if name in tool}
    return {"type": "function", "function": {**known, "parameters": tool["input_schema"]}}


def _is_custom(tool: dict[str, Any]) -> bool:
    return tool.get("type") in {"custom", None}


def _tool_choice(choice: dict[str, Any], tools: list[dict[str, Any]], left_out: Omissions) -> Iterator[tuple[str, Any]]:
    """The choice, if what it chooses from is there."""
    there = {tool["name"] for tool in tools if _is_custom(tool)}
    if not there or (choice["type"] == "tool" and choice["name"] not in there):
        left_out.add("tool_choice")
        return
    if choice["type"] == "tool":
        yield "tool_choice", {"type": "function", "function": {"name": choice["name"]}}
    else:
        yield "tool_choice", _CHOICES[choice["type"]]
    if "disable_parallel_tool_use" in choice:
        yield "parallel_tool_calls", not choice["disable_parallel_tool_use"]


def _response_format(config: dict[str, Any], left_out: Omissions) -> Iterator[tuple[str, Any]]:
    left_out.add(*(f"output_config.{name}" for name in config if name != "format"))
    if form := config.get("format"):
        yield "response_format", {"type": "json_schema", "json_schema": {"name": "answer", "schema": form["schema"]}}
