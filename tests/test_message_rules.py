"""The API's rules for messages: each refuses what the API refuses, in its words, and nothing that was really taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from claude_magic.wire.message_rules import problems

Block = dict[str, Any]

ASKED = {"role": "user", "content": "question"}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "sig"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(name: str = "toolu_1", **fields: Any) -> Block:
    return {"type": "tool_use", "id": name, "name": "add", "input": {}, **fields}


def result(name: str = "toolu_1", content: Any = "3") -> Block:
    return {"type": "tool_result", "tool_use_id": name, "content": content}


def assistant(*blocks: Block) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Block) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED],
        [ASKED, ASKED],
        [ASKED, assistant(text("a ")), ASKED],
        [ASKED, assistant(text("a"), call()), user(result(), text("and"))],
        [ASKED, assistant(call(), call("toolu_2")), user(result("toolu_2"), result())],
        [ASKED, assistant(SIGNED, call()), user(result()), assistant(text("a")), ASKED],
        [ASKED, assistant(SIGNED, SEARCH)],
        [ASKED, assistant(SEARCH), assistant(FOUND, text("a")), ASKED],
        [ASKED, assistant(SEARCH, call()), user(result()), assistant(FOUND, text("a")), ASKED],
        [ASKED, assistant(SEARCH, call()), user(result())],
        [ASKED, assistant(SEARCH, FOUND), {"role": "system", "content": "brief"}, ASKED],
        [ASKED, {"role": "system", "content": "brief"}],
        [ASKED, assistant({"type": "crystal", "facets": []}), ASKED],
        [ASKED, assistant({"type": "thinking", "thinking": "", "signature": "sig"}, text("a")), ASKED],
    ],
)
def test_what_the_api_takes_is_no_problem(messages: list[dict[str, Any]]) -> None:
    assert problems(messages, model="claude-opus-5-5") == []


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "at least one message is required"),
        ([{"role": "tool", "content": "a"}], "messages.0.role: Input should be 'user' or 'assistant'"),
        ([ASKED, {"role": "user"}], "messages.1.content: Input should be a valid list"),
        ([user("a")], "messages.0.content.0: Input should be a valid content block"),  # type: ignore[arg-type]
        ([ASKED, assistant(), ASKED], "messages.1: all messages must have non-empty content except"),
        ([{"role": "user", "content": " "}], "text content blocks must contain non-whitespace text"),
        ([user(text(""))], "text content blocks must be non-empty"),
        ([ASKED, assistant(call()), user(result(content=[text("")]))], "text content blocks must be non-empty"),
        ([user(SIGNED, text("a"))], "messages.0.content.0: `thinking` blocks can only be in `assistant` messages"),
        ([ASKED, assistant(result(), text("a")), ASKED], "`tool_result` blocks can only be in `user` messages"),
        ([ASKED, assistant({"type": "document"}, text("a")), ASKED], "`document` blocks can only be in `user`"),
        ([user({**text("a"), "citations": [{}]})], "`citations` can only be in `assistant` messages"),
        ([ASKED, assistant(call(caller=None)), user(result())], "messages.1.content.0: caller: Input should be"),
        ([{"role": "system", "content": "a"}, ASKED], "messages.0: a `system` message must follow"),
        ([ASKED, assistant(text("a")), {"role": "system", "content": "b"}, ASKED], "messages.2: a `system` message"),
        ([ASKED, assistant(call()), ASKED], "messages.1: `tool_use` ids were found without `tool_result` blocks"),
        ([ASKED, assistant(call())], "immediately after: toolu_1. Each `tool_use` block must have"),
        ([ASKED, assistant(call()), user(text("a"), result())], "`tool_use` ids were found without `tool_result`"),
        ([ASKED, assistant(call(), text("a")), user(result())], "`tool_use` ids were found without `tool_result`"),
        ([user(result())], "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        ([ASKED, assistant(call()), user(result(), result())], "Found multiple `tool_result` blocks with id: toolu_1"),
        ([ASKED, assistant(call(), call()), user(result())], "messages.1.content.1: `tool_use` ids must be unique"),
        ([ASKED, assistant(call("a.b")), user(result("a.b"))], "tool_use.id: String should match pattern"),
        ([ASKED, assistant(call(input=[1])), user(result())], "tool_use.input: Input should be a valid dictionary"),
        ([ASKED, assistant(SEARCH, text("a")), ASKED], "`web_search` tool use with id `srvtoolu_1` was found without"),
        ([ASKED, assistant(SEARCH, call()), user(result(), text("a"))], "was found without a corresponding"),
        ([ASKED, assistant(FOUND, text("a")), ASKED], "unexpected `tool_use_id` found in `web_search_tool_result`"),
        ([ASKED, assistant({**SIGNED, "signature": ""}, text("a")), ASKED], "thinking.signature: Field required"),
        ([ASKED, assistant(text("a"), SIGNED), ASKED], "messages.1: The final block in an assistant message cannot be"),
        ([ASKED, assistant(text("a "))], "final assistant content cannot end with trailing whitespace"),
    ],
)
def test_what_the_api_refuses_is_told_in_its_words(messages: list[dict[str, Any]], said: str) -> None:
    found = problems(messages, model="claude-haiku-4-5")
    assert any(said in problem.text for problem in found), found


def test_a_problem_says_where_it_is() -> None:
    found = problems([ASKED, assistant(text("a")), user(text("b"), text(" "))])
    assert [(problem.message, problem.block) for problem in found] == [(2, 1)]


@pytest.mark.parametrize(
    ("model", "refuses"),
    [
        ("claude-opus-5-5", True),
        ("claude-sonnet-4-6", True),
        ("claude-opus-4-7", True),
        ("claude-fable-5-2", True),
        ("claude-mythos-preview", True),
        ("us.anthropic.claude-sonnet-5-5", True),
        ("claude-haiku-4-5", False),
        ("claude-opus-4-5-20251101", False),
        ("claude-opus-6", False),
        ("my-model", False),
    ],
)
def test_only_models_that_are_known_to_refuse_a_begun_reply_do(model: str, refuses: bool) -> None:
    found = problems([ASKED, assistant(text("{"))], model=model)
    assert [problem.text.startswith("This model does not support assistant message prefill") for problem in found] == (
        [True] if refuses else []
    )


def test_a_paused_reply_may_be_sent_back_to_every_model() -> None:
    assert problems([ASKED, assistant(text("{"))], model="claude-opus-5-5", paused=True) == []


def test_with_a_budget_a_turn_of_calls_begins_with_thinking() -> None:
    assert problems([ASKED, assistant(SIGNED, call()), user(result())], thinking=BUDGET) == []
    found = problems([ASKED, assistant(call()), user(result())], thinking=BUDGET)
    assert (
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`" in found[0].text
    )
    assert problems([ASKED, assistant(call()), user(result())], thinking={"type": "adaptive"}) == []


def test_the_system_prompt_holds_no_empty_text() -> None:
    assert problems([ASKED], system=[text("a")]) == []
    assert problems([ASKED], system="") == []
    assert [problem.text for problem in problems([ASKED], system=[text("")])] == [
        "system: text content blocks must be non-empty"
    ]


def test_what_the_real_api_answered_breaks_no_rule(recorded: Path) -> None:
    looked_at = 0
    for path in sorted((recorded / "exchanges").rglob("*.y*ml")):
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        for each in held.get("interactions") or held.get("http_interactions") or ():
            body = _body(each["request"])
            status = each["response"]["status"]
            code = status.get("code") if isinstance(status, dict) else status
            if isinstance(body, dict) and "messages" in body and int(code) == 200:
                looked_at += 1
                assert problems(body["messages"], system=body.get("system"), thinking=body.get("thinking")) == [], path
    assert looked_at >= 8


def _body(request: dict[str, Any]) -> Any:
    body = request.get("parsed_body", request.get("body"))
    if isinstance(body, dict):
        body = body.get("parsed_body") or body.get("string") or body
    try:
        return yaml.safe_load(body) if isinstance(body, (str, bytes)) else body
    except yaml.YAMLError:
        return None
