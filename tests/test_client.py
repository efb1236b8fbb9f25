"""The client over real sockets: what is sent, what comes back, and all that can go wrong between."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.api.accumulator import Accumulator
from claude_magic.api.client import Client
from claude_magic.api.credentials import Credential, Secret
from claude_magic.api.endpoints.messages import messages
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.transports import retry
from claude_magic.api.transports.http import HTTPTransport, pool
from claude_magic.api.transports.retry import RetryTransport
from claude_magic.errors import APIError, ConnectionFailed, ExchangeError, Interrupted, StreamError, TimedOut
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from claude_magic.wire import Exchange, Headers
from claude_magic.wire.retry_after import retry_after
from tests.conftest import KEY
from tests.server import HEADERS, JSON, STREAM, Answer, Server, event, failure, message, reply, text_events, whole

EVENTS = [event(e) for e in text_events(["abc", "def"])]
SOON = ("retry-after-ms", "1")


@pytest.fixture
def claude(endpoint: Server) -> Iterator[ClaudeHandle]:
    """A handle of its own, that does not try again and is not patient."""
    made = ClaudeHandle()
    made.settings.max_retries = 0
    made.settings.timeout = 5
    yield made
    made.session.close()


def asked(claude: ClaudeHandle, text: str = "hi", **options: Any) -> Exchange:
    """The exchange, whole or not."""
    return claude.session.ask(Prompt(options=Options(**options), text=text))


def failed(claude: ClaudeHandle, **options: Any) -> Any:
    error = asked(claude, **options).error
    assert error is not None
    assert "\n" not in str(error)
    return error


def raw(*pieces: Any, ending: str = "clean") -> Answer:
    return Answer(pieces=pieces, framing="raw", ending=ending)


def streamed(*pieces: Any, **options: Any) -> Answer:
    return Answer(headers=STREAM, pieces=pieces, **options)


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server below HTTP: `serve` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(60)


# What is sent


def test_exactly_these_headers_are_sent(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    asked(claude)
    assert endpoint.last.headers == {
        "host": f"127.0.0.1:{endpoint.port}",
        "user-agent": "claude-magic",
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-type": "application/json",
        "content-length": str(len(endpoint.last.body)),
        "anthropic-version": "2023-06-01",
        "x-api-key": KEY,
    }


def test_a_token_is_sent_as_bearer_and_no_key_beside_it(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-0123456789")
    endpoint.answers(reply("ok"))
    asked(claude)
    assert endpoint.last.headers["authorization"] == "Bearer token-0123456789"
    assert "x-api-key" not in endpoint.last.headers


def test_a_further_header_of_the_same_name_replaces_ours(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    asked(claude, header={"Anthropic-Version": "2026-10-21", "X-Mine": "1"})
    assert (endpoint.last.headers["anthropic-version"], endpoint.last.headers["x-mine"]) == ("2026-10-21", "1")


def test_the_body_is_exactly_these_bytes(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    asked(claude, 'é ☃ 😀\r\n\t\0 \u2028\x85\x7f "\\ </script> \ud83d\ude00 \ud800')
    assert endpoint.last.body == (
        b'{"model":"claude-opus-5-5","max_tokens":4096,"messages":[{"role":"user","content":"'
        + 'é ☃ 😀\\r\\n\\t\\u0000 \u2028\x85\x7f \\"\\\\ </script> 😀 \ufffd'.encode()
        + b'"}],"stream":true}'
    )


def test_the_request_goes_below_the_path_of_the_base_url(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    claude.settings.base_url = f"{endpoint.url}/anthropic//"
    asked(claude)
    assert (endpoint.last.method, endpoint.last.path) == ("POST", "/anthropic/v1/messages")


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_arrives_as_it_was_given(text: str) -> None:
    request = messages(
        base_url="http://x",
        api_version="1",
        model="m",
        max_tokens=1,
        messages=[{"role": "user", "content": text}],
        stream=True,
    )
    assert json.loads(request.content)["messages"][0]["content"] == text


# A stream comes to its end, or does not


@pytest.mark.slow
def test_a_stream_cut_at_any_byte_says_so_and_keeps_what_had_arrived(claude: ClaudeHandle, endpoint: Server) -> None:
    events = [
        {"type": "message_start", "message": {"id": "m", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}}
            for t in ("é☃", "😀")
        ),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    coded = [f"data: {json.dumps(e, ensure_ascii=False)}\n\n".encode() for e in events]
    answer = head + b"".join(b"%x\r\n%s\r\n" % (len(data), data) for data in coded)
    texts_end = [answer.index(t.encode()) + len(t.encode()) + len(b'"}}\n\n') for t in ("é☃", "😀")]
    for cut in range(len(answer) + 1):
        endpoint.answers(raw(answer[:cut], ending="cut"))
        exchange = asked(claude)
        if cut >= len(answer) - 2:  # the line end after the last chunk may be missing
            assert exchange.error is None, cut
        elif cut < len(head):
            assert isinstance(exchange.error, ConnectionFailed | StreamError), cut
        else:
            assert isinstance(exchange.error, StreamError), cut
        assert exchange.text == "é☃😀"[: 3 if cut >= texts_end[1] else 2 if cut >= texts_end[0] else 0], cut


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_stream_is_read_however_it_is_framed(framing: str, claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(streamed(*EVENTS, framing=framing))
    exchange = asked(claude)
    assert (exchange.error, exchange.text) == (None, "abcdef")


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_stream_that_is_cut_says_so_however_it_is_framed(
    framing: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    head = f"content-length: {sum(map(len, EVENTS))}\r\n" if framing == "length" else ""
    if framing == "chunked":
        endpoint.answers(streamed(*EVENTS[:4], ending="cut"))
    else:
        endpoint.answers(raw(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode(), *EVENTS[:4], ending="cut"))
    exchange = asked(claude)
    assert isinstance(exchange.error, StreamError)
    assert (exchange.text, exchange.message.stop_reason) == ("abc", None)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_a_stream_with_other_line_ends_in_one_byte_chunks_is_read(
    newline: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    stream = b"".join(event(e, newline) for e in text_events(["a☃b"]))
    endpoint.answers(streamed(*(stream[i : i + 1] for i in range(len(stream)))))
    assert asked(claude).text == "a☃b"


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_stream_that_is_compressed_unasked_is_read(framing: str, claude: ClaudeHandle, endpoint: Server) -> None:
    body = gzip.compress(b"".join(EVENTS))
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    endpoint.answers(Answer(headers=(*STREAM, ("content-encoding", "gzip")), pieces=pieces, framing=framing))
    exchange = asked(claude)
    assert (exchange.error, exchange.text) == (None, "abcdef")


def test_a_stream_that_claims_to_be_compressed_and_is_not_says_so(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=(*STREAM, ("content-encoding", "gzip")), pieces=EVENTS, ending="hang"))
    assert "cannot be decoded" in str(failed(claude))
    assert endpoint.dropped.wait(60)  # the connection is not kept


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_nobody_waits_for_a_connection_to_close_after_the_message_has_stopped(
    framing: str, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(streamed(*EVENTS, ending="hang", framing=framing))
    exchange = asked(claude)
    assert (exchange.error, exchange.text) == (None, "abcdef")
    assert exchange.seconds < 55  # it hangs for 30
    assert endpoint.dropped.wait(60)


def test_what_follows_the_message_stop_is_not_read(claude: ClaudeHandle, endpoint: Server) -> None:
    garbage = b"event: error\ndata: {nonsense\n\n\xff\xfe" + EVENTS[3]
    endpoint.answers(streamed(*EVENTS[:-1], EVENTS[-1] + garbage))
    exchange = asked(claude)
    assert (exchange.error, exchange.text) == (None, "abcdef")


def test_a_stream_without_a_stop_reason_is_not_whole(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(streamed(*(e for e in EVENTS if b"message_delta" not in e)))
    assert isinstance(failed(claude), StreamError)


def test_events_without_names_and_with_several_data_lines_are_read(claude: ClaudeHandle, endpoint: Server) -> None:
    lines = (json.dumps(e, indent=1).splitlines() for e in text_events(["a", "b"]))
    endpoint.answers(streamed(*("".join(f"data: {line}\n" for line in data).encode() + b"\n" for data in lines)))
    assert asked(claude).text == "ab"


def test_one_very_long_delta_is_read(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("x" * 3_000_000))
    assert len(asked(claude).text) == 3_000_000


def test_an_error_inside_a_stream_is_the_api_s_and_keeps_what_had_arrived(
    claude: ClaudeHandle, endpoint: Server
) -> None:
    error = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    endpoint.answers(streamed(*EVENTS[:4], error))
    exchange = asked(claude)
    assert isinstance(exchange.error, APIError)
    assert (exchange.error.type, exchange.error.status, exchange.text) == ("overloaded_error", 200, "abc")
    assert "inside the stream" in str(exchange.error)


def test_a_stream_is_not_tried_again_after_its_first_byte(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(streamed(b":\n", ending="cut"))
    failed(claude)
    assert len(endpoint.received) == 1


# Answers of another shape


def test_a_stream_may_answer_who_asked_for_none(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("a", "b"))
    assert asked(claude, stream=False).text == "ab"
    assert "stream" not in endpoint.last.json


def test_a_whole_message_may_answer_who_asked_for_a_stream(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(whole("ab"))
    exchange = asked(claude, stream=True)
    assert (exchange.text, exchange.message.stop_reason) == ("ab", "end_turn")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *(("text/html", b"<html>hello</html>"), ("text/event-stream", b""), ("text/event-stream", b": nothing\n\n")),
        *(("application/json", b""), ("application/json", b"{}"), ("application/json", b"[1]"), ("", b"")),
        *(("application/json", b'{"content": 5}'), ("application/json", b"\xff"), ("text/event-stream", b"{}")),
        ("application/json", b"[" * 100_000),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_is_not_the_api_s_says_so(
    kind: str, body: bytes, stream: bool, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(Answer(headers=[("content-type", kind)], pieces=[body], framing="length"))
    assert "is not the Messages API's" in str(failed(claude, stream=stream))


def test_a_page_that_repeats_the_key_does_not_show_it(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=[("content-type", "text/html")], pieces=[f"<p>{KEY}</p>".encode()]))
    assert KEY not in str(failed(claude))


def test_an_error_with_status_200_is_an_error(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(failure(200, "overloaded_error", "Overloaded"))
    error = failed(claude, stream=False)
    assert (error.type, "(HTTP 200, request-id req_011Test)" in str(error)) == ("overloaded_error", True)


@pytest.mark.parametrize(
    "content", [None, 5, "text", [5, None, []], [{"type": []}], [{"type": "text", "text": {}}], {"a": 1}]
)
def test_a_whole_message_of_any_shape_raises_nothing_but_an_error_of_ours(
    content: object, claude: ClaudeHandle, endpoint: Server
) -> None:
    body = {"content": content, "usage": [1], "stop_reason": 5, "id": [], "model": {}}
    endpoint.answers(Answer(headers=JSON, pieces=[json.dumps(body).encode()], framing="length"))
    exchange = asked(claude)
    assert exchange.error is None or isinstance(exchange.error, ExchangeError)
    assert (exchange.text, exchange.message.id) == (content if isinstance(content, str) else "", None)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        b"HTTP/1.1 200\r\nCONTENT-TYPE:text/event-stream\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 60_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: caf\xe9\r\nx-odd: \x01\x7f\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n%x\r\n" % len(b"".join(EVENTS)),
    ],
)
def test_an_odd_head_of_an_answer_is_read(head: bytes, claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(raw(head, *EVENTS, b"\r\n0\r\n\r\n" if b"hunked" in head else b"", ending="cut"))
    exchange = asked(claude)
    assert (exchange.error, exchange.text) == (None, "abcdef")


def test_headers_keep_their_case_and_are_found_in_any(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(raw(b"HTTP/1.1 200 OK\r\nRequest-ID: r1\r\nX-Two: 1\r\nx-two: 2\r\n\r\n", *EVENTS, ending="cut"))
    headers = asked(claude).headers
    assert (headers["request-id"], headers["X-TWO"], list(headers)) == ("r1", "1, 2", ["Request-ID", "X-Two"])


@pytest.mark.parametrize(
    "answer",
    [
        *(
            b"nonsense\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\x15\x03\x01\x00\x02\x02\x16",
            b"HTTP/1.1 999999 X\r\n\r\n",
        ),
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
    ],
)
def test_an_answer_that_is_not_http_says_so(answer: bytes, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(raw(answer, ending="cut"))
    assert "does not answer in HTTP" in str(failed(claude))
    assert len(endpoint.received) == 1


def test_a_header_that_repeats_the_key_does_not_show_it(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(streamed(*EVENTS), failure(400, "invalid_request_error", "no", ("x-echo", f"key {KEY}")))
    asked(claude)
    assert KEY not in repr(asked(claude))


def test_cookies_are_not_kept(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=(*STREAM, ("set-cookie", "_cfuvid=1; Path=/")), pieces=EVENTS))
    asked(claude)
    asked(claude)
    assert "cookie" not in endpoint.last.headers


# Errors


def test_an_error_holds_what_the_api_said(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: claude-opus-5-6"))
    error = failed(claude, model="claude-opus-5-6")
    assert (error.status, error.type, error.request_id) == (404, "not_found_error", "req_011Test")
    assert error.body["error"]["message"] == "model: claude-opus-5-6"
    assert "Did you mean claude-opus-5-5" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>busy</html>", b"null", b"[]", b'"x"', b'{"error": "text"}', b'{"error": {"message": 5}}'),
        *(b'{"error": {"type": [], "message": {}}}', b"\xff\xfe\0\x1b[2J", b"[" * 50_000, b'{"error": {"code": 400}}'),
        *(b'{"type":"error","error":{"message":"\\ud800"}}', b'{"error":[]}', b'{"request_id": {}}', b"1" * 5_000),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 429])
def test_an_error_body_of_any_shape_is_one_line(
    status: int, body: bytes, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(Answer(status=status, pieces=[body], framing="length"))
    error = failed(claude)
    assert (type(error), error.status) == (APIError, status)
    assert str(error).isprintable()
    assert str(error).encode()


def test_a_long_error_body_is_read_to_64_kb_and_shown_to_2_kb(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(Answer(status=500, pieces=[b"x" * 1_000_000] * 20, framing="length"))
    exchange = asked(claude)
    assert isinstance(exchange.error, APIError)
    assert len(str(exchange.error.body)) == 64_000
    assert len(str(exchange.error)) < 2_200
    assert endpoint.dropped.wait(60)


def test_an_error_body_that_repeats_the_key_does_not_show_it(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(failure(401, "authentication_error", f"invalid key {KEY} or sk-ant-api03-abcdefghijk"))
    exchange = asked(claude)
    assert isinstance(exchange.error, APIError)
    for shown in (str(exchange.error), repr(exchange.error.body), repr(exchange)):
        assert KEY not in shown
        assert "abcdefghijk" not in shown


@pytest.mark.parametrize("pieces", [[b"x", 60.0], [b"x", 0.1] * 400])
def test_an_error_body_that_never_ends_is_not_waited_for(
    pieces: list[Any], claude: ClaudeHandle, endpoint: Server
) -> None:
    claude.settings.timeout = 0.7  # at most 10 s, whatever the setting
    endpoint.answers(Answer(status=400, pieces=pieces))
    exchange = asked(claude)
    assert (getattr(exchange.error, "status", None), exchange.seconds < 20) == (400, True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_nothing_reaches_the_other_host(
    status: int, claude: ClaudeHandle, endpoint: Server
) -> None:
    other = Server()
    endpoint.answers(Answer(status=status, headers=[("location", f"{other.url}/v1/messages")], framing="length"))
    error = failed(claude)
    assert (error.status, other.url in str(error), other.received) == (status, True, [])
    other.close()


# The environment


def test_a_netrc_entry_does_not_replace_the_key(claude: ClaudeHandle, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login a password b\ndefault login c password d\n")
    endpoint.answers(reply("ok"))
    asked(claude)
    assert (endpoint.last.headers["x-api-key"], "authorization" in endpoint.last.headers) == (KEY, False)


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    endpoint.answers(reply("ok"))
    assert asked(claude).text == "ok"


def test_a_proxy_of_the_environment_is_asked_for_other_hosts(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", endpoint.url)
    claude.settings.base_url = "https://api.example.invalid"
    endpoint.answers(Answer(status=403, framing="length"))
    failed(claude)
    assert (endpoint.last.method, endpoint.last.path) == ("CONNECT", "api.example.invalid:443")
    assert KEY not in str(endpoint.last.headers)


# Connections


def test_a_connection_is_used_again(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("a"), whole("b"), failure(400, "invalid_request_error", "no"), reply("c"))
    for _ in range(4):
        asked(claude)
    assert [received.connection for received in endpoint.received] == [1, 1, 1, 1]


def test_a_compressed_answer_gives_its_connection_back(claude: ClaudeHandle, endpoint: Server) -> None:
    body = gzip.compress(b"".join(EVENTS))
    endpoint.answers(Answer(headers=(*STREAM, ("content-encoding", "gzip")), pieces=[body]))
    for _ in range(2):
        asked(claude)
    assert [received.connection for received in endpoint.received] == [1, 1]


def test_a_kept_connection_that_the_server_has_closed_is_replaced(claude: ClaudeHandle, endpoint: Server) -> None:
    for _ in range(2):  # the server says keep-alive, and closes
        endpoint.answers(
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % sum(map(len, EVENTS)), *EVENTS, ending="cut")
        )
        exchange = asked(claude)
        assert (exchange.error, exchange.text) == (None, "abcdef")
        until(lambda: endpoint.ended == len(endpoint.received))
    assert [received.connection for received in endpoint.received] == [1, 2]


@pytest.mark.slow
def test_a_long_request_may_take_longer_to_send_than_to_connect(claude: ClaudeHandle) -> None:
    def serve(connection: socket.socket) -> None:
        time.sleep(0.6)
        while b'"stream":true}' not in connection.recv(1_000_000)[-20:]:
            pass
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(EVENTS))

    with listening(serve) as host:
        claude.settings.base_url = f"http://{host}"
        claude.settings.connect_timeout = 0.3
        exchange = asked(claude, "x" * 20_000_000)
    assert (exchange.error, exchange.text) == (None, "abcdef")


def test_eight_threads_may_ask_at_once(claude: ClaudeHandle, endpoint: Server) -> None:
    all_at_once = threading.Barrier(8, timeout=60)
    endpoint.answers(streamed(*EVENTS[:4], all_at_once.wait, *EVENTS[4:]))
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(asked(claude).text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["abcdef"] * 8


def test_ipv6_loopback_is_asked(claude: ClaudeHandle) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("NO IPv6 on this machine: asking [::1] is not checked in this run")
    with listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(EVENTS))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        claude.settings.base_url = f"http://[::1]:{listener.getsockname()[1]}"
        assert asked(claude).text == "abcdef"
        thread.join(60)


# No connection


def test_a_refused_connection_says_so(claude: ClaudeHandle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    claude.settings.base_url = f"http://127.0.0.1:{port}"
    assert "connection refused" in str(failed(claude))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".invalid"])
def test_a_name_that_is_not_found_says_so(host: str, claude: ClaudeHandle) -> None:
    claude.settings.base_url = f"https://{host}"
    assert isinstance(failed(claude), ConnectionFailed)


def test_a_connection_closed_before_the_answer_says_so(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(raw(ending="cut"))
    assert "closed the connection before it answered" in str(failed(claude))


def test_a_connection_closed_before_the_answer_is_tried_again(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 1
    endpoint.answers(raw(ending="cut"), reply("ok"))
    exchange = asked(claude)
    assert (exchange.text, exchange.retries) == ("ok", 1)


def test_tls_to_a_plain_port_says_so(claude: ClaudeHandle) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(100_000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(serve) as host:
        claude.settings.base_url = f"https://{host}"
        assert "no secure connection" in str(failed(claude))


@pytest.mark.process
def test_a_certificate_nobody_signed_is_refused_and_no_key_is_sent(claude: ClaudeHandle, tmp_path: Path) -> None:
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    try:
        subprocess.run(["openssl", *options.split(), *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("NO openssl on this machine: an unsigned certificate is not checked in this run")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            seen.append(secure.recv(10_000))

    with listening(serve) as host:
        claude.settings.base_url = f"https://{host}"
        error = failed(claude)
    assert ("certificate" in str(error), error.retryable, b"".join(seen)) == (True, False, b"")


@contextlib.contextmanager
def full() -> Iterator[str]:
    """A port that takes no more connections: what asks for one waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_connecting_is_bounded_in_time(claude: ClaudeHandle) -> None:
    claude.settings.connect_timeout = 0.3
    with full() as url:
        claude.settings.base_url = url
        exchange = asked(claude)
    assert "within 0.3 s" in str(exchange.error)
    assert isinstance(exchange.error, TimedOut)
    assert exchange.seconds < 55


