"""The presenter of a workbench: as in a cell, at the same rate, but in widgets instead of outputs."""

from __future__ import annotations

from ...concurrency import Event
from ...wire import Exchange
from ..live.page import Page
from ..panel.panel import static_panel
from ..reply.reply import reply_bundle
from ..widgets import Widget

_DISPLAYS = 3  # of a growing reply with a panel


class Answer(Page):
    """Shows one exchange in widgets.

    Args:
        places: HTML widgets, one for each display of a growing reply.
        stopped: Set by the Stop button: then the exchange is interrupted as in a cell.
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
        """Replace the growing reply with the finished one and its static panel."""
        if self._finished:
            return
        self._finished = True
        inner = reply_bundle(exchange, above=above, body=body).get("text/html", "")
        if exchange.status is not None:
            inner += static_panel(exchange, live=True)
        self._places[0].value = inner
        for place in self._places[1:]:
            place.value = ""

    def _send(self, bundle: dict[str, Widget], place: int, *, update: bool) -> None:
        self._places[place].value = bundle["text/html"]


def places(ipywidgets: Widget, layout: Widget) -> list[Widget]:
    """The widgets for a reply; they typeset mathematics as an output does."""
    return [ipywidgets.HTMLMath(layout=layout) for _ in range(_DISPLAYS)]
