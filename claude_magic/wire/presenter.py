"""What a session knows of a screen: four methods, which a page, a terminal, a grid and a workbench implement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .exchange import Exchange, TimedEvent


class Presenter(Protocol):
    """Shows one exchange: while it grows, when it is complete, and when its calls have results.

    `show`, `events` and `finish` are called in the thread that asked, `update` also in another, after the cell has
    ended.
    """

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Show what has arrived so far. Called about ten times a second; the presenter limits its own rate.

        Args:
            exchange: Its `seconds` are those since it began; it has no `events` yet.
            note: What the session waits for, such as a retry; `""` for the model.
        """

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Take the events that arrived since the last call; `show` follows."""

    def update(self, exchange: Exchange) -> None:
        """Show a finished exchange again, after the state of its `calls` changed."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Show the complete exchange with its `calls`, once; a second call does nothing.

        Args:
            above: Safe HTML that stands before the reply.
            body: Safe HTML in the place of the rendered text; `None` to render it.
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
