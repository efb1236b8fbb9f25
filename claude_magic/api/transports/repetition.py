"""Ends a streamed reply that repeats itself: small models fall into loops, however they are sampled.

What had arrived is kept. The message is closed with a `stop_reason` of our own, `repetition`, and the server is
hung up on. A reply that is not streamed is bounded by `max_tokens` only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...wire import Decoder, Request
from .base import Response, Transport

STOP_REASON = "repetition"

_TIMES = 5  # a refrain comes three or four times in a row
_PROSE = 400  # characters that a repeated passage of prose takes, all repetitions together
_CODE = 1_000  # the same in code, in tables and markup, and of figures: there, equal lines are usual
_WINDOW = 6_000  # characters of the end of a text that are looked at
_STEP = 50  # characters between two looks
_KEY = 16  # characters at the end whose earlier places say how long the repeated passage may be
_CANDIDATES = 64
_CODE_BEGINS = ("|", "<", "{", "}", "[", "]", "  ", "\t")
_FENCE = re.compile(r"^[ >]{0,8}(?:```|~~~)", re.MULTILINE)
_FRAME_END = re.compile(rb"\r?\n\r?\n")


def repeats(text: str) -> bool:
    """Whether `text` ends in the same passage over and over, more often than people or programs write it.

    White space counts as one space: a loop may go on over line ends and paragraphs.
    """
    end = text[-_WINDOW:]
    tail = " ".join(end.split())
    for period in _periods(tail):
        length = _periodic(tail, period)
        if length >= _TIMES * period and length >= _PROSE:
            return length >= _CODE or not _is_like_code(text, end[-length:], tail[-length:])
    return False


def _periods(tail: str) -> Iterator[int]:
    """How long the repeated passage may be, shortest first."""
    key, end = tail[-_KEY:], len(tail) - 1
    for _ in range(_CANDIDATES):
        found = tail.rfind(key, 0, end)
        if found < 0:
            return
        yield len(tail) - _KEY - found
        end = found + _KEY - 1


def _periodic(tail: str, period: int) -> int:
    """How many characters at the end are the same as those a period before, that first period included."""
    pairs = zip(reversed(tail), reversed(tail[:-period]), strict=False)
    return period + next((count for count, (one, other) in enumerate(pairs) if one != other), len(tail) - period)


def _is_like_code(text: str, repeated: str, words: str) -> bool:
    """Whether it stands in a code block, a table, markup or JSON, or holds no words.

    Args:
        words: The same as `repeated`, with one space between words.
    """
    if not any(map(str.isalpha, words)) or (words.isascii() and " " not in words):
        return True
    if len(_FENCE.findall(text)) % 2:
        return True
    lines = [line for line in repeated.split("\n")[1:] if line.strip()]
    return bool(lines) and all(line.startswith(_CODE_BEGINS) for line in lines)


@dataclass(frozen=True, kw_only=True)
class RepetitionLimit:
    """Passes a reply on until it repeats itself."""

    inner: Transport

    def send(self, request: Request) -> Response:
        response = self.inner.send(request)
        streams = "event-stream" in response.headers.get("content-type", "").lower()
        return replace(response, chunks=_until_repetition(response.chunks)) if streams else response


def _until_repetition(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Whole events only, so that an end of ours can follow any of them."""
    decoder, reply, rest = Decoder(), _Reply(), b""
    for chunk in chunks:
        *frames, rest = _frames(rest + chunk)
        for frame in frames:
            yield frame
            for event in decoder.feed(frame):
                reply.add(event.data)
            if reply.repeats:
                yield reply.ending
                return
    if rest:
        yield rest


def _frames(data: bytes) -> list[bytes]:
    """The events in `data` with the blank lines after them; the last is what has no blank line yet."""
    ends = [0, *(match.end() for match in _FRAME_END.finditer(data))]
    return [data[begin:end] for begin, end in zip(ends, [*ends[1:], len(data)], strict=True)]


class _Reply:
    """The block that is growing.

    Attributes:
        repeats: Whether it does.
    """

    def __init__(self) -> None:
        self.repeats = False
        self._index = 0
        self._text = ""
        self._seen = 0
        self._deltas = 0

    def add(self, data: str) -> None:
        try:
            event: Any = json.loads(data)
        except ValueError:
            return
        delta = event.get("delta") if isinstance(event, dict) else None
        if not isinstance(delta, dict) or event.get("type") != "content_block_delta":
            return
        if event.get("index") != self._index:
            self._index, self._text, self._seen = event.get("index"), "", 0
        self._deltas += 1
        self._text += str(delta.get("text") or delta.get("thinking") or "")
        if len(self._text) - self._seen >= _STEP:
            self._seen = len(self._text)
            self.repeats = repeats(self._text)

    @property
    def ending(self) -> bytes:
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
