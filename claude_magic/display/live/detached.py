"""Replies that arrive when no cell runs, such as after a press on a button: all of them in one display.

Code that runs outside of a cell can update an output, but not add one. So the display is published under the cell
beforehand, and updated as a whole, less often the longer it is.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterable

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..reply.reply import frame, passage_html, passages, reply_bundle
from ..reply.status import with_seconds
from ..text.excerpt import one_line
from .interrupts import hold_interrupts

_SECONDS_BETWEEN = 0.25
_CHARACTERS_A_SECOND = 200_000


class DetachedOutput:
    """A display that holds replies.

    Args:
        name: The display id.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._replies: list[dict[str, str]] = []
        self._messages: dict[str, str] = {}

    def begin(self, messages: dict[str, str]) -> None:
        """Publish the display under the running cell, with the messages so far; `{}` for none."""
        self._messages = messages
        self._send(update=False)

    def next(self, *, raw: bool, panel: bool) -> DetachedReply:
        """The presenter of the next reply."""
        self._replies.append({})
        return DetachedReply(self, len(self._replies) - 1, raw=raw, panel=panel)

    def messages(self, bundle: dict[str, str]) -> None:
        """Show these messages under the replies instead of the earlier ones; `{}` for none."""
        if bundle != self._messages:
            self._messages = bundle
            self._send(update=True)

    def append(self, bundle: dict[str, str]) -> None:
        """Show something more under the replies."""
        self._replies.append(bundle)
        self._send(update=True)

    def fail(self, error: Exception) -> None:
        """Show an error under the replies."""
        line = one_line(f"{type(error).__name__}: {error}")
        self._replies.append({"text/html": frame(f'<div class="cm-warning">{line}</div>', styled=True)})
        self._send(update=True)

    def set_reply(self, place: int, bundle: dict[str, str]) -> int:
        """Show a reply in its place. Returns the characters of the whole display."""
        self._replies[place] = bundle
        return self._send(update=True)

    def _send(self, *, update: bool) -> int:
        bundles = [*self._replies, self._messages]
        whole = {
            "text/html": "".join(bundle.get("text/html", "") for bundle in bundles),
            "text/plain": "\n\n".join(filter(None, (bundle.get("text/plain", "") for bundle in bundles))),
        }
        with hold_interrupts():
            publish_display_data(whole, transient={"display_id": self._name}, update=update)
        return len(whole["text/html"])


class DetachedReply(Presenter):
    """Shows one exchange in a detached output."""

    def __init__(self, output: DetachedOutput, place: int, *, raw: bool, panel: bool) -> None:
        self._output = output
        self._place = place
        self._raw = raw
        self._panel = panel
        self._not_before = time.monotonic()
        self._drawn = ""

    def show(self, exchange: Exchange, note: str = "") -> None:
        if time.monotonic() < self._not_before:
            return
        status = with_seconds(note, exchange.seconds) if note else f"{int(exchange.seconds)} s"
        inner = "".join(passage_html(passage, raw=self._raw) for passage in passages(exchange.message))
        live = frame(f'{inner}<div class="cm-status">{html.escape(status)}</div>', styled=True)
        if live == self._drawn:
            return
        self._drawn = live
        size = self._output.set_reply(self._place, {"text/html": live})
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

            bundle = {**bundle, "text/html": bundle.get("text/html", "") + static_panel(exchange, live=True)}
        self._output.set_reply(self._place, bundle)
