"""The calls that a message asks for, and answers to those that are not run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..wire import Block, Exchange
from ..wire.tool import FAILED, NOT_RUN, REFUSED, RUNNING, WAITING, Call, Tool


def calls(exchange: Exchange, tools: Mapping[str, Tool]) -> tuple[Call, ...]:
    """What a message asks for, in its order; what cannot be run is answered already.

    Returns:
        `()` unless the message ended to have its calls answered, and this kernel can answer all of them.
    """
    if exchange.error is not None or exchange.message.stop_reason != "tool_use":
        return ()
    asked = [(index, b) for index, b in enumerate(exchange.message.content) if b.get("type") == "tool_use"]
    if any(_is_of_nobody(tools.get(str(block.get("name")))) for _, block in asked):
        return ()
    cut = _cut(exchange)
    return tuple(_call(block, tools, cut=index in cut) for index, block in asked)


def _is_of_nobody(tool: Tool | None) -> bool:
    return tool is not None and tool.run is None


def _call(block: Block, tools: Mapping[str, Tool], *, cut: bool) -> Call:
    name, arguments = str(block.get("name")), block.get("input")
    call = Call(
        id=str(block.get("id")), name=name, arguments=arguments if isinstance(arguments, Mapping) else {}, state=WAITING
    )
    if name not in tools:
        known = ", ".join(name for name, tool in tools.items() if tool.run is not None) or "none"
        return answered(call, FAILED, f"There is no tool {name!r}. There is: {known}.")
    if cut:
        return answered(call, FAILED, "The arguments broke off before their end. Nothing was run.")
    if not isinstance(arguments, Mapping):
        return answered(call, FAILED, "The arguments are no JSON object. Nothing was run.")
    return call


def _cut(exchange: Exchange) -> set[int]:
    """The blocks whose arguments, as they were streamed, are not whole: the fold makes of them what it can."""
    streamed: dict[int, str] = {}
    for event in exchange.events:
        if "input_json_delta" not in event.data:
            continue
        with contextlib.suppress(ValueError, TypeError, KeyError):
            data = json.loads(event.data)
            streamed[data["index"]] = streamed.get(data["index"], "") + data["delta"]["partial_json"]
    return {index for index, text in streamed.items() if text.strip() and not _is_json(text)}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def answered(call: Call, state: str, text: str, note: str = "") -> Call:
    """`call`, answered with a sentence instead of being run."""
    return replace(call, state=state, content=({"type": "text", "text": text},), note=note or call.note)


def refused(call: Call, why: str = "") -> Call:
    """`call`, as the reader does not want it run."""
    return answered(call, REFUSED, f"The user refused this call{f': {why}' if why.strip() else ''}.")


def not_run(several: Iterable[Call], why: str) -> tuple[Call, ...]:
    """The calls, those that have no result yet answered with why they were not run."""
    return tuple(
        answered(call, NOT_RUN, f"Not run: {why}.", why) if call.state in (WAITING, RUNNING) else call
        for call in several
    )
