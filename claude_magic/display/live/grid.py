"""Several replies side by side on a page: each grows as a single one does, and ends with its summary and its panel.

Two outputs in a row, as for a panel: the live grid, whose widgets are updated in place, and a static twin, which is
what is saved, exported, and shown where no widget lives. There the twin is updated while the replies grow too, but
seldom: elsewhere nobody sees it. What is sent is bounded by a rate, for all replies together.
"""

from __future__ import annotations

import html
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from IPython.core.display_functions import publish_display_data

from ...errors import Interrupted
from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..panel.panel import static_panel
from ..reply.reply import facts_html, frame, passages, reply_bundle
from ..reply.status import status_line
from ..reply.step_html import IGNORED
from ..tables.table import words
from ..text.excerpt import one_line
from ..text.plain import plain
from ..widgets import has_widgets
from .grid_style import TWIN, twin_style
from .interrupts import hold_interrupts
from .pages import LivePages

if TYPE_CHECKING:
    from .grid_widgets import GridWidgets

_SECONDS_BETWEEN = 0.15
_REST_AFTER_DRAWING = 4
_CHARACTERS_A_SECOND = 150_000
_TWIN_AFTER, _TWIN_BETWEEN = 0.6, 1.0  # seconds, beside a live grid
_NAME_LIMIT = 200
_WORTH_SETTLING = 2  # settled pages that are sent again for one new page


@dataclass(kw_only=True)
class _Column:
    """The state of one reply: what it is called, and how it is shown so far.

    Attributes:
        note: What the session waits for.
        settled: How many of the live pages are in the part that seldom changes.
        reply: HTML of the finished reply; `""` before.
        text: The finished reply as text.
    """

    name: str
    exchange: Exchange | None = None
    note: str = ""
    body: str | None = None
    live: LivePages = field(default_factory=LivePages)
    settled: int = 0
    reply: str = ""
    text: str = ""

    def head(self) -> str:
        name = html.escape(words(self.name, _NAME_LIMIT))
        return f'<div class="cm-name {IGNORED}"><strong>{name}</strong></div>'  # stands out without our style too

    def growing(self, *, raw: bool) -> tuple[str, str]:
        """HTML of the part that seldom changes, and of the rest with the status."""
        if self.exchange is None:
            return self.head(), ""
        arrived = passages(self.exchange.message)
        self.live = self.live.advance(arrived, raw=raw)
        pages = self.live.pages
        if (len(pages) - self.settled) * _WORTH_SETTLING > self.settled:
            self.settled = len(pages)
        status = status_line(self.exchange, sum(len(passage.source) for passage in arrived), self.note)
        tail = "".join(pages[self.settled :]) + self.live.tail_html(arrived, raw=raw)
        settled = _frame("".join(pages[: self.settled])) if self.settled else ""
        return self.head() + settled, _frame(f'{tail}<div class="cm-status">{html.escape(status)}</div>')

    def conclude(self, exchange: Exchange, *, raw: bool) -> None:
        """The finished reply, or the error in its place."""
        bundle = reply_bundle(exchange, raw=raw, body=self.body, styled=False)
        said = f"{type(exchange.error).__name__}: {exchange.error}" if exchange.error is not None else ""
        if bundle and isinstance(exchange.error, Interrupted):
            said = ""  # its warning says so
        failed = f'<div class="cm-error">{one_line(said, 1_000)}</div>' if said else ""
        facts = frame(f'<div class="cm-summary">{facts_html(exchange)}</div>', styled=False)
        self.exchange = exchange
        self.reply = self.head() + (bundle.get("text/html", "") + failed if bundle else failed + facts)
        self.text = "\n\n".join(filter(None, (bundle.get("text/plain", ""), plain(said))))


