"""Which of several recorded answers a request gets.

Equal requests of different cells are answered with the first, the second, ... recorded answer; a
cell that asks again gets the same one again, so that Run All shows the same page twice.
"""

from __future__ import annotations

from ..concurrency import Lock
from ..wire import Request


class RequestCounts:
    """Remembers which cell asked what."""

    def __init__(self) -> None:
        self._askers: dict[str, list[str]] = {}
        self._lock = Lock()

    def number(self, request: Request, place: str) -> int:
        """How many other places asked the same before this one."""
        with self._lock:
            askers = self._askers.setdefault(request.identity, [])
            if place not in askers:
                askers.append(place)
            return askers.index(place)
