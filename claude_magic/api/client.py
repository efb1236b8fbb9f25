"""The client: sends a request, reads the answer in, and always returns an exchange.

An exchange that failed holds what arrived and says why; nobody has to catch to keep a paid reply.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from ..errors import ClaudeError, StreamError, TimedOut
from ..wire import Decoder, Exchange, Request
from . import failures
from .credentials import Credential
from .growing import ErrorEvent, Growing
from .transports.base import Response, Transport

_BEGINNING = 400  # bytes, to say what an answer is that is not the API's


@dataclass(frozen=True, kw_only=True)
class Client:
    """Reads what a transport brings.

    Attributes:
        credential: Only to say where the key came from, and to hide it if an answer repeats it.
        timeout: Longest time without an event, in seconds; pings are none.
    """

    transport: Transport
    credential: Credential | None
    timeout: float

    def send(self, request: Request, growing: Growing | None = None) -> Exchange:
        """Send `request`; `growing` shows what has arrived meanwhile."""
        growing = growing or Growing(request)
        error: ClaudeError | None = None
        try:
            with self.transport.send(request) as response:
                growing.answered(response.status, response.headers)
                self._read(response, request, growing)
        except ClaudeError as failure:
            error = failure
        return growing.exchange(error)

    def _read(self, response: Response, request: Request, growing: Growing) -> None:
        model = str((request.body or {}).get("model", ""))
        if response.status >= 300:
            raise failures.of_response(response, model=model, credential=self.credential)
        kind = response.headers.get("content-type", "").lower()
        try:
            if "json" in kind:
                self._read_whole(response, growing)
            else:
                self._read_stream(response, growing)
        except ErrorEvent as event:
            raise failures.of_event(
                event.data, headers=response.headers, model=model, credential=self.credential
            ) from None

    def _read_stream(self, response: Response, growing: Growing) -> None:
        """Success is a message that came to its end, not the end of the connection."""
        decoder, beginning = Decoder(), b""
        alive = time.monotonic()
        for chunk in response.chunks:
            beginning += chunk[: _BEGINNING - len(beginning)]
            if growing.take(decoder.feed(chunk)):
                alive = time.monotonic()
            if growing.ended:
                break
            if time.monotonic() - alive > self.timeout:
                raise TimedOut(f"no event for {self.timeout:g} s, only signs of life. Ask again.")
        message = growing.exchange().message
        if not message.body:
            raise failures.unexpected(response, beginning, credential=self.credential)
        if not growing.ended or message.stop_reason is None:
            raise StreamError("the reply broke off before its end. What had arrived is kept; ask again.")

    def _read_whole(self, response: Response, growing: Growing) -> None:
        body = b"".join(response.chunks)
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and message.get("type") == "error":
            raise ErrorEvent(message)
        if not isinstance(message, dict) or not isinstance(message.get("content"), list):
            raise failures.unexpected(response, body, credential=self.credential)
        growing.take_whole(message)
