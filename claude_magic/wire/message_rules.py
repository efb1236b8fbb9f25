"""The API's rules for `messages`: which it accepts, and which it refuses with status 400.

A wrong rule here would block a request that the API accepts. So messages that this package builds are not checked
before they are sent: `history` builds what the rules allow. The rules check what people write by hand (`--turns`,
an edited file), and the scripted API of the tests uses them.

Neighbouring messages of one role count as one message, as the API combines them. No rule applies to blocks of an
unknown type. Each rule cites its source; where the documentation is incomplete, a public report of the refusal,
whose words the problem repeats.

Source: https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .call_rules import call_problems, server_call_problems
from .message_places import (
    ASSISTANT_ONLY,
    SERVER_CALLS,
    THINKING,
    Problem,
    Turn,
    blocks,
    combine,
    is_server_result,
    problem_at,
)

_ROLES = ("user", "assistant", "system")
# Claude models that need a user message at the end; nothing is assumed of models that are not named here.
# Source: https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#breaking-changes
_WITHOUT_PREFILL = re.compile(r"claude-(?:(?:opus|sonnet|haiku)-(?:4-[6-8]|5)|fable-5|mythos-(?:5|preview))(?![0-9])")


def problems(
    messages: object,
    *,
    system: object = None,
    model: str = "",
    thinking: object = None,
    paused: bool = False,
) -> list[Problem]:
    """The rules that a request's messages break; `[]` if the API accepts them.

    Args:
        system: The system prompt: a text, or text blocks.
        model: The model of the request; some rules apply to some models only.
        thinking: The request's `thinking`.
        paused: Whether the last message is a reply that ended with `pause_turn`, sent back to be continued.
    """
    basic = form_problems(messages) or list(_empty_texts_in("system", system))
    if basic:
        return basic
    assert isinstance(messages, Sequence)  # noqa: S101  `form_problems` has checked it
    turns = combine(messages)
    return [
        *_empty_messages(messages),
        *_empty_texts(messages),
        *(problem for rule in _RULES for problem in rule(turns)),
        *_thinking_first(turns, thinking),
        *_last_message(turns, model, paused),
    ]


def takes_prefill(model: str) -> bool:
    """Whether a request to the model may end with an assistant message; `True` for unknown models."""
    return _WITHOUT_PREFILL.search(model) is None


def form_problems(messages: object) -> list[Problem]:
    """Problems of structure: of the list, its messages, and the type of each block.

    Source: https://platform.claude.com/docs/en/api/messages/create
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return [Problem(text="messages: Input should be a valid list")]
    if not messages:
        return [Problem(text="messages: at least one message is required")]
    return [problem for number, message in enumerate(messages) for problem in _message_problems(number, message)]


def _message_problems(number: int, message: object) -> Iterator[Problem]:
    role = message.get("role") if isinstance(message, Mapping) else None
    content = message.get("content") if isinstance(message, Mapping) else None
    if role not in _ROLES:
        text = f"messages.{number}.role: Input should be 'user' or 'assistant', and is {role!r}"
        yield Problem(message=number, text=text)
    elif not isinstance(content, (str, list, tuple)):
        yield Problem(message=number, text=f"messages.{number}.content: Input should be a valid list")
    elif not isinstance(content, str):
        for position, block in enumerate(content):
            if not isinstance(block, Mapping) or not isinstance(block.get("type"), str):
                text = f"messages.{number}.content.{position}: Input should be a valid content block"
                yield Problem(message=number, block=position, text=text)


