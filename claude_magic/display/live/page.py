"""The presenter of a notebook: a status line, then the growing reply, at the end one clean output.

What is sent grows linearly with the reply. An interrupt may come anywhere: state is replaced only together with the
message that shows it.
"""

from __future__ import annotations

import html
import time
import uuid
from collections.abc import Iterable
from typing import Any

from IPython.core.display_functions import clear_output, publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..reply.reply import Passage, frame, passages, reply_bundle
from ..reply.status import status_line
from .display_slots import DisplaySlots
from .interrupts import hold_interrupts
from .pages import Budget, LivePages

_QUIET_SECONDS = 0.2
_STATUS_AFTER_SECONDS = 0.5  # a status line alone, which would only flicker above a reply that is there at once
_SECONDS_BETWEEN = 0.09
_REST_AFTER_DRAWING = 4
_NOTHING = {"text/html": "", "text/plain": ""}


class Page(Presenter):
    """Shows one exchange in a notebook.

    Args:
        owns_cell: Whether the cell shows nothing else, so that its output may be cleared.
        raw: Show the source text instead of rendering it.
        panel: Show the panel after the reply.
    """

    def __init__(self, *, owns_cell: bool, raw: bool, panel: bool) -> None:
        self._owns_cell = owns_cell
        self._raw = raw
        self._panel = panel
        self._live = LivePages()
        self._name = uuid.uuid4().hex
        self._slots = DisplaySlots(name=self._name[:8], most=3 if panel else 1)
        self._drawn: list[str] = []
        self._drawn_pages = 0
        self._budget = Budget()
        self._began = time.monotonic()
        self._not_before = self._began + _QUIET_SECONDS
        self._finished = False
        self._layout: dict[str, Any] = {}
        self._reply: tuple[str, dict[str, str]] | None = None  # its display id and its mime bundle

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what has arrived so far, unless the last update is too recent."""
        start = time.monotonic()
        if self._finished or start < self._not_before:
            return
        if not (note or exchange.message.content) and start < self._began + _STATUS_AFTER_SECONDS:
            return
        self._draw(exchange, note)
        end = time.monotonic()
        self._not_before = max(start + _SECONDS_BETWEEN, end + _REST_AFTER_DRAWING * (end - start))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing: the events are in the panel."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Replace the live displays with the finished reply and its panel."""
        if self._finished:
            return
        instead_of = self._name if len(self._drawn) > 1 else ""
        self._layout = {"raw": self._raw, "above": above, "body": body, "name": self._name[:12]}
        reply = reply_bundle(exchange, instead_of=instead_of, **self._layout)
        bundles: list[dict[str, Any]] = [reply] if reply else []
        if self._panel and exchange.status is not None:
            from ..panel.panel import panel_bundles

            bundles += panel_bundles(exchange)
        with hold_interrupts():
            if not self._finished:
                self._finished = True
                self._conclude(bundles, replied=bool(reply))

    def update(self, exchange: Exchange) -> None:
        """Show the finished reply again, in its place; also from another thread, after the cell has ended."""
        if self._reply is None:
            return
        bundle = reply_bundle(exchange, **self._layout)
        display_id, current = self._reply
        if bundle and bundle != current:
            with hold_interrupts():
                self._reply = display_id, bundle
                publish_display_data(dict(bundle), transient={"display_id": display_id}, update=True)

    def _draw(self, exchange: Exchange, note: str) -> None:
        arrived = passages(exchange.message)
        size = sum(len(passage.source) for passage in arrived)
        if self._budget.is_exhausted(size=size, seconds=exchange.seconds):
            return
        live = self._live.advance(arrived, raw=self._raw)
        tail = live.tail_html(arrived, raw=self._raw)
        html_size = sum(map(len, live.pages)) + len(tail)
        promoted = self._slots.promote(live.pages[: self._drawn_pages])
        for slots in dict.fromkeys((promoted, self._slots)):
            contents = slots.contents(live.pages, tail + _status(exchange, arrived, note))
            changed = [content for content in contents if content not in self._drawn]
            if self._budget.allows(changed, html=html_size, size=size, seconds=exchange.seconds):
                with hold_interrupts():
                    self._live, self._slots, self._drawn_pages = live, slots, len(live.pages)
                    self._publish(contents)
                return
        self._live = live

    def _publish(self, contents: list[str]) -> None:
        """Send the contents that changed to their displays: to new displays first, so that no page is missing."""
        known = len(self._drawn)
        self._drawn += [""] * (len(contents) - known)
        for place in [*range(known, len(contents)), *range(known)]:
            content = contents[place]
            if place < known and self._drawn[place] == content:
                continue
            source = frame(content, styled=place == 0, live=self._name) if content else ""
            self._send({"text/html": source, "text/plain": ""}, place, update=place < known)
            self._budget.spend(source)
            self._drawn[place] = content

    def _conclude(self, bundles: list[dict[str, Any]], *, replied: bool) -> None:
        """Replace the live displays with the bundles, in order, and publish the remaining bundles after them.

        Args:
            replied: Whether the first bundle is the reply, which `update` may show again.
        """
        live = len(self._drawn)
        if self._owns_cell and live > len(bundles):
            clear_output(wait=bool(bundles))
            live = 0
        for place, bundle in enumerate(bundles):
            if place < live or (replied and not place):
                self._send(bundle, place, update=place < live)
            else:
                publish_display_data(bundle)
        for place in range(len(bundles), live):
            self._send(_NOTHING, place, update=True)
        self._reply = (f"{self._name}-0", bundles[0]) if replied else None

    def _send(self, bundle: dict[str, Any], place: int, *, update: bool) -> None:
        publish_display_data(dict(bundle), transient={"display_id": f"{self._name}-{place}"}, update=update)


def _status(exchange: Exchange, arrived: list[Passage], note: str) -> str:
    """The status line under the growing reply."""
    status = status_line(exchange, sum(len(passage.source) for passage in arrived), note)
    return f'<div class="cm-status">{html.escape(status)}</div>'
