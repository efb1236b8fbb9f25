"""Events of a reply as a table: milliseconds, name, data."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ...wire import TimedEvent
from ..text.excerpt import line_content, short_line

EVENTS_AT_EACH_END = 100  # rows of a finished table
DATA_LIMIT = 300  # characters of an event's data
_MOST_RUNS = 20
_RUN_DATA = 60  # characters
NOT_STREAMED = "The response was not streamed."
_PADDING = re.compile(r"\s+\}$")  # which the API puts before the last brace


def event_table(
    events: Iterable[TimedEvent],
    *,
    before: int = 0,
    then: Sequence[TimedEvent] = (),
    between: int = 0,
    data: int = DATA_LIMIT,
) -> str:
    """Events as a table, safe to show.

    Args:
        before: The number of events before them that are not shown.
        then: Later events.
        between: The number of events between `events` and `then` that are not shown.
        data: The most characters of an event's data.
    """
    rows = [_more(before), *(_row(event, data) for event in events), _more(between)]
    rows.extend(_row(event, data) for event in then)
    return _table(rows)


def run_table(events: Iterable[TimedEvent]) -> str:
    """Events as a short table, safe to show: one row for adjacent events of the same name, with the first's data."""
    runs = [(run[0], len(run)) for _, each in groupby(events, lambda event: event.event) if (run := list(each))]
    rows = [_run_row(first, count) for first, count in runs[:_MOST_RUNS]]
    return _table([*rows, _more(sum(count for _, count in runs[_MOST_RUNS:]))])


def milliseconds(event: TimedEvent) -> str:
    return f"{event.seconds * 1000:,.0f}"


def event_data(event: TimedEvent) -> str:
    """Without the padding before the closing brace; a long one is cut before its white space is looked for."""
    return event.data if len(event.data) > 4 * DATA_LIMIT else _PADDING.sub("}", event.data.strip())


def _more(number: int) -> str:
    return f'<tr><td></td><td></td><td class="cm-absent">… {number:,} more</td></tr>' if number > 0 else ""


def _row(event: TimedEvent, limit: int) -> str:
    name, data = line_content(event.event, 60), line_content(event_data(event), limit)
    return f"<tr><td>{milliseconds(event)}</td><td>{name}</td><td>{data}</td></tr>"


def _run_row(first: TimedEvent, count: int) -> str:
    name = f"{first.event} × {count:,}" if count > 1 else first.event
    data = html.escape(short_line(event_data(first), _RUN_DATA), quote=False)
    return f"<tr><td>{milliseconds(first)}<td>{line_content(name, 70)}<td>{data}"


def _table(rows: list[str]) -> str:
    return f'<table class="cm-events"><thead><tr><th>ms<th>event<th>data<tbody>{"".join(rows)}</table>'
