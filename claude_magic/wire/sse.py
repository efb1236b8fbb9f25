"""Server-sent events, decoded as the bytes arrive.

The events do not depend on where the bytes were cut into chunks. An event that no blank line
closes is dropped, as the specification asks; an event without data is given (the specification
would drop it), because the official SDKs see it too.
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
        event: `None` if the stream named none.
        data: The data lines, joined by newlines.
        id: The last id seen in the stream, which sticks; `None` before the first.
        retry: Milliseconds.
    """

    event: str | None = None
    data: str = ""
    id: str | None = None
    retry: int | None = None


_event = partial(tuple.__new__, ServerSentEvent)  # a third of the cost of its own, which is written in Python


_END, _NEXT = "\n", "\ndata: "


def framed(names: Iterable[str | None], data: Iterable[str]) -> str:
    """Events as they cross the wire: what `Decoder` takes apart."""
    heads = _Heads()
    return "".join(
        [
            f"{heads[name]}{datum if _END not in datum else datum.replace(_END, _NEXT)}\n\n"
            for name, datum in zip(names, data, strict=True)
        ]
    )


class _Heads(dict[str | None, str]):
    """What stands before the data of an event, by its name; made once of each."""

    def __missing__(self, name: str | None) -> str:
        self[name] = f"event: {name}{_NEXT}" if name else "data: "
        return self[name]


class Decoder:
    """Bytes in, events out; holds only what no blank line has closed yet."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._begun = False
        self._after_cr = False
        self._event: str | None = None
        self._data: list[str] = []
        self._id: str | None = None
        self._retry: int | None = None
        self._anything = False

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that `chunk` completes, made as they are taken: take them all before the next chunk."""
        *blocks, rest = self._lines(chunk).split("\n\n")
        for block in blocks:
            head, data_follows, data = block.partition("\ndata: ")
            usual = data_follows and head[:7] == "event: " and "\n" not in data and "\n" not in head
            if usual and not self._anything:  # nearly all are
                yield _event((head[7:], data, self._id, None))
            else:
                yield from self._line_by_line([*block.split("\n"), ""])
        yield from self._line_by_line(rest.split("\n")[:-1])

    def _line_by_line(self, lines: list[str]) -> Iterator[ServerSentEvent]:
        for line in lines:
            if line:
                self._field(line)
            elif self._anything:
                yield ServerSentEvent(self._event, "\n".join(self._data), self._id, self._retry)
                self._event, self._data, self._retry, self._anything = None, [], None, False

    def _lines(self, chunk: bytes) -> str:
        """The lines that `chunk` completes, each ended by LF; a CR ends one at once, with the LF that may follow."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if not end:
            if chunk:
                self._rest.append(chunk)
            return ""
        self._after_cr = chunk.endswith(b"\r")
        # Decoded in one go: no line end is ever inside a character, not even inside a broken one.
        text = b"".join((*self._rest, chunk[:end])).decode("utf-8", "replace")
        self._rest = [chunk[end:]] if end < len(chunk) else []
        if not self._begun:
            self._begun = True
            text = text.removeprefix(_BOM)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _field(self, line: str) -> None:
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
        self._anything = True
