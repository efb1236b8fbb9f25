"""The messages that a request may replay: what was said, without what the API would refuse.

What is taken out, and why it is refused, is in `message_rules`. Everything else stays as it came: unknown
blocks, the order of blocks, and thinking, which must be sent back whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .call_history import calls_with_results, finished_server_calls
from .message_blocks import replayable
from .message_places import THINKING, Block, Message, blocks


@dataclass(frozen=True, kw_only=True)
class History:
    """Messages that the API takes.

    Attributes:
        notes: What was left out or changed, a phrase each.
    """

    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()


def history(messages: Iterable[Message], *, closed: bool = False) -> History:
    """What may be replayed of `messages`.

    Args:
        closed: Whether a user speaks next; else the messages are what is sent, and calls of the API at their
            end may wait for their results.
    """
    notes: list[str] = []
    left = _with_results_joined(messages)
    for _ in range(2 + sum(1 + len(message["content"]) for message in left)):
        before = left
        left = _filled(_rewritten(message, _replayable(message, notes)) for message in left)
        left = _filled(calls_with_results(left, notes))
        left = _filled(finished_server_calls(left, notes, closed=closed))
        left = _with_results_joined(_filled(_without_thinking_at_end(left, notes)))
        if left == before:  # what is left out can leave its neighbour without its other half
            break
    left = left if closed else _without_space_at_end(left)
    return History(messages=tuple(left), notes=tuple(dict.fromkeys(notes)))


def without_thinking(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages as another model may see them; the same values where there was no thinking."""
    return tuple(
        _rewritten(message, [block for block in blocks(message["content"]) if block.get("type") not in THINKING])
        for message in messages
    )


def _replayable(message: Message, notes: list[str]) -> list[Block]:
    found = (replayable(str(message["role"]), block, notes) for block in blocks(message["content"]))
    return [block for block in found if block is not None]


def _rewritten(message: Message, content: Sequence[Block]) -> Message:
    """`message` with this content; the same value if that is what it holds."""
    if list(content) == blocks(message["content"]):
        return message
    return {**message, "content": list(content)}


def _filled(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message["content"]]


def _with_results_joined(messages: Iterable[Message]) -> list[Message]:
    """The messages, with a text that follows results in the message that holds them: roles take turns."""
    made: list[Message] = []
    for message in messages:
        last = made[-1] if made else {}
        if message["role"] == last.get("role") == "user" and _holds_results(last):
            made[-1] = {**last, "content": [*blocks(last["content"]), *blocks(message["content"])]}
        else:
            made.append(message)
    return made


def _holds_results(message: Message) -> bool:
    return any(block.get("type") == "tool_result" for block in blocks(message["content"]))


def _without_thinking_at_end(messages: Sequence[Message], notes: list[str]) -> list[Message]:
    """The messages, without the thinking of a reply that ends with it: half of it may not be sent back."""
    made = list(messages)
    for number, message in enumerate(messages):
        ends = number + 1 == len(messages) or messages[number + 1]["role"] != "assistant"
        if message["role"] == "assistant" and ends and blocks(message["content"])[-1].get("type") in THINKING:
            notes.append("thinking that no text came of")
            made[number] = without_thinking([message])[0]
    return made


def _without_space_at_end(messages: Sequence[Message]) -> list[Message]:
    """The messages, without white space at the end of a reply that the next one goes on with."""
    if not messages or messages[-1]["role"] != "assistant":
        return list(messages)
    *before, last = messages
    if isinstance(last["content"], str):
        return [*before, {**last, "content": last["content"].rstrip()}]
    *others, end = blocks(last["content"])
    if end.get("type") != "text" or end["text"] == end["text"].rstrip():
        return list(messages)
    return [*before, {**last, "content": [*others, {**end, "text": end["text"].rstrip()}]}]
