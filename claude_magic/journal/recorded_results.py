"""The recorded tool results of a reply, which are in the request that followed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..wire import Block, Exchange
from ..wire.history import history


def recorded_results(later: Iterable[Mapping[str, Any]], exchange: Exchange) -> list[Block] | None:
    """The `tool_result` blocks of the first of the bodies `later` that continues the exchange; `None` for none.

    Args:
        exchange: The reply with the calls, and its request.
    """
    before = (exchange.request.body or {}).get("messages")
    reply = {"role": "assistant", "content": exchange.message.content}
    for body in later:
        messages = body.get("messages")
        if not isinstance(messages, list) or not isinstance(before, list) or len(messages) < len(before) + 2:
            continue
        is_next = messages[:-2] == before and list(history([*before, reply, messages[-1]]).messages) == messages
        if is_next and (blocks := _result_blocks(messages[-1])):
            return blocks
    return None


def _result_blocks(message: Mapping[str, Any]) -> list[Block]:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"]
