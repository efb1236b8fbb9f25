"""Gateways and servers like the API: the price that LiteLLM's proxy names, and the shapes of vLLM and Ollama.

The shapes of LiteLLM are those of its proxy 1.108.7 (see tests/test_litellm_proxy.py, which asks a real one), those of
vLLM and Ollama are what their servers write.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from claude_magic.errors import APIError, ExchangeError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.wire import Exchange
from tests.notebook_shell import Shell
from tests.server import JSON, Answer, Server, event, failure, message, reply, text_events

CALL_ID = "d0726e9a-a66d-4249-be28-4c5c1d43aa22"
PROXY = (
    ("x-litellm-call-id", CALL_ID),
    ("x-litellm-model-name", "anthropic/claude-haiku-4-5"),
    ("x-litellm-model-api-base", "http://inside.example:1234"),
    ("x-litellm-version", "1.108.7"),
    ("x-litellm-key-spend", "12.5"),
)
NO_FIGURES = (("x-litellm-response-cost-original", "0.0"), ("x-litellm-response-cost-input", "0.0"))
PLAIN_JSON, PLAIN_STREAM = ("content-type", "application/json"), ("content-type", "text/event-stream; charset=utf-8")


@pytest.fixture
def claude(endpoint: Server) -> ClaudeHandle:
    """A handle of its own that does not try again."""
    made = ClaudeHandle()
    made.settings.max_retries = 0
    return made


def whole(cost: str | None = "5.1e-05", model: str = "cheap") -> Answer:
    """A reply that is not streamed, as the proxy gives it."""
    named = [] if cost is None else [("x-litellm-response-cost", cost)]
    body = message(content=[{"type": "text", "text": "Hello"}], stop_reason="end_turn", model=model)
    return Answer(headers=[PLAIN_JSON, *PROXY, *named], pieces=[json.dumps(body).encode()], framing="length")


def streamed(model: str = "cheap", **usage: Any) -> Answer:
    """A stream as the proxy gives it: among its headers are figures of cost that are 0, and none that counts."""
    events = [*text_events(["Hello ", "there"], model=model)]
    last = next(each for each in events if each["type"] == "message_delta")
    last["usage"] |= usage
    return Answer(headers=[PLAIN_STREAM, *PROXY, *NO_FIGURES], pieces=[event(each) for each in events])


def page(shell: Shell, cell: str) -> str:
    ran = shell.run(cell)
    assert ran.error is None
    return "".join(ran.data("text/html"))


def handle(shell: Shell) -> ClaudeHandle:
    """`claude` of the notebook."""
    assert shell.run("from claude_magic import claude").error is None
    found: ClaudeHandle = shell.user_ns["claude"]
    return found


def last(shell: Shell) -> Exchange:
    """The exchange of the last cell."""
    exchange = handle(shell).last
    assert exchange is not None
    return exchange


# The price


@pytest.mark.parametrize(
    ("answer", "usd", "told"),
    [
        (whole(), 5.1e-05, "$0.0001 (the gateway&#x27;s figure)"),
        (whole("0.056", "claude-opus-5-5"), 0.056, "$0.0560 (the gateway&#x27;s figure)"),
        (whole("0.0"), 0.0, "$0.0000 (the gateway&#x27;s figure)"),
        (streamed(cost=0.066), 0.066, "$0.0660 (the gateway&#x27;s figure)"),
        (streamed("claude-opus-5-5"), 0.000224, "$0.0002 (by list price: the gateway names none)"),
        (streamed("claude-opus-5-5", cost=0.0), 0.000224, "$0.0002 (by list price: the gateway names none)"),
        (streamed(), None, "price unknown"),
        (streamed(cost=0.0), None, "price unknown"),
        (whole(None), None, "price unknown"),
    ],
)
def test_the_price_is_the_one_that_the_gateway_names_and_it_is_said(
    answer: Answer, usd: float | None, told: str, shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(answer)
    shown = page(shell, f"%%claude -m cheap{' --no-stream' if answer.framing == 'length' else ''}\nhi")
    assert (told in shown, CALL_ID in shown) == (True, True)
    assert last(shell).usd == (usd if usd is None else pytest.approx(usd))


@pytest.mark.parametrize("cost", ["None", "nan", "inf", "-1", "1_0", "", "0.1, 0.2", "1e999", "free"])
def test_what_is_no_amount_is_no_price(cost: str, claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(whole(cost))
    assert claude("hi", model="cheap", stream=False).usd is None


def test_a_cost_in_the_usage_counts_of_a_gateway_only(claude: ClaudeHandle, endpoint: Server) -> None:
    events = [*text_events(["Hello"], model="cheap")]
    events[-2]["usage"]["cost"] = 0.5
    endpoint.answers(Answer(headers=[PLAIN_STREAM], pieces=[event(each) for each in events]))
    assert claude("hi", model="cheap").usd is None


def test_the_api_itself_is_priced_as_before_and_nothing_is_said(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hello"))
    assert "$0.0002" in (shown := page(shell, "%%claude\nhi"))
    assert ("list price" in shown, "figure" in shown) == (False, False)


def test_a_budget_counts_what_the_gateway_names(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("0.9", "claude-opus-5-5"))
    shell.run("%config Claude.budget_usd = 1.0")
    assert page(shell, "%%claude -t 100 --no-stream\nhi")
    assert handle(shell).usage.total.usd == pytest.approx(0.9)
    refused = shell.run("%%claude -t 9000 --no-stream\nhi")  # $0.18 by list price
    assert refused.error is not None
    assert "$0.90" in refused.error[1]
    assert len([each for each in endpoint.received if each.path == "/v1/messages"]) == 1


def test_the_panel_and_the_journal_have_the_figure_and_no_address_behind_the_gateway(
    shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(whole())
    shown = page(shell, "%%claude -m cheap --no-stream\nhi")
    for expected in ("x-litellm-response-cost", "x-litellm-model-name", "anthropic/claude-haiku-4-5", CALL_ID):
        assert expected in shown
    assert ("inside.example" in shown, "12.5" in shown) == (False, False)
    entry = handle(shell).journal.exchange(last(shell).entry or 0)
    assert (entry.usd, entry.request_id) == (5.1e-05, CALL_ID)


def test_a_replayed_reply_would_have_cost_what_the_gateway_named(shell: Shell, endpoint: Server, tmp_path: Any) -> None:
    endpoint.answers(whole("0.25"))
    page(shell, "%%claude -m cheap --no-stream\nhi")
    handle(shell).record(tmp_path / "a.recording.txt")
    handle(shell).record(None)
    handle(shell).replay(tmp_path / "a.recording.txt")
    assert "would have cost $0.2500" in page(shell, "%%claude -m cheap --no-stream\nhi")
    assert len(endpoint.received) == 1


def test_an_error_of_the_gateway_names_its_call_id(claude: ClaudeHandle, endpoint: Server) -> None:
    text = "anthropic_messages: Invalid model name passed in model=nosuch. Call `/v1/models` to view available models"
    refused = failure(400, "invalid_request_error", text)
    endpoint.answers(
        Answer(
            status=400,
            headers=[PLAIN_JSON, *PROXY, ("x-litellm-response-cost", "0")],
            pieces=refused.pieces,
            framing="length",
        )
    )
    with pytest.raises(APIError, match=rf"Invalid model name.*x-litellm-call-id {CALL_ID}"):
        claude("hi", model="nosuch")
    assert claude.last is not None
    assert claude.last.usd == 0


# vLLM and Ollama


def vllm(*blocks: dict[str, Any], reason: str) -> list[bytes]:
    """A stream of vLLM: fields that have their default are not in it, and usage comes at the end."""
    start: dict[str, Any] = {
        "id": "chatcmpl-1",
        "content": [],
        "model": "qwen3",
        "stop_reason": None,
        "stop_sequence": None,
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**start, "usage": {"input_tokens": 0, "output_tokens": 0}}}
    ]
    for index, block in enumerate(blocks):
        events += _block(index, block)
    usage = {"input_tokens": 21, "output_tokens": 7}
    events.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage})
    return [_plain(each) for each in [*events, {"type": "message_stop"}]]


def ollama(*blocks: dict[str, Any], reason: str, index: Any = None) -> list[bytes]:
    """A stream of Ollama; `index` is that of every block, else they are counted."""
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "qwen3", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**start, "usage": {"input_tokens": 12, "output_tokens": 0}}}
    ]
    for number, block in enumerate(blocks):
        events += _block(number if index is None else index, block)
    usage = {"input_tokens": 21, "output_tokens": 7}
    events.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage})
    return [_plain(each) for each in [*events, {"type": "message_stop"}]]


def _block(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    if "name" in block:
        begins = {"type": "tool_use", "id": f"call_{index}_{block['name']}", "name": block["name"], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    elif "thinking" in block:
        begins, delta = {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": block["thinking"]}
    else:
        begins, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    return [
        {"type": "content_block_start", "index": index, "content_block": begins},
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


def _plain(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


THINK, SAY, ADD = {"thinking": "Sum."}, {"text": "I add."}, {"name": "add", "input": {"a": 1}}


def sent(pieces: list[bytes]) -> Answer:
    return Answer(headers=[PLAIN_STREAM], pieces=pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        vllm(THINK, SAY, ADD, reason="tool_use"),
        vllm(THINK, SAY, ADD, reason="end_turn"),
        ollama(THINK, SAY, ADD, reason="tool_use"),
        ollama(THINK, SAY, ADD, reason="end_turn"),
        ollama(THINK, SAY, ADD, reason="tool_use", index=0),
        [*vllm(THINK, SAY, ADD, reason="tool_use")[:-1], b"data: [DONE]\n\n"],
    ],
)
def test_a_call_of_vllm_and_ollama_is_run_and_their_last_usage_counts(
    pieces: list[bytes], claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.strict = False
    endpoint.answers(sent(pieces), sent(vllm({"text": "Two."}, reason="end_turn")))
    ran = []

    @claude.tool(approve=False)  # type: ignore[untyped-decorator]
    def add(a: int = 0) -> int:
        """Add."""
        ran.append(a)
        return a + 1

    exchange = claude("1+1?", model="qwen3", tools=[add])
    assert (ran, exchange.text, exchange.earlier[0].text) == ([1], "Two.", "I add.")
    assert exchange.earlier[0].message.usage == {"input_tokens": 21, "output_tokens": 7}
    assert exchange.request_id is None
    results = endpoint.last.json["messages"][-1]["content"]
    assert [each["type"] for each in results] == ["tool_result"]


def test_a_stream_that_ends_before_message_stop_is_kept_as_incomplete(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(sent(ollama(SAY, reason="end_turn")[:-2]))
    with pytest.raises(ExchangeError, match="the stream ended early"):
        claude("hi", model="qwen3")
    assert claude.last is not None
    assert claude.last.text == "I add."


def test_an_error_within_a_stream_of_vllm_is_told(claude: ClaudeHandle, endpoint: Server) -> None:
    failed = {"type": "error", "error": {"type": "internal_error", "message": "EngineCore died"}}
    endpoint.answers(sent([*vllm(SAY, reason="end_turn")[:3], _plain(failed), b"data: [DONE]\n\n"]))
    with pytest.raises(APIError, match=r"internal_error: EngineCore died \(inside the stream\)"):
        claude("hi", model="qwen3")


NOT_FOUND = [(404, b'{"detail":"Not Found"}'), (404, b"404 page not found"), (405, b""), (501, b"<html>no</html>")]


@pytest.mark.parametrize(("status", "body"), NOT_FOUND)
def test_a_server_that_does_not_count_says_so_in_one_line(
    status: int, body: bytes, shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(Answer(status=status, headers=[PLAIN_JSON], pieces=[body], framing="length"))
    error = shell.run("%%claude -m qwen3 --count\nhi").error
    assert error is not None
    assert f"the server has no count_tokens: /v1/messages/count_tokens was answered with HTTP {status}." in error[1]
    assert "\n" not in error[1]


def test_a_model_or_file_that_is_not_there_is_not_blamed_on_the_counting(
    claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: nosuch"))
    with pytest.raises(APIError, match="not_found_error: model: nosuch"):
        claude.count("hi", model="nosuch")
    endpoint.answers(failure(404, "not_found_error", "File not found: file_1"))
    with pytest.raises(APIError, match="File not found"):
        claude.count("hi")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"detail": "Not authenticated"}', "Not authenticated (HTTP 422)"),
        (
            '{"detail": [{"loc": ["body", "max_tokens"], "msg": "Field required", "type": "missing"}, {"msg": "odd"}]}',
            "body.max_tokens: Field required; odd (HTTP 422)",
        ),
        ('{"detail": {"a": 1}}', '{"detail": {"a": 1}} (HTTP 422)'),
        ('{"error": "model requires more memory"}', "model requires more memory (HTTP 422)"),
        ('{"error": {"message": "Bad.", "type": "BadRequestError", "code": 400}}', "BadRequestError: Bad (HTTP 422)"),
        ('{"error": {"error": {"message": "deep", "type": "t"}}}', "t: deep (HTTP 422)"),
        ('{"error": {"reason": "quota"}}', '{"reason": "quota"} (HTTP 422)'),
        ('{"object": "error", "message": "No.", "type": "NotFoundError"}', "NotFoundError: No (HTTP 422)"),
        ('{"message": "no Route matched with those values"}', "no Route matched with those values (HTTP 422)"),
        ("upstream connect error", "upstream connect error (HTTP 422)"),
        ("<html><head><title>502 Bad Gateway</title></head></html>", "a web page, '502 Bad Gateway' (HTTP 422)"),
    ],
)
def test_an_error_body_of_another_form_is_one_line(
    body: str, told: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(Answer(status=422, headers=JSON[:1], pieces=[body.encode()], framing="length"))
    with pytest.raises(APIError) as raised:
        claude("hi")
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)
