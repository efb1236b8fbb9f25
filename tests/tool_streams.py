"""Replies that ask for calls, as the API streams them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.server import STREAM, Answer, event, message

Asked = tuple[str, Any]
"""A tool's name and its arguments; a text is sent as it is."""


def tool_events(calls: Sequence[Asked], *, text: str = "", stop_reason: str = "tool_use") -> Iterator[dict[str, Any]]:
    """The events of a reply that asks for calls, `toolu_0`, `toolu_1`, …, after a text."""
    yield {"type": "message_start", "message": message()}
    index = 0
    if text:
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        yield {"type": "content_block_stop", "index": 0}
        index = 1
    for number, (name, arguments) in enumerate(calls):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}, "caller": {"type": "direct"}}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for fragment in ("", *(written[at : at + 7] for at in range(0, len(written), 7))):
            delta = {"type": "input_json_delta", "partial_json": fragment}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
        index += 1
    delta = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"input_tokens": 46, "output_tokens": 20}}
    yield {"type": "message_stop"}


def asks(*calls: Asked, text: str = "", stop_reason: str = "tool_use") -> Answer:
    """A streamed reply that asks for calls."""
    return Answer(headers=STREAM, pieces=[event(e) for e in tool_events(calls, text=text, stop_reason=stop_reason)])
