"""What a conversation keeps of replies that cannot be sent again as they came, and what the reader is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notebook_kernel import Ran
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.test_remembered import streamed

Block = dict[str, Any]

SIGNED = {"type": "thinking", "thinking": "hm", "signature": "sig"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": "{}"}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
ADD = '''
@claude.tool(approve=False)
def add(a: int = 1) -> int:
    """Adds."""
    return a + 1
'''


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(arguments: str = '{"a": 1}', name: str = "toolu_1") -> Block:
    return {"type": "tool_use", "id": name, "name": "add", "input": arguments}


def page(ran: Ran) -> str:
    return "".join(map(str, ran.data("text/html"))) + ran.stdout


def sent(server: Server) -> list[tuple[str, Any]]:
    """Roles and contents of the last request's messages."""
    return [(m["role"], m["content"]) for m in server.last.json["messages"]]


@pytest.fixture(autouse=True)
def _no_rule_is_broken(server: Server) -> Iterator[None]:
    yield
    assert server.refused == []


def test_a_call_that_was_cut_is_answered_as_not_run(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(streamed([text("Adding."), call('{"a": 1, "b')], "max_tokens", ""), reply("ok"))
    ran = shell.run("%%claude -c\nhi")
    assert "not run: add; the reply ended with max_tokens" in page(ran)
    assert "--finish" not in page(ran)
    shell.run("%%claude -c\nnext")
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant", "user"]
    answer, following = sent(endpoint)[2][1]
    assert (answer["type"], answer["tool_use_id"], answer["is_error"]) == ("tool_result", "toolu_1", True)
    assert following == text("next")


def test_a_reply_of_thinking_alone_leaves_no_empty_message(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), streamed([SIGNED], "max_tokens", ""), reply("ok"))
    shell.run("%%claude -c\nfirst")
    ran = shell.run("%%claude -c\nhi")
    assert "nothing of this reply can be sent again: the conversation is as it was" in page(ran)
    assert "--finish" not in page(ran)
    shell.run("%%claude -c\nnext")
    assert [content for _, content in sent(endpoint)] == ["first", [text("one")], "next"]


