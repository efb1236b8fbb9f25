"""Calls in messages that are replayed: each with its result, at the place where the API looks for it."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from .call_rules import CALL_ID
from .message_places import SERVER_CALLS, Block, Message, blocks, is_server_result

_NOT_OF_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def calls_with_results(messages: Sequence[Message], notes: list[str]) -> list[Message]:
    """The messages with calls and results in pairs: a call without a result is left out, and so is a result
    without a call; ids that the API does not take, or took already, are changed on both sides.
    """
    runs = [list(run) for _, run in itertools.groupby(messages, key=lambda message: message["role"])]
    made: list[Message] = []
    pairs: list[tuple[Block, Block]] = []
    taken: set[str] = set()  # ids, by all replies so far: servers that count them begin anew with each
    for number, run in enumerate(runs):
        if run[0]["role"] == "assistant":
            following = runs[number + 1] if number + 1 < len(runs) else []
            pairs = list(_pairs(run, following, taken, notes))
            made += _asking(run, [call for call, _ in pairs], notes)
        elif run[0]["role"] == "user":
            made += _answering(run, [result for _, result in pairs], notes)
            pairs = []
        else:
            made += run
    return made


def finished_server_calls(messages: Sequence[Message], notes: list[str], *, closed: bool) -> list[Message]:
    """The messages without calls of the API that have no result, and without results that have no call.

    Args:
        closed: Whether a call at the end waits for its result in vain.
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


def _pairs(
    run: Iterable[Message], following: Iterable[Message], taken: set[str], notes: list[str]
) -> Iterator[tuple[Block, Block]]:
    """The calls of a reply, each with its result, in the order of the calls.

    Args:
        taken: The ids of earlier calls; those of these are added.
    """
    results: dict[str, deque[Block]] = defaultdict(deque)
    for result in _of(following, "tool_result"):
        results[str(result.get("tool_use_id"))].append(result)
    taken.update(str(block.get("id")) for block in _of(run, *SERVER_CALLS))
    for call in _of(run, "tool_use"):
        found = results[str(call.get("id"))]
        if not found:
            notes.append(f"the call of {call.get('name')}, which was not run")
            continue
        result, name = found.popleft(), _free(str(call.get("id")), taken)
        taken.add(name)
        if name != call.get("id"):
            call, result = {**call, "id": name}, {**result, "tool_use_id": name}
        yield call, result


def _free(name: str, known: set[str]) -> str:
    """`name` as an id that the API takes and that is not in use."""
    fitting = _NOT_OF_AN_ID.sub("_", name) or "call"
    return next(each for each in (fitting, *(f"{fitting}_{n}" for n in range(2, len(known) + 3))) if each not in known)


def _asking(run: list[Message], calls: Sequence[Block], notes: list[str]) -> list[Message]:
    """A reply with these as its calls, after all else in it."""
    if not _of(run, "tool_use"):
        return run
    if _of(run[:-1], "tool_use"):
        content = [block for message in run for block in blocks(message["content"])]
        run = [{**run[-1], "content": content}]
    before = blocks(run[-1]["content"])
    others = [block for block in before if block.get("type") != "tool_use"]
    if calls and before[: len(others)] != others:
        notes.append("the order of a reply: what came after a call stands before it")
    content = [*others, *calls]
    return run if content == before else [*run[:-1], {**run[-1], "content": content}]


def _answering(run: list[Message], results: Sequence[Block], notes: list[str]) -> list[Message]:
    """What follows a reply, with these as its results, before all else."""
    held = _of(run, "tool_result")
    if len(held) > len(results):
        notes.append("a result that answers no call")
    if not held:
        return run
    others = [[block for block in blocks(message["content"]) if block.get("type") != "tool_result"] for message in run]
    contents = [[*results, *others[0]], *others[1:]]
    return [
        message if content == blocks(message["content"]) else {**message, "content": content}
        for message, content in zip(run, contents, strict=True)
    ]


def _of(run: Iterable[Message], *types: str) -> list[Block]:
    return [block for message in run for block in blocks(message["content"]) if block.get("type") in types]


def _holds_results_only(message: Message) -> bool:
    return all(block.get("type") == "tool_result" for block in blocks(message["content"]))


def _without(messages: Sequence[Message], places: set[tuple[int, int]], notes: list[str]) -> list[Message]:
    made = list(messages)
    for number, position in sorted(places):
        block = blocks(messages[number]["content"])[position]
        if is_server_result(block):
            notes.append(f"a {block.get('type')} without its call")
        else:
            notes.append(f"the API's call of {block.get('name')}, which has no result")
    for number in {number for number, _ in places}:
        content = enumerate(blocks(messages[number]["content"]))
        made[number] = {
            **messages[number],
            "content": [block for position, block in content if (number, position) not in places],
        }
    return made
