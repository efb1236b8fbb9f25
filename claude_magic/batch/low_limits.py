"""The rate limits that came close while many requests were sent: told once, not with each reply."""

from __future__ import annotations

from ..concurrency import Lock
from ..wire import Headers
from ..wire.rate_limits import RateLimit, low_limits, reset_clock
from ..wire.short_text import one_line

_MOST = 3


class LowLimits:
    """Of each limit of which less than 10 % was left, the lowest state; several threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lowest: dict[str, RateLimit] = {}

    def add(self, headers: Headers) -> None:
        """Looks at the limits in the headers of a response."""
        for limit in low_limits(headers):
            with self._lock:
                known = self._lowest.get(limit.kind)
                if known is None or limit.fraction < known.fraction:
                    self._lowest[limit.kind] = limit

    @property
    def warning(self) -> str:
        """One line; `""` if no limit came close."""
        lowest = sorted(self._lowest.values(), key=lambda limit: limit.fraction)
        lines = [limit.line(reset_clock(limit.reset)) for limit in lowest[:_MOST]]
        more = [f"{len(lowest) - _MOST} more limits were low"] if len(lowest) > _MOST else []
        return one_line(f"rate limits came close: at one time only {'; '.join([*lines, *more])}.") if lowest else ""