# Silence


@pytest.mark.parametrize(
    "answer",
    [
        Answer(before_headers=60.0),
        raw(b"HTTP/1.1 200 OK\r\n", 60.0),
        streamed(*EVENTS[:4], 60.0),
        streamed(*EVENTS[:4], 60.0, framing="close"),
    ],
)
def test_silence_is_bounded_in_time(answer: Answer, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.timeout = 0.3
    endpoint.answers(answer)
    exchange = asked(claude)
    assert isinstance(exchange.error, TimedOut)
    assert "0.3 s" in str(exchange.error)
    assert exchange.seconds < 55
    assert exchange.text == ("abc" if answer.headers else "")


PING = event({"type": "ping"})


@pytest.mark.parametrize(
    "trickle",
    [
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"y", 0.05] * 2000],
        [b"HTTP/1.1 100 Continue\r\n\r\n", 0.05] * 2000,
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *[b"0", 0.05] * 2000],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", *[b"x: y\r\n", 0.05] * 2000],
    ],
)
def test_a_head_and_an_end_that_trickle_are_bounded_in_time(
    trickle: list[Any], claude: ClaudeHandle, endpoint: Server
) -> None:
    claude.settings.timeout = 0.4
    endpoint.answers(raw(*trickle))
    exchange = asked(claude)
    assert isinstance(exchange.error, TimedOut)
    assert exchange.seconds < 55


