"""The interface between a session and a screen: a page, a terminal, a grid and a workbench implement it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .exchange import Exchange, TimedEvent


class Presenter(Protocol):
    """Shows one exchange: while it is received, when it is complete, and when its calls have results.

    `show`, `events` and `finish` are called in the thread that sends the request, `update` also in another, after the
    cell has ended.
    """

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Shows what was received so far. Called about ten times a second; the presenter limits its own rate.

        Args:
            exchange: Its `seconds` are those since it began; it has no `events` yet.
            note: What the session waits for, such as a retry; `""` for the model.
        """

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Receives the events since the last call; a call of `show` follows."""

    def update(self, exchange: Exchange) -> None:
        """Shows a complete exchange again, after the state of its `calls` changed."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Shows the complete exchange with its `calls`, once; a second call does nothing.

        Args:
            above: Safe HTML shown above the reply.
            body: Safe HTML shown instead of the rendered text; `None` to render the text.
        """


class SilentPresenter(Presenter):
    """Shows nothing."""

    def show(self, exchange: Exchange, note: str = "") -> None:
        pass

    def events(self, events: Iterable[TimedEvent]) -> None:
        pass

    def update(self, exchange: Exchange) -> None:
        pass

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        pass
