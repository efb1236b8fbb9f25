"""Keeps requests below the rate limits in the response headers, so that few are refused with 429.

The API uses token buckets: each holds at most a minute's worth of requests or tokens and is refilled continuously.
Headers say how much was left when a request was received; the estimate subtracts what this process has sent since, and
adds what was refilled. Other kernels use the same buckets: it is assumed that their use per request of this process
stays the same, and a little is left in the buckets, so that two kernels that send at the same moment are both accepted.

Before the first responses neither the limits nor the use of other kernels are known: two requests are sent at once,
further ones at intervals that grow, so that several kernels that start at the same moment do not empty the bucket.

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
_MAX_REQUESTS_LEFT = 2.5
_SHARE_RESERVED = 0.75  # of the level in the latest response; other kernels may send as many requests at the same time
_FIRST_REQUESTS = 2  # sent at once before the limits and the use of others are known
_INTERVAL = 0.25  # seconds until the next one, twice that until the one after it, and so on
_MAX_INTERVAL = 1.0
_FIRST_RESPONSES = 3  # the first shows the limits, the next two the use of other kernels
_LATEST_WEIGHT = 0.5  # of the latest observation in an average
_MIN_WAIT = 0.001  # seconds; a request does not wait for less
_MAX_WAIT = 5.0  # seconds after which a request that waits checks again


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A permission to send a request.

    Attributes:
        number: The number of the request among those to the same host and model, from 1.
    """

    key: tuple[str, str]
    number: int


@dataclass(kw_only=True)
class _Bucket:
    """One limit.

    Attributes:
        level: What was left when request `number` was received.
        cost: What is used for each request of this process, on average.
    """

    limit: float
    level: float
    cost: float = 0.0


@dataclass(kw_only=True)
class _State:
    """The known limits of one host and model.

    Attributes:
        sent: The number of requests sent.
        answered: The number of requests answered.
        observed: The number of responses from which the buckets were updated.
        number: The latest request whose response had limits; 0 for none.
        updated: When that was received.
        last: When the last request was sent.
        has_limits: Whether responses have limits; `None` before the first response.
    """

    sent: int = 0
    answered: int = 0
    observed: int = 0
    number: int = 0
    updated: float = 0.0
    last: float = float("-inf")
    has_limits: bool | None = None
    buckets: dict[str, _Bucket] = field(default_factory=dict)


class Pace:
    """The limits of all hosts and models that this process uses; several threads may share it.

    Args:
        clock: Seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._states: dict[tuple[str, str], _State] = {}

    def enter(self, request: Request) -> Ticket | float:
        """Permits and counts `request`, or returns the seconds after which to call this again."""
        key = urlsplit(request.url).netloc, str((request.body or {}).get("model"))
        with self._lock:
            state, now = self._states.setdefault(key, _State()), self._clock()
            seconds = _wait(state, now)
            if seconds > _MIN_WAIT:
                return min(seconds, _MAX_WAIT)
            state.sent, state.last = state.sent + 1, now
            return Ticket(key=key, number=state.sent)

    def leave(self, ticket: Ticket, headers: Headers | None) -> None:
        """Reads the limits in the response headers.

        Args:
            headers: `None` if there was no response.
        """
        with self._lock:
            state, now = self._states[ticket.key], self._clock()
            state.answered += 1
            limits = {} if headers is None else _limits(headers)
            if headers is not None and (limits or not state.has_limits):
                state.has_limits = bool(limits)
            if limits and ticket.number > state.number:
                _update(state, ticket.number, limits, now)


def is_paced(request: Request) -> bool:
    """Whether a request counts against the limits of messages: only responses to messages have these headers."""
    return request.method == "POST" and request.endpoint == "/v1/messages"


def _wait(state: _State, now: float) -> float:
    """Seconds until the next request may go; 0 or less for now."""
    if state.has_limits is False:
        return 0.0
    waits = [_wait_for(state, kind, bucket, now) for kind, bucket in state.buckets.items()]
    return (
        max(waits, default=0.0) if state.observed >= _FIRST_RESPONSES else max(_wait_at_start(state, now), *waits, 0.0)
    )


def _wait_at_start(state: _State, now: float) -> float:
    """Seconds until the next request may go as long as too few responses are there to know what others use."""
    further = state.sent - state.number - _FIRST_REQUESTS
    return 0.0 if further < 0 else state.last + min(_INTERVAL * 2**further, _MAX_INTERVAL) - now


def _wait_for(state: _State, kind: str, bucket: _Bucket, now: float) -> float:
    rate = bucket.limit / MINUTE
    uncounted = state.sent - state.number
    if kind not in (REQUESTS, "input-tokens"):  # what a reply takes is counted when it is written
        uncounted = max(uncounted, state.sent - state.answered)
    level = min(bucket.limit, bucket.level + rate * (now - state.updated)) - bucket.cost * uncounted
    left = min(_SHARE_LEFT * bucket.limit, _MAX_REQUESTS_LEFT if kind == REQUESTS else float("inf"))
    untouched = _SHARE_RESERVED * bucket.level if uncounted > 0 else 0.0
    needed = min(max(bucket.cost + left, untouched), bucket.limit)
    return (needed - level) / rate


def _update(state: _State, number: int, limits: Mapping[str, tuple[float, float]], now: float) -> None:
    """Updates the buckets with the limits in the response to request `number`.

    The cost of a request is the decrease of the bucket per request of this process, which includes other kernels' use.
    """
    sent, seconds = number - state.number, now - state.updated
    buckets = {}
    for kind, (limit, level) in limits.items():
        least = 1.0 if kind == REQUESTS else 0.0
        before, cost = state.buckets.get(kind), least
        if before is not None:
            lost = min(limit, before.level + limit / MINUTE * seconds) - level
            latest = max(lost, 0.0) / sent
            cost = max(before.cost + _LATEST_WEIGHT * (latest - before.cost), least)
            if kind == REQUESTS:  # it rises at once if other kernels begin, and falls by and by if they end
                cost = max(cost, latest)
        buckets[kind] = _Bucket(limit=limit, level=level, cost=cost)
    state.number, state.updated, state.buckets = number, now, buckets
    state.observed += 1


def _limits(headers: Headers) -> dict[str, tuple[float, float]]:
    """By kind: the limit and what is left; invalid values are left out."""
    limits = {}
    for kind in KINDS:
        limit, left = (headers.get(f"anthropic-ratelimit-{kind}-{name}", "") for name in ("limit", "remaining"))
        if max(len(limit), len(left)) < 16 and limit.isdecimal() and left.isdecimal() and int(limit) > 0:
            limits[kind] = float(limit), float(min(int(left), int(limit)))
    return limits
