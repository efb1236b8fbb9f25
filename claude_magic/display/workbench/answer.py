"""The reply in a workbench: drawn as in a cell, at the same bounded rate, into widgets instead of outputs."""

from __future__ import annotations

from ...concurrency import Event
from ...wire import Exchange
from ..live.page import Page
from ..panel.panel import static_panel
from ..reply.reply import reply_bundle
from ..widgets import Widget

_DISPLAYS = 3  # what a growing reply with a panel is divided into


class Answer(Page):
    """What the place for the reply shows of one exchange.

    Args:
        places: HTML widgets, one for each division of a growing reply.
        stopped: Set by the reader; then the exchange is interrupted as a cell is.
    """

    def __init__(self, places: list[Widget], stopped: Event) -> None:
        super().__init__(owns_cell=False, raw=False, panel=len(places) >= _DISPLAYS)
        self._places = places
        self._stopped = stopped

    def show(self, exchange: Exchange, note: str = "") -> None:
        if self._stopped.is_set():
            raise KeyboardInterrupt
        super().show(exchange, note)

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Put the finished reply and its folded panel in the place of what was live; nothing, if that was done."""
        if self._finished:
            return
        self._finished = True
        inner = reply_bundle(exchange, above=above, body=body).get("text/html", "")
        if exchange.status is not None:
            inner += static_panel(exchange)
        self._places[0].value = inner
        for place in self._places[1:]:
            place.value = ""

    def _send(self, bundle: dict[str, Widget], place: int, *, update: bool) -> None:
        self._places[place].value = bundle["text/html"]


def places(ipywidgets: Widget, layout: Widget) -> list[Widget]:
    """The widgets that a reply is drawn into; they set mathematics as an output does."""
    return [ipywidgets.HTMLMath(layout=layout) for _ in range(_DISPLAYS)]
