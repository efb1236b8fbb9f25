"""The API's rules for `messages`: which histories it answers, and which it refuses with a 400.

A rule that is wrong here would keep a request from being sent that the API takes. So nothing in this package
asks these rules before it sends what it has built itself: `history` builds what they allow. They are asked
for what people write by hand (`--turns`, an edited file), and by the scripted API of the tests.

Neighbouring messages of one role count as one message, as the API combines them. Blocks of a type that is
not known here are judged by no rule. Each rule cites its source; where the documentation says it only in
part, a public report of the refusal, whose words the problem repeats.

Source: https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .call_rules import calls, server_calls
from .message_places import OF_ASSISTANT, SERVER_CALLS, THINKING, Problem, Turn, at, blocks, combined, is_server_result

_ROLES = ("user", "assistant", "system")
# Claude models that answer only to a user; one that is not named here is not judged.
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
    """The rules that a request's messages break; `[]` if the API takes them.

    Args:
        system: The system prompt: a text, or text blocks.
        model: The model that is asked; some rules hold for some models only.
        thinking: The request's `thinking`.
        paused: Whether the last message is a reply that ended with `pause_turn`, sent back to be gone on with.
    """
    found = form(messages) or list(_texts_of("system", system))
    if found:
        return found
    assert isinstance(messages, Sequence)  # noqa: S101  `form` has seen to it
    turns = combined(messages)
    return [
        *_contents(messages),
        *_texts(messages),
        *(problem for rule in _RULES for problem in rule(turns)),
        *_thinking_first(turns, thinking),
        *_end(turns, model, paused),
    ]


def takes_prefill(model: str) -> bool:
    """Whether a request to the model may end with an assistant message; also if that is not known."""
    return _WITHOUT_PREFILL.search(model) is None


def form(messages: object) -> list[Problem]:
    """What keeps the messages from being messages at all.

    Source: https://platform.claude.com/docs/en/api/messages/create
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return [Problem(text="messages: Input should be a valid list")]
    if not messages:
        return [Problem(text="messages: at least one message is required")]
    return [problem for number, message in enumerate(messages) for problem in _form_of(number, message)]


def _form_of(number: int, message: object) -> Iterator[Problem]:
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


def _contents(messages: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Source: https://github.com/anthropics/claude-code/issues/6774"""
    for number, message in enumerate(messages):
        last = number == len(messages) - 1 and message["role"] == "assistant"
        if not message["content"] and not last:
            why = "all messages must have non-empty content except for the optional final assistant message"
            yield Problem(message=number, text=f"messages.{number}: {why}")


def _texts(messages: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for number, message in enumerate(messages):
        if message["content"]:
            yield from _texts_of("messages", message["content"], number)


def _texts_of(where: str, content: object, number: int | None = None) -> Iterator[Problem]:
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
            yield from _texts_of(where, block.get("content"), number)


def _roles(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Which blocks a role may have.

    Source: https://github.com/tghamm/Anthropic.SDK/issues/128 and, for documents and citations,
    https://platform.claude.com/docs/en/api/versioning (2026-10-21)
    """
    for turn in turns:
        for place in turn.places:
            if turn.role != "assistant" and (place.type in OF_ASSISTANT or is_server_result(place.block)):
                yield at(place, f"`{place.type}` blocks can only be in `assistant` messages")
            if turn.role != "user" and place.type == "tool_result":
                yield at(place, "`tool_result` blocks can only be in `user` messages")
            if turn.role == "assistant" and place.type == "document":
                yield at(place, "`document` blocks can only be in `user` messages")
            if turn.role == "user" and place.type == "text" and place.block.get("citations"):
                yield at(place, "`citations` can only be in `assistant` messages")
            if turn.role == "system" and place.type != "text":
                yield at(place, "`system` messages can only hold text")
            if "caller" in place.block and place.block["caller"] is None:
                yield at(place, "caller: Input should be an object")


def _system(turns: Sequence[Turn]) -> Iterator[Problem]:
    """A system message follows a user, or a reply that ends with what the API ran.

    Source: https://platform.claude.com/docs/en/api/messages/create
    """
    for before, turn in zip((None, *turns), turns, strict=False):
        if turn.role == "system" and not (before is not None and _may_precede_system(before)):
            why = "a `system` message must follow a `user` message, or a reply that ends in server tool use"
            yield Problem(message=turn.first, text=f"messages.{turn.first}: {why}")


def _may_precede_system(turn: Turn) -> bool:
    last = turn.places[-1].block if turn.places else {}
    return turn.role == "user" or last.get("type") in SERVER_CALLS or is_server_result(last)


def _thinking(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Thinking is sent back whole and signed, and something follows it.

    Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking,
    https://github.com/tailcallhq/forgecode/issues/2107
    """
    for turn in turns:
        for place in turn.of(*THINKING):
            needed = ("data",) if place.type == "redacted_thinking" else ("thinking", "signature")
            for name in needed:
                if not isinstance(place.block.get(name), str) or not (place.block[name] or name == "thinking"):
                    yield at(place, f"{place.type}.{name}: Field required")
        if turn.role == "assistant" and turn.places and turn.places[-1].type in THINKING:
            number = turn.places[-1].message
            why = "The final block in an assistant message cannot be `thinking`."
            yield Problem(message=number, text=f"messages.{number}: {why}")


def _thinking_first(turns: Sequence[Turn], thinking: object) -> Iterator[Problem]:
    """With a budget for thinking, a turn whose calls are being answered must have begun with it.

    Source: https://github.com/pydantic/pydantic-ai/issues/2075
    """
    if not isinstance(thinking, Mapping) or thinking.get("type") != "enabled":
        return
    ours = turns[-1].holds_results_only and len(turns) > 1
    last = turns[-2] if ours else turns[-1]
    if last.role == "assistant" and last.places and last.places[0].type not in THINKING:
        place = last.places[0]
        yield Problem(
            message=place.message,
            block=place.position,
            text=f"messages.{place.message}.content.{place.position}.type: Expected `thinking` or `redacted_thinking`, "
            f"but found `{place.type}`. When `thinking` is enabled, a final `assistant` message must start with a "
            "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
        )


def _end(turns: Sequence[Turn], model: str, paused: bool) -> Iterator[Problem]:
    """A reply that is begun for the model.

    Source: https://github.com/tailcallhq/forgecode/issues/1872,
    https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#breaking-changes
    """
    last = turns[-1]
    if last.role != "assistant":
        return
    text = last.places[-1].block.get("text") if last.places and last.places[-1].type == "text" else ""
    if isinstance(text, str) and text != text.rstrip():
        yield Problem(text="messages: final assistant content cannot end with trailing whitespace")
    ran_by_api = bool(last.of(*SERVER_CALLS) or last.results_of_server())
    if not takes_prefill(model) and not paused and not ran_by_api:
        yield Problem(
            text="This model does not support assistant message prefill. The conversation must end with a user message."
        )


_RULES: tuple[Callable[[Sequence[Turn]], Iterator[Problem]], ...] = (
    _roles,
    _system,
    calls,
    server_calls,
    _thinking,
)
