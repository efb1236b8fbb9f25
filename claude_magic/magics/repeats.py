"""A cell that was sent again while it ran: its reply is shown again, not asked and paid for again.

A front end queues the second request behind the first. Both carry the time of the same clock, so
the second was sent before the first had ended if it came sooner than the first one lasted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..wire import Exchange


@dataclass(frozen=True, kw_only=True)
class _Answered:
    source: str
    sent: datetime
    took: float
    exchange: Exchange


class Repeats:
    """The last answer of each cell."""

    def __init__(self) -> None:
        self._answered: dict[str, _Answered] = {}

    def keep(self, cell: str, source: str, sent: datetime | None, exchange: Exchange, *, took: float) -> None:
        """Remember what `cell` was answered, and for how many seconds it ran; a failure is no answer."""
        self._answered.pop(cell, None)
        if sent is not None and exchange.error is None:
            self._answered[cell] = _Answered(source=source, sent=sent, took=took, exchange=exchange)

    def answered(self, cell: str, source: str, sent: datetime | None) -> Exchange | None:
        """The answer that came while this request was waiting; `None` if it is a question of its own."""
        known = self._answered.get(cell)
        if known is None or sent is None or known.source != source:
            return None
        waited = (sent - known.sent).total_seconds()
        return known.exchange if 0 <= waited < known.took else None
