"""The messages of a conversation as a request may send them: without what the API would refuse.

The rules of the API are in `message_rules`. Everything else stays as it was received: unknown blocks, the order of
blocks, and thinking, which must be sent back complete or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .call_history import calls_with_results, finished_server_calls
from .message_places import ASSISTANT_ONLY, SERVER_CALLS, THINKING, Block, Message, blocks, is_server_result


@dataclass(frozen=True, kw_only=True)
class History:
    """Messages that the API accepts.

    Attributes:
        notes: What was left out or changed, a phrase each.
    """

    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()


def history(messages: Iterable[Message], *, closed: bool = False) -> History:
    """The part of `messages` that may be sent.

    Args:
        closed: Whether a user message follows; else the messages are sent as they are, and calls of the API at
            their end may wait for their results.
    """
    notes: list[str] = []
    several = list(messages)
    first = max(0, _plain_length(several) - 1)  # the last plain one may belong to what follows
    plain, kept = several[:first], _join_results(several[first:])
    for _ in range(2 + sum(1 + len(message["content"]) for message in kept)):
        before = kept
        kept = _non_empty(_with_content(message, _replayable_blocks(message, notes)) for message in kept)
        kept = _non_empty(calls_with_results(kept, notes))
        kept = _non_empty(finished_server_calls(kept, notes, closed=closed))
        kept = _join_results(_non_empty(_without_thinking_at_end(kept, notes)))
        if kept == before:  # else: leaving out a block can make another one invalid
            break
    kept = kept if closed else _without_space_at_end(kept)
    return History(messages=(*plain, *kept), notes=tuple(dict.fromkeys(notes)))


def _plain_length(messages: Sequence[Message]) -> int:
    """The number of messages at the beginning that hold nothing but text: no rule changes these."""
    for number, message in enumerate(messages):
        content, is_user = message["content"], message["role"] == "user"
        if not content or not isinstance(content, str | list | tuple):
            return number
        if isinstance(content, str):
            if content.isspace():
                return number
            continue
        for block in content:
            if not _is_plain(block, is_user):
                return number
    return len(messages)


def _is_plain(block: object, is_user: bool) -> bool:
    if not isinstance(block, dict) or block.get("type") != "text" or (is_user and block.get("citations")):
        return False
    text = block.get("text")
    return isinstance(text, str) and text != "" and not text.isspace()


def without_thinking(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages as another model may receive them; the same objects where there was no thinking."""
    return tuple(
        _with_content(message, [block for block in blocks(message["content"]) if block.get("type") not in THINKING])
        for message in messages
    )


def _replayable_blocks(message: Message, notes: list[str]) -> list[Block]:
    kept = (_replayable_block(str(message["role"]), block, notes) for block in blocks(message["content"]))
    return [block for block in kept if block is not None]


def _replayable_block(role: str, block: Block, notes: list[str]) -> Block | None:
    """The block as a message of `role` may hold it; the same object if it is valid, `None` if it must be left out.

    What is left out is added to `notes`, except blank text.

    Source: the rules in `message_rules`.
    """
    kind = str(block.get("type"))
    if not _is_allowed(role, block):
        notes.append(f"a {kind} block that a message of {role} cannot hold")
        return None
    if kind == "text":
        return _replayable_text(role, block)
    if kind in ("thinking", "redacted_thinking"):
        return _replayable_thinking(block, notes)
    if block.get("caller", "") is None:  # the API refuses null here
        block = {name: value for name, value in block.items() if name != "caller"}
    if kind in ("tool_use", *SERVER_CALLS) and not isinstance(block.get("input"), Mapping):
        notes.append(f"the arguments of {block.get('name')}, which were not a JSON object")
        block = {**block, "input": {}}
    if kind == "tool_result" and isinstance(block.get("content"), list):
        block = _replayable_result(block, notes)
    return block


def _is_allowed(role: str, block: Block) -> bool:
    kind = str(block.get("type"))
    if role == "assistant":
        return kind not in ("tool_result", "document")
    if role == "system":
        return kind == "text"
    return kind not in ASSISTANT_ONLY and not is_server_result(block)


def _replayable_text(role: str, block: Block) -> Block | None:
    text = block.get("text")
    if not isinstance(text, str) or not text.strip():
        return None
    if role == "user" and block.get("citations"):
        return {name: value for name, value in block.items() if name != "citations"}
    return block


def _replayable_thinking(block: Block, notes: list[str]) -> Block | None:
    if block.get("type") == "redacted_thinking":
        signature = block.get("data")
    else:
        signature = block.get("signature")
        if not isinstance(block.get("thinking"), str):
            block = {**block, "thinking": ""}
    if not isinstance(signature, str) or not signature:
        notes.append("thinking without a signature")
        return None
    return block


def _replayable_result(block: Block, notes: list[str]) -> Block:
    inner = (
        _replayable_text("user", each) if each.get("type") == "text" else each for each in blocks(block["content"])
    )
    content = [each for each in inner if each is not None]
    return block if content == block["content"] else {**block, "content": content}


def _with_content(message: Message, content: Sequence[Block]) -> Message:
    """`message` with this content; the same object if the content is the same."""
    if list(content) == blocks(message["content"]):
        return message
    return {**message, "content": list(content)}


def _non_empty(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message["content"]]


def _join_results(messages: Iterable[Message]) -> list[Message]:
    """The messages, with a user message that follows tool results joined to it, so that roles alternate."""
    joined: list[Message] = []
    for message in messages:
        last = joined[-1] if joined else {}
        if message["role"] == last.get("role") == "user" and _holds_results(last):
            joined[-1] = {**last, "content": [*blocks(last["content"]), *blocks(message["content"])]}
        else:
            joined.append(message)
    return joined


def _holds_results(message: Message) -> bool:
    return any(block.get("type") == "tool_result" for block in blocks(message["content"]))


def _without_thinking_at_end(messages: Sequence[Message], notes: list[str]) -> list[Message]:
    """The messages, without the thinking of a reply that ends with thinking: the API refuses such a reply."""
    kept = list(messages)
    for number, message in enumerate(messages):
        is_last = number + 1 == len(messages) or messages[number + 1]["role"] != "assistant"
        if message["role"] == "assistant" and is_last and blocks(message["content"])[-1].get("type") in THINKING:
            notes.append("thinking that no text follows")
            kept[number] = without_thinking([message])[0]
    return kept


def _without_space_at_end(messages: Sequence[Message]) -> list[Message]:
    """The messages, without white space at the end of a last message of the assistant, which the API refuses."""
    if not messages or messages[-1]["role"] != "assistant":
        return list(messages)
    *before, last = messages
    if isinstance(last["content"], str):
        return [*before, {**last, "content": last["content"].rstrip()}]
    *others, end = blocks(last["content"])
    if end.get("type") != "text" or end["text"] == end["text"].rstrip():
        return list(messages)
    return [*before, {**last, "content": [*others, {**end, "text": end["text"].rstrip()}]}]
