"""Several replies in a terminal, one after the other, each with its name: the first grows, and the next ones follow.

What arrives of a later reply waits until those before it are finished; then it is shown at once, and goes on growing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...errors import Interrupted
from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..text.plain import plain
from .waiting_line import is_terminal
from .word_wrap import WordWrap, columns


class Series:
    """Replies one after the other.

    Args:
        names: What each reply is called.
        presenter: Makes what shows one reply.

    Attributes:
        places: The presenter of each reply.
    """

    def __init__(self, names: Sequence[str], presenter: Callable[[], Presenter]) -> None:
        self.places: tuple[Presenter, ...] = tuple(_Place(self, number) for number in range(len(names)))
        self._names = names
        self._make = presenter
        self._presenter: Presenter | None = None  # of the reply that is shown
        self._at = 0
        self._finished: dict[int, tuple[Exchange, str | None]] = {}
        self._notes: dict[int, tuple[str, ...]] = {}  # that were printed

    def show(self, place: int, exchange: Exchange, note: str) -> None:
        """Show what has arrived of a reply, if it is its turn."""
        if place == self._at:
            self._begin().show(exchange, note)

    def finish(self, place: int, exchange: Exchange, body: str | None) -> None:
        """Show a whole reply, once those before it are shown."""
        if place >= self._at:
            self._finished[place] = exchange, body
        while self._at in self._finished:
            self._conclude(*self._finished[self._at])

    def update(self, place: int, exchange: Exchange) -> None:
        """Print the notes on a reply that came after its end."""
        if place in self._notes:
            new = [note for note in exchange.notes if note not in self._notes[place]]
            self._notes[place] = exchange.notes
            if new:
                print(plain("\n".join((f"{self._names[place]}:", *new))))
        elif place in self._finished:
            self._finished[place] = exchange, self._finished[place][1]

    def close(self) -> None:
        """Does nothing: what is printed stays."""

    def _begin(self) -> Presenter:
        """The presenter of the reply whose turn it is; its name stands above it."""
        if self._presenter is None:
            print(f"{'' if self._at == 0 else chr(10)}--- {plain(self._names[self._at])}")
            self._presenter = self._make()
        return self._presenter

    def _conclude(self, exchange: Exchange, body: str | None) -> None:
        presenter = self._begin()
        presenter.finish(exchange, body=body)
        if exchange.error is not None and not (isinstance(exchange.error, Interrupted) and exchange.message.content):
            line = plain(f"{type(exchange.error).__name__}: {exchange.error}")
            print(WordWrap(columns()).feed(line) if is_terminal() else line)
        self._notes[self._at] = exchange.notes
        del self._finished[self._at]
        self._presenter, self._at = None, self._at + 1


class _Place(Presenter):
    """Shows one reply of a series."""

    def __init__(self, series: Series, number: int) -> None:
        self._series = series
        self._number = number

    def show(self, exchange: Exchange, note: str = "") -> None:
        self._series.show(self._number, exchange, note)

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def update(self, exchange: Exchange) -> None:
        self._series.update(self._number, exchange)

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        self._series.finish(self._number, exchange, body)