def test_a_search_without_its_result_is_left_out_and_told(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(streamed([text("Looking."), SEARCH], "max_tokens", ""), reply("ok"))
    ran = shell.run("%%claude -c --web-search\nhi")
    assert "the API&#x27;s call of web_search, which has no result" in page(ran).replace("'", "&#x27;")
    shell.run("%%claude -c --web-search\nnext")
    assert sent(endpoint)[1] == ("assistant", [text("Looking.")])


def test_a_paused_search_is_gone_on_with_and_remembered_with_its_result(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(
        streamed([SEARCH], "pause_turn", ""), streamed([FOUND, text("Found.")], "end_turn", ""), reply("ok")
    )
    shell.run("%%claude -c --web-search\nhi")
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant"]
    shell.run("%%claude -c --web-search\nnext")
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant", "assistant", "user"]
    assert sent(endpoint)[2] == ("assistant", [FOUND, text("Found.")])


def test_a_paused_reply_of_nothing_ends_the_turn(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(streamed([text(" ")], "pause_turn", ""))
    ran = shell.run("%%claude -c --web-search\nhi")
    assert len(endpoint.received) == 1
    assert "a paused reply is not remembered" in page(ran)


def test_a_search_beside_a_call_gets_its_result_in_the_next_reply(shell: Shell, endpoint: Server) -> None:
    shell.run(f"from claude_magic import claude\n{ADD}")
    both = streamed([SEARCH, call()], "tool_use", "")
    endpoint.answers(both, streamed([FOUND, text("Done.")], "end_turn", ""), reply("ok"))
    shell.run("%%claude -c --web-search --tools add\nhi")
    shell.run("%%claude -c --web-search --tools add\nnext")
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant", "user", "assistant", "user"]
    assert [block["type"] for block in sent(endpoint)[1][1]] == ["server_tool_use", "tool_use"]


def test_unsigned_thinking_is_left_out_and_told(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(streamed([{**SIGNED, "signature": ""}, text("Hello.")], "end_turn", ""), reply("ok"))
    ran = shell.run("%%claude -c\nhi")
    assert "thinking without a signature" in page(ran)
    shell.run("%%claude -c\nnext")
    assert sent(endpoint)[1] == ("assistant", [text("Hello.")])


@pytest.mark.parametrize("reason", ["max_tokens", "stop_sequence", "model_context_window_exceeded", "end_turn", "odd"])
@pytest.mark.parametrize("conversation", ["-c", ""])
def test_going_on_breaks_no_rule(shell: Shell, endpoint: Server, reason: str, conversation: str) -> None:
    cut = [SIGNED, text("one \n"), SEARCH, call('{"a": 1, "b')]
    endpoint.answers(streamed(cut, reason, ""), reply("two"))
    shell.run(f"%%claude {conversation}\nhi")
    ran = shell.run(f"%%claude {conversation} --finish -o said")
    assert ran.error is None
    assert shell.value("said") == "one \ntwo"
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("blocks", "reason", "why"),
    [
        ([text("No.")], "refusal", "the last reply was refused"),
        ([SIGNED], "max_tokens", "Raise -t"),
        ([call('{"a')], "max_tokens", "Raise -t"),
        ([], "end_turn", "there is no reply to go on with"),
        ([SEARCH], "end_turn", "there is no reply to go on with"),
    ],
)
def test_going_on_with_nothing_is_one_line(
    shell: Shell, endpoint: Server, blocks: list[Block], reason: str, why: str
) -> None:
    endpoint.answers(streamed(blocks, reason, ""))
    shell.run("%%claude\nhi")
    ran = shell.run("%%claude --finish")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert why in ran.error[1]
    assert len(endpoint.received) == 1


def test_going_on_with_another_model_sends_it_no_thinking(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(streamed([SIGNED, call()], "tool_use", ""), reply("one", stop_reason="max_tokens"), reply("two"))
    shell.run(f"from claude_magic import claude\n{ADD}")
    shell.run("%%claude --tools add\nhi")
    shell.run("%%claude --finish -m claude-haiku-5-5")
    assert [role for role, _ in sent(endpoint)] == ["user", "assistant", "user", "assistant", "user"]
    assert "thinking" not in json.dumps(sent(endpoint))


def test_going_on_with_a_reply_that_is_in_no_conversation_says_so(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one", stop_reason="max_tokens"), reply("two"))
    shell.run("%%claude\nhi")
    ran = shell.run("%%claude -c --finish")
    assert "not remembered: conversation main ends otherwise" in page(ran)


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ("user: a\nassistant: {", "refuses a prefilled reply"),
        ("user: a\nassistant: b\nsystem: c\nuser: d", "a `system` message must follow"),
    ],
)
def test_turns_that_the_api_would_refuse_are_not_sent(shell: Shell, endpoint: Server, turns: str, why: str) -> None:
    endpoint.answers(reply("ok"))
    ran = shell.run(f"%%claude --turns\n{turns}")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert why in ran.error[1]
    assert endpoint.received == []


def saved(folder: Path, *messages: dict[str, Any]) -> Path:
    turn = {"cell": "a", "asked": "", "model": "", "frame": "", "usage": {}, "messages": list(messages), "digest": ""}
    path = folder / "saved.json"
    path.write_text(json.dumps({"form": "claude-magic conversation 1", "name": "old", "turns": [turn]}))
    return path


def test_an_older_file_is_loaded_without_what_the_api_would_refuse(
    shell: Shell, endpoint: Server, tmp_path: Path
) -> None:
    asked = {"role": "user", "content": "hi"}
    saved(tmp_path, asked, {"role": "assistant", "content": [text("Adding."), {**call(), "input": {}}]})
    ran = shell.run("from claude_magic import claude\nold = claude.load('saved.json')")
    assert ran.error is None
    assert ran.stdout.strip().count("\n") == 0
    assert "saved.json" in ran.stdout
    assert "the call of add, which was not run" in ran.stdout
    endpoint.answers(reply("ok"))
    shell.run("%%claude -c old\nnext")
    assert sent(endpoint) == [("user", "hi"), ("assistant", [text("Adding.")]), ("user", "next")]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "tool", "content": "a"}, "turn 1: messages.1.role"),
        ({"role": "assistant", "content": 3}, "turn 1: messages.1.content"),
        ({"role": "assistant", "content": ["a"]}, "turn 1: messages.1.content.0"),
    ],
)
def test_a_file_that_is_no_conversation_is_refused_in_one_line(
    shell: Shell, tmp_path: Path, message: dict[str, Any], why: str
) -> None:
    saved(tmp_path, {"role": "user", "content": "hi"}, message)
    ran = shell.run("from claude_magic import claude\nclaude.load('saved.json')")
    assert ran.error is not None
    assert ran.error[0] == "SettingsError"
    assert why in ran.error[1]
    assert "\n" not in ran.error[1]


def test_a_reply_of_a_saved_conversation_is_replayed_to_the_byte(
    shell: Shell, endpoint: Server, tmp_path: Path
) -> None:
    crystal = {"type": "crystal", "facets": [1, {"a": None}]}
    endpoint.answers(streamed([SIGNED, crystal, text("Hello. ")], "end_turn", ""), reply("ok"))
    shell.run("%%claude -c\nhi")
    ran = shell.run(
        "from claude_magic import claude\nclaude.conversation('main').save('s.json')\nclaude.load('s.json', 'b');"
    )
    assert ran.error is None
    shell.run("%%claude -c b\nnext")
    assert sent(endpoint)[1] == ("assistant", [SIGNED, crystal, text("Hello. ")])
