"""An exchange that is still going on: one thread reads it in, another looks at it."""

from __future__ import annotations

import json
import threading
import time

from ..errors import ClaudeError, StreamError
from ..wire import Exchange, Fold, Headers, Message, Request, ServerSentEvent, TimedEvent


class Growing:
    """What has arrived so far; `exchange()` is a value that later arrivals do not change.

    Attributes:
        note: What is being waited for, such as "overloaded, trying again in 2 s"; `""` if nothing special.
    """

    def __init__(self, request: Request, *, model_note: str = "") -> None:
        self.note = ""
        self._request = request
        self._model_note = model_note
        self._lock = threading.Lock()
        self._fold = Fold()
        self._events: list[TimedEvent] = []
        self._status: int | None = None
        self._headers = Headers()
        self._began = time.monotonic()
        self._first_token: float | None = None
        self._retries = 0

    def requests(self, request: Request, *, model_note: str = "") -> None:
        """The request that is really sent, once it is known."""
        self._request, self._model_note = request, model_note

    def waits(self, reason: str, seconds: float, retries: int) -> None:
        """A try failed; the next one comes in `seconds`."""
        self._retries = retries
        self.note = f"{reason}, trying again in {max(1, round(seconds))} s"

    def answered(self, status: int, headers: Headers) -> None:
        """The headers of the answer are there."""
        self._status, self._headers, self.note = status, headers, ""

    def take(self, events: list[ServerSentEvent]) -> bool:
        """Add the events of a stream in order; whether one of them was more than a sign of life.

        Raises:
            StreamError: An event is not what the API sends.
            _ErrorEvent: The API ended the stream with an error.
        """
        seconds = time.monotonic() - self._began
        alive = False
        with self._lock:
            for event in events:
                self._events.append(TimedEvent(seconds=seconds, event=event.event or "", data=event.data))
                alive = self._add(event, seconds) or alive
                if self._fold.ended:
                    break
        return alive

    def take_whole(self, message: dict[str, object]) -> None:
        """Add an answer that was not streamed: a stream of one."""
        with self._lock:
            self._fold.add({"type": "message_start", "message": message})
            self._fold.add({"type": "message_stop"})
            self._first_token = time.monotonic() - self._began

    @property
    def ended(self) -> bool:
        """Whether the message came to its end."""
        return self._fold.ended

    def exchange(self, error: ClaudeError | None = None) -> Exchange:
        """The exchange so far."""
        with self._lock:
            return Exchange(
                request=self._request,
                message=self._fold.message,
                status=self._status,
                headers=self._headers,
                events=tuple(self._events) if self._fold.ended or error else (),
                seconds=time.monotonic() - self._began,
                first_token_seconds=self._first_token,
                retries=self._retries,
                model_note=self._model_note,
                error=error,
            )

    def _add(self, event: ServerSentEvent, seconds: float) -> bool:
        if not event.data:
            return False
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError):
            if event.event in (None, "ping"):
                return False  # such as the `[DONE]` of other dialects
            raise StreamError(f"an event is not JSON: {event.data[:80]!r}. Ask again.") from None
        if not isinstance(data, dict):
            return False
        kind = data.get("type", event.event)
        if kind == "error":
            raise ErrorEvent(data)
        if self._first_token is None and kind == "content_block_delta":
            self._first_token = seconds
        self._fold.add(data)
        return kind != "ping"


class ErrorEvent(Exception):
    """An `error` event inside a stream; the client makes an `APIError` of it."""

    def __init__(self, data: dict[str, object]) -> None:
        super().__init__("error event")
        self.data = data
