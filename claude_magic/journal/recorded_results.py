"""What was answered to the calls of a reply, as the request that came next tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..wire import Block, Exchange
from ..wire.history import history


def results(later: Iterable[Mapping[str, Any]], exchange: Exchange) -> list[Block] | None:
    """The `tool_result` blocks that the first fitting one of the bodies `later` answers a reply with.

    Args:
        exchange: The reply, and the request it answered.
    """
    asked = (exchange.request.body or {}).get("messages")
    reply = {"role": "assistant", "content": exchange.message.content}
    for body in later:
        found = body.get("messages")
        if isinstance(found, list) and isinstance(asked, list) and found[:-2] == asked and len(found) >= len(asked) + 2:
            answer = found[-1]
            if list(history([*asked, reply, answer]).messages) == found and (blocks := _blocks(answer)):
                return blocks
    return None


def _blocks(answer: Mapping[str, Any]) -> list[Block]:
    content = answer.get("content")
    several = content if isinstance(content, list) else []
    return [block for block in several if isinstance(block, dict) and block.get("type") == "tool_result"]
