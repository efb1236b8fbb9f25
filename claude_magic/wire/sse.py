"""Server-sent events, decoded as the bytes arrive.

The events do not depend on where the bytes were cut into chunks. An event that no blank line ends is dropped, as
the specification says; an event without data is kept (the specification would drop it), because the official SDKs
keep it too.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

_BOM = "\ufeff"
_LONGEST_RETRY = 15  # digits; Python refuses to read thousands of them


class ServerSentEvent(NamedTuple):
    """One event.

    Attributes:
        event: The name; `None` if it has none.
        data: The data lines, joined by newlines.
        id: The last id received in the stream; `None` before the first.
        retry: In milliseconds.
    """

    event: str | None = None
    data: str = ""
    id: str | None = None
    retry: int | None = None


_event = partial(tuple.__new__, ServerSentEvent)  # costs a third of `ServerSentEvent(...)`, which runs Python code
_NEWLINE, _NEXT_DATA = "\n", "\ndata: "


def encode_events(names: Iterable[str | None], data: Iterable[str]) -> str:
    """The text of a stream with these events, which `Decoder` reads."""
    heads = _EventHeads()
    return "".join(
        [
            f"{heads[name]}{datum if _NEWLINE not in datum else datum.replace(_NEWLINE, _NEXT_DATA)}\n\n"
            for name, datum in zip(names, data, strict=True)
        ]
    )


class _EventHeads(dict[str | None, str]):
    """The text before the data of an event, by the event's name; built once for each."""

    def __missing__(self, name: str | None) -> str:
        self[name] = f"event: {name}{_NEXT_DATA}" if name else "data: "
        return self[name]


class Decoder:
    """Bytes in, events out; holds only the event that no blank line has ended yet."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._is_first_line = True
        self._after_cr = False
        self._event: str | None = None
        self._data: list[str] = []
        self._id: str | None = None
        self._retry: int | None = None
        self._has_fields = False

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that `chunk` completes, decoded lazily: iterate over all of them before the next chunk."""
        *blocks, rest = self._lines(chunk).split("\n\n")
        for block in blocks:
            head, data_follows, data = block.partition("\ndata: ")
            is_usual = data_follows and head[:7] == "event: " and "\n" not in data and "\n" not in head
            if is_usual and not self._has_fields:  # nearly all are
                yield _event((head[7:], data, self._id, None))
            else:
                yield from self._line_events([*block.split("\n"), ""])
        yield from self._line_events(rest.split("\n")[:-1])

    def _line_events(self, lines: list[str]) -> Iterator[ServerSentEvent]:
        for line in lines:
            if line:
                self._add_field(line)
            elif self._has_fields:
                yield ServerSentEvent(self._event, "\n".join(self._data), self._id, self._retry)
                self._event, self._data, self._retry, self._has_fields = None, [], None, False

    def _lines(self, chunk: bytes) -> str:
        """The lines that `chunk` completes, each ended by LF; a CR ends one at once, together with an LF after it."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if not end:
            if chunk:
                self._rest.append(chunk)
            return ""
        self._after_cr = chunk.endswith(b"\r")
        # Complete lines are decoded at once: no line end is part of a character, not even of an invalid one.
        text = b"".join((*self._rest, chunk[:end])).decode("utf-8", "replace")
        self._rest = [chunk[end:]] if end < len(chunk) else []
        if self._is_first_line:
            self._is_first_line = False
            text = text.removeprefix(_BOM)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _add_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= _LONGEST_RETRY:
            self._retry = int(value)
        else:
            return
        self._has_fields = True
