"""Turns with tools as the real API streamed them: what is run, and what is sent back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from claude_magic.wire.tool import Tool
from tests.server import STREAM, Answer, Server, reply

CALLING = (
    "simonw_llm-anthropic__test_fixed_version_tool_chain_with_thinking_display_regression__0",
    "simonw_llm-anthropic__test_stream_events_tool_calls__0",
)
PAUSED = "pydantic_pydantic-ai__test_pause_turn_web_search_streaming_vcr"


@pytest.fixture
def claude(endpoint: Server) -> Iterator[ClaudeHandle]:
    made = ClaudeHandle()
    yield made
    made.session.close()


def streamed(recorded: Path, name: str, size: int = 0) -> Answer:
    """A recorded stream, cut into pieces of this size."""
    data = (recorded / "streams" / f"{name}.sse").read_bytes()
    size = size or len(data)
    return Answer(headers=STREAM, pieces=[data[at : at + size] for at in range(0, len(data), size)])


def message(recorded: Path, name: str) -> dict[str, Any]:
    """What the SDK makes of a stream."""
    found: dict[str, Any] = json.loads((recorded / "streams" / f"{name}.expected.json").read_text())["final_message"]
    return found


def without_none(value: Any) -> Any:
    """As it stood on the wire: the SDK adds `None` for what was not there."""
    if isinstance(value, dict):
        return {name: without_none(inner) for name, inner in value.items() if inner is not None}
    return [without_none(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("size", [0, 1, 97])
@pytest.mark.parametrize("name", CALLING)
def test_the_calls_of_a_real_reply_are_run_and_answered(
    name: str, size: int, recorded: Path, claude: ClaudeHandle, endpoint: Server
) -> None:
    expected = message(recorded, name)
    asked = [block for block in expected["content"] if block["type"] == "tool_use"]
    ran: list[tuple[str, Mapping[str, Any]]] = []

    def tool(called: str) -> Tool:
        def run(arguments: Mapping[str, Any]) -> str:
            ran.append((called, arguments))
            return f"result of {called}"

        return Tool(definition={"name": called, "input_schema": {"type": "object"}}, run=run)

    endpoint.answers(streamed(recorded, name, size), reply("done"))
    exchange = claude.session.ask(
        Prompt(options=Options(), text="hi", tools={b["name"]: tool(b["name"]) for b in asked})
    )
    assert exchange.text == "done"
    assert ran == [(block["name"], block["input"]) for block in asked]
    question, echoed, results = endpoint.last.json["messages"]
    assert question == {"role": "user", "content": "hi"}
    assert without_none(echoed["content"]) == without_none(expected["content"])
    assert [(r["tool_use_id"], r["content"][0]["text"]) for r in results["content"]] == [
        (block["id"], f"result of {block['name']}") for block in asked
    ]


def test_a_real_paused_turn_is_gone_on_with_as_it_came(recorded: Path, claude: ClaudeHandle, endpoint: Server) -> None:
    first, second = f"{PAUSED}__0", f"{PAUSED}__1"
    endpoint.answers(streamed(recorded, first), streamed(recorded, second))
    exchange = claude.session.ask(Prompt(options=Options(), text="hi"))
    assert len(endpoint.received) == 2
    assert exchange.message.stop_reason == "end_turn"
    assert exchange.text == "".join(b["text"] for b in message(recorded, second)["content"] if b["type"] == "text")
    _, echoed = endpoint.last.json["messages"]
    assert echoed["role"] == "assistant"
    assert without_none(echoed["content"]) == without_none(message(recorded, first)["content"])
