"""A chat completion: the reply of `POST /v1/chat/completions`, OpenAI's form, in the words of a message.

Source: https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

ENDPOINT = "/v1/chat/completions"
END = "[DONE]"
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_COUNTS = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}


def is_chat_completion(value: object) -> bool:
    """Whether parsed JSON is a chat completion, or an event of one's stream."""
    return isinstance(value, dict) and isinstance(value.get("choices"), list) and "type" not in value


def content(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The content blocks of a message that says the same."""
    message = _choice(body).get("message")
    return [*_blocks(message)] if isinstance(message, dict) else []


def stop_reason(body: Mapping[str, Any]) -> str | None:
    """The `stop_reason` of a message that ended so; `None` if it is incomplete."""
    reason = _choice(body).get("finish_reason")
    return _STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None


def usage(body: Mapping[str, Any]) -> dict[str, Any]:
    """Token counts by the names of a message; `{}` if none were received."""
    counts = body.get("usage")
    if not isinstance(counts, dict):
        return {}
    return {name: counts[theirs] for name, theirs in _COUNTS.items() if theirs in counts}


def _choice(body: Mapping[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    return next((each for each in choices if isinstance(each, dict)), {}) if isinstance(choices, list) else {}


def _blocks(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    text = message.get("content") or message.get("refusal")
    if isinstance(text, str) and text:
        yield {"type": "text", "text": text}
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            made = {"type": "tool_use", "id": str(call.get("id") or ""), "name": str(function.get("name") or "")}
            yield {**made, "input": _arguments(function.get("arguments"))}


def _arguments(text: object) -> Any:
    """The arguments of a call; the text itself if it is no JSON."""
    try:
        return json.loads(text) if isinstance(text, str) and text else {}
    except (ValueError, RecursionError):
        return text
