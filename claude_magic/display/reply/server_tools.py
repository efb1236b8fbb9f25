"""Summaries of server tool results: searches, fetched pages, executed code, errors.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..text.excerpt import plain_line, short_line

_ERRORS = {
    "invalid_tool_input": "the arguments were not accepted",
    "unavailable": "the tool is not available now",
    "max_uses_exceeded": "it reached the limit of uses of the request",
    "too_many_requests": "too many requests",
    "query_too_long": "the query is too long",
    "request_too_large": "the request is too large",
    "url_too_long": "the address is too long",
    "url_not_allowed": "the address is not allowed",
    "url_not_in_prior_context": "the address was not named in the conversation before",
    "url_not_accessible": "the page could not be reached",
    "unsupported_content_type": "this kind of content cannot be read",
    "content_too_large": "the content is too large",
    "execution_time_exceeded": "it ran for too long",
    "output_file_too_large": "a file it wrote is too large",
    "file_not_found": "there is no such file",
}
RAN = (
    "code_execution_result",
    "encrypted_code_execution_result",
    "bash_code_execution_result",
)


def outcome_of(kind: str, content: Any) -> str:
    """A server tool result on one line; `""` for any other result."""
    if kind == "web_search_tool_result" and isinstance(content, list):
        return _count(len(content), "result")
    if not isinstance(content, Mapping):
        return ""
    if "error_code" in content:
        return error_line(content)
    inner = content.get("type")
    if inner in RAN:
        return _ran(content)
    if inner == "web_fetch_result":
        return _words(_document(content).get("title"), 80) or _words(content.get("url"), 80) or "a page"
    if inner == "tool_search_tool_search_result":
        return _count(len(object_list(content, "tool_references")), "tool")
    if inner == "text_editor_code_execution_create_result":
        return "file changed" if content.get("is_file_update") is True else "file written"
    if inner == "text_editor_code_execution_str_replace_result":
        return "text replaced"
    if inner == "text_editor_code_execution_view_result":
        lines = content.get("num_lines")
        return _count(lines, "line") if type(lines) is int and 0 <= lines < 10**9 else "a file"
    return short_line(str(inner), 60) if kind.endswith("_tool_result") else ""


def error_line(content: Mapping[str, Any]) -> str:
    """Why a tool of the API failed, with the API's own word for it."""
    code = _words(content.get("error_code"), 60) or "unknown"
    text = _ERRORS.get(code, code.replace("_", " "))
    message = _words(content.get("error_message"), 200)
    return f"{text}{f': {message}' if message else ''} ({code})"


def object_list(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in `content`."""
    items = content.get(name)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _document(content: Mapping[str, Any]) -> Mapping[str, Any]:
    document = content.get("content")
    return document if isinstance(document, Mapping) else {}


def _ran(content: Mapping[str, Any]) -> str:
    """The first of what a program printed, its return code if that is not 0, and its files."""
    code, out = content.get("return_code"), content.get("stdout")
    files = len(object_list(content, "content"))
    first = out if isinstance(out, str) and out.strip() else content.get("stderr")
    parts = [
        f"return code {plain_line(str(code)[:20])}" if code not in (0, None) else "",
        short_line(first, 80) if isinstance(first, str) else "",
        _count(files, "file") if files else "",
    ]
    return " · ".join(filter(None, parts)) or "no output"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _words(value: object, limit: int) -> str:
    return short_line(value, limit) if isinstance(value, str) else ""