def _empty_messages(messages: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Source: https://github.com/anthropics/claude-code/issues/6774"""
    for number, message in enumerate(messages):
        last = number == len(messages) - 1 and message["role"] == "assistant"
        if not message["content"] and not last:
            why = "all messages must have non-empty content except for the optional final assistant message"
            yield Problem(message=number, text=f"messages.{number}: {why}")


def _empty_texts(messages: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for number, message in enumerate(messages):
        if message["content"]:
            yield from _empty_texts_in("messages", message["content"], number)


def _empty_texts_in(where: str, content: object, number: int | None = None) -> Iterator[Problem]:
    """Source: https://github.com/anthropics/anthropic-sdk-python/issues/461"""
    if where == "system" and isinstance(content, str):
        return
    for index, block in enumerate(blocks(content)):
        if block.get("type") == "text":
            text = block.get("text")
            if not isinstance(text, str) or not text:
                yield Problem(message=number, block=index, text=f"{where}: text content blocks must be non-empty")
            elif not text.strip():
                why = f"{where}: text content blocks must contain non-whitespace text"
                yield Problem(message=number, block=index, text=why)
        elif block.get("type") in ("tool_result", "search_result") and not isinstance(block.get("content"), str):
            yield from _empty_texts_in(where, block.get("content"), number)


def _misplaced_blocks(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Blocks that a message of their role may not hold.

    Source: https://github.com/tghamm/Anthropic.SDK/issues/128 and, for documents and citations,
    https://platform.claude.com/docs/en/api/versioning (2026-10-21)
    """
    for turn in turns:
        for place in turn.places:
            if turn.role != "assistant" and (place.type in ASSISTANT_ONLY or is_server_result(place.block)):
                yield problem_at(place, f"`{place.type}` blocks can only be in `assistant` messages")
            if turn.role != "user" and place.type == "tool_result":
                yield problem_at(place, "`tool_result` blocks can only be in `user` messages")
            if turn.role == "assistant" and place.type == "document":
                yield problem_at(place, "`document` blocks can only be in `user` messages")
            if turn.role == "user" and place.type == "text" and place.block.get("citations"):
                yield problem_at(place, "`citations` can only be in `assistant` messages")
            if turn.role == "system" and place.type != "text":
                yield problem_at(place, "`system` messages can only hold text")
            if "caller" in place.block and place.block["caller"] is None:
                yield problem_at(place, "caller: Input should be an object")


def _system_messages(turns: Sequence[Turn]) -> Iterator[Problem]:
    """A system message must follow a user message, or a reply that ends with a server tool.

    Source: https://platform.claude.com/docs/en/api/messages/create
    """
    for before, turn in zip((None, *turns), turns, strict=False):
        if turn.role == "system" and not (before is not None and _may_precede_system(before)):
            why = "a `system` message must follow a `user` message, or a reply that ends in server tool use"
            yield Problem(message=turn.first, text=f"messages.{turn.first}: {why}")


def _may_precede_system(turn: Turn) -> bool:
    last = turn.places[-1].block if turn.places else {}
    return turn.role == "user" or last.get("type") in SERVER_CALLS or is_server_result(last)


def _thinking_blocks(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Thinking must be complete and signed, and not the last block of a reply.

    Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking,
    https://github.com/tailcallhq/forgecode/issues/2107
    """
    for turn in turns:
        for place in turn.blocks_of_type(*THINKING):
            for name in ("data",) if place.type == "redacted_thinking" else ("thinking", "signature"):
                if not isinstance(place.block.get(name), str) or not (place.block[name] or name == "thinking"):
                    yield problem_at(place, f"{place.type}.{name}: Field required")
        if turn.role == "assistant" and turn.places and turn.places[-1].type in THINKING:
            number = turn.places[-1].message
            why = "The final block in an assistant message cannot be `thinking`."
            yield Problem(message=number, text=f"messages.{number}: {why}")


def _thinking_first(turns: Sequence[Turn], thinking: object) -> Iterator[Problem]:
    """With a thinking budget, a reply whose tool results are being sent must begin with thinking.

    Source: https://github.com/pydantic/pydantic-ai/issues/2075
    """
    if not isinstance(thinking, Mapping) or thinking.get("type") != "enabled":
        return
    sends_results = turns[-1].holds_results_only and len(turns) > 1
    last = turns[-2] if sends_results else turns[-1]
    if last.role == "assistant" and last.places and last.places[0].type not in THINKING:
        place = last.places[0]
        yield Problem(
            message=place.message,
            block=place.position,
            text=f"messages.{place.message}.content.{place.position}.type: Expected `thinking` or `redacted_thinking`, "
            f"but found `{place.type}`. When `thinking` is enabled, a final `assistant` message must start with a "
            "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
        )


def _last_message(turns: Sequence[Turn], model: str, paused: bool) -> Iterator[Problem]:
    """An assistant message at the end, which the model should continue.

    Source: https://github.com/tailcallhq/forgecode/issues/1872,
    https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#breaking-changes
    """
    last = turns[-1]
    if last.role != "assistant":
        return
    text = last.places[-1].block.get("text") if last.places and last.places[-1].type == "text" else ""
    if isinstance(text, str) and text != text.rstrip():
        yield Problem(text="messages: final assistant content cannot end with trailing whitespace")
    uses_server_tools = bool(last.blocks_of_type(*SERVER_CALLS) or last.server_results())
    if not takes_prefill(model) and not paused and not uses_server_tools:
        yield Problem(
            text="This model does not support assistant message prefill. The conversation must end with a user message."
        )


_RULES: tuple[Callable[[Sequence[Turn]], Iterator[Problem]], ...] = (
    _misplaced_blocks,
    _system_messages,
    call_problems,
    server_call_problems,
    _thinking_blocks,
)
