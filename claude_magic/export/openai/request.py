"""A request for a message in OpenAI's form, and what that form does not have.

Source: https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import CellError
from ...wire import Exchange, Headers, Request
from ...wire.chat_completion import ENDPOINT
from .fields import Omissions, fields

_REASONS = {
    "strict": "ignored there: the arguments of a call need not fit their schema",
    "cache_control": "there is no prompt caching",
    "citations": "there are no citations",
    "document": "there are no PDFs and documents",
    "image": "only images as base64 data or addresses are taken",
    "thinking": "earlier thinking is not sent back",
    "signature": "earlier thinking is not sent back",
    "is_error": "a result cannot be marked as an error",
    "metadata": "ignored there",
    "service_tier": "ignored there",
    "top_k": "there is no such field",
    "output_config.effort": "ignored there, as reasoning_effort",
    "mcp_servers": "there are no remote MCP servers",
    "audio": "ignored there",
}


def openai_request(request: Request) -> Request:
    """The same question for `/v1/chat/completions`; a stream ends with its usage.

    Raises:
        CellError: It has fields or blocks that the Messages API does not know.
    """
    values, _ = _convert(request.body or {})
    headers = Headers(each for each in request.headers.items() if each[0].lower() not in ("anthropic-version",))
    if values.get("stream"):
        values["stream_options"] = {"include_usage": True}
    url = request.url.removesuffix(request.endpoint) + ENDPOINT
    return replace(request, url=url, headers=headers, body=values)


def differences(request: Request, replies: Sequence[Exchange] = ()) -> list[tuple[str, str]]:
    """What OpenAI's form drops or changes of a request for a message: the field, and what becomes of it.

    Args:
        replies: The message and the chat completion, for what the one holds and the other does not.
    """
    body = request.body or {}
    values, left_out = _convert(body)
    rows = [(name, f"left out: {_REASONS.get(name, 'no such field or block')}") for name in left_out.names]
    if body.get("system"):
        rows.append(("system", "sent as the first message; several are joined to one, with line breaks"))
    if body.get("thinking"):
        rows.append(("thinking", "sent as it is; the reply does not hold what was thought"))
    if "response_format" in values:
        rows.append(("output_config.format", "sent as response_format, which the documentation calls ignored"))
    if any(each.get("role") == "tool" for each in values.get("messages", ())):
        rows.append(("tool_result", "sent as a message of the role tool, of which only text is kept"))
    if len(replies) == 2:
        rows.extend(_of_replies(*replies))
    return rows


def _of_replies(message: Exchange, chat: Exchange) -> Iterator[tuple[str, str]]:
    if not message.message.body or not chat.message.body:
        return
    ours, theirs = ([str(block.get("type")) for block in each.message.content] for each in (message, chat))
    for kind in dict.fromkeys(ours):
        if kind not in theirs:
            yield f"{kind} in the reply", f"{ours.count(kind)} in the message, none in the chat completion"
    if any(block.get("citations") for block in message.message.content):
        yield "citations in the reply", "only in the message"
    counts = [name for name, count in message.message.usage.items() if count and name not in chat.message.usage]
    if counts:
        yield "usage", f"only in the message: {', '.join(counts)}"


def _convert(body: Mapping[str, Any]) -> tuple[dict[str, Any], Omissions]:
    left_out = Omissions()
    try:
        values = dict(fields(body, left_out))
    except (KeyError, TypeError, AttributeError):
        raise CellError(
            "--openai: the request has fields or blocks of a form that the Messages API does not know. "
            "Nothing was sent."
        ) from None
    extra = values.pop("extra_body", {})
    return {**values, **extra}, left_out
