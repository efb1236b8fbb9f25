"""AWS's event stream: what its frames say is what the rest reads, and a stream that breaks off is never a whole reply."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from claude_magic import claude
from claude_magic.api.client import Client
from claude_magic.api.platforms import bedrock
from claude_magic.api.platforms.event_stream import as_events
from claude_magic.api.transports.base import ResponseStream
from claude_magic.errors import APIError, ExchangeError, StreamError
from claude_magic.wire import Decoder, Exchange, Headers, Request
from tests.aws import chunk, error_frame, exception, frame, frames, streamed
from tests.notebook_shell import Shell, forget
from tests.server import Server

pytestmark = pytest.mark.usefixtures("only_loopback")

FRAME = bytes.fromhex(
    "000000e20000004bd638d3ce0b3a6576656e742d747970650700056368756e6b0d3a636f6e74656e742d747970650700"
    "106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b226279746573223a"
    "2265794a306558426c496a6f695932397564475675644639696247396a6131396b5a57783059534973496d6c755a4756"
    "34496a6f774c434a6b5a5778305953493665794a306558426c496a6f69644756346446396b5a57783059534973496e52"
    "6c654851694f694a4961534a3966513d3d222c2270223a2261626364227d528ecb0b"
)  # accepted by the official SDK
WHOLE = b"".join(frames("Grüße, ", "\u2028line", "\n\nend"))
TEXT = "Grüße, \u2028line\n\nend"


def exchange_of(*chunks: bytes) -> Exchange:
    """The exchange of a response in these pieces."""

    class Answers:
        def send(self, request: Request) -> ResponseStream:
            headers = Headers([("Content-Type", "application/vnd.amazon.eventstream")])
            return bedrock.read(ResponseStream(status=200, headers=headers, chunks=iter(chunks), close=lambda: None))

    return Client(transport=Answers(), credential=None).stream(
        Request(method="POST", url="https://host/v1/messages", body={"model": "x", "stream": True})
    )


@pytest.fixture
def with_key(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server is where Bedrock is, and a key of it is in the environment."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-aws-0123456789")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.url)
    return server


@pytest.fixture
def bedrock_server(with_key: Server) -> Iterator[Server]:
    claude.settings.provider = "bedrock"
    claude.settings.max_retries = 0
    yield with_key
    forget()


def failed(server: Server) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        claude("hi")
    assert "\n" not in str(caught.value)
    assert len(server.received) == 1  # a reply that has begun is not asked for again
    return caught.value


def test_a_frame_is_an_event_of_the_api() -> None:
    (event,) = Decoder().feed(b"".join(as_events(iter([FRAME]))))
    assert event.event == "content_block_delta"
    assert json.loads(event.data)["delta"]["text"] == "Hi"


def test_the_message_is_that_of_the_api_s_own_stream() -> None:
    exchange = exchange_of(WHOLE)
    assert exchange.error is None
    assert exchange.text == TEXT
    assert exchange.message.stop_reason == "end_turn"
    assert "amazon-bedrock-invocationMetrics" not in exchange.message.body
    assert any("amazon-bedrock-invocationMetrics" in each.data for each in exchange.events)


def test_one_byte_at_a_time_is_the_same_message() -> None:
    pieces = [WHOLE[at : at + 1] for at in range(len(WHOLE))]
    assert exchange_of(*pieces).message == exchange_of(WHOLE).message


def test_a_stream_cut_at_any_byte_is_never_whole() -> None:
    for end in range(len(WHOLE)):
        exchange = exchange_of(WHOLE[:end])
        assert isinstance(exchange.error, StreamError), end


def test_a_cut_at_a_frame_s_end_is_told_too() -> None:
    *most, last = frames("a", "b")
    for number in range(len(most) + 1):
        exchange = exchange_of(*most[:number])
        assert isinstance(exchange.error, StreamError), number
    assert exchange_of(*most, last).error is None


def test_every_damaged_byte_is_noticed() -> None:
    begin = len(frames("x")[0])
    data = b"".join(frames("x"))
    for at in range(begin, begin + 200):
        damaged = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
        assert isinstance(exchange_of(damaged).error, StreamError), at


def test_what_came_before_a_damaged_frame_is_kept() -> None:
    *first, last = frames("kept")
    exchange = exchange_of(b"".join(first) + last[:-1] + b"\0")
    assert exchange.text == "kept"
    assert "damaged (ChecksumMismatch)" in str(exchange.error)


@pytest.mark.parametrize(
    "kind",
    [
        *("throttlingException", "validationException", "modelStreamErrorException", "internalServerException"),
        *("modelTimeoutException", "serviceUnavailableException"),
    ],
)
def test_an_exception_within_the_stream_ends_the_reply_as_failed(kind: str, bedrock_server: Server) -> None:
    bedrock_server.answers(streamed([*frames("partial")[:4], exception(kind, "Too many requests, please wait.")]))
    error = failed(bedrock_server)
    assert isinstance(error, APIError)
    assert (error.status, error.type, error.request_id) == (200, kind, "0b1f-amazon")
    assert str(error).startswith(
        f"{kind}: Too many requests, please wait (inside the stream, x-amzn-requestid 0b1f-amazon)."
    )
    assert claude.last is not None
    assert claude.last.text == "partial"


def test_an_error_frame_has_its_code_and_text(bedrock_server: Server) -> None:
    bedrock_server.answers(streamed([*frames("partial")[:4], error_frame("InternalFailure", "It broke.")]))
    error = failed(bedrock_server)
    assert isinstance(error, APIError)
    assert error.type == "InternalFailure"
    assert "It broke" in str(error)


def test_an_error_of_the_api_within_a_frame_is_one(bedrock_server: Server) -> None:
    event = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    bedrock_server.answers(streamed([*frames("partial")[:4], chunk(event)]))
    error = failed(bedrock_server)
    assert isinstance(error, APIError)
    assert error.type == "overloaded_error"


def test_a_throttled_stream_says_what_to_do(bedrock_server: Server) -> None:
    bedrock_server.answers(streamed([exception("throttlingException", "Too many tokens.")]))
    assert "quota of the account for this model is used up" in str(failed(bedrock_server))


def test_a_frame_of_figures_alone_is_none_of_the_reply(bedrock_server: Server) -> None:
    *most, last = frames("hi")
    bedrock_server.answers(streamed([*most, chunk({"amazon-bedrock-invocationMetrics": {"latency": 1}}), last]))
    assert claude("hi").text == "hi"


def test_a_frame_that_holds_no_json_is_an_error_and_not_left_out(bedrock_server: Server) -> None:
    headers = {":event-type": "chunk", ":message-type": "event"}
    bedrock_server.answers(streamed([*frames("partial")[:4], frame(b"no json", headers)]))
    assert "holds a frame that is not JSON" in str(failed(bedrock_server))


def test_a_connection_that_closes_within_a_frame_is_an_incomplete_reply(bedrock_server: Server) -> None:
    whole = b"".join(frames("partial"))
    bedrock_server.answers(streamed([whole[:-30]]))
    assert isinstance(failed(bedrock_server), StreamError)
    assert claude.last is not None
    assert claude.last.text == "partial"


def test_a_cell_shows_the_reply_and_the_request_really_sent(shell: Shell, with_key: Server) -> None:
    with_key.answers(streamed(frames("Hello *there*")))
    ran = shell.run("%config Claude.provider = 'bedrock'\n%config Claude.model = 'us.anthropic.claude-x'")
    ran = shell.run("%%claude\nhi", cell_id="a")
    assert ran.error is None
    html = "".join(ran.data("text/html"))
    assert "<em>there</em>" in html
    assert "/model/us.anthropic.claude-x/invoke-with-response-stream" in html
    assert "0b1f-amazon" in html
    assert "a-key-of-aws" not in html
