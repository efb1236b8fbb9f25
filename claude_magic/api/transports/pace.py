"""Keeps requests below the rate limits that the response headers tell, so that few are refused with 429.

The API counts by token buckets: each holds at most a minute's worth of requests or tokens and is refilled all the time.
Headers say how much was left when a request came; what this process sent since is taken off, and what was refilled
since is added. Other kernels draw on the same buckets unseen: it is assumed that they go on as they did for each of our
requests, and a little is left in the buckets, so that two that send at the same moment are both let in.

Until the first answer nothing is known: two requests go at once, further ones a moment apart.

Source: https://platform.claude.com/docs/en/api/rate-limits
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...concurrency import Lock
from ...wire import Headers, Request

REQUESTS = "requests"
KINDS = (REQUESTS, "input-tokens", "output-tokens", "tokens")
MINUTE = 60.0  # seconds in which a bucket is filled
_SHARE_LEFT = 0.05  # of each bucket, for other kernels
_MOST_REQUESTS_LEFT = 2.5
_SHARE_UNTOUCHED = 0.75  # of what an answer told, until the next answer: other kernels may send as many at this moment
_AT_ONCE = 2  # requests before anything is known
_APART = 0.25  # seconds between further ones
_LATEST_WEIGHT = 0.5  # of the latest observation in an average
_SOON = 0.001  # seconds that are not waited for
_LONGEST_LOOK = 5.0  # seconds after which a request that waits looks again


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A request that was let go.

    Attributes:
        number: Its place among those of the same host and model.
    """

    key: tuple[str, str]
    number: int


@dataclass(kw_only=True)
class _Bucket:
    """What is known of one limit.

    Attributes:
        level: What was left when request `number` came.
        cost: What is taken of it for each request of ours, on average.
    """

    limit: float
    level: float
    cost: float = 0.0


@dataclass(kw_only=True)
class _State:
    """What is known of the limits of one host and model.

    Attributes:
        sent: How many requests were let go.
        answered: How many of them were answered.
        number: The latest request whose answer told the limits; 0 for none.
        seen: When that was.
        last: When the last request was let go.
        limited: Whether answers tell limits; `None` if there was none yet.
    """

    sent: int = 0
    answered: int = 0
    number: int = 0
    seen: float = 0.0
    last: float = float("-inf")
    limited: bool | None = None
    buckets: dict[str, _Bucket] = field(default_factory=dict)


class Pace:
    """The limits of all hosts and models that this process asks; several threads may share it.

    Args:
        clock: Seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._states: dict[tuple[str, str], _State] = {}

    def enter(self, request: Request) -> Ticket | float:
        """Lets `request` go, and counts it; or returns the seconds after which to ask again."""
        key = urlsplit(request.url).netloc, str((request.body or {}).get("model"))
        with self._lock:
            state, now = self._states.setdefault(key, _State()), self._clock()
            seconds = _wait(state, now)
            if seconds > _SOON:
                return min(seconds, _LONGEST_LOOK)
            state.sent, state.last = state.sent + 1, now
            return Ticket(key=key, number=state.sent)

    def leave(self, ticket: Ticket, headers: Headers | None) -> None:
        """Takes what the answer tells of the limits.

        Args:
            headers: `None` if there was no answer.
        """
        with self._lock:
            state, now = self._states[ticket.key], self._clock()
            state.answered += 1
            told = {} if headers is None else _limits(headers)
            if headers is not None and (told or not state.limited):
                state.limited = bool(told)
            if told and ticket.number > state.number:
                _learn(state, ticket.number, told, now)


def is_paced(request: Request) -> bool:
    """Whether a request counts against the limits of messages: only their answers tell how much is left."""
    return request.method == "POST" and request.endpoint == "/v1/messages"


def _wait(state: _State, now: float) -> float:
    """Seconds until the next request may go; 0 or less for now."""
    if state.limited is None:
        return 0.0 if state.sent < _AT_ONCE else state.last + _APART - now
    if not state.limited:
        return 0.0
    return max((_wait_for(state, kind, bucket, now) for kind, bucket in state.buckets.items()), default=0.0)


def _wait_for(state: _State, kind: str, bucket: _Bucket, now: float) -> float:
    rate = bucket.limit / MINUTE
    uncounted = state.sent - state.number
    if kind not in (REQUESTS, "input-tokens"):  # what a reply takes is counted when it is written
        uncounted = max(uncounted, state.sent - state.answered)
    level = min(bucket.limit, bucket.level + rate * (now - state.seen)) - bucket.cost * uncounted
    left = min(_SHARE_LEFT * bucket.limit, _MOST_REQUESTS_LEFT if kind == REQUESTS else float("inf"))
    untouched = _SHARE_UNTOUCHED * bucket.level if uncounted > 0 else 0.0
    needed = min(max(bucket.cost + left, untouched), bucket.limit)
    return (needed - level) / rate


def _learn(state: _State, number: int, told: Mapping[str, tuple[float, float]], now: float) -> None:
    """Takes what the answer to request `number` tells.

    What a bucket lost meanwhile, by each request of ours, is what one costs: what other kernels took is in it.
    """
    sent, seconds = number - state.number, now - state.seen
    buckets = {}
    for kind, (limit, level) in told.items():
        least = 1.0 if kind == REQUESTS else 0.0
        before, cost = state.buckets.get(kind), least
        if before is not None:
            lost = min(limit, before.level + limit / MINUTE * seconds) - level
            cost = max(before.cost + _LATEST_WEIGHT * (max(lost, 0.0) / sent - before.cost), least)
        buckets[kind] = _Bucket(limit=limit, level=level, cost=cost)
    state.number, state.seen, state.buckets = number, now, buckets


def _limits(headers: Headers) -> dict[str, tuple[float, float]]:
    """By kind: the limit and what is left; what makes no sense is left out."""
    found = {}
    for kind in KINDS:
        limit, left = (headers.get(f"anthropic-ratelimit-{kind}-{name}", "") for name in ("limit", "remaining"))
        if max(len(limit), len(left)) < 16 and limit.isdecimal() and left.isdecimal() and int(limit) > 0:
            found[kind] = float(limit), float(min(int(left), int(limit)))
    return found
