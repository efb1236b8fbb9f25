"""Calls in replies that did not end to have them run: nothing half-arrived is run, it is said, and nothing dangles."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.errors import StreamError
from claude_magic.magics.claude import ClaudeHandle
from tests.notebook_shell import Shell
from tests.server import STREAM, Answer, Server, event, message, reply


@pytest.fixture
def claude(endpoint: Server) -> ClaudeHandle:
    """A handle of its own that does not try again."""
    made = ClaudeHandle()
    made.settings.max_retries = 0
    return made


def events(reason: str | None, arguments: str = '{"a": 1}', *, ends: bool = True) -> list[dict[str, Any]]:
    """A reply of a text and a call."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    stop = [{"type": "content_block_stop", "index": 1}] if ends else []
    return [
        {"type": "message_start", "message": message()},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "I add."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": block},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": arguments}},
        *stop,
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {}},
        {"type": "message_stop"},
    ]


def call(reason: str | None, arguments: str = '{"a": 1}', *, ends: bool = True, most: int | None = None) -> Answer:
    return Answer(headers=STREAM, pieces=[event(each) for each in events(reason, arguments, ends=ends)[:most]])


def dangling(messages: list[Any]) -> set[str]:
    """Calls that the message after them does not answer."""
    open_calls: set[str] = set()
    for each in messages:
        blocks = each["content"] if isinstance(each["content"], list) else []
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if open_calls - answered:
            return open_calls - answered
        open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
    return open_calls


def asked(claude: ClaudeHandle, **options: Any) -> list[int]:
    """Ask with a function; the arguments of its runs."""
    ran: list[int] = []

    @claude.tool(approve=False)
    def add(a: int = 0) -> int:
        """Add."""
        ran.append(a)
        return a + 1

    claude("1+1?", tools=[add], conversation="main", **options)
    return ran


NOT_WHOLE = ["max_tokens", "stop_sequence", "refusal", "model_context_window_exceeded", "new_reason"]


@pytest.mark.parametrize("reason", NOT_WHOLE)
def test_a_call_of_a_reply_that_ended_otherwise_is_not_run_and_said_and_answered(
    reason: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(call(reason), reply("Two."))
    assert asked(claude) == []
    assert claude.last is not None
    assert f"not run: add; the reply ended with {reason}" in claude.last.notes
    assert [each.state for each in claude.last.calls] == ["not run"]
    assert len(endpoint.received) == 1
    claude("and now?", conversation="main")
    assert dangling(endpoint.last.json["messages"]) == set()


@pytest.mark.parametrize("reason", ["end_turn", "pause_turn"])
def test_a_whole_call_is_run_although_the_reply_says_that_it_is_over_and_that_is_said(
    reason: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(call(reason), reply("Two."))
    assert asked(claude) == [1]
    assert claude.last is not None
    assert claude.last.text == "Two."
    assert f"ended with {reason} although it asks for add" in claude.last.earlier[0].notes[0]
    assert dangling(endpoint.last.json["messages"]) == set()


@pytest.mark.parametrize(("arguments", "ends"), [('{"a": 1', True), ('{"a": 1', False), ("", False)])
@pytest.mark.parametrize("reason", ["end_turn", "pause_turn", *NOT_WHOLE])
def test_a_call_whose_arguments_are_cut_is_never_run(
    reason: str, arguments: str, ends: bool, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(call(reason, arguments, ends=ends), reply("Two."))
    assert asked(claude) == []
    claude("and now?", conversation="main")
    assert dangling(endpoint.last.json["messages"]) == set()


@pytest.mark.parametrize(("arguments", "ends"), [('{"a": 1', True), ('{"a": 1', False), ("", False)])
def test_a_cut_call_is_told_to_the_model_where_it_waits_for_it(
    arguments: str, ends: bool, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(call("tool_use", arguments, ends=ends), reply("Two."))
    assert asked(claude) == []
    (result,) = endpoint.last.json["messages"][-1]["content"]
    assert (result["is_error"], "broke off" in result["content"][0]["text"]) == (True, True)


@pytest.mark.parametrize("most", range(5, 9))
def test_a_call_of_a_stream_that_broke_off_is_not_run_and_said(
    most: int, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(call("tool_use", most=most), reply("Two."))
    with pytest.raises(StreamError):
        asked(claude)
    assert claude.last is not None
    assert claude.last.text == "I add."
    assert "not run: add; the reply did not come to its end" in claude.last.notes
    claude("and now?", conversation="main")
    assert endpoint.last.json["messages"] == [{"role": "user", "content": "and now?"}]


def test_a_call_that_nobody_runs_here_is_said(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(call("end_turn"))
    exchange = claude("hi", tools=[{"name": "add", "input_schema": {"type": "object"}}])
    assert exchange.notes == ("asks for add, and nothing was run: the reply ended with end_turn",)


TOOL = "from claude_magic import claude\nran = []\n@claude.tool(approve=False)\ndef add(a: int):\n    'Add.'\n    ran.append(a)"


def test_a_page_says_of_a_call_that_it_was_not_run(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(call("max_tokens"))
    shell.run(TOOL)
    page = "".join(shell.run("%%claude --tools add\nhi").data("text/html"))
    assert "not run: add; the reply ended with max_tokens" in page
    assert shell.value("ran") == []


# Structured output that was cut


@pytest.mark.parametrize(
    ("reason", "words"),
    [("max_tokens", "cut off (max_tokens)"), ("refusal", "refused (refusal)"), ("new_reason", "stopped: new_reason")],
)
@pytest.mark.parametrize("line", ["--schema Row -o row", "--as json -o row"])
def test_a_form_that_is_missing_is_blamed_on_what_cut_the_reply(
    reason: str, words: str, line: str, shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(reply('{"name": "a", "n', stop_reason=reason))
    shell.run("import dataclasses\n@dataclasses.dataclass\nclass Row:\n    name: str\n    n: int")
    ran = shell.run(f"%%claude {line}\nhi")
    assert ran.error is not None
    assert ran.error[1] == f"the reply is not whole ({reason}). It is in claude.last.text."
    assert words in ran.data("text/html")[0]  # the note at the reply says what that is


def test_a_form_that_is_missing_in_a_whole_reply_is_blamed_on_the_reply(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply('{"name": "a", "n'))
    ran = shell.run("%%claude --as json\nhi")
    assert ran.error is not None
    assert "not JSON" in ran.error[1]


def test_a_whole_form_is_taken_although_the_reply_reached_its_limit(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply('{"n": 1}', stop_reason="max_tokens"))
    assert shell.run("%%claude --as json -o row\nhi").error is None
    assert shell.value("row") == {"n": 1}
