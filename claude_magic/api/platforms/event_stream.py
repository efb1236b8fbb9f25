"""AWS's event stream as server-sent events: botocore reads the frames, the rest reads what is in them.

A frame of data holds an event of the API in base64. A frame of type `exception` or `error` becomes an `error` event. A
stream that ends within a frame ends without an event that closes the message, and so the reply is incomplete.
Source: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from botocore.eventstream import EventStreamBuffer, ParserError

from ...errors import StreamError

_DATA, _BEGINNING = "chunk", "initial-response"  # the names of frames
_OF_PLATFORM = "amazon-bedrock-"  # begins the names of figures of the platform
_BROKEN = "the event stream {what}. The part received is kept; try again."


def as_events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same stream as server-sent events; those that arrived at once are one chunk.

    Raises:
        StreamError: A frame is damaged, or the stream ends within one.
    """
    buffer, whole = EventStreamBuffer(), 0
    for chunk in chunks:
        buffer.add_data(chunk)
        whole += len(chunk)
        events, failure = bytearray(), ""
        try:
            for frame in buffer:
                whole -= frame.prelude.total_length
                events += _event(frame)
        except ParserError as error:
            failure = _BROKEN.format(what=f"is damaged ({type(error).__name__})")
        if events:
            yield bytes(events)
        if failure:
            raise StreamError(failure)
    if whole:
        raise StreamError(_BROKEN.format(what="was cut off"))


def _event(frame: Any) -> bytes:
    """A frame as an event; nothing for one that holds none, such as figures of the platform alone."""
    headers = {name: str(value) for name, value in frame.headers.items()}
    kind = headers.get(":message-type", "event")
    if kind == "event":
        name = headers.get(":event-type", _DATA)
        return (
            _of_data(frame.payload) if name == _DATA else b"" if name == _BEGINNING else _of_other(name, frame.payload)
        )
    name = headers.get(":exception-type") or headers.get(":error-code") or kind
    message = _message(frame.payload) or headers.get(":error-message", "")
    return _encode("error", {"type": "error", "error": {"type": name, "message": message}})


def _of_data(payload: bytes) -> bytes:
    """The event of the API in a frame; what is none of them becomes an event of its own, which says what it is."""
    try:
        data = json.loads(payload or b"{}")
        if data.keys() <= {"bytes", "p"} and not data.get("bytes"):
            return b""
        text = base64.b64decode(data["bytes"], validate=True).decode()
        event = json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StreamError(_BROKEN.format(what="holds a frame that is not JSON")) from None
    if isinstance(event, dict) and all(each.startswith(_OF_PLATFORM) for each in event):
        return b""
    name = _name(event)
    if "\n" in text or "\r" in text:  # they end a line there
        text = json.dumps(event)
    return f"event: {name}\ndata: {text}\n\n".encode()


def _name(event: object) -> str:
    if not isinstance(event, dict):
        return _DATA
    kind = event.get("type")
    return kind if isinstance(kind, str) else "completion" if "completion" in event else _DATA


def _of_other(name: str, payload: bytes) -> bytes:
    """A frame of a kind that is new, as an event that says so."""
    return _encode(name.replace("\n", " "), {"type": name, "payload": payload.decode("utf-8", "replace")})


def _message(payload: bytes) -> str:
    """The text of an exception, and what the model said of it, out of its JSON; else as it is."""
    text = payload.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict):
        return text
    found = value.get("message") or value.get("Message")
    texts = [each for each in (found, value.get("originalMessage")) if isinstance(each, str) and each]
    return ": ".join(dict.fromkeys(texts)) or text


def _encode(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
