"""A scripted API on loopback: real sockets, and every byte and pause of an answer in the test's hands."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from claude_magic.wire.message_rules import problems


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server does with one request.

    Attributes:
        pieces: Bytes of the body; a number is a pause in seconds; a callable is called.
        framing: `chunked`, `length`, `close` (no length: the end of the connection ends it), or `raw`
            (the pieces are everything, status line included).
        ending: `clean`, `cut` (the connection is closed in the middle) or `hang` (kept open for long).
    """

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    pieces: Sequence[bytes | float | Callable[[], object]] = ()
    framing: str = "chunked"
    ending: str = "clean"
    before_headers: float = 0.0


class Server:
    """Answers requests in the order of `script`; the last answer is repeated.

    What breaks the API's rules for messages is answered as the API does, with a 400, and takes no answer from
    the script.

    Attributes:
        strict: Whether it looks at the rules; a test that sends what the API refuses says `False`.
        refused: What it said of requests that broke the rules.
    """

    def __init__(self) -> None:
        self.strict = True
        self.refused: list[str] = []
        self._paused = False
        self.script: list[Answer] = []
        self.received: list[Received] = []
        self.ended = 0  # connections that are closed
        self.dropped = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def answers(self, *answers: Answer) -> None:
        with self._lock:
            self.script[:] = answers

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):  # else its thread could take a connection of a later server
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def last(self) -> Received:
        return self.received[-1]

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections += 1
            threading.Thread(target=self._serve, args=(connection, self._connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        self._serve_all(connection, number)
        with self._lock:
            self.ended += 1

    def _serve_all(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream:
            while (request := self._read(stream, number)) is not None:
                with self._lock:
                    self.received.append(request)
                answer = self.respond(request)
                with self._lock:
                    answer = answer or self._refusal(request)
                    if answer is None:
                        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                        self._paused = any(isinstance(p, bytes) and b'"pause_turn"' in p for p in answer.pieces)
                try:
                    if not self._answer(connection, answer):
                        return
                except OSError:
                    self.dropped.set()
                    return

    def respond(self, request: Received) -> Answer | None:
        """The answer of a server that is more than a script; `None` for the next one of the script."""
        return None

    def _refusal(self, request: Received) -> Answer | None:
        """What the API says of a request that breaks its rules; `None` if it breaks none."""
        if self.strict and request.path.endswith("/v1/complete"):
            from tests.scripted_api.completions import refusal

            return refusal(request)
        if not self.strict or request.method != "POST" or "/v1/messages" not in request.path:
            return None
        try:
            body = json.loads(request.body)
        except ValueError:
            return None
        if not isinstance(body, dict) or not {"model", "messages"} <= body.keys():
            return None
        found = problems(
            body["messages"],
            system=body.get("system"),
            model=str(body["model"]),
            thinking=body.get("thinking"),
            paused=self._paused,
        )
        if not found:
            return None
        self.refused.append(found[0].text)
        return failure(400, "invalid_request_error", found[0].text)

    def _read(self, stream: Any, number: int) -> Received | None:
        try:
            first = stream.readline().decode("latin-1").split()
            if len(first) < 2:
                return None
            headers: dict[str, str] = {}
            while line := stream.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
        except OSError:
            return None
        return Received(method=first[0], path=first[1], headers=headers, body=body, connection=number)

    def _answer(self, connection: socket.socket, answer: Answer) -> bool:
        """Send `answer`; whether the connection can be used again."""
        self._pause(answer.before_headers, connection)
        if answer.framing != "raw":
            connection.sendall(_head(answer))
        for piece in answer.pieces:
            if callable(piece):
                piece()
            elif isinstance(piece, bytes):
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.framing == "chunked" else piece)
            else:
                self._pause(piece, connection)
        if answer.ending == "hang":
            self._pause(30, connection)
        elif answer.ending == "clean" and answer.framing == "chunked":
            connection.sendall(b"0\r\n\r\n")
        return answer.ending == "clean" and answer.framing in ("chunked", "length")

    def _pause(self, seconds: float, connection: socket.socket) -> None:
        """Wait, but notice when the client goes away."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._closing.is_set():
            connection.settimeout(min(left, 0.05))
            try:
                if connection.recv(1, socket.MSG_PEEK) == b"":
                    raise OSError("the client has gone")
            except TimeoutError:
                continue
            else:
                time.sleep(min(left, 0.02))
            finally:
                connection.settimeout(None)


def _head(answer: Answer) -> bytes:
    headers = list(answer.headers)
    if answer.framing == "chunked":
        headers.append(("transfer-encoding", "chunked"))
    elif answer.framing == "length":
        headers.append(("content-length", str(sum(len(p) for p in answer.pieces if isinstance(p, bytes)))))
    else:
        headers.append(("connection", "close"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode("latin-1")


HEADERS = (
    ("request-id", "req_011Test"),
    ("anthropic-organization-id", "67bb8feb-7bca-4369-9e04-339d73646b40"),
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2026-11-22T00:00:30Z"),
    ("date", "Sun, 22 Nov 2026 00:00:00 GMT"),
)
STREAM = (("content-type", "text/event-stream; charset=utf-8"), *HEADERS)
JSON = (("content-type", "application/json"), *HEADERS)


def event(data: dict[str, Any], newline: str = "\n") -> bytes:
    """One server-sent event of the API, with the spaces that real ones have."""
    return f"event: {data['type']}{newline}data: {json.dumps(data)}   {newline}{newline}".encode()


def message(**fields: Any) -> dict[str, Any]:
    """A message as the API gives it."""
    return {
        "model": "claude-opus-5-5",
        "id": "msg_01Test",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": {"input_tokens": 46, "cache_read_input_tokens": 0, "output_tokens": 1},
        **fields,
    }


def text_events(texts: Iterable[str], *, stop_reason: str = "end_turn", **start: Any) -> Iterator[dict[str, Any]]:
    """The events of a reply of one text block."""
    yield {"type": "message_start", "message": message(**start)}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    count = 0
    for text in texts:
        count += 1
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": None},
        "usage": {"input_tokens": 46, "output_tokens": max(count, 1)},
    }
    yield {"type": "message_stop"}


def reply(*texts: str, **options: Any) -> Answer:
    """A streamed reply, an event a piece."""
    return Answer(headers=STREAM, pieces=[event(e) for e in text_events(texts, **options)])


def whole(text: str, **fields: Any) -> Answer:
    """A reply that is not streamed."""
    body = message(content=[{"type": "text", "text": text}], **{"stop_reason": "end_turn", **fields})
    return Answer(headers=JSON, pieces=[json.dumps(body).encode()], framing="length")


def silence(meanwhile: Callable[[], object] = bool) -> Answer:
    """No answer to a request; `meanwhile` is called once it has arrived."""
    return Answer(framing="raw", pieces=[meanwhile, 60.0])


def failure(status: int, type: str, text: str, *headers: tuple[str, str]) -> Answer:
    """An error as the API gives it."""
    body = {"type": "error", "error": {"type": type, "message": text, "details": None}, "request_id": "req_011Test"}
    return Answer(status=status, headers=(*JSON, *headers), pieces=[json.dumps(body).encode()], framing="length")


__all__ = [
    "HEADERS",
    "JSON",
    "STREAM",
    "Answer",
    "Received",
    "Server",
    "event",
    "failure",
    "message",
    "reply",
    "silence",
    "text_events",
    "whole",
]
