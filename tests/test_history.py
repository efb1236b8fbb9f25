"""What may be replayed of messages: whatever was said, what is left breaks no rule of the API."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.wire.history import history, without_thinking
from claude_magic.wire.message_rules import problems

Block = dict[str, Any]

IDS = st.sampled_from(["a", "b", "c", "id.1", ""])
TEXT = st.builds(lambda text: {"type": "text", "text": text}, st.sampled_from(["word", "end \n", "", " \n", "x"]))
CALL = st.builds(
    lambda name, given: {"type": "tool_use", "id": name, "name": "add", "input": given},
    IDS,
    st.sampled_from([{}, {"a": 1}, [1], None]),
)
RESULT = st.builds(
    lambda name, content: {"type": "tool_result", "tool_use_id": name, "content": content},
    IDS,
    st.sampled_from(["three", [], [{"type": "text", "text": "3"}], [{"type": "text", "text": " "}]]),
)
OF_ASSISTANT = st.one_of(
    TEXT,
    CALL,
    st.just({"type": "thinking", "thinking": "hm", "signature": "sig"}),
    st.just({"type": "thinking", "thinking": "", "signature": "sig"}),
    st.just({"type": "thinking", "thinking": "hm", "signature": ""}),
    st.just({"type": "redacted_thinking", "data": "x"}),
    st.builds(lambda name: {"type": "server_tool_use", "id": name, "name": "web_search", "input": {}}, IDS),
    st.builds(lambda name: {"type": "web_search_tool_result", "tool_use_id": name, "content": []}, IDS),
    st.builds(lambda name: {"type": "mcp_tool_use", "id": name, "name": "look", "input": {}, "caller": None}, IDS),
    st.builds(lambda name: {"type": "mcp_tool_result", "tool_use_id": name, "content": []}, IDS),
    st.just({"type": "container_upload", "file_id": "f"}),
    st.just({"type": "crystal", "facets": [1]}),
)
OF_USER = st.one_of(TEXT, RESULT, st.just({"type": "document", "source": {}}), st.just({"type": "image", "source": {}}))
ANY = st.one_of(OF_ASSISTANT, OF_USER)
MESSAGE = st.one_of(
    st.builds(lambda c: {"role": "user", "content": c}, st.one_of(st.just("q"), st.lists(OF_USER, max_size=4))),
    st.builds(
        lambda c: {"role": "assistant", "content": c}, st.one_of(st.just("a "), st.lists(OF_ASSISTANT, max_size=6))
    ),
    st.builds(
        lambda r, c: {"role": r, "content": c}, st.sampled_from(["user", "assistant"]), st.lists(ANY, max_size=4)
    ),
)
MESSAGES = st.lists(MESSAGE, max_size=7).map(lambda found: [{"role": "user", "content": "question"}, *found])

PLAIN = {"role": "user", "content": "question"}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "sig"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(name: str = "toolu_1") -> Block:
    return {"type": "tool_use", "id": name, "name": "add", "input": {}}


def result(name: str = "toolu_1") -> Block:
    return {"type": "tool_result", "tool_use_id": name, "content": "3"}


def assistant(*blocks: Block) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Block) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


@settings(max_examples=400, deadline=None)
@given(MESSAGES, st.booleans())
def test_what_is_left_breaks_no_rule(messages: list[dict[str, Any]], closed: bool) -> None:
    left = history(messages, closed=closed).messages
    said = [*left, {"role": "user", "content": "next"}] if closed else left
    assert problems(said, model="claude-opus-4-5") == []


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_what_breaks_no_rule_stays_as_it_is(messages: list[dict[str, Any]]) -> None:
    once = history(messages).messages
    again = history(once)
    assert again.messages == once
    assert again.notes == ()


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_what_another_model_sees_breaks_no_rule_either(messages: list[dict[str, Any]]) -> None:
    left = history(without_thinking(history(messages, closed=True).messages)).messages
    assert "thinking" not in json.dumps(left)
    assert problems([*left, {"role": "user", "content": "next"}]) == []


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_no_words_are_lost_where_a_role_may_say_them(messages: list[dict[str, Any]]) -> None:
    left = history(messages).messages
    assert json.dumps(left).count('"word"') == json.dumps(messages).count('"word"')
