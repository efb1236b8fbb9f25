"""An exchange in progress: one thread adds what is received, others read it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..concurrency import Lock
from ..errors import ClaudeError, StreamError
from ..wire import Events, Exchange, Fold, Headers, Request, Response, ServerSentEvent, Timing
from ..wire.answer import Answer
from ..wire.chat_completion import is_chat_completion
from ..wire.completion import is_completion_event
from ..wire.exchange import Batch
from ..wire.short_text import shorten

_decode = json.JSONDecoder().decode  # faster than `json.loads`, which checks its options each time


class Accumulator:
    """The part received so far; `exchange()` returns a value that does not change later.

    Args:
        clock: Seconds, for a wait between two tries; only differences matter.

    Attributes:
        answer: What an endpoint that sends no message has answered so far; `None` for a message.
        on_change: Called after each change by what makes it; `None` where other threads look at it themselves.
    """

    def __init__(self, request: Request, *, model_note: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._note = ""
        self._wait: _Wait | None = None
        self.answer: Answer | None = None
        self.on_change: Callable[[], object] | None = None
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
        """Sets the request that is really sent, once it is known."""
        self._request, self._model_note = request, model_note

    @property
    def note(self) -> str:
        """What it waits for, such as "overloaded: try 2 of 3 in 2 s", which counts down; `""` for the model."""
        wait = self._wait
        return self._note if wait is None else wait.text(self._clock())

    @note.setter
    def note(self, note: str) -> None:
        self._note, self._wait = note, None

    def set_retry(self, reason: str, seconds: float, retries: int, *, tries: int) -> None:
        """Records that a try failed; the next one follows in `seconds`.

        Args:
            tries: The most that are made.
        """
        self._retries = retries
        self._wait = _Wait(next_try=f"{reason}: try {retries + 1} of {tries}", seconds=seconds, began=self._clock())
        self._tell()

    def set_response(self, status: int, headers: Headers) -> None:
        """Sets the status and the headers of the answer."""
        self._status, self._headers, self.note = status, headers, ""
        self._tell()

    def add_events(self, events: Iterable[ServerSentEvent]) -> None:
        """Adds the events of a stream in order; after one that belongs nowhere, reading goes on.

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
                if event or (event is not None and name is not None):  # a gateway keeps a connection alive by `{}`
                    self._add(_as_object(event, name, datum), name, seconds)
                if fold.is_complete:
                    break
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _add(self, event: dict[str, object], name: str | None, seconds: float) -> None:
        kind = event.get("type") or name
        if kind == "error" or name == "error" or (kind is None and "error" in event):
            raise ErrorEvent(event)
        if self._first_token is None and (
            kind == "content_block_delta" or is_completion_event(kind, event) or _has_delta(event)
        ):
            self._first_token = seconds
        try:
            self._fold.add(event, name)
        except StreamError as error:
            self._fold.fail(str(error))

    def _add_other(self, name: str | None, datum: str) -> None:
        """Adds an event that is not JSON: `[DONE]`, a keep-alive of another API, or a broken event."""
        if name == "error":
            raise ErrorEvent({"error": {"message": datum}})
        if datum.strip() == "[DONE]":
            self._fold.add_done()
        elif datum.strip() and name != "ping" and (name is not None or datum.lstrip().startswith("{")):
            self._fold.fail(f"an event is not JSON: {shorten(datum)!r}")

    def add_batches(self, batches: Iterable[Batch]) -> None:
        """Adds the events of an exchange that another process received, for the journal."""
        with self._lock:
            self._events.extend(batches)

    def add_json(self, message: dict[str, object]) -> None:
        """Adds an answer that was not streamed."""
        with self._lock:
            try:
                self._fold.add_message(message)
            except StreamError as error:
                self._fold.fail(str(error))
            self._first_token = time.monotonic() - self._began
        self._tell()

    def events_since(self, cursor: tuple[int, int] = (0, 0)) -> tuple[list[Batch], tuple[int, int]]:
        """The events after a cursor, in batches, and the new cursor."""
        first, position = cursor
        with self._lock:
            batches = self._events[first:]
            if not batches:
                return [], cursor
            seconds, names, data = batches[0]
            new = [(seconds, names[position:], data[position:]), *batches[1:]]
            end = first + len(batches) - 1, len(batches[-1][1])  # the last batch may grow
            return [batch for batch in new if batch[1]], end

    @property
    def is_complete(self) -> bool:
        """Whether the end of the message was received."""
        return self._fold.is_complete

    def check(self) -> None:
        """Checks that the reply is complete.

        Raises:
            StreamError: It is incomplete, or a part of it belongs nowhere.
        """
        fault = self._fold.fault
        if not fault and not self._fold.is_complete:
            fault = f"the stream ended early, without {self._fold.end}"
        if not fault and self._fold.message.stop_reason is None:
            fault = "the reply may be incomplete: it has no stop_reason"
        if fault:
            raise StreamError(f"{fault.rstrip('.')}. The part received is kept; try again.")

    def exchange(self, error: ClaudeError | None = None) -> Exchange:
        """The exchange so far."""
        with self._lock:
            events = Events(self._events) if self._fold.is_complete or error else ()
            return Exchange(
                request=self._request,
                response=Response(status=self._status, headers=self._headers, events=events),
                message=self._fold.message,
                answer=self.answer,
                timing=Timing(
                    seconds=time.monotonic() - self._began,
                    first_token_seconds=self._first_token,
                    retries=self._retries,
                ),
                model_note=self._model_note,
                notes=tuple(self._fold.notes),
                error=error,
            )


def _as_object(event: object, name: str | None, datum: str) -> dict[str, object]:
    """An event as an object; JSON that is none is an event of an unknown kind, but for Google's list of one error."""
    if isinstance(event, list) and len(event) == 1 and isinstance(event[0], dict) and "error" in event[0]:
        event = event[0]
    return event if isinstance(event, dict) else {"type": name or datum}


def _has_delta(event: dict[str, object]) -> bool:
    """Whether a part of a chat completion holds some of its content."""
    if not is_chat_completion(event):
        return False
    deltas = [each.get("delta") for each in event["choices"] if isinstance(each, dict)]  # type: ignore[attr-defined]
    return any(isinstance(each, dict) and (each.get("content") or each.get("tool_calls")) for each in deltas)


@dataclass(frozen=True, kw_only=True)
class _Wait:
    """A wait between two tries.

    Attributes:
        next_try: What was wrong, and which try is next.
        began: On the accumulator's clock.
    """

    next_try: str
    seconds: float
    began: float

    def text(self, now: float) -> str:
        """The next try, and in how many seconds it comes: another text once a second, and not more often."""
        elapsed = now - self.began
        if elapsed >= self.seconds:
            return self.next_try
        return f"{self.next_try} in {max(1, round(self.seconds) - int(elapsed))} s"


class ErrorEvent(Exception):
    """An `error` event inside a stream; the client turns it into an `APIError`."""

    def __init__(self, data: dict[str, object]) -> None:
        super().__init__("error event")
        self.data = data
