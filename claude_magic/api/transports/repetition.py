"""Ends a streamed reply that repeats itself: small models fall into loops, whatever the sampling options.

The part received is kept. The message ends with a `stop_reason` that only this package uses, `repetition`, and the
connection is closed. A reply that is not streamed is limited by `max_tokens` only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...wire import Decoder, Request
from .base import ResponseStream, Transport

STOP_REASON = "repetition"

_MIN_REPETITIONS = 5  # a refrain is repeated three or four times
_MIN_PROSE = 400  # characters of all repetitions of a passage of prose
_MIN_CODE = 1_000  # the same for code, tables, markup and numbers, where equal lines are usual
_WINDOW = 6_000  # characters at the end of a text that are examined
_STEP = 50  # new characters between two examinations
_KEY = 16  # characters at the end; their earlier occurrences give the possible lengths of the repeated passage
_MAX_CANDIDATES = 64
_CODE_BEGINNINGS = ("|", "<", "{", "}", "[", "]", "  ", "\t")
_FENCE = re.compile(r"^[ >]{0,8}(?:```|~~~)", re.MULTILINE)
_FRAME_END = re.compile(rb"\r?\n\r?\n")


def is_repeating(text: str) -> bool:
    """Whether `text` ends with more repetitions of a passage than usual texts or programs have.

    Any white space counts as one space: a loop may continue over line ends and paragraphs.
    """
    end = text[-_WINDOW:]
    tail = " ".join(end.split())
    for period in _periods(tail):
        length = _repeated_length(tail, period)
        if length >= _MIN_REPETITIONS * period and length >= _MIN_PROSE:
            return length >= _MIN_CODE or not _is_code(text, end[-length:], tail[-length:])
    return False


def _periods(tail: str) -> Iterator[int]:
    """The possible lengths of the repeated passage, shortest first."""
    key, end = tail[-_KEY:], len(tail) - 1
    for _ in range(_MAX_CANDIDATES):
        position = tail.rfind(key, 0, end)
        if position < 0:
            return
        yield len(tail) - _KEY - position
        end = position + _KEY - 1


def _repeated_length(tail: str, period: int) -> int:
    """How many characters at the end of `tail` repeat with this period, the first period included."""
    pairs = zip(reversed(tail), reversed(tail[:-period]), strict=False)
    return period + next((count for count, (one, other) in enumerate(pairs) if one != other), len(tail) - period)


def _is_code(text: str, repeated: str, words: str) -> bool:
    """Whether the repeated part is in a code block, a table, markup or JSON, or contains no words.

    Args:
        words: The same as `repeated`, with one space between words.
    """
    if not any(map(str.isalpha, words)) or (words.isascii() and " " not in words):
        return True
    if len(_FENCE.findall(text)) % 2:
        return True
    lines = [line for line in repeated.split("\n")[1:] if line.strip()]
    return bool(lines) and all(line.startswith(_CODE_BEGINNINGS) for line in lines)


@dataclass(frozen=True, kw_only=True)
class RepetitionLimit:
    """Passes the chunks of a reply on until the reply repeats itself."""

    inner: Transport

    def send(self, request: Request) -> ResponseStream:
        response = self.inner.send(request)
        streams = "event-stream" in response.headers.get("content-type", "").lower()
        return replace(response, chunks=_until_repetition(response.chunks)) if streams else response


def _until_repetition(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Passes complete events on, so that the closing events can follow any of them."""
    decoder, reply, rest = Decoder(), _BlockText(), b""
    for chunk in chunks:
        *frames, rest = _frames(rest + chunk)
        for frame in frames:
            yield frame
            for event in decoder.feed(frame):
                reply.add(event.data)
            if reply.repeats:
                yield reply.closing_events
                return
    if rest:
        yield rest


def _frames(data: bytes) -> list[bytes]:
    """The events in `data` with the blank lines after them; the last item is the rest, which has no blank line yet."""
    ends = [0, *(match.end() for match in _FRAME_END.finditer(data))]
    return [data[begin:end] for begin, end in zip(ends, [*ends[1:], len(data)], strict=True)]


class _BlockText:
    """The text of the block that is being received.

    Attributes:
        repeats: Whether it repeats itself.
    """

    def __init__(self) -> None:
        self.repeats = False
        self._index = 0
        self._text = ""
        self._examined = 0
        self._deltas = 0

    def add(self, data: str) -> None:
        """Adds the data of an event."""
        try:
            event: Any = json.loads(data)
        except ValueError:
            return
        delta = event.get("delta") if isinstance(event, dict) else None
        if not isinstance(delta, dict) or event.get("type") != "content_block_delta":
            return
        if event.get("index") != self._index:
            self._index, self._text, self._examined = event.get("index"), "", 0
        self._deltas += 1
        self._text += str(delta.get("text") or delta.get("thinking") or "")
        if len(self._text) - self._examined >= _STEP:
            self._examined = len(self._text)
            self.repeats = is_repeating(self._text)

    @property
    def closing_events(self) -> bytes:
        """The events that close the message; llama.cpp sends a delta for each token."""
        events: tuple[dict[str, Any], ...] = (
            {"type": "content_block_stop", "index": self._index},
            {
                "type": "message_delta",
                "delta": {"stop_reason": STOP_REASON, "stop_sequence": None},
                "usage": {"output_tokens": self._deltas},
            },
            {"type": "message_stop"},
        )
        return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
