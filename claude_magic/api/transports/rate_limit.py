"""How long endpoints want no requests, so that the `retry-after` of one response applies to all concurrent requests.

The API's limits apply to a model: requests to other models do not wait.
Source: https://platform.claude.com/docs/en/api/rate-limits
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from ...concurrency import Lock
from ...wire import Request


class RateLimits:
    """By host and model: until when nothing must be sent.

    Args:
        clock: Seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[str, object], float] = {}
        self._lock = Lock()

    def hold(self, request: Request, seconds: float) -> None:
        """Holds requests to the model of `request` for `seconds`; an earlier, longer hold stays."""
        with self._lock:
            key = _key(request)
            self._until[key] = max(self._until.get(key, float("-inf")), self._clock() + seconds)

    def remaining(self, request: Request) -> float:
        """Seconds until a request to the same model may be sent; 0 or less if it may be sent now."""
        with self._lock:
            return self._until.get(_key(request), float("-inf")) - self._clock()


def _key(request: Request) -> tuple[str, object]:
    return urlsplit(request.url).netloc, str((request.body or {}).get("model"))
