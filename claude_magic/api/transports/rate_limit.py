"""How long endpoints asked to be left alone, so that one refusal is heeded by all requests under way.

A limit is of a model, as the API counts them: another model is not held back.
Source: https://platform.claude.com/docs/en/api/rate-limits
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from ...concurrency import Lock
from ...wire import Request


class RetryAfter:
    """By host and model: until when nothing is to be sent."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, object], float] = {}
        self._lock = Lock()

    def keep(self, request: Request, seconds: float) -> None:
        """Leave the model of this request alone for so long, or longer if that was asked for before."""
        with self._lock:
            key = _key(request)
            self._until[key] = max(self._until.get(key, 0.0), time.monotonic() + seconds)

    def remaining(self, request: Request) -> float:
        """Seconds until a request of its kind may be sent; not more than 0 if it may be sent now."""
        with self._lock:
            return self._until.get(_key(request), 0.0) - time.monotonic()


def _key(request: Request) -> tuple[str, object]:
    return urlsplit(request.url).netloc, str((request.body or {}).get("model"))
