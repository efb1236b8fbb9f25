"""The rules for calls in `messages`: each is answered, at the right place, and nothing else is.

Each rule cites its source; see `message_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .message_places import SERVER_CALLS, Place, Problem, Turn, at, is_server_result

CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")


def calls(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Every call is answered at the beginning of the next message, and nothing else is.

    Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls, and for a call
    that something follows in its message https://github.com/vercel/ai/issues/13013
    """
    for number, turn in enumerate(turns):
        following = turns[number + 1] if number + 1 < len(turns) else None
        if turn.role == "assistant":
            yield from _call_forms(turn)
            yield from _unanswered(turn, following)
        if turn.role == "user":
            yield from _unexpected_results(turn, turns[number - 1] if number else None)


def _call_forms(turn: Turn) -> Iterator[Problem]:
    """Source: https://github.com/anthropics/claude-code/issues/20901"""
    known: set[str] = set()
    for place in turn.of("tool_use", *SERVER_CALLS):
        name = place.block.get("id")
        if not isinstance(name, str) or not CALL_ID.fullmatch(name):
            yield at(place, f"{place.type}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        elif name in known:
            yield at(place, "`tool_use` ids must be unique")
        known.add(str(name))
        if not isinstance(place.block.get("input"), Mapping):
            yield at(place, f"{place.type}.input: Input should be a valid dictionary")


def _unanswered(turn: Turn, following: Turn | None) -> Iterator[Problem]:
    asked = turn.of("tool_use")
    if not asked:
        return
    after = turn.places.index(asked[0])
    apart = any(place.type != "tool_use" for place in turn.places[after:])
    answers = following.leading_results if following is not None and following.role == "user" else []
    answered = {str(place.block.get("tool_use_id")) for place in answers}
    open_ids = [str(place.block.get("id")) for place in asked if apart or str(place.block.get("id")) not in answered]
    if open_ids:
        last = asked[-1].message
        yield Problem(
            message=last,
            text=f"messages.{last}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_ids)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
            "next message.",
        )


def _unexpected_results(turn: Turn, before: Turn | None) -> Iterator[Problem]:
    asked = {str(place.block.get("id")) for place in before.of("tool_use")} if before is not None else set()
    answered: set[str] = set()
    for place in turn.of("tool_result"):
        name = str(place.block.get("tool_use_id"))
        if name not in asked:
            why = f"unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` block must have"
            yield at(place, f"{why} a corresponding `tool_use` block in the previous message.")
        elif name in answered:
            why = "each tool_use must have a single result. Found multiple `tool_result` blocks with id:"
            yield at(place, f"{why} {name}")
        answered.add(name)


def server_calls(turns: Sequence[Turn]) -> Iterator[Problem]:
    """What the API ran has its result after it, in the same turn.

    One may wait for its result in two places only: at the end of a reply that was paused and is sent back, and
    beside calls of ours, whose results alone are in the next message; its result then comes in the next reply.

    Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools,
    https://github.com/anthropics/anthropic-sdk-python/issues/961
    """
    waiting: dict[str, Place] = {}
    for turn in turns:
        if turn.role == "assistant":
            for place in turn.places:
                if place.type in SERVER_CALLS:
                    waiting[str(place.block.get("id"))] = place
                elif is_server_result(place.block):
                    name = str(place.block.get("tool_use_id"))
                    if waiting.pop(name, None) is None:
                        why = f"unexpected `tool_use_id` found in `{place.type}` blocks: {name}. Each `{place.type}`"
                        yield at(place, f"{why} block must have a corresponding `server_tool_use` block before it.")
        elif not turn.holds_results_only:
            yield from map(_without_result, waiting.values())
            waiting = {}
    if turns[-1].role == "system":
        yield from map(_without_result, waiting.values())


def _without_result(place: Place) -> Problem:
    name = place.block.get("name")
    why = f"`{name}` tool use with id `{place.block.get('id')}` was found without a corresponding"
    return Problem(message=place.message, block=place.position, text=f"messages.{place.message}: {why} result block")
