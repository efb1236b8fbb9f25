"""The live page of a reply in a notebook: a waiting line, then the growing text, at last one clean output.

What is sent grows linearly with the reply, however it comes: a finished page is rendered once and sent a few
times, and the tail only while the budget allows.
An interrupt may hit anywhere: what is computed is a value, and what is sent is sent whole.
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
from ..reply.summary import estimate_tokens, requested_model
from ..text.plain import plain
from .byte_budget import Budget
from .display_slots import DisplaySlots
from .pages import LivePages
from .uninterrupted import hold_interrupts

_QUIET_SECONDS = 0.2
_SECONDS_BETWEEN = 0.09
_REST_AFTER_DRAWING = 4
_NOTHING = {"text/html": "", "text/plain": ""}


class Page(Presenter):
    """What a kernel shows of one exchange.

    Args:
        owns_cell: Whether nothing else is shown in the cell, so that it may be cleared.
        raw: Show the source text instead of rendering it.
        panel: Show the panel after the reply.
    """

    def __init__(self, *, owns_cell: bool, raw: bool, panel: bool) -> None:
        self._owns_cell = owns_cell
        self._raw = raw
        self._panel = panel
        self._live = LivePages()
        self._name = uuid.uuid4().hex
        self._levels = DisplaySlots(name=self._name[:8], displays=3 if panel else 1)
        self._drawn: list[str] = []
        self._drawn_pages = 0
        self._budget = Budget()
        self._not_before = time.monotonic() + _QUIET_SECONDS
        self._finished = False
        self._around: dict[str, Any] = {}
        self._reply: tuple[str, dict[str, str]] | None = None  # its display, and what it shows

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what has arrived so far, if it is time to.

        Args:
            exchange: Its `seconds` are those since it began.
            note: What is being waited for; `""` for the model.
        """
        begun = time.monotonic()
        if self._finished or begun < self._not_before:
            return
        self._draw(exchange, note)
        ended = time.monotonic()
        self._not_before = max(begun + _SECONDS_BETWEEN, ended + _REST_AFTER_DRAWING * (ended - begun))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing: the events are in the panel."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Put the finished reply and its panel in the place of what was live; nothing, if that was done.

        Args:
            above: Safe HTML that stands before the reply.
            body: Safe HTML in the place of the rendered text; `None` to render it.
        """
        if self._finished:
            return
        instead_of = self._name if len(self._drawn) > 1 else ""
        self._around = {"raw": self._raw, "above": above, "body": body, "name": self._name[:12]}
        reply = reply_bundle(exchange, instead_of=instead_of, **self._around)
        bundles: list[dict[str, Any]] = [reply] if reply else []
        if self._panel and exchange.status is not None:
            from ..panel.panel import panel_bundles

            bundles += panel_bundles(exchange)
        with hold_interrupts():
            if not self._finished:
                self._finished = True
                self._conclude(bundles, replied=bool(reply))

    def update(self, exchange: Exchange) -> None:
        """Draw the finished reply again, in its place, now that more is known of its calls.

        It may be called from another thread, and when the cell has ended long ago.
        """
        if self._reply is None:
            return
        bundle = reply_bundle(exchange, **self._around)
        display_id, shown = self._reply
        if bundle and bundle != shown:
            with hold_interrupts():
                self._reply = display_id, bundle
                publish_display_data(dict(bundle), transient={"display_id": display_id}, update=True)

    def _draw(self, exchange: Exchange, note: str) -> None:
        found = passages(exchange.message)
        size = sum(len(passage.source) for passage in found)
        if self._budget.refuses(size=size, seconds=exchange.seconds):
            return
        live = self._live.advance(found, raw=self._raw)
        tail = live.tail_html(found, raw=self._raw)
        html_size = sum(map(len, live.pages)) + len(tail)
        promoted = self._levels.promote(live.pages[: self._drawn_pages])
        for levels in dict.fromkeys((promoted, self._levels)):
            contents = levels.contents(live.pages, tail + _status(exchange, found, note))
            changed = [content for content in contents if content not in self._drawn]
            if self._budget.allows(changed, html=html_size, size=size, seconds=exchange.seconds):
                with hold_interrupts():
                    self._live, self._levels, self._drawn_pages = live, levels, len(live.pages)
                    self._publish(contents)
                return
        self._live = live

    def _publish(self, contents: list[str]) -> None:
        """Send each content that changed to its display: first to the new ones, so that nothing is missed."""
        known = len(self._drawn)
        self._drawn += [""] * (len(contents) - known)
        for place in [*range(known, len(contents)), *range(known)]:
            content = contents[place]
            if place < known and self._drawn[place] == content:
                continue
            shown = frame(content, styled=place == 0, live=self._name) if content else ""
            self._send({"text/html": shown, "text/plain": ""}, place, update=place < known)
            self._budget.spend(shown)
            self._drawn[place] = content

    def _conclude(self, bundles: list[dict[str, Any]], *, replied: bool) -> None:
        """Put each bundle in the place of a live display, in order, and the rest after them.

        Args:
            replied: Whether the first is the reply, which may be drawn again.
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


def _status(exchange: Exchange, found: list[Passage], note: str) -> str:
    """The quiet line under what has arrived."""
    seconds = f"{int(exchange.seconds)} s" if exchange.seconds >= 1 else ""
    if note:
        said = f"{note} · {seconds}" if seconds else note
    elif not found:
        said = f"waiting for {requested_model(exchange) or 'an answer'}… {seconds}"
    elif found[-1].kind == "thinking":
        said = f"thinking… {seconds}"
    else:
        characters = sum(len(passage.source) for passage in found)
        said = f"about {estimate_tokens(characters):,} tokens · {seconds or 'under 1 s'}"
    return f'<div class="cm-status">{html.escape(plain(said).strip())}</div>'
