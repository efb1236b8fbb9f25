"""Shows a call of an endpoint while its answer arrives: the first rows of a list, and how much has come."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..live.interrupts import hold_interrupts
from .bundle import answer_bundle

_QUIET_SECONDS = 0.3
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
        self._not_before = time.monotonic() + _QUIET_SECONDS

    def show(self, exchange: Exchange, note: str = "") -> None:
        begun = time.monotonic()
        if self._finished or begun < self._not_before:
            return
        status = f"{note or 'waiting for an answer…'} {int(exchange.seconds)} s"
        self._publish(answer_bundle(exchange, status=status))
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
            self._drawn = True


class AnswerTerminal(Presenter):
    """Prints one call's answer when it is there."""

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Does nothing: a table is printed whole."""

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def update(self, exchange: Exchange) -> None:
        """Does nothing."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        if exchange.error is None or has_content(exchange):
            print(answer_bundle(exchange)["text/plain"])
