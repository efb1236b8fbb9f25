"""Server-sent events, decoded as the bytes arrive.

The events do not depend on where the bytes were cut into chunks. An event that no blank line
closes is dropped, as the specification asks; an event without data is given (the specification
would drop it), because the official SDKs see it too.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSentEvent:
    """One event.

    Attributes:
        event: `None` if the stream named none.
        data: The data lines, joined by newlines.
        id: The last id seen in the stream, which sticks; `None` before the first.
        retry: Milliseconds.
    """

    event: str | None = None
    data: str = ""
    id: str | None = None
    retry: int | None = None


class Decoder:
    """Bytes in, events out; holds only what no line end has closed yet."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._begun = False
        self._after_cr = False
        self._forget()
        self._id: str | None = None

    def _forget(self) -> None:
        self._event: str | None = None
        self._data: list[bytes] = []
        self._retry: int | None = None
        self._anything = False

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that `chunk` completes."""
        for line in self._lines(chunk):
            if line:
                self._field(line)
            elif self._anything:
                yield ServerSentEvent(
                    event=self._event,
                    data=b"\n".join(self._data).decode("utf-8", "replace"),
                    id=self._id,
                    retry=self._retry,
                )
                self._forget()

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes; a CR ends one at once, and an LF right after it is part of it."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\n" not in chunk and b"\r" not in chunk:
            if chunk:
                self._rest.append(chunk)
            return []
        self._after_cr = chunk.endswith(b"\r")
        if self._rest:
            chunk = b"".join((*self._rest, chunk))
        lines = _LINE.split(chunk) if b"\r" in chunk else chunk.split(b"\n")
        last = lines.pop()
        self._rest = [last] if last else []
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return lines

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self._retry = int(value)
        else:
            return
        self._anything = True
