"""Prompt caching, with `--cache`: which blocks end a stable prefix, and what the cache did for a reply.

The order of a prompt is tools, system, messages. At most four blocks may be marked; what is shorter than the model's
least length is not kept, without an error.
Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
Source: https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cost import prices
from ..cost.prices import Corrections, cache_controls
from ..settings import Claude
from ..wire import Exchange
from ..wire.attachment_kinds import kind_of
from ..wire.short_text import dollars
from .costs import priced

MOST_MARKS = 4
_USUAL = "5m"  # how long the API keeps a prefix if nothing is said
_UNMARKABLE = ("thinking", "redacted_thinking")
_REASONS = {
    "model_changed": "the model changed",
    "system_changed": "the system prompt changed",
    "tools_changed": "the tools changed",
    "messages_changed": "earlier messages or attachments changed",
    "previous_message_not_found": "the API no longer knows the request before",
    "unavailable": "the API cannot tell why",
}


Mark = Mapping[str, Any]
"""The field of a block that marks it."""


def with_marks(body: Mapping[str, Any], previous: str | None, time: str = _USUAL) -> dict[str, Any]:
    """The body with marks after its earlier turns, attachments, system prompt and tools, in this order of importance.

    Args:
        previous: The id of the reply that the API compares this request with; `None` for none.
        time: How long the prefix is kept after its last use: `5m`, or `1h`, which costs more to write.
    """
    mark: Mark = {"cache_control": {"type": "ephemeral", **({} if time == _USUAL else {"ttl": time})}}
    marked: dict[str, Any] = {**body, "messages": [dict(message) for message in body.get("messages", ())]}
    free = MOST_MARKS - sum(1 for _ in cache_controls(body))
    for mark_part in (_mark_earlier, _mark_attachments, _mark_system, _mark_tools):
        if free > 0 and mark_part(marked, mark):
            free -= 1
    return {**marked, "diagnostics": body.get("diagnostics") or {"previous_message_id": previous}}


def unmarked(value: Any) -> Any:
    """A system prompt, tools or messages without marks; a system prompt of one text is that text."""
    if isinstance(value, Mapping):
        return {name: unmarked(each) for name, each in value.items() if name != "cache_control"}
    if not isinstance(value, list | tuple):
        return value
    if len(value) == 1 and isinstance(value[0], Mapping) and value[0].keys() == {"type", "text", "cache_control"}:
        return value[0]["text"]
    return [unmarked(each) for each in value]


def cache_note(settings: Claude, exchange: Exchange) -> str:
    """What was read from the cache and written to it, what that saved, and why it was missed; `""` without a reply."""
    if exchange.error is not None or not exchange.message.body:
        return ""
    usage = exchange.message.usage
    read, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    total = _count(usage, "input_tokens") + read + written
    model = exchange.message.model or str((exchange.request.body or {}).get("model", ""))
    name, corrections = priced(settings, exchange.request, model)
    least = prices.rates(name, corrections).get("min_cacheable_tokens")
    if read or written:
        told = f"cache: {read:,} tokens read, {written:,} written{_saving(name, corrections, usage, total)}"
    elif isinstance(least, int) and total < least:
        told = f"cache: nothing kept: this prompt has {total:,} tokens, and {model} keeps no fewer than {least:,}"
    else:
        told = "cache: nothing read, nothing written"
    return told + _miss(exchange.message.body.get("diagnostics"))


def _mark_tools(body: dict[str, Any], mark: Mark) -> bool:
    tools = list(body.get("tools") or ())
    if not tools or "cache_control" in tools[-1]:
        return False
    body["tools"] = [*tools[:-1], {**tools[-1], **mark}]
    return True


def _mark_system(body: dict[str, Any], mark: Mark) -> bool:
    blocks = _marked(body.get("system") or "", mark)
    if blocks is None:
        return False
    body["system"] = blocks
    return True


def _mark_attachments(body: dict[str, Any], mark: Mark) -> bool:
    """Mark the last attachment of the newest message that has some."""
    for message in reversed(body["messages"]):
        content = message["content"]
        if message["role"] == "user" and isinstance(content, list) and any(map(_is_attachment, content)):
            last = max(index for index, block in enumerate(content) if _is_attachment(block))
            return _mark_message(message, mark, last + 1)
    return False


def _mark_earlier(body: dict[str, Any], mark: Mark) -> bool:
    """Mark the end of what stands before the newest message of the user."""
    messages = body["messages"]
    users = [index for index, message in enumerate(messages) if message["role"] == "user"]
    before = messages[: users[-1]] if users else []
    return any(_mark_message(message, mark) for message in reversed(before))


def _mark_message(message: dict[str, Any], mark: Mark, end: int | None = None) -> bool:
    """Mark the last block before `end` that takes a mark."""
    blocks = _marked(message["content"], mark, end)
    if blocks is None:
        return False
    message["content"] = blocks
    return True


def _marked(content: Any, mark: Mark, end: int | None = None) -> list[dict[str, Any]] | None:
    """The blocks of a content with one more mark; `None` if there is none to mark."""
    whole = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks: list[dict[str, Any]] = [dict(block) for block in whole]
    for index in reversed(range(len(blocks) if end is None else end)):
        block = blocks[index]
        if "cache_control" in block:
            return None
        if block.get("type") not in _UNMARKABLE and (block.get("type") != "text" or str(block.get("text") or "")):
            blocks[index] = {**block, **mark}
            return blocks
    return None


def _is_attachment(block: Mapping[str, Any]) -> bool:
    return kind_of(block) is not None


def _saving(model: str, corrections: Corrections, usage: Mapping[str, Any], total: int) -> str:
    """What the cache saved against sending all tokens anew, or what it cost more; `""` if a price is unknown."""
    uncached = {name: value for name, value in usage.items() if not name.startswith("cache_")}
    plain = prices.cost_usd(model, {**uncached, "input_tokens": total}, corrections=corrections)
    cached = prices.cost_usd(model, usage, corrections=corrections)
    if plain is None or cached is None:
        return ", at an unknown price"
    if plain >= cached:
        return f": saved {dollars(plain - cached)}"
    return f": {dollars(cached - plain)} more now, and less for each request that reads it"


def _miss(diagnostics: Any) -> str:
    """Why the prefix of the request before was not read, as the API says."""
    reason = diagnostics.get("cache_miss_reason") if isinstance(diagnostics, Mapping) else None
    if not isinstance(reason, Mapping):
        return ""
    kind, tokens = str(reason.get("type"))[:60], reason.get("cache_missed_input_tokens")
    amount = f" ({tokens:,} tokens)" if isinstance(tokens, int) else ""
    return f" · missed{amount}: {_REASONS.get(kind, kind)}"


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
