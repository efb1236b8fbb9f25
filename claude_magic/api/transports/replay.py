"""Replays a recorded answer: the same bytes for the same decoder, with the recorded timing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ...wire import Headers, Request
from ...wire.answer import Answer
from ...wire.recorded_answer import RecordedAnswer
from ...wire.sse import encode_events
from ..interrupt import Interrupt
from .base import ResponseStream

_JSON, _STREAM = "application/json", "text/event-stream; charset=utf-8"
_ENCODING_HEADERS = {"content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True, kw_only=True)
class ReplayTransport:
    """Answers from a recording; nothing is sent.

    Attributes:
        speed: The factor by which it is faster than the recording; 0 for no waits.
    """

    recorded: RecordedAnswer
    speed: float
    interrupt: Interrupt

    def send(self, request: Request) -> ResponseStream:
        """The recorded answer, whatever the request."""
        self.interrupt.check()
        streams = self.recorded.body is None
        headers = [item for item in self.recorded.headers.items() if item[0].lower() not in _ENCODING_HEADERS]
        if self.recorded.answer is not None:
            chunks = self._answer_chunks(self.recorded.answer)
            return ResponseStream(
                status=self.recorded.status, headers=Headers(headers), chunks=chunks, close=lambda: None
            )
        if "content-type" not in self.recorded.headers:
            headers.append(("content-type", _STREAM if streams else _JSON))
        chunks = self._stream_chunks() if streams else self._json_chunks()
        return ResponseStream(status=self.recorded.status, headers=Headers(headers), chunks=chunks, close=lambda: None)

    def _answer_chunks(self, answer: Answer) -> Iterator[bytes]:
        self._wait(self.recorded.seconds)
        if content := answer.content:
            yield content

    def _json_chunks(self) -> Iterator[bytes]:
        self._wait(self.recorded.seconds)
        yield json.dumps(self.recorded.body).encode()

    def _stream_chunks(self) -> Iterator[bytes]:
        last = 0.0
        for seconds, events in groupby(self.recorded.events, key=lambda event: event.seconds):
            self._wait(seconds - last)
            last = seconds
            batch = list(events)
            yield encode_events((event.event for event in batch), (event.data for event in batch)).encode()

    def _wait(self, seconds: float) -> None:
        if self.speed > 0 and seconds > 0:
            self.interrupt.sleep(seconds / self.speed)
        self.interrupt.check()
