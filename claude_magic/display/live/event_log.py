"""The events of a reply as they arrive, each with its time, and beside them the text that they bring.

In a notebook a table grows beside the rendered text; in a terminal each event is a line, and the text follows.
What is sent to a page is bounded: table and text have a bounded size, and are updated less often the larger they are.
"""

from __future__ import annotations

import html
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..panel.events import DATA_LIMIT, EVENTS_AT_EACH_END, NOT_STREAMED, event_data, event_table, milliseconds
from ..panel.timeline import timeline
from ..reply.reply import frame, passages, reply_bundle
from ..reply.status import with_seconds
from ..reply.summary import facts, requested_model, warnings
from ..terminal.terminal import Terminal
from ..terminal.waiting_line import WaitingLine, is_terminal, write
from ..text.excerpt import plain_line
from ..text.plain import plain
from .interrupts import hold_interrupts
from .pages import LivePages

_LIVE = 200  # rows
_LIVE_DATA = 120  # characters of an event's data
_QUIET_SECONDS = 0.2
_SECONDS_BETWEEN = 0.1
_BYTES_A_SECOND = 100_000
_REST_AFTER_DRAWING = 4
_LAST_WORDS = 60  # characters of the text in a terminal, while it grows
_STYLE = (
    "<style>.cm-lines.cm-lines table{table-layout:auto;border-collapse:collapse;width:100%;margin:0;"
    "font-size:var(--jp-code-font-size,12px);font-family:var(--jp-code-font-family,ui-monospace,monospace)}"
    ".cm-lines.cm-lines :is(td,th){text-align:left;vertical-align:top;padding:1px 12px 1px 0;white-space:normal;"
    "overflow-wrap:anywhere;max-width:none}.cm-lines.cm-lines :is(td,th):nth-child(-n+2){white-space:nowrap;width:1%}"
    ".cm-lines.cm-lines :is(td,th):first-child{text-align:right;font-variant-numeric:tabular-nums}"
    ".cm-lines .cm-box{max-height:24em;overflow:auto}"
    ".cm-lines .cm-newest{display:flex;flex-direction:column-reverse}"  # scrolled to its end, with no script
    ".cm-beside{display:flex;flex-wrap:wrap;gap:.5em 2em}.cm-beside>*{min-width:0;flex:3 1 26em}"
    ".cm-beside>.cm-text{flex:2 1 20em}"  # where there is no room for both, the text is below
    ".cm-fact{margin-top:.5em;font-size:var(--jp-ui-font-size0,11px);opacity:.75}</style>"
)


class EventPage(Presenter):
    """Shows the events of one exchange in a notebook.

    Args:
        panel: Show the panel after the events.
    """

    def __init__(self, *, panel: bool = False) -> None:
        self._panel = panel
        self._name = uuid.uuid4().hex
        self._window = _EventWindow()
        self._drawn = ""
        self._not_before = time.monotonic() + _QUIET_SECONDS
        self._finished = self._sent = False
        self._layout: tuple[str, str | None] = "", None
        self._text = LivePages()

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Take the new events; `show` shows them."""
        self._window.add(events)

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what has arrived so far, unless nothing is new or the last update is too recent."""
        start = time.monotonic()
        if self._finished or start < self._not_before:
            return
        content = self._live(exchange, note)
        if content != self._drawn:
            with hold_interrupts():
                self._send({"text/html": content, "text/plain": ""})
                self._drawn = content
        end = time.monotonic()
        pause = max(_SECONDS_BETWEEN, len(content.encode()) / _BYTES_A_SECOND)
        self._not_before = max(start + pause, end + _REST_AFTER_DRAWING * (end - start))

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Replace the growing table and text with the finished ones."""
        if self._finished:
            return
        self._layout = above, body
        bundle = self._bundle(exchange)
        bundles = []
        if self._panel and exchange.status is not None:
            from ..panel.panel import panel_bundles

            bundles = panel_bundles(exchange)
        with hold_interrupts():
            self._finished = True
            if self._drawn or bundle["text/html"]:
                self._send(bundle)
                self._sent = True
            for each in bundles:
                publish_display_data(each)

    def update(self, exchange: Exchange) -> None:
        """Show the finished events again, in their place."""
        if self._sent:
            bundle = self._bundle(exchange)
            with hold_interrupts():
                publish_display_data(dict(bundle), transient={"display_id": self._name}, update=True)

    def _bundle(self, exchange: Exchange) -> dict[str, str]:
        above, body = self._layout
        reply = reply_bundle(exchange, body=body, name=self._name[:12])
        return _final_bundle(exchange, self._window.complete(exchange), above=above, reply=reply)

    def _live(self, exchange: Exchange, note: str) -> str:
        status = note or ("" if self._window.count else f"waiting for {requested_model(exchange) or 'an answer'}…")
        line = with_seconds(" · ".join(filter(None, (f"{self._window.count:,} events", status))), exchange.seconds)
        table = event_table(self._window.last, before=self._window.count - len(self._window.last), data=_LIVE_DATA)
        box = f'<div class="cm-box cm-newest">{table}</div>' if self._window.count else ""
        return f"{_STYLE}{_beside(box, self._growing_text(exchange))}{_note(line)}"

    def _growing_text(self, exchange: Exchange) -> str:
        """The end of the text so far, rendered."""
        arrived = passages(exchange.message)
        self._text = self._text.advance(arrived, raw=False)
        inner = "".join([*self._text.pages[-1:], self._text.tail_html(arrived, raw=False)])
        more = '<div class="cm-none">…</div>' * (len(self._text.pages) > 1)
        return (
            f'<div class="cm-box cm-newest">{frame(more + inner, styled=True, live=self._name)}</div>' if inner else ""
        )

    def _send(self, bundle: dict[str, str]) -> None:
        publish_display_data(dict(bundle), transient={"display_id": self._name}, update=bool(self._drawn))


class EventTerminal(Presenter):
    """Writes the events of one exchange to a terminal, a pipe or a file, a line each; then the reply.

    Args:
        reply: Writes the reply; `None` for as it came.
    """

    def __init__(self, reply: Terminal | None = None) -> None:
        self._reply = reply or Terminal()
        self._count = 0
        self._note = ""
        self._waiting = WaitingLine()
        self._finished = False

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Write the new events, a line each."""
        lines = [] if self._finished else [_line(event) for event in events]
        self._waiting.show("")
        with hold_interrupts():
            _write(lines)
            self._count += len(lines)

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show the note, on a terminal in one line that is replaced; elsewhere write it once."""
        if self._finished:
            return
        self._waiting.show(with_seconds(note, exchange.seconds) if note else _end_of(exchange.text))
        if (reason := note.rpartition(" in ")[0] or note) != self._note:  # without the seconds
            self._note = reason
            _write([plain_line(note, DATA_LIMIT)] if note and not is_terminal() else [])

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Write the events not written yet, then the reply, its steps and the summary."""
        if self._finished:
            return
        self.events(islice(exchange.events, self._count, None))
        self._waiting.show("")
        none = [] if self._count or exchange.status is None or exchange.error else [NOT_STREAMED]
        with hold_interrupts():
            self._finished = True
            _write([*none, *[""] * bool(self._count)])
            self._reply.finish(exchange)
            if self._count and exchange.error is not None and not passages(exchange.message):
                _write(_summary(exchange))

    def update(self, exchange: Exchange) -> None:
        """Write the new results of calls."""
        self._reply.update(exchange)


