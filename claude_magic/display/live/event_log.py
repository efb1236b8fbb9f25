"""The events of a reply as they arrive, each with its time: a table that grows in a notebook, lines in a terminal.

Both stand in the place of a `Page` or a `Terminal`, and get new events by `events`, because a growing
exchange has none yet. What is sent to a page is bounded: a table of bounded size, the less often the larger it is.
"""

from __future__ import annotations

import html
import sys
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
from ..reply.step_html import step_html
from ..reply.summary import facts, requested_model, warnings
from ..text.excerpt import plain_line
from ..text.plain import plain
from .uninterrupted import hold_interrupts

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
    ".cm-lines .cm-said{margin-top:.5em;font-size:var(--jp-ui-font-size0,11px);"
    "opacity:.75}.cm-lines .cm-warning{margin-top:.5em;padding:.3em .7em;"
    "border-left:3px solid var(--jp-warn-color1,#ef6c00)}</style>"
)


class EventPage(Presenter):
    """What a kernel shows of one exchange whose events are asked for.

    Args:
        panel: Show the panel after the events.
    """

    def __init__(self, *, panel: bool = False) -> None:
        self._panel = panel
        self._name = uuid.uuid4().hex
        self._arrived = _EventWindow()
        self._drawn = ""
        self._not_before = time.monotonic() + _QUIET_SECONDS
        self._finished = self._sent = False
        self._around = "", ""

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Take the events that came since the last time; `show` shows them."""
        self._arrived.add(events)

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what has arrived so far, if it is time to and there is something new.

        Args:
            note: What is being waited for; `""` for the model.
        """
        begun = time.monotonic()
        if self._finished or begun < self._not_before:
            return
        content = self._live(exchange, note)
        if content != self._drawn:
            with hold_interrupts():
                self._send({"text/html": content, "text/plain": ""})
                self._drawn = content
        ended = time.monotonic()
        pause = max(_SECONDS_BETWEEN, len(content.encode()) / _BYTES_A_SECOND)
        self._not_before = max(begun + pause, ended + _REST_AFTER_DRAWING * (ended - begun))

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Put the finished table in the place of the growing one, then the summary; nothing, if that was done.

        Args:
            above: Safe HTML that stands before the events.
            body: Safe HTML that stands after them, such as what was made of the reply; `None` for nothing.
        """
        if self._finished:
            return
        self._around = above, body or ""
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
        """Draw the finished events again, in their place, now that more is known of the calls."""
        if self._sent:
            bundle = self._bundle(exchange)
            with hold_interrupts():
                publish_display_data(dict(bundle), transient={"display_id": self._name}, update=True)

    def _bundle(self, exchange: Exchange) -> dict[str, str]:
        above, body = self._around
        steps = reply_steps(exchange)
        below = frame("".join(map(step_html, steps)), styled=True) if steps else ""
        bundle = _final_bundle(exchange, self._arrived.complete(exchange), above=above, body=body + below)
        lines = [line for step in steps for line in step.lines]
        return {**bundle, "text/plain": "\n".join([bundle["text/plain"], *lines])} if bundle["text/html"] else bundle

    def _live(self, exchange: Exchange, note: str) -> str:
        said = note or ("" if self._arrived.count else f"waiting for {requested_model(exchange) or 'an answer'}…")
        seconds = f"{int(exchange.seconds)} s" if exchange.seconds >= 1 else ""
        line = " · ".join(filter(None, (f"{self._arrived.count:,} events", said, seconds)))
        table = event_table(self._arrived.last, before=self._arrived.count - len(self._arrived.last), data=_LIVE_DATA)
        shown = f'<div class="cm-box cm-newest">{table}</div>' if self._arrived.count else ""
        return f'<div class="cm-lines mathjax_ignore">{_STYLE}{shown}{_data_text(line)}</div>'

    def _send(self, bundle: dict[str, str]) -> None:
        publish_display_data(dict(bundle), transient={"display_id": self._name}, update=bool(self._drawn))


class EventTerminal(Presenter):
    """What a terminal, a pipe or a file shows of one exchange whose events are asked for: a line each."""

    def __init__(self) -> None:
        self._count = 0
        self._note = ""
        self._finished = False
        self._told: dict[str, list[str]] = {}

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Write the events that came since the last time, a line each."""
        lines = [] if self._finished else [_line(event) for event in events]
        with hold_interrupts():
            _write(lines)
            self._count += len(lines)

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Write what is being waited for, once; the events are written as they arrive."""
        if note.partition(",")[0] != self._note and not self._finished:
            self._note = note.partition(",")[0]  # without the seconds
            _write([plain_line(note, DATA_LIMIT)] if note else [])

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Write the events that are still missing, the steps and the summary; nothing, if that was done."""
        if self._finished:
            return
        self.events(islice(exchange.events, self._count, None))
        none = [] if self._count or exchange.status is None or exchange.error else [NOT_STREAMED]
        with hold_interrupts():
            self._finished = True
            summary = [*none, *self._later(exchange), *_summary(exchange)]
            _write(summary if exchange.error is None or self._count else [])

    def update(self, exchange: Exchange) -> None:
        """Write what is new about the calls of a finished reply."""
        with hold_interrupts():
            _write(self._later(exchange))

    def _later(self, exchange: Exchange) -> list[str]:
        steps = [step for step in reply_steps(exchange) if self._told.get(step.id) != step.lines]
        self._told.update({step.id: step.lines for step in steps})
        return [line for step in steps for line in step.lines]


