"""`--openai`: a cell is sent as a message and in OpenAI's form, and both replies are shown with what differs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_magic.api.accumulator import Accumulator
from claude_magic.errors import StreamError
from claude_magic.export.openai.request import differences, openai_request
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.wire import Exchange, Headers, Request
from claude_magic.wire.sse import Decoder
from tests.conftest import KEY
from tests.notebook_shell import Shell
from tests.scripted_api import chat
from tests.server import STREAM, Answer, Received, Server, event, message, reply

TOOL = {"name": "weather", "strict": True, "input_schema": {"type": "object", "properties": {"city": {}}}}


@pytest.fixture
def both(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The scripted API with its endpoint in OpenAI's form; messages come from the script."""

    def respond(received: Received) -> Answer | None:
        return chat.answer(received, KEY) if received.path.endswith(chat.PATH) else None

    monkeypatch.setattr(endpoint, "respond", respond)
    endpoint.answers(reply("Hi ", "there"))
    return endpoint


def chat_request(server: Server) -> Received:
    return next(each for each in server.received if each.path == chat.PATH)


def exchanges(shell: Shell) -> list[Exchange]:
    return list(shell.user_ns["t"]["exchange"])


@pytest.mark.parametrize("stream", ["", " --no-stream"])
def test_a_cell_is_sent_both_ways_and_both_replies_are_shown(stream: str, shell: Shell, both: Server) -> None:
    ran = shell.run(f"%%claude --openai -o t -s Brief --thinking{stream}\nhi")
    assert (ran.error, len(both.received)) == (None, 2)
    sent = chat_request(both)
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert ("x-api-key" in sent.headers, "anthropic-version" in sent.headers) == (False, False)
    assert sent.json["messages"] == [{"role": "system", "content": "Brief"}, {"role": "user", "content": "hi"}]
    assert [each.text for each in exchanges(shell)] == ["Hi there", "Hello"]
    shown = "".join(ran.data("text/html"))
    for expected in (
        "Hi there",
        "Hello",
        "/v1/chat/completions",
        "Bearer $ANTHROPIC_API_KEY",
        "sent as the first message",
    ):
        assert expected in shown
    assert KEY not in shown


def test_both_replies_are_paid_journaled_and_counted(shell: Shell, both: Server) -> None:
    shell.run("%config Claude.budget_usd = 1.0")
    shell.run("from claude_magic import claude")
    assert shell.run("%%claude --openai -o t\nhi").error is None
    first, second = exchanges(shell)
    assert second.message.usage == {"input_tokens": 40, "output_tokens": 2}
    assert second.usd == pytest.approx((40 * 4 + 2 * 20) / 1e6)
    handle: ClaudeHandle = shell.user_ns["claude"]
    assert handle.usage.total.usd == pytest.approx((first.usd or 0) + (second.usd or 0))
    entry = handle.journal.exchange(second.entry or 0)
    assert (entry.text, entry.message.stop_reason, entry.request.endpoint) == ("Hello", "end_turn", chat.PATH)
    assert [row["prompt"] for row in handle.journal.last()] == ["hi", "hi"]


def test_a_budget_that_is_too_small_refuses_both(shell: Shell, both: Server) -> None:
    shell.run("%config Claude.budget_usd = 0.000001")
    error = shell.run("%%claude --openai -o t\nhi").error
    assert error is not None
    assert error[0] == "OverBudget"
    assert [each.path for each in both.received if "count_tokens" not in each.path] == []


def test_a_replay_answers_both(shell: Shell, both: Server) -> None:
    assert shell.run("%%claude --openai -o t\nhi").error is None
    shell.run("%config Claude.replay = 'only'")
    assert shell.run("%%claude --openai -o t\nhi").error is None
    assert ([each.text for each in exchanges(shell)], len(both.received)) == (["Hi there", "Hello"], 2)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(status=404, pieces=[b'{"detail":"Not Found"}'], framing="length"), "which --openai needs"),
        (chat.failure(400, "invalid_request_error", "n: must be 1"), "invalid_request_error: n: must be 1 (HTTP 400"),
        (
            Answer(headers=STREAM, pieces=[b'data: {"choices":[{"index":0,"delta":{"content":"He"}}]}\n\n']),
            "the stream ended early, without [DONE]",
        ),
        (
            Answer(headers=STREAM, pieces=[b'data: {"error":{"message":"busy","type":"overloaded_error"}}\n\n']),
            "overloaded_error: busy (inside the stream",
        ),
    ],
)
def test_a_failure_of_one_is_one_line_in_its_place_and_the_other_is_kept(
    answer: Answer, told: str, shell: Shell, both: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both, "respond", lambda received: answer if received.path == chat.PATH else None)
    shell.run("%config Claude.max_retries = 0")
    ran = shell.run("%%claude --openai -o t\nhi")
    assert ran.error is None
    first, second = exchanges(shell)
    assert (first.text, told in str(second.error)) == ("Hi there", True)
    assert "\n" not in str(second.error)


