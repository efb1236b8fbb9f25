"""Tool calls in messages that are sent again: each with its result, at the place where the API expects it."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from .call_rules import CALL_ID
from .message_places import SERVER_CALLS, Block, Message, blocks, is_server_result

_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def calls_with_results(messages: Sequence[Message], notes: list[str]) -> list[Message]:
    """The messages with calls and results in pairs.

    A call without a result is left out, and so is a result without a call; ids that are invalid or used before are
    changed in both.
    """
    runs = [list(run) for _, run in itertools.groupby(messages, key=lambda message: message["role"])]
    paired: list[Message] = []
    pairs: list[tuple[Block, Block]] = []
    used_ids: set[str] = set()  # of all replies so far: some servers number the calls of each reply from 1
    for number, run in enumerate(runs):
        if run[0]["role"] == "assistant":
            following = runs[number + 1] if number + 1 < len(runs) else []
            pairs = list(_call_pairs(run, following, used_ids, notes))
            paired += _with_calls(run, [call for call, _ in pairs], notes)
        elif run[0]["role"] == "user":
            paired += _with_results(run, [result for _, result in pairs], notes)
            pairs = []
        else:
            paired += run
    return paired


def finished_server_calls(messages: Sequence[Message], notes: list[str], *, closed: bool) -> list[Message]:
    """The messages without server tool calls that have no result, and without results that have no call.

    Args:
        closed: Whether a call at the end will get no result any more.
    """
    left_out: set[tuple[int, int]] = set()
    waiting: dict[str, tuple[int, int]] = {}
    known: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] != "assistant":
            known.clear()
            if message["role"] == "user" and not _holds_results_only(message):
                left_out.update(waiting.values())
                waiting.clear()
            continue
        for position, block in enumerate(blocks(message["content"])):
            if block.get("type") in SERVER_CALLS:
                name = block.get("id")
                if not isinstance(name, str) or not CALL_ID.fullmatch(name) or name in known:
                    left_out.add((number, position))
                else:
                    known.add(name)
                    waiting[name] = (number, position)
            elif is_server_result(block) and waiting.pop(str(block.get("tool_use_id")), None) is None:
                left_out.add((number, position))
    if closed or (messages and messages[-1]["role"] == "system"):
        left_out.update(waiting.values())
    return _without(messages, left_out, notes)


def _call_pairs(
    run: Iterable[Message], following: Iterable[Message], used_ids: set[str], notes: list[str]
) -> Iterator[tuple[Block, Block]]:
    """The calls of a reply, each with its result, in the order of the calls.

    Args:
        used_ids: The ids of earlier calls; the ids of these calls are added.
    """
    results: dict[str, deque[Block]] = defaultdict(deque)
    for result in _blocks_of_type(following, "tool_result"):
        results[str(result.get("tool_use_id"))].append(result)
    used_ids.update(str(block.get("id")) for block in _blocks_of_type(run, *SERVER_CALLS))
    for call in _blocks_of_type(run, "tool_use"):
        queue = results[str(call.get("id"))]
        if not queue:
            notes.append(f"the call of {call.get('name')}, which was not run")
            continue
        result, call_id = queue.popleft(), _free_id(str(call.get("id")), used_ids)
        used_ids.add(call_id)
        if call_id != call.get("id"):
            call, result = {**call, "id": call_id}, {**result, "tool_use_id": call_id}
        yield call, result


def _free_id(call_id: str, used: set[str]) -> str:
    """`call_id`, changed if the API refuses it or it is used already."""
    valid = _NOT_IN_AN_ID.sub("_", call_id) or "call"
    return next(each for each in (valid, *(f"{valid}_{n}" for n in range(2, len(used) + 3))) if each not in used)


def _with_calls(run: list[Message], calls: Sequence[Block], notes: list[str]) -> list[Message]:
    """A reply with these calls after all its other blocks."""
    if not _blocks_of_type(run, "tool_use"):
        return run
    if _blocks_of_type(run[:-1], "tool_use"):
        content = [block for message in run for block in blocks(message["content"])]
        run = [{**run[-1], "content": content}]
    before = blocks(run[-1]["content"])
    others = [block for block in before if block.get("type") != "tool_use"]
    if calls and before[: len(others)] != others:
        notes.append("the order of a reply: blocks after a call were moved before it")
    content = [*others, *calls]
    return run if content == before else [*run[:-1], {**run[-1], "content": content}]


def _with_results(run: list[Message], results: Sequence[Block], notes: list[str]) -> list[Message]:
    """The user messages after a reply, with these results before all other blocks."""
    present = _blocks_of_type(run, "tool_result")
    if len(present) > len(results):
        notes.append("a result that belongs to no call")
    if not present:
        return run
    others = [[block for block in blocks(message["content"]) if block.get("type") != "tool_result"] for message in run]
    contents = [[*results, *others[0]], *others[1:]]
    return [
        message if content == blocks(message["content"]) else {**message, "content": content}
        for message, content in zip(run, contents, strict=True)
    ]


def _blocks_of_type(run: Iterable[Message], *types: str) -> list[Block]:
    return [block for message in run for block in blocks(message["content"]) if block.get("type") in types]


def _holds_results_only(message: Message) -> bool:
    return all(block.get("type") == "tool_result" for block in blocks(message["content"]))


def _without(messages: Sequence[Message], places: set[tuple[int, int]], notes: list[str]) -> list[Message]:
    """The messages without the blocks at these indices of message and block."""
    kept = list(messages)
    for number, position in sorted(places):
        block = blocks(messages[number]["content"])[position]
        if is_server_result(block):
            notes.append(f"a {block.get('type')} without its call")
        else:
            notes.append(f"the API's call of {block.get('name')}, which has no result")
    for number in {number for number, _ in places}:
        content = enumerate(blocks(messages[number]["content"]))
        kept[number] = {
            **messages[number],
            "content": [block for position, block in content if (number, position) not in places],
        }
    return kept
