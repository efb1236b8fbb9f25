"""The rules for tool calls in `messages`: each has its result, at the right place, and each result its call.

Each rule cites its source; see `message_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .message_places import SERVER_CALLS, Place, Problem, Turn, is_server_result, problem_at

CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")


def call_problems(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Every call has its result at the beginning of the next message, and every result has its call.

    Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls, and for a call
    that other blocks follow in its message https://github.com/vercel/ai/issues/13013
    """
    for number, turn in enumerate(turns):
        following = turns[number + 1] if number + 1 < len(turns) else None
        if turn.role == "assistant":
            yield from _invalid_calls(turn)
            yield from _calls_without_results(turn, following)
        if turn.role == "user":
            yield from _results_without_calls(turn, turns[number - 1] if number else None)


def _invalid_calls(turn: Turn) -> Iterator[Problem]:
    """Source: https://github.com/anthropics/claude-code/issues/20901"""
    known: set[str] = set()
    for place in turn.blocks_of_type("tool_use", *SERVER_CALLS):
        name = place.block.get("id")
        if not isinstance(name, str) or not CALL_ID.fullmatch(name):
            yield problem_at(place, f"{place.type}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        elif name in known:
            yield problem_at(place, "`tool_use` ids must be unique")
        known.add(str(name))
        if not isinstance(place.block.get("input"), Mapping):
            yield problem_at(place, f"{place.type}.input: Input should be a valid dictionary")


def _calls_without_results(turn: Turn, following: Turn | None) -> Iterator[Problem]:
    calls = turn.blocks_of_type("tool_use")
    if not calls:
        return
    first = turn.places.index(calls[0])
    others_follow = any(place.type != "tool_use" for place in turn.places[first:])
    results = following.leading_results if following is not None and following.role == "user" else []
    result_ids = set() if others_follow else {str(place.block.get("tool_use_id")) for place in results}
    open_ids = [call_id for place in calls if (call_id := str(place.block.get("id"))) not in result_ids]
    if open_ids:
        last = calls[-1].message
        yield Problem(
            message=last,
            text=f"messages.{last}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_ids)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
            "next message.",
        )


def _results_without_calls(turn: Turn, before: Turn | None) -> Iterator[Problem]:
    calls = before.blocks_of_type("tool_use") if before is not None else []
    call_ids = {str(place.block.get("id")) for place in calls}
    result_ids: set[str] = set()
    for place in turn.blocks_of_type("tool_result"):
        call_id = str(place.block.get("tool_use_id"))
        if call_id not in call_ids:
            why = f"unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. Each `tool_result` block must"
            yield problem_at(place, f"{why} have a corresponding `tool_use` block in the previous message.")
        elif call_id in result_ids:
            why = "each tool_use must have a single result. Found multiple `tool_result` blocks with id:"
            yield problem_at(place, f"{why} {call_id}")
        result_ids.add(call_id)


def server_call_problems(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Every call of a server tool has its result after it, in the same turn.

    A call may wait for its result in two places only: at the end of a reply that was paused and is sent back, and
    beside calls of this side's tools, if the next message holds only their results; its result then comes in the
    next reply.

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
                        yield problem_at(
                            place, f"{why} block must have a corresponding `server_tool_use` block before it."
                        )
        elif not turn.holds_results_only:
            yield from map(_no_result, waiting.values())
            waiting = {}
    if turns[-1].role == "system":
        yield from map(_no_result, waiting.values())


def _no_result(place: Place) -> Problem:
    name = place.block.get("name")
    why = f"`{name}` tool use with id `{place.block.get('id')}` was found without a corresponding"
    return Problem(message=place.message, block=place.position, text=f"messages.{place.message}: {why} result block")
