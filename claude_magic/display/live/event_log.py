"""The events of a reply as they arrive, each with its time: a growing table in a notebook, lines in a terminal.

What is sent to a page is bounded: the table has a bounded size, and is updated less often the larger it is.
"""

from __future__ import annotations

import html
import time
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..panel.events import DATA_LIMIT, EVENTS_AT_EACH_END, NOT_STREAMED, event_data, event_table, milliseconds
from ..panel.timeline import timeline
from ..reply.reply import frame, reply_steps
from ..reply.status import with_seconds
from ..reply.step_html import step_html
from ..reply.summary import facts, requested_model, warnings
from ..terminal.waiting_line import WaitingLine, is_terminal, write
from ..text.excerpt import plain_line
from ..text.plain import plain
from .interrupts import hold_interrupts

_LIVE = 200  # rows
_LIVE_DATA = 120  # characters of an event's data
_QUIET_SECONDS = 0.2
_SECONDS_BETWEEN = 0.1
_BYTES_A_SECOND = 100_000
_REST_AFTER_DRAWING = 4
_STYLE = (
    "<style>.cm-lines.cm-lines table{table-layout:auto;border-collapse:collapse;width:100%;margin:0;"
    "font-size:var(--jp-code-font-size,12px);font-family:var(--jp-code-font-family,ui-monospace,monospace)}"
    ".cm-lines.cm-lines :is(td,th){text-align:left;vertical-align:top;padding:1px 12px 1px 0;white-space:normal;"
    "overflow-wrap:anywhere;max-width:none}.cm-lines.cm-lines :is(td,th):nth-child(-n+2){white-space:nowrap;width:1%}"
    ".cm-lines.cm-lines :is(td,th):first-child{text-align:right;font-variant-numeric:tabular-nums}"
    ".cm-lines .cm-box{max-height:24em;overflow:auto}"
    ".cm-lines .cm-newest{display:flex;flex-direction:column-reverse}"  # scrolled to its end, with no script
    ".cm-lines .cm-fact{margin-top:.5em;font-size:var(--jp-ui-font-size0,11px);"
    "opacity:.75}.cm-lines .cm-warning{margin-top:.5em;padding:.3em .7em;"
    "border-left:3px solid var(--jp-warn-color1,#ef6c00)}</style>"
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
        self._layout = "", ""

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
        """Replace the growing table with the finished one; `body`, the steps and the summary follow it."""
        if self._finished:
            return
        self._layout = above, body or ""
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
        steps = reply_steps(exchange)
        below = frame("".join(map(step_html, steps)), styled=True) if steps else ""
        bundle = _final_bundle(exchange, self._window.complete(exchange), above=above, body=body + below)
        lines = [line for step in steps for line in step.lines]
        return {**bundle, "text/plain": "\n".join([bundle["text/plain"], *lines])} if bundle["text/html"] else bundle

    def _live(self, exchange: Exchange, note: str) -> str:
        status = note or ("" if self._window.count else f"waiting for {requested_model(exchange) or 'an answer'}…")
        line = with_seconds(" · ".join(filter(None, (f"{self._window.count:,} events", status))), exchange.seconds)
        table = event_table(self._window.last, before=self._window.count - len(self._window.last), data=_LIVE_DATA)
        box = f'<div class="cm-box cm-newest">{table}</div>' if self._window.count else ""
        return f'<div class="cm-lines mathjax_ignore">{_STYLE}{box}{_note(line)}</div>'

    def _send(self, bundle: dict[str, str]) -> None:
        publish_display_data(dict(bundle), transient={"display_id": self._name}, update=bool(self._drawn))


class EventTerminal(Presenter):
    """Writes the events of one exchange to a terminal, a pipe or a file, a line each."""

    def __init__(self) -> None:
        self._count = 0
        self._note = ""
        self._waiting = WaitingLine()
        self._finished = False
        self._written: dict[str, list[str]] = {}

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
        self._waiting.show(with_seconds(note, exchange.seconds) if note else "")
        if (reason := note.rpartition(" in ")[0] or note) != self._note:  # without the seconds
            self._note = reason
            _write([plain_line(note, DATA_LIMIT)] if note and not is_terminal() else [])

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Write the events not written yet, the steps and the summary."""
        if self._finished:
            return
        self.events(islice(exchange.events, self._count, None))
        self._waiting.show("")
        none = [] if self._count or exchange.status is None or exchange.error else [NOT_STREAMED]
        with hold_interrupts():
            self._finished = True
            summary = [*none, *self._new_steps(exchange), *_summary(exchange)]
            _write(summary if exchange.error is None or self._count else [])

    def update(self, exchange: Exchange) -> None:
        """Write the new results of calls."""
        with hold_interrupts():
            _write(self._new_steps(exchange))

    def _new_steps(self, exchange: Exchange) -> list[str]:
        steps = [step for step in reply_steps(exchange) if self._written.get(step.id) != step.lines]
        self._written.update({step.id: step.lines for step in steps})
        return [line for step in steps for line in step.lines]


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


def _final_bundle(exchange: Exchange, window: _EventWindow, *, above: str, body: str) -> dict[str, str]:
    """The mime bundle of the finished log; empty if the request failed without an event."""
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
    notes = "".join(_note(line) for line in summary)
    inner = f"{_STYLE}{above}{timeline(exchange)}{table}{body}{notes}"
    return {
        "text/html": f'<div class="cm-lines mathjax_ignore">{inner}</div>',
        "text/plain": "\n".join([*lines, "", *summary]),
    }


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
