"""What may be replayed of messages: whatever was said, what is left breaks no rule of the API."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
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

QUESTION = {"role": "user", "content": "question"}
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


@settings(max_examples=4 * settings.default.max_examples)
@given(MESSAGES, st.booleans())
def test_what_is_left_breaks_no_rule(messages: list[dict[str, Any]], closed: bool) -> None:
    left = history(messages, closed=closed).messages
    said = [*left, {"role": "user", "content": "next"}] if closed else left
    assert problems(said, model="claude-opus-4-5") == []


@settings(max_examples=2 * settings.default.max_examples)
@given(MESSAGES)
def test_what_breaks_no_rule_stays_as_it_is(messages: list[dict[str, Any]]) -> None:
    once = history(messages).messages
    again = history(once)
    assert again.messages == once
    assert again.notes == ()


@settings(max_examples=2 * settings.default.max_examples)
@given(MESSAGES)
def test_what_another_model_sees_breaks_no_rule_either(messages: list[dict[str, Any]]) -> None:
    left = history(without_thinking(history(messages, closed=True).messages)).messages
    assert "thinking" not in json.dumps(left)
    assert problems([*left, {"role": "user", "content": "next"}]) == []


@settings(max_examples=2 * settings.default.max_examples)
@given(MESSAGES)
def test_no_words_are_lost_where_a_role_may_say_them(messages: list[dict[str, Any]]) -> None:
    left = history(messages).messages
    assert json.dumps(left).count('"word"') == json.dumps(messages).count('"word"')


def test_ids_that_come_twice_are_changed_on_both_sides() -> None:
    left = history([QUESTION, assistant(call(), call()), user(result(), result())]).messages
    assert [block["id"] for block in left[1]["content"]] == ["toolu_1", "toolu_1_2"]
    assert [block["tool_use_id"] for block in left[2]["content"]] == ["toolu_1", "toolu_1_2"]


def test_results_stand_first_and_calls_last() -> None:
    left = history([QUESTION, assistant(call(), text("a")), user(text("b"), result())])
    assert left.messages[1:] == (assistant(text("a"), call()), user(result(), text("b")))
    assert left.notes == ("the order of a reply: blocks after a call were moved before it",)


def test_a_call_without_a_result_is_left_out_and_its_neighbours_stay() -> None:
    left = history(
        [QUESTION, assistant(SIGNED, text("a"), call(), call("toolu_2")), user(result("toolu_2"), text("b"))]
    )
    assert left.messages[1:] == (assistant(SIGNED, text("a"), call("toolu_2")), user(result("toolu_2"), text("b")))
    assert left.notes == ("the call of add, which was not run",)


@pytest.mark.parametrize(("closed", "kept"), [(False, [SIGNED, text("a"), SEARCH]), (True, [SIGNED, text("a")])])
def test_a_search_waits_for_its_result_only_where_it_can_come(closed: bool, kept: list[Block]) -> None:
    left = history([QUESTION, assistant(SIGNED, text("a"), SEARCH)], closed=closed)
    assert left.messages[1]["content"] == kept


def test_a_search_beside_a_call_waits_for_the_reply_after_the_result() -> None:
    said = [QUESTION, assistant(SEARCH, call()), user(result())]
    assert history(said).messages == tuple(said)
    assert history(said, closed=True).messages == (QUESTION, assistant(call()), user(result()))
    answered = [*said, assistant(FOUND, text("a"))]
    assert history(answered, closed=True).messages == tuple(answered)


def test_what_holds_nothing_any_more_is_no_message() -> None:
    left = history([QUESTION, assistant(SIGNED, call()), QUESTION, assistant(text(" "))])
    assert left.messages == (QUESTION, QUESTION)


def test_the_same_values_come_back_where_nothing_is_wrong() -> None:
    said = [QUESTION, assistant(SIGNED, text("a \n")), QUESTION]
    assert all(one is other for one, other in zip(history(said).messages, said, strict=True))


CONTENTS: list[Any] = [
    "a question",
    " ",
    [{"type": "text", "text": "a text "}],
    [{"type": "text", "text": "cited", "citations": [{"type": "char_location"}]}],
    [{"type": "text", "text": "see"}, {"type": "tool_use", "id": "a", "name": "add", "input": {}}],
    [{"type": "tool_result", "tool_use_id": "a", "content": "three"}],
    [{"type": "thinking", "thinking": "hm", "signature": "sig"}],
]


def test_messages_of_plain_text_at_the_beginning_are_passed_over_and_nothing_else_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = [
        [{"role": "user" if number % 2 == 0 else "assistant", "content": each} for number, each in enumerate(contents)]
        for contents in itertools.product(CONTENTS, repeat=4)
    ]
    passed_over = [history(messages) for messages in every]
    monkeypatch.setattr("claude_magic.wire.history._plain_length", lambda messages: 0)
    assert passed_over == [history(messages) for messages in every]