class _EventWindow:
    """How many events there are, the first ones and the last ones."""

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
        """The events of the exchange; what has arrived, if it was stopped before it had any."""
        if not exchange.events:
            return self
        found = _EventWindow()
        found.add(exchange.events)
        return found

    @property
    def ends(self) -> tuple[list[TimedEvent], list[TimedEvent]]:
        """The first and the last ones; none is in both."""
        last = min(EVENTS_AT_EACH_END, self.count - len(self.first))
        return self.first, list(self.last)[-last:] if last else []


def _final_bundle(exchange: Exchange, arrived: _EventWindow, *, above: str, body: str) -> dict[str, str]:
    """The mime bundle of what remains; empty if nothing came because it failed."""
    if not arrived.count and exchange.error is not None:
        return {"text/html": "", "text/plain": ""}
    first, last = arrived.ends
    between = arrived.count - len(first) - len(last)
    summary = _summary(exchange)
    if arrived.count:
        shown = f'<div class="cm-box">{event_table(first, then=last, between=between)}</div>'
        omitted = [f"… {between:,} more"] if between else []
        lines = [*map(_line, first), *omitted, *map(_line, last)]
    else:
        shown, lines = _data_text(NOT_STREAMED), [NOT_STREAMED]
    notes = "".join(_data_text(line) for line in summary)
    inner = f"{_STYLE}{above}{timeline(exchange)}{shown}{body}{notes}"
    return {
        "text/html": f'<div class="cm-lines mathjax_ignore">{inner}</div>',
        "text/plain": "\n".join([*lines, "", *summary]),
    }


def _summary(exchange: Exchange) -> list[str]:
    return [*warnings(exchange), facts(exchange), *map(plain, exchange.notes)]


def _data_text(line: str) -> str:
    return f'<div class="cm-said">{html.escape(line)}</div>'


def _line(event: TimedEvent) -> str:
    name, data = plain_line(event.event, 60), plain_line(event_data(event), DATA_LIMIT)
    return f"{milliseconds(event):>8} ms  {name:<19}  {data}".rstrip()


def _write(lines: Sequence[str]) -> None:
    """Lines, in what the terminal can encode."""
    if not lines:
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write("".join(f"{line}\n" for line in lines).encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
