"""Whatever the API answers, and whatever is done with it: no request of ours breaks the API's rules for messages.

The scripted API answers with every stop reason and every kind of block, of the contract and unknown, and holds each
request that comes next against the rules.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_magic.errors import ClaudeError
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from claude_magic.session.session import Session
from claude_magic.session.turn import ApproveAll, SilentTurn, Turn, approve
from claude_magic.tools.calls import refuse
from claude_magic.wire.tool import WAITING, Call, Tool
from tests.server import STREAM, Answer, Server, event, failure, message, reply

Block = dict[str, Any]

STOP_REASONS = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
    "new_reason",
    None,
]
IDS = st.sampled_from(["1", "1", "2", "3"])
OF_A_SERVER = ["web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution"]
BLOCKS = st.one_of(
    st.builds(lambda words: {"type": "text", "text": words}, st.sampled_from(["Hello.", "and so \n", "", " \n"])),
    st.builds(lambda words: {"type": "text", "text": words}, st.sampled_from(["Hello.", "It is"])),
    st.just({"type": "thinking", "thinking": "hm", "signature": "sig"}),
    st.just({"type": "thinking", "thinking": "", "signature": "sig"}),
    st.just({"type": "thinking", "thinking": "hm", "signature": ""}),
    st.just({"type": "redacted_thinking", "data": "x"}),
    st.builds(
        lambda number, name, given: {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given},
        IDS,
        st.sampled_from(["add", "add", "stop", "missing"]),
        st.sampled_from(['{"a": 1}', '{"a": 1, "b": "x', "", "[1]", "{}"]),
    ),
    st.builds(
        lambda number, name: {"type": "server_tool_use", "id": f"srvtoolu_{number}", "name": name, "input": "{}"},
        IDS,
        st.sampled_from([*OF_A_SERVER, "tool_search_tool_bm25"]),
    ),
    st.builds(
        lambda number, name: {"type": f"{name}_tool_result", "tool_use_id": f"srvtoolu_{number}", "content": []},
        IDS,
        st.sampled_from([*OF_A_SERVER, "tool_search", "advisor"]),
    ),
    st.builds(lambda n: {"type": "mcp_tool_use", "id": f"mcptoolu_{n}", "name": "look", "input": "{}"}, IDS),
    st.builds(lambda n: {"type": "mcp_tool_result", "tool_use_id": f"mcptoolu_{n}", "content": []}, IDS),
    st.just({"type": "container_upload", "file_id": "file_1"}),
    st.just({"type": "crystal", "facets": [1, {"a": None}]}),
)
BROKEN = st.sampled_from(["", "", "", "", "cut", "failure"])
ASKS = [
    {"type": "text", "text": "I add."},
    *({"type": "tool_use", "id": f"toolu_{number}", "name": "add", "input": '{"a": 1}'} for number in (4, 5)),
]
STOPS = [{"type": "tool_use", "id": "toolu_6", "name": "stop", "input": "{}"}]
ANSWER = st.one_of(
    st.tuples(st.lists(BLOCKS, max_size=5), st.sampled_from(STOP_REASONS), BROKEN),
    st.tuples(st.sampled_from([ASKS, ASKS[:2], ASKS[1:]]), st.sampled_from(STOP_REASONS), st.just("")),
    st.tuples(st.sampled_from([ASKS, ASKS[:2], [*ASKS, *STOPS], STOPS]), st.just("tool_use"), st.just("")),
)
ANSWERS = st.lists(ANSWER, min_size=1, max_size=3)
ACTIONS = st.sampled_from(
    [
        "ask",
        "ask",
        "ask",
        "tools",
        "approve",
        "tools",
        "go on",
        "go on",
        "go on alone",
        "again",
        "turns",
        "new",
        "undo",
        "fork",
        "load",
    ]
)
MODELS = st.sampled_from(["claude-opus-5-5", "claude-opus-5-5", "claude-haiku-4-5", "some-model"])
STEPS = st.lists(st.tuples(ACTIONS, MODELS, ANSWERS), min_size=2, max_size=6)
TURNS = "user: a\nassistant: b \nuser: c\nassistant: {"


def _add(arguments: Any) -> str:
    return "3"


def _stop(arguments: Any) -> str:
    raise KeyboardInterrupt


def _tool(name: str, run: Any) -> Tool:
    definition = {"name": name, "input_schema": {"type": "object"}}
    return Tool(definition=definition, run=run, approve=False)


TOOLS = {"add": _tool("add", _add), "stop": _tool("stop", _stop)}
OFFERED = {"tools": [dict(tool.definition) for tool in TOOLS.values()]}


def streamed(blocks: list[Block], stop_reason: str | None, broken: str) -> Answer:
    """A reply of these blocks; the input of a call is its JSON text, perhaps cut."""
    if broken == "failure":
        return failure(400, "invalid_request_error", "no")
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message()}]
    for index, block in enumerate(blocks):
        begun = {**block, "input": {}} if "input" in block else block
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        if block.get("input"):
            delta = {"type": "input_json_delta", "partial_json": block["input"]}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 3}})
    events.append({"type": "message_stop"})
    kept = events[:-2] if broken == "cut" else events
    return Answer(headers=STREAM, pieces=[event(e) for e in kept], ending="cut" if broken else "clean")


class Waiting(ApproveAll):
    """Lets the calls wait for the user."""

    def decide(self, turn: Turn) -> None:  # type: ignore[override]
        return None


def decided(number: int, call: Call) -> Call:
    """Every other call is refused."""
    return call if call.state != WAITING else approve(call) if number % 2 else refuse(call)


class Reader:
    """Does with one desk what a reader of a notebook does."""

    def __init__(self, folder: Path) -> None:
        self.desk = Session()
        self.desk.settings.journal = ""
        self.desk.settings.max_retries = 0
        self.desk.settings.max_tool_steps = 3
        self.folder = folder
        self.name = "main"
        self.cells = 0

    def do(self, action: str, model: str) -> None:
        conversation = self.desk.conversations.open(self.name)
        if action == "undo":
            conversation.undo()
        elif action == "fork":
            self.name = f"{self.name}+"
            conversation.fork(self.name)
        elif action == "load":
            path = conversation.save(self.folder / "saved.json")
            self.name = f"{self.name}-"
            self.desk.conversations.load(path, self.name)
        if action != "again":
            self.cells += 1
        options, text, tools = self._options(action, model), self._text(action), self._tools(action)
        prompt, shown = Prompt(options=options, text=text, tools=tools), SilentTurn()
        turn = self.desk.begin_turn(prompt, f"c{self.cells}")
        turn = self.desk.run_turn(turn, shown, Waiting() if action == "approve" else ApproveAll())
        while turn.waits:
            calls = [decided(*each) for each in enumerate(turn.exchange.calls)]
            turn = self.desk.resume_turn(turn, shown, Waiting(), calls)

    def _options(self, action: str, model: str) -> Options:
        return Options(
            model=model,
            conversation="" if action == "go on alone" else self.name,
            finish=action.startswith("go on"),
            turns=action == "turns",
            fresh=action == "new",
            param=OFFERED if action in ("tools", "approve") else {},
        )

    def _text(self, action: str) -> str:
        return TURNS if action == "turns" else "" if action.startswith("go on") else "next?"

    def _tools(self, action: str) -> dict[str, Tool]:
        return TOOLS if action in ("tools", "approve") else {}


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_request_breaks_the_rules(
    strict: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, str, Any]]
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", strict.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    strict.refused.clear()
    strict.received.clear()
    reader = Reader(tmp_path)
    for action, model, answers in steps:
        strict.answers(*(streamed(*each) for each in answers), reply("Done."))
        with contextlib.suppress(ClaudeError):
            reader.do(action, model)
        assert strict.refused == [], json.dumps(strict.last.json["messages"])[:2000]
    strict.answers(reply("Done."))
    reader.do("ask", "claude-opus-5-5")  # a conversation is never poisoned
    assert strict.refused == []