@pytest.mark.parametrize(
    "words", ["--times 2", "--compare model=a,b", "--batch", "--count", "--preview", "-c", "--legacy"]
)
def test_what_has_no_meaning_beside_it_is_refused(words: str, shell: Shell, both: Server) -> None:
    error = shell.run(f"%%claude --openai {words}\nhi").error
    assert error is not None
    assert error[0] == "CellError"
    assert both.received == []


def test_a_cloud_is_refused(shell: Shell, both: Server) -> None:
    error = shell.run("%%claude --openai --provider bedrock\nhi").error
    assert error is not None
    assert "--openai: bedrock is not asked in OpenAI's form" in error[1]
    assert both.received == []


def test_python_gets_both_exchanges(both: Server) -> None:
    first, second = ClaudeHandle()("hi", openai=True)
    assert (first.text, second.text) == ("Hi there", "Hello")


def test_a_function_is_offered_in_both_forms_and_run_in_none(shell: Shell, both: Server) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    arguments = {"type": "input_json_delta", "partial_json": "{}"}
    ending = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}
    events = [
        {"type": "message_start", "message": message()},
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": arguments},
        *({"type": "content_block_stop", "index": 0}, ending, {"type": "message_stop"}),
    ]
    both.answers(Answer(headers=STREAM, pieces=[event(each) for each in events]))
    shell.run("ran = []\ndef add(city: str = ''):\n    'Add.'\n    ran.append(1)")
    ran = shell.run("%%claude --openai -o t --tools add --tool-choice any\nhi")
    assert (ran.error, shell.user_ns["ran"]) == (None, [])
    assert [[block["name"] for block in each.message.content] for each in exchanges(shell)] == [["add"], ["add"]]
    assert "".join(ran.data("text/html")).count("the model asks for add") == 2


# What differs


def request(**fields: Any) -> Request:
    body = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}], **fields}
    headers = Headers([("anthropic-version", "2023-06-01"), ("content-type", "application/json")])
    return Request(method="POST", url="http://h/x/v1/messages", headers=headers, body=body)


def test_what_the_form_lacks_is_named_with_its_reason() -> None:
    document = {"type": "document", "source": {"type": "text", "data": "a"}, "citations": {"enabled": True}}
    cached = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    made = request(tools=[TOOL], metadata={}, messages=[{"role": "user", "content": [document, cached]}])
    rows = dict(differences(made))
    assert set(rows) == {"strict", "metadata", "document", "cache_control"}
    assert "need not fit their schema" in rows["strict"]
    body = openai_request(made).body
    assert body is not None
    assert body["tools"] == [{"type": "function", "function": {"name": "weather", "parameters": TOOL["input_schema"]}}]


def test_nothing_is_named_where_nothing_is_lost() -> None:
    assert differences(request(stop_sequences=["x"], temperature=0.5)) == []
    made = openai_request(request(stop_sequences=["x"]))
    assert (made.url, made.body and made.body["stop"]) == ("http://h/x/v1/chat/completions", ["x"])


# The stream


@pytest.mark.parametrize("stream", [True, False])
def test_a_call_is_a_call_of_a_message(stream: bool, both: Server) -> None:
    _, exchange = ClaudeHandle()("hi", openai=True, tools=[TOOL], tool_choice="any", stream=stream)
    (block,) = exchange.message.content
    assert block == {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Paris"}}
    assert exchange.message.stop_reason == "tool_use"


@pytest.mark.parametrize("stream", [True, False])
def test_a_gateway_names_the_price_of_this_form_too(
    stream: bool, both: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def respond(received: Received) -> Answer | None:
        if received.path != chat.PATH:
            return None
        made = chat.answer(received, KEY)
        pieces = [each.replace(b'"total_tokens"', b'"cost": 0.25, "total_tokens"') for each in made.pieces]  # type: ignore[union-attr]
        return Answer(headers=[*made.headers, ("x-litellm-call-id", "a")], pieces=pieces, framing=made.framing)

    monkeypatch.setattr(both, "respond", respond)
    _, exchange = ClaudeHandle()("hi", openai=True, stream=stream)
    assert exchange.usd == 0.25


def test_a_stream_cut_at_any_byte_is_never_whole() -> None:
    received = Received(
        method="POST",
        path=chat.PATH,
        headers={"authorization": "Bearer k"},
        body=json.dumps({"model": "m", "messages": [], "stream": True}).encode(),
        connection=1,
    )
    whole = b"".join(piece for piece in chat.answer(received, "k").pieces if isinstance(piece, bytes))
    for end in range(len(whole) - 1):
        growing = Accumulator(Request(method="POST", url=""))
        growing.add_events(Decoder().feed(whole[:end]))
        with pytest.raises(StreamError):
            growing.check()


@pytest.mark.process
@pytest.mark.parametrize("stream", [True, False])
def test_the_exported_program_asks_the_same_endpoint(stream: bool, both: Server, tmp_path: Path) -> None:
    _, exchange = ClaudeHandle()("hi", openai=True, stream=stream)
    path = tmp_path / "program.py"
    path.write_text(exchange.code("openai"), encoding="utf-8")
    environment = {"ANTHROPIC_API_KEY": KEY, "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("Hello", "")
    ours, theirs = (each.json for each in both.received if each.path == chat.PATH)
    assert ours == theirs
