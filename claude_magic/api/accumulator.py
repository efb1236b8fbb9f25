"""An exchange that is still going on: one thread reads it in, another looks at it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from ..concurrency import Lock
from ..errors import ClaudeError, StreamError
from ..wire import Events, Exchange, Fold, Headers, Request, ServerSentEvent
from ..wire.exchange import Batch
from ..wire.short_text import shorten

_decode = json.JSONDecoder().decode  # `json.loads` without the choice of its options


class Accumulator:
    """What has arrived so far; `exchange()` is a value that later arrivals do not change.

    Attributes:
        note: What is being waited for, such as "overloaded, trying again in 2 s"; `""` if nothing special.
    """

    def __init__(self, request: Request, *, model_note: str = "") -> None:
        self.note = ""
        self._request = request
        self._model_note = model_note
        self._lock = Lock()
        self._fold = Fold()
        self._events: list[Batch] = []
        self._status: int | None = None
        self._headers = Headers()
        self._began = time.monotonic()
        self._first_token: float | None = None
        self._retries = 0

    def set_request(self, request: Request, *, model_note: str = "") -> None:
        """The request that is really sent, once it is known."""
        self._request, self._model_note = request, model_note

    def set_retry(self, reason: str, seconds: float, retries: int) -> None:
        """A try failed; the next one comes in `seconds`."""
        self._retries = retries
        self.note = f"{reason}, trying again in {max(1, round(seconds))} s"

    def set_response(self, status: int, headers: Headers) -> None:
        """The headers of the answer are there."""
        self._status, self._headers, self.note = status, headers, ""

    def add_events(self, events: Iterable[ServerSentEvent]) -> None:
        """Add the events of a stream in order; what cannot be placed is the `fault`, and the rest is read on.

        Raises:
            ErrorEvent: The API ended the stream with an error.
        """
        seconds = time.monotonic() - self._began
        names: list[str | None] = []
        data: list[str] = []
        fold = self._fold
        with self._lock:
            self._events.append((seconds, names, data))
            for name, datum, _, _ in events:
                names.append(name)
                data.append(datum)
                try:
                    event = _decode(datum)
                except (ValueError, RecursionError):
                    self._add_other(name, datum)
                    event = None
                if isinstance(event, dict):
                    self._add(event, name, seconds)
                if fold.is_complete:
                    break

    def _add(self, event: dict[str, object], name: str | None, seconds: float) -> None:
        kind = event.get("type") or name
        if kind == "error" or name == "error" or (kind is None and "error" in event):
            raise ErrorEvent(event)
        if kind == "content_block_delta" and self._first_token is None:
            self._first_token = seconds
        try:
            self._fold.add(event, name)
        except StreamError as error:
            self._fold.fail(str(error))

    def _add_other(self, name: str | None, datum: str) -> None:
        """Add what is not JSON: `[DONE]`, keep-alives of other dialects, or something broken."""
        if name == "error":
            raise ErrorEvent({"error": {"message": datum}})
        if datum.strip() == "[DONE]":
            self._fold.add_done()
        elif datum.strip() and name != "ping" and (name is not None or datum.lstrip().startswith("{")):
            self._fold.fail(f"an event is not JSON: {shorten(datum)!r}")

    def add_batches(self, batches: Iterable[Batch]) -> None:
        """The events of an exchange that took place elsewhere, to be written down with the others."""
        with self._lock:
            self._events.extend(batches)

    def add_json(self, message: dict[str, object]) -> None:
        """Add an answer that was not streamed: a stream of one."""
        with self._lock:
            try:
                self._fold.add_message(message)
            except StreamError as error:
                self._fold.fail(str(error))
            self._first_token = time.monotonic() - self._began

    def events_since(self, since: tuple[int, int] = (0, 0)) -> tuple[list[Batch], tuple[int, int]]:
        """The events that came since then, in batches, and what to ask with the next time."""
        batch, at = since
        with self._lock:
            found = self._events[batch:]
            if not found:
                return [], since
            seconds, names, data = found[0]
            cut = [(seconds, names[at:], data[at:]), *found[1:]]
            return [each for each in cut if each[1]], (batch + len(found) - 1, len(found[-1][1]))  # the last may grow

    @property
    def is_complete(self) -> bool:
        """Whether the message came to its end."""
        return self._fold.is_complete

    def check(self) -> None:
        """Hold the reply against what a whole one is.

        Raises:
            StreamError: It did not come to its end, or something of it could not be placed.
        """
        why = self._fold.fault
        if not why and not self._fold.is_complete:
            why = "the reply broke off before its end: no message_stop came"
        if not why and self._fold.message.stop_reason is None:
            why = "the reply came without a stop_reason, so it may not be whole"
        if why:
            raise StreamError(f"{why.rstrip('.')}. What had arrived is kept; ask again.")

    def exchange(self, error: ClaudeError | None = None) -> Exchange:
        """The exchange so far."""
        with self._lock:
            return Exchange(
                request=self._request,
                message=self._fold.message,
                status=self._status,
                headers=self._headers,
                events=Events(self._events) if self._fold.is_complete or error else (),
                seconds=time.monotonic() - self._began,
                first_token_seconds=self._first_token,
                retries=self._retries,
                model_note=self._model_note,
                notes=tuple(self._fold.notes),
                error=error,
            )


class ErrorEvent(Exception):
    """An `error` event inside a stream; the client makes an `APIError` of it."""

    def __init__(self, data: dict[str, object]) -> None:
        super().__init__("error event")
        self.data = data
