"""The client: sends a request, reads the answer in, and always returns an exchange.

An exchange that failed holds what arrived and says why; nobody has to catch to keep a paid reply.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..errors import ClaudeError
from ..wire import Decoder, Exchange, Request
from . import error_responses
from .accumulator import Accumulator, ErrorEvent
from .credentials import Credential
from .transports.base import Response, Transport

_BEGINNING = 4_000  # bytes, to say what an answer is that is not the API's
_BLANK = b" \t\r\n\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Client:
    """Reads what a transport brings.

    Attributes:
        credential: Only to say where the key came from, and to hide it if an answer repeats it.
    """

    transport: Transport
    credential: Credential | None

    def send(self, request: Request, growing: Accumulator | None = None) -> Exchange:
        """Send `request`; `growing` shows what has arrived meanwhile."""
        growing = growing or Accumulator(request)
        error: ClaudeError | None = None
        try:
            with self.transport.send(request) as response:
                growing.set_response(response.status, response.headers)
                self._read(response, request, growing)
        except ClaudeError as failure:
            error = failure
        return growing.exchange(error)

    def _read(self, response: Response, request: Request, growing: Accumulator) -> None:
        model = str((request.body or {}).get("model", ""))
        if response.status >= 300:
            raise error_responses.response_error(response, model=model, credential=self.credential)
        try:
            self._read_answer(response, growing)
        except ErrorEvent as event:
            raise error_responses.event_error(
                event.data, headers=response.headers, model=model, credential=self.credential
            ) from None
        growing.check()

    def _read_answer(self, response: Response, growing: Accumulator) -> None:
        """A stream, or one message; by how it begins, whatever was asked for and whatever its content type says."""
        beginning = b""
        for chunk in response.chunks:
            beginning += chunk
            if beginning.strip(_BLANK):
                break
        if beginning.strip(_BLANK)[:1] in (b"{", b"["):
            self._read_json(response, beginning, growing)
        else:
            self._read_stream(response, beginning, growing)

    def _read_stream(self, response: Response, beginning: bytes, growing: Accumulator) -> None:
        """Success is a message that came to its end, not the end of the connection."""
        decoder = Decoder()
        growing.add_events(decoder.feed(beginning))
        while not growing.is_complete and (chunk := next(response.chunks, None)) is not None:
            beginning += chunk[: max(0, _BEGINNING - len(beginning))]
            growing.add_events(decoder.feed(chunk))
        if not growing.exchange().message.body:
            raise error_responses.unexpected_response(response, beginning, credential=self.credential)

    def _read_json(self, response: Response, beginning: bytes, growing: Accumulator) -> None:
        body = b"".join((beginning, *response.chunks))
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and (message.get("type") == "error" or _is_error(message)):
            raise ErrorEvent(message)
        if not isinstance(message, dict) or not isinstance(message.get("content"), list | str):
            raise error_responses.unexpected_response(response, body, credential=self.credential)
        growing.add_json(message)


def _is_error(message: dict[str, object]) -> bool:
    """Whether it is an error as gateways send it, with status 200."""
    return bool(message.get("error")) and "content" not in message
