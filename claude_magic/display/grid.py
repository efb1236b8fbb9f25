"""Several replies to one question, side by side."""

from __future__ import annotations

import html
import time
import uuid
from collections.abc import Sequence

from IPython.core.display_functions import publish_display_data

from ..wire import Exchange
from .plain import plain
from .reply import framed, reply_bundle
from .summary import summary

_SECONDS_BETWEEN = 0.5
_STYLE = (
    "<style>.cm-grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(16em,1fr))}"
    ".cm-grid>div{border:1px solid var(--jp-border-color2,#ccc);border-radius:4px;padding:4px 8px;"
    "overflow:auto}</style>"
)


class Grid:
    """Shows how many have come, then all of them in order.

    Args:
        page: Whether there is a page; else they are printed one after another.
    """

    def __init__(self, *, page: bool) -> None:
        self._page = page
        self._name = f"claude-{uuid.uuid4().hex}"
        self._shown = False
        self._not_before = time.monotonic() + _SECONDS_BETWEEN

    def show(self, exchanges: Sequence[Exchange]) -> None:
        """Say how far they are, if it is time to."""
        if not self._page or time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + _SECONDS_BETWEEN
        whole = sum(exchange.message.stop_reason is not None for exchange in exchanges)
        self._publish({"text/html": f"<div>{whole} of {len(exchanges)} replies…</div>", "text/plain": ""})

    def finish(self, exchanges: Sequence[Exchange]) -> None:
        """Show all replies."""
        if not self._page:
            for number, exchange in enumerate(exchanges, 1):
                print(f"--- {number} of {len(exchanges)}\n{plain(exchange.text)}\n\n{summary(exchange)}")
            return
        cells = "".join(f"<div>{_reply(exchange)}</div>" for exchange in exchanges)
        texts = "\n\n---\n\n".join(plain(exchange.text) for exchange in exchanges)
        self._publish(
            {"text/html": framed(f'{_STYLE}<div class="cm-grid">{cells}</div>', styled=True), "text/plain": texts}
        )

    def _publish(self, bundle: dict[str, str]) -> None:
        publish_display_data(bundle, transient={"display_id": self._name}, update=self._shown)
        self._shown = True


def _reply(exchange: Exchange) -> str:
    bundle = reply_bundle(exchange)
    return bundle.get("text/html") or f"<div>{html.escape(plain(str(exchange.error)))}</div>"