class _EventWindow:
    """A count of events, with the first and the last of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[TimedEvent] = []
        self.last: deque[TimedEvent] = deque(maxlen=_LIVE)

    def add(self, events: Iterable[TimedEvent]) -> None:
        for event in events:
            self.count += 1
            self.last.append(event)
            if len(self.first) < EVENTS_AT_EACH_END:
                self.first.append(event)

    def complete(self, exchange: Exchange) -> _EventWindow:
        """The events of the exchange; those that have arrived, if it was stopped early."""
        if not exchange.events:
            return self
        window = _EventWindow()
        window.add(exchange.events)
        return window

    @property
    def ends(self) -> tuple[list[TimedEvent], list[TimedEvent]]:
        """The first and the last events, without overlap."""
        last = min(EVENTS_AT_EACH_END, self.count - len(self.first))
        return self.first, list(self.last)[-last:] if last else []


def _final_bundle(exchange: Exchange, window: _EventWindow, *, above: str, reply: Mapping[str, str]) -> dict[str, str]:
    """The mime bundle of the finished log; empty if the request failed without an event.

    Args:
        reply: The mime bundle of the reply; empty if nothing of it came.
    """
    if not window.count and exchange.error is not None:
        return {"text/html": "", "text/plain": ""}
    first, last = window.ends
    between = window.count - len(first) - len(last)
    summary = _summary(exchange)
    if window.count:
        table = f'<div class="cm-box">{event_table(first, then=last, between=between)}</div>'
        omitted = [f"… {between:,} more"] if between else []
        lines = [*map(_line, first), *omitted, *map(_line, last)]
    else:
        table, lines = _note(NOT_STREAMED), [NOT_STREAMED]
    text = reply.get("text/html") or "".join(_note(line) for line in summary)
    return {
        "text/html": f"{_STYLE}{above}{timeline(exchange)}{_beside(table, text)}",
        "text/plain": "\n".join([*lines, "", *filter(None, [reply.get("text/plain")]), "", *summary]),
    }


def _beside(events: str, text: str) -> str:
    """Events and text side by side; no formula is looked for in the events."""
    left = f'<div class="cm-lines mathjax_ignore">{events}</div>'
    return f'<div class="cm-beside">{left}<div class="cm-text">{text}</div></div>' if text else left


def _end_of(text: str) -> str:
    """The last words of a text, for one line."""
    line = " ".join(text[-_LAST_WORDS:].split())
    return f"… {line}" if len(text) > _LAST_WORDS else line


def _summary(exchange: Exchange) -> list[str]:
    return [*warnings(exchange), facts(exchange), *map(plain, exchange.notes)]


def _note(line: str) -> str:
    return f'<div class="cm-fact">{html.escape(line)}</div>'


def _line(event: TimedEvent) -> str:
    name, data = plain_line(event.event, 60), plain_line(event_data(event), DATA_LIMIT)
    return f"{milliseconds(event):>8} ms  {name:<19}  {data}".rstrip()


def _write(lines: Sequence[str]) -> None:
    if lines:
        write("".join(f"{line}\n" for line in lines))
