"""The scripted API's `/v1/chat/completions`: what of OpenAI's form the compatibility endpoint takes, and how it answers.

Source: https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.server import JSON, STREAM, Answer, Received

PATH = "/v1/chat/completions"
_ROLES = {"system", "developer", "user", "assistant", "tool"}
_USAGE = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}


def answer(received: Received, key: str, texts: tuple[str, ...] = ("Hel", "lo")) -> Answer:
    """The reply: a call where a tool must be called, else a text; an error for what is not of this form."""
    body = received.json
    if received.headers.get("authorization") != f"Bearer {key}" or "x-api-key" in received.headers:
        return failure(401, "authentication_error", "Invalid bearer token")
    if wrong := next(_faults(body), ""):
        return failure(400, "invalid_request_error", wrong)
    if body.get("stream"):
        return _streamed(body, texts)
    choice = {"index": 0, "message": _message(body, texts), "finish_reason": "tool_calls" if _calls(body) else "stop"}
    return Answer(
        headers=JSON,
        pieces=[json.dumps({**_start(body, "chat.completion"), "choices": [choice], "usage": _USAGE}).encode()],
        framing="length",
    )


def failure(status: int, kind: str, text: str) -> Answer:
    """An error in OpenAI's form."""
    body = {"error": {"message": text, "type": kind, "param": None, "code": None}}
    return Answer(status=status, headers=JSON, pieces=[json.dumps(body).encode()], framing="length")


def _faults(body: dict[str, Any]) -> Iterator[str]:
    for name in ("model", "messages"):
        if name not in body:
            yield f"{name}: Field required"
    for name in ("system", "stop_sequences", "tool_choice.type", "extra_body"):
        if name in body:
            yield f"{name}: Extra inputs are not permitted"
    for message in body["messages"]:
        if message["role"] not in _ROLES:
            yield f"messages.role: {message['role']}"
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] not in {"text", "image_url"}:
                yield f"messages.content.type: {part['type']}"
    for tool in body.get("tools", ()):
        if tool["type"] != "function" or "parameters" not in tool["function"]:
            yield "tools: not a function"


def _start(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "msg_01Chat", "object": kind, "created": 1795824000, "model": body["model"]}


def _calls(body: dict[str, Any]) -> list[dict[str, Any]]:
    if body.get("tool_choice") not in ("required",):
        return []
    function = {"name": body["tools"][0]["function"]["name"], "arguments": '{"city": "Paris"}'}
    return [{"id": "toolu_01", "type": "function", "function": function}]


def _message(body: dict[str, Any], texts: tuple[str, ...]) -> dict[str, Any]:
    if calls := _calls(body):
        return {"role": "assistant", "content": None, "tool_calls": calls}
    return {"role": "assistant", "content": "".join(texts)}


def _streamed(body: dict[str, Any], texts: tuple[str, ...]) -> Answer:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if calls := _calls(body):
        call, arguments = calls[0], calls[0]["function"]["arguments"]
        deltas.append({"tool_calls": [{**call, "index": 0, "function": {**call["function"], "arguments": ""}}]})
        for piece in (arguments[:7], arguments[7:]):
            deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    else:
        deltas += [{"content": text} for text in texts]
    reasons = [None] * len(deltas) + ["tool_calls" if calls else "stop"]
    choices = [
        {"index": 0, "delta": delta, "finish_reason": reason}
        for delta, reason in zip([*deltas, {}], reasons, strict=True)
    ]
    start = _start(body, "chat.completion.chunk")
    chunks: list[dict[str, Any]] = [{**start, "choices": [choice]} for choice in choices]
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**start, "choices": [], "usage": _USAGE})
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Answer(headers=STREAM, pieces=[*lines, b"data: [DONE]\n\n"])
