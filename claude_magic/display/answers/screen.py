"""Shows a call of an endpoint while its answer arrives: the first rows of a list, and how much has come."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..live.interrupts import hold_interrupts
from ..reply.status import with_seconds
from ..terminal.waiting_line import WaitingLine
from .bundle import answer_bundle

_QUIET_SECONDS = 0.3
_WAITING = "waiting for an answer…"
_SECONDS_BETWEEN = 0.5
_REST_AFTER_DRAWING = 4


def has_content(exchange: Exchange) -> bool:
    """Whether something of the answer has come."""
    return exchange.answer is not None and bool(exchange.answer.size or exchange.answer.count)


class AnswerPage(Presenter):
    """Shows one call in a notebook.

    Args:
        panel: Whether to show the panel after it.
    """

    def __init__(self, *, panel: bool) -> None:
        self._panel = panel
        self._name = uuid.uuid4().hex
        self._drawn = self._finished = False
        self._shown: dict[str, str] = {}
        self._not_before = time.monotonic() + _QUIET_SECONDS

    def show(self, exchange: Exchange, note: str = "") -> None:
        begun = time.monotonic()
        if self._finished or begun < self._not_before:
            return
        bundle = answer_bundle(exchange, status=with_seconds(note or _WAITING, exchange.seconds))
        if bundle == self._shown:
            return
        self._publish(bundle)
        ended = time.monotonic()
        self._not_before = max(begun + _SECONDS_BETWEEN, ended + _REST_AFTER_DRAWING * (ended - begun))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def update(self, exchange: Exchange) -> None:
        """Does nothing: there are no calls of tools."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        if self._finished:
            return
        self._finished = True
        if exchange.error is None or self._drawn or has_content(exchange):
            self._publish(answer_bundle(exchange, above=above))
        if self._panel and exchange.status is not None:
            from ..panel.panel import panel_bundles

            with hold_interrupts():
                for bundle in panel_bundles(exchange):
                    publish_display_data(bundle)

    def _publish(self, bundle: dict[str, str]) -> None:
        with hold_interrupts():
            publish_display_data(dict(bundle), transient={"display_id": self._name}, update=self._drawn)
            self._drawn, self._shown = True, bundle


class AnswerTerminal(Presenter):
    """Prints one call's answer when it is there."""

    def __init__(self) -> None:
        self._waiting = WaitingLine()
        self._begun = time.monotonic()

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what is waited for; the answer is printed whole."""
        if time.monotonic() - self._begun > _QUIET_SECONDS:
            self._waiting.show(with_seconds(note or _WAITING, exchange.seconds))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def update(self, exchange: Exchange) -> None:
        """Does nothing."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        self._waiting.show("")
        if exchange.error is None or has_content(exchange):
            print(answer_bundle(exchange)["text/plain"])
