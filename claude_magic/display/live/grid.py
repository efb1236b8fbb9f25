"""Several replies side by side: their ends while they grow, then all of them, with a table."""

from __future__ import annotations

import html
import time
import uuid
from collections.abc import Iterable, Sequence

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..reply.reply import frame, reply_bundle
from ..reply.summary import summary
from ..tables.comparison import comparison
from ..tables.table import words
from ..text.plain import plain

_SECONDS_BETWEEN = 0.5
_TAIL = 400  # characters of a growing reply that are shown
_STYLE = (
    "<style>.cm-grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(16em,1fr))}"
    ".cm-grid>div{border:1px solid var(--jp-border-color2,#ccc);border-radius:4px;padding:4px 8px;"
    "overflow:auto}.cm-grid pre{white-space:pre-wrap;margin:0}</style>"
)


class Grid:
    """A grid of replies.

    Args:
        count: The number of replies.
        page: Whether there is a notebook page; else the replies are printed one after another.
        labels: What differs between the requests, for each reply; empty if nothing does.

    Attributes:
        places: The presenter of each reply.
    """

    def __init__(self, count: int, *, page: bool, labels: Sequence[str] = ()) -> None:
        self.places = tuple(_Place(self) for _ in range(count))
        self._page = page
        self._labels = labels
        self._name = f"claude-{uuid.uuid4().hex}"
        self._shown = False
        self._not_before = time.monotonic() + _SECONDS_BETWEEN

    def show(self) -> None:
        """Show the end of each growing reply, unless the last update is too recent."""
        if not self._page or time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + _SECONDS_BETWEEN
        cells = ["" if place.exchange is None else _growing_reply(place.exchange) for place in self.places]
        complete = sum(place.is_complete for place in self.places)
        self._publish(self._cells(cells) + f'<div class="cm-status">{complete} of {len(cells)} replies…</div>', "")

    def finish(self) -> None:
        """Show all replies, once each of them is finished."""
        exchanges = [place.exchange for place in self.places if place.finished and place.exchange is not None]
        if len(exchanges) < len(self.places):
            return
        if not self._page:
            for number, exchange in enumerate(exchanges, 1):
                label = f": {plain(self._labels[number - 1])}" if self._labels else ""
                print(f"--- {number} of {len(exchanges)}{label}\n{plain(exchange.text)}\n\n{summary(exchange)}")
        else:
            texts = "\n\n---\n\n".join(plain(exchange.text) for exchange in exchanges)
            self._publish(self._cells([_reply(exchange) for exchange in exchanges]), texts)
        if self._labels:
            self._compare(exchanges)

    def _compare(self, exchanges: Sequence[Exchange]) -> None:
        bundle = comparison(self._labels, exchanges)
        if self._page:
            publish_display_data(bundle)
        else:
            print(bundle["text/plain"])

    def _cells(self, cells: Sequence[str]) -> str:
        labels = [f"<div><strong>{html.escape(words(label, 120))}</strong></div>" for label in self._labels]
        inner = [f"<div>{label}{cell}</div>" for label, cell in zip(labels or [""] * len(cells), cells, strict=True)]
        return f'{_STYLE}<div class="cm-grid">{"".join(inner)}</div>'

    def _publish(self, inner: str, text: str) -> None:
        bundle = {"text/html": frame(inner, styled=True), "text/plain": text}
        publish_display_data(bundle, transient={"display_id": self._name}, update=self._shown)
        self._shown = True


class _Place(Presenter):
    """Shows one reply of a grid."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.exchange: Exchange | None = None
        self.finished = False

    @property
    def is_complete(self) -> bool:
        return self.exchange is not None and self.exchange.message.stop_reason is not None

    def show(self, exchange: Exchange, note: str = "") -> None:
        self.exchange = exchange
        self._grid.show()

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def update(self, exchange: Exchange) -> None:
        """Does nothing: several replies are asked for without tools."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        if not self.finished:
            self.exchange, self.finished = exchange, True
            self._grid.finish()


def _growing_reply(exchange: Exchange) -> str:
    text = plain(exchange.text)
    return f"<pre>{'…' * (len(text) > _TAIL)}{html.escape(text[-_TAIL:])}</pre>"


def _reply(exchange: Exchange) -> str:
    bundle = reply_bundle(exchange)
    return bundle.get("text/html") or f"<div>{html.escape(plain(str(exchange.error)))}</div>"
