"""Replies that come when no cell runs: all of them in one display, which stands under the cell already.

What a button sets off can change an output, but add none. The display is sent whole each time, so seldom:
the longer it is, the less often.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterable

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..reply.reply import frame, passage_html, passages, reply_bundle
from ..text.excerpt import one_line
from .uninterrupted import hold_interrupts

_SECONDS_BETWEEN = 0.25
_CHARACTERS_A_SECOND = 200_000


class DetachedOutput:
    """The display, and the replies in it.

    Args:
        name: Its display id.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown: list[dict[str, str]] = []
        self._messages: dict[str, str] = {}

    def begin(self, messages: dict[str, str]) -> None:
        """Put the display under the running cell; it is empty but for the messages so far, or `{}`."""
        self._messages = messages
        self._send(update=False)

    def next(self, *, raw: bool, panel: bool) -> DetachedReply:
        """What shows the next reply."""
        self._shown.append({})
        return DetachedReply(self, len(self._shown) - 1, raw=raw, panel=panel)

    def messages(self, bundle: dict[str, str]) -> None:
        """Show the messages so far under the replies, in the place of fewer; `{}` for none."""
        if bundle != self._messages:
            self._messages = bundle
            self._send(update=True)

    def fail(self, error: Exception) -> None:
        """Say under the replies what went wrong."""
        said = one_line(f"{type(error).__name__}: {error}")
        self._shown.append({"text/html": frame(f'<div class="cm-warning">{said}</div>', styled=True)})
        self._send(update=True)

    def set_reply(self, place: int, bundle: dict[str, str]) -> int:
        """Show a reply in its place; the size of it all, in characters."""
        self._shown[place] = bundle
        return self._send(update=True)

    def _send(self, *, update: bool) -> int:
        bundles = [*self._shown, self._messages]
        whole = {
            "text/html": "".join(bundle.get("text/html", "") for bundle in bundles),
            "text/plain": "\n\n".join(filter(None, (bundle.get("text/plain", "") for bundle in bundles))),
        }
        with hold_interrupts():
            publish_display_data(whole, transient={"display_id": self._name}, update=update)
        return len(whole["text/html"])


class DetachedReply(Presenter):
    """One reply in the display; the same doors as a page has."""

    def __init__(self, placed: DetachedOutput, place: int, *, raw: bool, panel: bool) -> None:
        self._placed = placed
        self._place = place
        self._raw = raw
        self._panel = panel
        self._not_before = time.monotonic()

    def show(self, exchange: Exchange, note: str = "") -> None:
        if time.monotonic() < self._not_before:
            return
        said = note or f"{int(exchange.seconds)} s"
        inner = "".join(passage_html(passage, raw=self._raw) for passage in passages(exchange.message))
        live = frame(f'{inner}<div class="cm-status">{html.escape(said)}</div>', styled=True)
        size = self._placed.set_reply(self._place, {"text/html": live})
        self._not_before = time.monotonic() + max(_SECONDS_BETWEEN, size / _CHARACTERS_A_SECOND)

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing: the events are in the panel."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        self._update(exchange, above=above, body=body)

    def update(self, exchange: Exchange) -> None:
        self._update(exchange)

    def _update(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        bundle = reply_bundle(exchange, raw=self._raw, above=above, body=body)
        if self._panel and exchange.status is not None:
            from ..panel.panel import static_panel

            bundle = {**bundle, "text/html": bundle.get("text/html", "") + static_panel(exchange)}
        self._placed.set_reply(self._place, bundle)
