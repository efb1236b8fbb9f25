"""A recorded answer, given again: the same bytes for the same decoder, in the recorded rhythm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ...wire import Headers, Request
from ...wire.recorded_answer import RecordedAnswer
from ...wire.sse import encode_events
from ..interrupt import Interrupt
from .base import Response

_JSON, _STREAM = "application/json", "text/event-stream; charset=utf-8"
_ABOUT_THE_BYTES = {"content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True, kw_only=True)
class ReplayTransport:
    """Answers from a recording; nothing is sent.

    Attributes:
        speed: How many times as fast as it was recorded; 0 for at once.
    """

    recorded: RecordedAnswer
    speed: float
    interrupt: Interrupt

    def send(self, request: Request) -> Response:
        """The recorded answer, whatever is asked."""
        self.interrupt.check()
        kept = [item for item in self.recorded.headers.items() if item[0].lower() not in _ABOUT_THE_BYTES]
        kind = _STREAM if self.recorded.body is None else _JSON
        if "content-type" not in self.recorded.headers:
            kept.append(("content-type", kind))
        chunks = self._stream_chunks() if self.recorded.body is None else self._json_chunks()
        return Response(status=self.recorded.status, headers=Headers(kept), chunks=chunks, close=lambda: None)

    def _json_chunks(self) -> Iterator[bytes]:
        self._wait(self.recorded.seconds)
        yield json.dumps(self.recorded.body).encode()

    def _stream_chunks(self) -> Iterator[bytes]:
        passed = 0.0
        for seconds, events in groupby(self.recorded.events, key=lambda event: event.seconds):
            self._wait(seconds - passed)
            passed = seconds
            batch = list(events)
            yield encode_events((event.event for event in batch), (event.data for event in batch)).encode()

    def _wait(self, seconds: float) -> None:
        if self.speed > 0 and seconds > 0:
            self.interrupt.sleep(seconds / self.speed)
        self.interrupt.check()
