"""Events of a reply as a table: milliseconds, name, data."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from ...wire import TimedEvent
from ..text.excerpt import plain_line

EVENTS_AT_EACH_END = 100  # rows of a finished table
DATA_LIMIT = 300  # characters of an event's data
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
        before: How many came before them that are not shown.
        then: Events that came later.
        between: How many came between them that are not shown.
        data: The most characters of an event's data.
    """
    rows = [_more(before), *(_row(event, data) for event in events), _more(between)]
    rows.extend(_row(event, data) for event in then)
    head = '<tr><th scope="col">ms</th><th scope="col">event</th><th scope="col">data</th></tr>'
    return f'<table class="cm-events"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def milliseconds(event: TimedEvent) -> str:
    return f"{event.seconds * 1000:,.0f}"


def event_data(event: TimedEvent) -> str:
    """Without the padding before the closing brace; a long one is cut before its white space is looked for."""
    return event.data if len(event.data) > 4 * DATA_LIMIT else _PADDING.sub("}", event.data.strip())


def _more(number: int) -> str:
    return f'<tr><td></td><td></td><td class="cm-absent">… {number:,} more</td></tr>' if number > 0 else ""


def _row(event: TimedEvent, limit: int) -> str:
    name, data = _content(event.event, 60), _content(event_data(event), limit)
    return f"<tr><td>{milliseconds(event)}</td><td>{name}</td><td>{data}</td></tr>"


def _content(text: str, limit: int) -> str:
    """One line for an element's content: JSON's many quotes stay one byte each."""
    return html.escape(plain_line(text, limit), quote=False)
