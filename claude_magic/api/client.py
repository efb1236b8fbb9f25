"""Sends requests and reads the answers: a message as it is received, or one JSON value.

A streamed exchange that failed is returned, not raised: it holds the part received, and the `error`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ClaudeError
from ..wire import Decoder, Exchange, Headers, Request
from ..wire.chat_completion import ENDPOINT as CHAT
from ..wire.chat_completion import is_chat_completion
from ..wire.completion import is_completion
from . import credentials, error_responses
from .accumulator import Accumulator, ErrorEvent
from .credentials import Signer
from .platforms.platform import Platform
from .transports.base import ResponseStream, Transport

_MAX_EXCERPT = 4_000  # bytes of an unexpected answer that are kept for the error message
_MAX_JSON = 16_000_000  # bytes
_BATCHES = "/v1/messages/batches"
_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n" + _MARK


@dataclass(frozen=True, kw_only=True)
class Client:
    """Reads the answers of a transport; `connect.connect` creates one.

    Attributes:
        credential: For messages about the key, and to redact it; the transport signs.
        platform: For messages about what to do there; `None` for the API and servers like it.
    """

    transport: Transport
    credential: Signer | None
    platform: Platform | None = None

    def stream(self, request: Request, accumulator: Accumulator | None = None) -> Exchange:
        """Sends `request` to the Messages API; the answer may be a stream or one JSON message.

        Args:
            accumulator: Holds the part received so far, for other threads to read.
        """
        accumulator = accumulator or Accumulator(request)
        error: ClaudeError | None = None
        try:
            with self.transport.send(request) as response:
                accumulator.set_response(response.status, response.headers)
                self._read(response, request, accumulator)
        except ClaudeError as failure:
            error = failure
        return accumulator.exchange(error)

    def json(self, request: Request) -> Any:
        """Sends `request` and returns the parsed JSON of the answer, keys redacted.

        Raises:
            ExchangeError: No answer, an error, or no JSON.
            Interrupted: The user stopped it.
        """
        return self.json_response(request)[0]

    def json_response(self, request: Request) -> tuple[Any, Headers]:
        """As `json`, with the headers of the answer."""
        with self.transport.send(request) as response:
            self._check_status(response, request)
            body = bytearray()
            for chunk in response.chunks:
                body += chunk
                if len(body) > _MAX_JSON:
                    break
            try:
                return credentials.parse_redacted(body.decode("utf-8-sig"), self.redact), response.headers
            except (ValueError, RecursionError):
                raise error_responses.unexpected_response(
                    response, bytes(body), credential=self.credential, platform=self.platform
                ) from None

    def lines(self, request: Request) -> Iterator[bytes]:
        """Sends `request` and yields the lines of the answer as they arrive, keys not redacted.

        They are split at LF in the bytes: JSON may hold U+2028 and other characters that text is split at.

        Raises:
            ExchangeError: No answer, an error, or one that broke off; the lines before that were whole.
            Interrupted: The user stopped it.
        """
        with self.transport.send(request) as response:
            self._check_status(response, request)
            pieces: list[bytes] = []  # of the last line, whose end was not received yet
            for chunk in _without_mark(response.chunks):
                first, *others = chunk.split(b"\n")
                pieces.append(first)
                if others:
                    yield b"".join(pieces)
                    yield from others[:-1]
                    pieces = [others[-1]]
            if any(pieces):
                yield b"".join(pieces)

    def redact(self, text: str) -> str:
        """Redacts API keys."""
        return self.credential.redact(text) if self.credential else credentials.redact(text)

    def _check_status(self, response: ResponseStream, request: Request) -> None:
        if response.status >= 300:
            other = request.endpoint.startswith((_BATCHES, CHAT))  # what is wrong there is not only the model
            raise error_responses.response_error(
                response,
                model=_subject(request),
                credential=self.credential,
                platform=self.platform,
                request=request if other else None,
            )

    def _unexpected(self, response: ResponseStream, beginning: bytes) -> ClaudeError:
        return error_responses.unexpected_response(
            response, beginning, credential=self.credential, platform=self.platform
        )

    def _read(self, response: ResponseStream, request: Request, accumulator: Accumulator) -> None:
        self._check_status(response, request)
        try:
            self._read_answer(response, accumulator)
        except ErrorEvent as event:
            raise error_responses.event_error(
                event.data,
                headers=response.headers,
                model=_subject(request),
                credential=self.credential,
                platform=self.platform,
            ) from None
        accumulator.check()

    def _read_answer(self, response: ResponseStream, accumulator: Accumulator) -> None:
        """Reads a stream or one JSON message: its first byte decides, not the request or the content type."""
        beginning = b""
        for chunk in response.chunks:
            beginning += chunk
            if beginning.strip(_BLANK):
                break
        if beginning.strip(_BLANK)[:1] in (b"{", b"["):
            self._read_json(response, beginning, accumulator)
        else:
            self._read_stream(response, beginning, accumulator)

    def _read_stream(self, response: ResponseStream, beginning: bytes, accumulator: Accumulator) -> None:
        """Reads events until the message is complete; some servers keep the connection open after that."""
        decoder, end = Decoder(), beginning
        accumulator.add_events(decoder.feed(beginning))
        while not accumulator.is_complete and (chunk := next(response.chunks, None)) is not None:
            beginning += chunk[: max(0, _MAX_EXCERPT - len(beginning))]
            end = (end + chunk)[-_MAX_EXCERPT:]
            accumulator.add_events(decoder.feed(chunk))
        if not accumulator.is_complete:
            _raise_error_at_end(end)
        if not accumulator.exchange().message.body:
            raise error_responses.unexpected_response(
                response, beginning, credential=self.credential, platform=self.platform
            )

    def _read_json(self, response: ResponseStream, beginning: bytes, accumulator: Accumulator) -> None:
        body = b"".join((beginning, *response.chunks))
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and _is_error(message):
            raise ErrorEvent(message)
        is_message = isinstance(message, dict) and isinstance(message.get("content"), list | str)
        if not is_message and not is_completion(message) and not is_chat_completion(message):
            raise error_responses.unexpected_response(
                response, body, credential=self.credential, platform=self.platform
            )
        accumulator.add_json(message)


def _raise_error_at_end(end: bytes) -> None:
    """Raises the error that a server wrote as plain JSON after the events, as Google and AWS do when a stream fails.

    Raises:
        ErrorEvent: There is one.
    """
    last = end.replace(b"\r\n", b"\n").strip().rpartition(b"\n\n")[2].strip()
    if last[:1] not in (b"{", b"["):
        return
    try:
        value = json.loads(last)
    except (ValueError, RecursionError):
        return
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and (_is_error(value) or isinstance(value.get("message"), str)):
        raise ErrorEvent(value)


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """`chunks` without the byte order mark that some servers write first."""
    beginning = b""
    for chunk in chunks:
        beginning += chunk
        if len(beginning) >= len(_MARK):
            break
    yield beginning.removeprefix(_MARK)
    yield from chunks


def _is_error(message: dict[str, object]) -> bool:
    """Whether it is an error of the API, or of a gateway that sends errors with status 200."""
    return message.get("type") == "error" or (bool(message.get("error")) and "content" not in message)


def _subject(request: Request) -> str:
    """The model of `request`, else its path: what an error message suggests alternatives for."""
    return str((request.body or {}).get("model") or request.endpoint)