class Grid:
    """A grid of replies in the outputs of a cell.

    Args:
        names: What each reply is called.
        raw: Whether to show the source text instead of rendering it.
        panel: Whether each reply has a panel.

    Attributes:
        places: The presenter of each reply.
    """

    def __init__(self, names: Sequence[str], *, raw: bool = False, panel: bool = True) -> None:
        self.places: tuple[Presenter, ...] = tuple(_Place(self, number) for number in range(len(names)))
        self._columns = [_Column(name=name) for name in names]
        self._raw, self._panel = raw, panel
        self._name = f"{TWIN}-{uuid.uuid4().hex[:12]}"
        self._lives = has_widgets()
        self._widgets: GridWidgets | None = None
        self._published = self._complete = False
        self._not_before = time.monotonic()
        self._twin_not_before = self._not_before + (_TWIN_AFTER if self._lives else 0.0)

    def show(self, place: int, exchange: Exchange, note: str) -> None:
        """Take what has arrived of a reply, and show all of them, unless the last update is too recent."""
        column = self._columns[place]
        if not column.reply:
            column.exchange, column.note = exchange, note
        begun = time.monotonic()
        if begun >= self._not_before and not self._complete:
            size = self._draw()
            pause = max(_SECONDS_BETWEEN, size / _CHARACTERS_A_SECOND)
            end = time.monotonic()
            self._not_before = max(begun + pause, end + _REST_AFTER_DRAWING * (end - begun))

    def finish(self, place: int, exchange: Exchange, body: str | None) -> None:
        """Show a reply as it is in the end."""
        column = self._columns[place]
        if not column.reply:
            column.body = body
            self.update(place, exchange)

    def update(self, place: int, exchange: Exchange) -> None:
        """Show a finished reply again."""
        column = self._columns[place]
        before = column.reply
        column.conclude(exchange, raw=self._raw)
        complete = all(each.reply for each in self._columns)
        if column.reply == before and complete == self._complete:
            return
        self._publish()
        if self._widgets is not None:
            shows_panel = self._panel and exchange.status is not None
            with hold_interrupts():
                self._widgets.finish(place, column.reply, exchange if shows_panel else None)
        self._complete = complete
        if complete:
            self._send_twin()

    def close(self) -> None:
        """Take the grid away: nothing was sent."""
        self._complete = True
        if self._published:
            with hold_interrupts():
                publish_display_data(
                    {"text/html": "", "text/plain": ""}, transient={"display_id": self._name}, update=True
                )
        if self._widgets is not None:
            self._widgets.close()

    def _draw(self) -> int:
        """Show what changed. Returns the characters that were sent."""
        self._publish()
        parts = [("", "") if each.reply else each.growing(raw=self._raw) for each in self._columns]
        size = 0
        if self._widgets is not None:
            with hold_interrupts():
                for number, part in enumerate(parts):
                    if not self._columns[number].reply:
                        size += self._widgets.show(number, *part)
        now = time.monotonic()
        if now >= self._twin_not_before:
            twin_size = self._send_twin(["".join(part) for part in parts])
            pause = 2 * twin_size / _CHARACTERS_A_SECOND
            self._twin_not_before = now + max(_TWIN_BETWEEN if self._lives else 0.0, pause)
            size += 0 if self._lives else twin_size
        return size

    def _publish(self) -> None:
        """Publish both outputs, if they are not there yet."""
        if self._published:
            return
        with hold_interrupts():
            self._published = True
            if self._lives:
                from .grid_widgets import GridWidgets

                self._widgets = GridWidgets(len(self._columns), self._name)
                self._widgets.publish()
            publish_display_data({"text/html": "", "text/plain": ""}, transient={"display_id": self._name})

    def _send_twin(self, growing: Sequence[str] = ()) -> int:
        """Update the static twin. Returns its characters.

        Args:
            growing: HTML of the replies that are not finished, by their place.
        """
        cells = [each.reply or growing[number] for number, each in enumerate(self._columns)]
        panels = [self._static_panel(each) for each in self._columns]
        columns = (f'<div class="cm-column">{"".join(each)}</div>' for each in zip(cells, panels, strict=True))
        inner = f'<div class="cm-grid">{"".join(columns)}</div>'
        source = f'<div class="{TWIN} {self._name}">{twin_style(inner)}{inner}</div>'
        text = "\n\n".join(f"--- {each.name}\n{each.text}" for each in self._columns) if self._complete else ""
        with hold_interrupts():
            publish_display_data(
                {"text/html": source, "text/plain": plain(text)}, transient={"display_id": self._name}, update=True
            )
        return len(source)

    def _static_panel(self, column: _Column) -> str:
        exchange = column.exchange
        if not self._panel or not self._complete or exchange is None or exchange.status is None:
            return ""
        panel = static_panel(exchange, styled=False)
        if column is self._columns[-1]:
            return panel
        return panel.replace("claude.last.code(", "claude.journal.exchange(…).code(")  # the last one is another reply


class _Place(Presenter):
    """Shows one reply of a grid."""

    def __init__(self, grid: Grid, number: int) -> None:
        self._grid = grid
        self._number = number

    def show(self, exchange: Exchange, note: str = "") -> None:
        self._grid.show(self._number, exchange, note)

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing: the events are in the panel."""

    def update(self, exchange: Exchange) -> None:
        self._grid.update(self._number, exchange)

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        self._grid.finish(self._number, exchange, body)


def _frame(inner: str) -> str:
    """A part of a growing reply, which gets no copy buttons."""
    return frame(inner, styled=False, live="grid")
