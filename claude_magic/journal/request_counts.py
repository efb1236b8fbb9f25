"""Chooses among several recorded answers to equal requests.

Equal requests of different cells get the first, the second, ... recorded answer; a cell that runs again gets the same
answer again, so that Run All shows the same page twice.
"""

from __future__ import annotations

from ..concurrency import Lock
from ..wire import Request


class RequestCounts:
    """The places from which each request was sent, in order."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._lock = Lock()

    def index(self, request: Request, place: str) -> int:
        """The number of other places that sent an equal request before this one did."""
        with self._lock:
            places = self._places.setdefault(request.identity, [])
            if place not in places:
                places.append(place)
            return places.index(place)
