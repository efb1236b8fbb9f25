"""Finds the tool calls in a message, and answers those that are not run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..errors import Interrupted
from ..wire import Block, Exchange
from ..wire.short_text import one_line
from ..wire.tool import FAILED, NOT_RUN, REFUSED, RUNNING, WAITING, Call, Tool

_RUNS_ALSO_AT = ("end_turn", "pause_turn")  # some gateways give these for a reply that asks for its calls to be run


def find_calls(exchange: Exchange, tools: Mapping[str, Tool]) -> tuple[Call, ...]:
    """The tool calls of a message, in order; those that must not run are already answered.

    A call runs only if the message ended in order to have it run and all of its arguments arrived.

    Returns:
        `()` if there are none, or if this kernel does not run them.
    """
    message = exchange.message
    blocks = [(index, block) for index, block in enumerate(message.content) if block.get("type") == "tool_use"]
    if any(_has_no_function(tools.get(str(block.get("name")))) for _, block in blocks):
        return ()
    calls = tuple(_call(block, tools, cut=index in message.cut) for index, block in blocks)
    if exchange.error is None and message.stop_reason == "tool_use":
        return calls
    if exchange.error is None and message.stop_reason in _RUNS_ALSO_AT and all(c.state == WAITING for c in calls):
        return calls
    return tuple(skip((replace(call, state=WAITING) for call in calls), why_not_run(exchange)))


def why_not_run(exchange: Exchange) -> str:
    """Why the calls of this reply are not run."""
    if isinstance(exchange.error, Interrupted):
        return "the reply was stopped"
    if exchange.error is not None or exchange.message.stop_reason is None:
        return "the reply did not come to its end"
    return f"the reply ended with {one_line(exchange.message.stop_reason, 60)}"


def _has_no_function(tool: Tool | None) -> bool:
    return tool is not None and tool.run is None


def _call(block: Block, tools: Mapping[str, Tool], *, cut: bool) -> Call:
    name, arguments = str(block.get("name")), block.get("input")
    call = Call(
        id=str(block.get("id")), name=name, arguments=arguments if isinstance(arguments, Mapping) else {}, state=WAITING
    )
    if name not in tools:
        known = ", ".join(name for name, tool in tools.items() if tool.run is not None) or "none"
        return answer(call, FAILED, f"There is no tool {name!r}. There is: {known}.")
    if cut:
        return answer(call, FAILED, "The arguments broke off before their end. Nothing was run.")
    if not isinstance(arguments, Mapping):
        return answer(call, FAILED, "The arguments are no JSON object. Nothing was run.")
    return call


def answer(call: Call, state: str, text: str, note: str = "") -> Call:
    """`call`, answered with `text` instead of a result."""
    return replace(call, state=state, content=({"type": "text", "text": text},), note=note or call.note)


def refuse(call: Call, why: str = "") -> Call:
    """`call`, answered as refused by the user."""
    return answer(call, REFUSED, f"The user refused this call{f': {why}' if why.strip() else ''}.")


def skip(calls: Iterable[Call], why: str) -> tuple[Call, ...]:
    """The calls; those without a result are answered with the reason why they were not run."""
    return tuple(
        answer(call, NOT_RUN, f"Not run: {why}.", why) if call.state in (WAITING, RUNNING) else call for call in calls
    )