@pytest.mark.slow
@pytest.mark.parametrize("sign", [PING, b": alive\n\n"])
def test_while_signs_of_life_come_a_long_silence_is_waited_for(
    sign: bytes, claude: ClaudeHandle, endpoint: Server
) -> None:
    claude.settings.timeout = 3  # thirty times the silence between two signs
    endpoint.answers(streamed(*EVENTS[:2], *[sign, 0.1] * 32, *EVENTS[2:]))
    exchange = asked(claude)
    assert (exchange.error, exchange.text, exchange.seconds > claude.settings.timeout) == (None, "abcdef", True)


@pytest.mark.slow
def test_events_that_come_slowly_are_waited_for(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.timeout = 3
    endpoint.answers(streamed(*EVENTS[:2], *[EVENTS[2], 0.4] * 8, *EVENTS[2:]))
    exchange = asked(claude)
    assert (exchange.error, exchange.seconds > claude.settings.timeout) == (None, True)


# Trying again


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_status_that_may_pass_is_tried_again(status: int, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(failure(status, "x", "y", SOON), failure(status, "x", "y", SOON), reply("ok"))
    exchange = asked(claude)
    assert (exchange.text, exchange.retries, len(endpoint.received)) == ("ok", 2, 3)


def test_a_request_is_the_same_each_time_it_is_tried(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 1
    endpoint.answers(failure(529, "x", "y", SOON), reply("ok"))
    asked(claude)
    first, second = endpoint.received
    assert (first.headers, first.body) == (second.headers, second.body)


def test_the_last_try_s_error_is_told(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(failure(529, "overloaded_error", "Overloaded", SOON))
    assert (failed(claude).status, len(endpoint.received)) == (529, 3)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_status_that_stays_is_not_tried_again(status: int, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(failure(status, "x", "y", SOON))
    assert (failed(claude).status, len(endpoint.received)) == (status, 1)


@pytest.mark.parametrize(
    ("status", "told", "tries"), [(400, "true", 2), (500, "false", 1), (400, "x", 1), (500, "", 2)]
)
def test_the_api_may_say_whether_to_try_again(
    status: int, told: str, tries: int, claude: ClaudeHandle, endpoint: Server
) -> None:
    claude.settings.max_retries = 1
    endpoint.answers(failure(status, "x", "y", SOON, ("x-should-retry", told)))
    failed(claude)
    assert len(endpoint.received) == tries


def test_a_good_answer_may_carry_a_wait(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    headers = (*STREAM, ("retry-after", "3600"), ("x-should-retry", "true"))
    endpoint.answers(Answer(headers=headers, pieces=EVENTS))
    assert (asked(claude).text, len(endpoint.received)) == ("abcdef", 1)


def test_a_wait_of_more_than_a_minute_is_reported_instead_of_slept(claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", "61")))
    exchange = asked(claude)
    assert "(in 61 s): the API asks to wait longer than a retry does (60 s)" in str(exchange.error)
    assert (exchange.seconds < 20, len(endpoint.received)) == (True, 1)


@pytest.mark.parametrize("value", ["inf", "1e400", "31536000", "99999999999999999999999999999999999"])
def test_an_endless_wait_is_reported(value: str, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.max_retries = 2
    endpoint.answers(failure(529, "overloaded_error", "busy", ("retry-after", value)))
    assert "asks to wait" in str(failed(claude))


def test_a_limit_without_a_wait_may_be_a_spend_limit(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(failure(429, "rate_limit_error", "limit", ("retry-after", "nan")))
    assert "spend limit" in str(failed(claude))


def test_waits_are_those_of_the_official_sdk(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where it obeys up to 4,294,967 s, what is more than a minute is reported, and so needs no such bound."""
    monkeypatch.setattr("time.time", lambda: 1_696_004_797.0)
    for left, value, expected in json.loads((recorded / "retry_after_table.json").read_text())["rows"]:
        wait = retry.delay(Headers([("retry-after", value)]), 3 - left)
        if expected > retry.LONGEST_WAIT:
            assert wait > retry.LONGEST_WAIT, value
        else:
            assert 0.75 * expected <= wait <= expected, value


def test_milliseconds_come_before_seconds() -> None:
    assert retry_after(Headers([("retry-after", "9"), ("Retry-After-MS", "1500")])) == 1.5


@given(
    st.text(st.characters(codec="latin-1"), max_size=40)
    | st.from_regex(r"\A[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+(:\d+)?( GMT| [+-]\d+)?\Z")
)
def test_any_value_of_a_wait_is_a_time_or_none(value: str) -> None:
    wait = retry.delay(Headers([("retry-after", value), ("retry-after-ms", value)]), 0)
    assert wait > 0


def test_a_wait_takes_no_random_number_from_the_notebook() -> None:
    before = random.getstate()
    assert 0.375 <= retry.backoff(0) <= 0.5
    assert random.getstate() == before


# Stopping


@contextlib.contextmanager
def asking(url: str, *, max_retries: int = 0) -> Iterator[tuple[Accumulator, Interrupt, Callable[[], Exchange]]]:
    """An exchange in another thread: what has arrived, how to stop it, and its end."""
    interrupt = Interrupt()
    credential = Credential(source="here", secret=Secret(KEY))
    request = messages(
        base_url=url,
        api_version="1",
        model="m",
        max_tokens=1,
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
    )
    growing, outcome = Accumulator(request), []
    with pool() as connections:
        direct = HTTPTransport(
            pool=connections,
            credential=credential,
            connect_timeout=100,
            timeout=100,
            interrupt=interrupt,
        )
        transport = RetryTransport(inner=direct, max_retries=max_retries, interrupt=interrupt, accumulator=growing)
        client = Client(transport=transport, credential=credential)
        thread = threading.Thread(target=lambda: outcome.append(client.stream(request, growing)), daemon=True)
        thread.start()

        def end() -> Exchange:
            thread.join(55)  # what it waits for takes longer
            return outcome[0]

        yield growing, interrupt, end
        interrupt.set()
        thread.join(60)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_stop_before_the_headers_is_obeyed_at_once(server: Server) -> None:
    server.answers(Answer(before_headers=60.0))
    with asking(server.url) as (_, interrupt, end):
        until(lambda: server.received)
        interrupt.set()
        assert isinstance(end().error, Interrupted)
        assert server.dropped.wait(60)


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_stop_in_the_middle_is_obeyed_at_once_and_keeps_what_had_arrived(framing: str, server: Server) -> None:
    if framing == "length":
        answer = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", *EVENTS[:4], 60.0)
    else:
        answer = streamed(*EVENTS[:4], 60.0, framing=framing)
    server.answers(answer)
    with asking(server.url) as (growing, interrupt, end):
        until(lambda: growing.exchange().text == "abc")
        interrupt.set()
        exchange = end()
        assert isinstance(exchange.error, Interrupted)
        assert exchange.text == "abc"
        assert server.dropped.wait(60)


def test_a_stop_in_a_wait_is_obeyed_at_once(server: Server) -> None:
    server.answers(failure(529, "overloaded_error", "busy", ("retry-after", "55")))
    with asking(server.url, max_retries=2) as (growing, interrupt, end):
        until(lambda: growing.note)
        assert growing.note.startswith("overloaded: try 2 of 3 in 5")
        interrupt.set()
        assert isinstance(end().error, Interrupted)
    assert len(server.received) == 1


def test_a_stop_while_connecting_is_obeyed_at_once() -> None:
    with full() as url, asking(url) as (_, interrupt, end):
        time.sleep(0.1)
        interrupt.set()
        assert isinstance(end().error, Interrupted)


def test_a_stop_while_an_error_is_read_is_obeyed_at_once(server: Server) -> None:
    server.answers(Answer(status=400, pieces=[b"x", 60.0]))
    with asking(server.url) as (growing, interrupt, end):
        until(lambda: growing.exchange().status)
        interrupt.set()
        assert end().error is not None


def test_a_stop_while_the_request_is_sent_is_obeyed_at_once(claude: ClaudeHandle) -> None:
    interrupt = Interrupt()
    request = messages(
        base_url="", api_version="1", model="m", max_tokens=1, messages=[{"content": "x" * 20_000_000}], stream=True
    )
    stopped = threading.Event()
    with listening(lambda _: stopped.wait(60)) as host, pool() as connections:
        direct = HTTPTransport(pool=connections, credential=None, connect_timeout=100, timeout=100, interrupt=interrupt)
        threading.Timer(0.2, interrupt.set).start()
        began = time.monotonic()
        sent = Client(transport=direct, credential=None).stream(
            type(request)(method="POST", url=f"http://{host}/", headers=request.headers, body=request.body)
        )
        stopped.set()
        assert (isinstance(sent.error, Interrupted), time.monotonic() - began < 40) == (True, True)


def test_a_stop_after_the_end_does_not_touch_the_connection(server: Server) -> None:
    server.answers(reply("ok"))
    with asking(server.url) as (_, interrupt, end):
        until(lambda: server.received)
        assert end().error is None
        assert interrupt._sockets == []


# What an exchange tells


def test_an_exchange_tells_its_times_and_its_events(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(streamed(0.2, *EVENTS[:4], 0.2, *EVENTS[4:]))
    exchange = asked(claude)
    assert exchange.first_token_seconds is not None
    assert 0.15 <= exchange.first_token_seconds <= exchange.seconds - 0.15
    assert [e.event for e in exchange.events] == [e["type"] for e in text_events(["abc", "def"])]
    assert json.loads(exchange.events[0].data) == {"type": "message_start", "message": message()}
    assert sorted(e.seconds for e in exchange.events) == [e.seconds for e in exchange.events]


def test_a_failed_exchange_keeps_its_headers_and_events(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(streamed(*EVENTS[:4], ending="cut"))
    exchange = asked(claude)
    assert (exchange.request_id, len(exchange.events), exchange.status) == ("req_011Test", 4, 200)


def test_what_is_shown_of_a_request_names_the_place_of_the_key(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    exchange = asked(claude)
    assert exchange.request.headers["x-api-key"] == "$ANTHROPIC_API_KEY"
    assert KEY not in repr(exchange)


def test_any_random_cut_of_a_recorded_stream_never_ends_well_early(
    claude: ClaudeHandle, endpoint: Server, recorded: Path
) -> None:
    stream = (recorded / "streams" / "simonw_llm-anthropic__test_stream_events_thinking__0.sse").read_bytes()
    final = json.loads(
        (recorded / "streams" / "simonw_llm-anthropic__test_stream_events_thinking__0.expected.json").read_text()
    )
    for cut in random.Random(1).sample(range(len(stream.rstrip()) - 1), 60):
        endpoint.answers(Answer(headers=HEADERS, pieces=[stream[:cut]] if cut else [], framing="close"))
        assert isinstance(asked(claude).error, StreamError), cut
    endpoint.answers(Answer(headers=HEADERS, pieces=[stream], framing="close"))
    assert asked(claude).message.body == final["final_message"]


# Chunks


def test_events_of_one_chunk_that_is_cut_off_are_kept(claude: ClaudeHandle, endpoint: Server) -> None:
    """A gateway may send many events as one chunk."""
    events = b"".join(EVENTS[:4])
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    endpoint.answers(raw(head, b"%x\r\n%s" % (len(events) + 100, events)))
    exchange = asked(claude)
    assert exchange.text == "abcdef"[: len(exchange.text)] != ""
    assert isinstance(exchange.error, StreamError)
    assert "ended early" in str(exchange.error)


@pytest.mark.parametrize("apart", [b"", b"d"])
def test_what_is_here_is_handed_over_before_anything_is_waited_for(apart: bytes, server: Server) -> None:
    """Even if the beginning of the next chunk came with it."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in EVENTS[:4])
    server.answers(raw(head + chunks + apart, 60.0))
    with asking(server.url) as (growing, interrupt, _):
        until(lambda: growing.exchange().text == "abc")
        interrupt.set()
