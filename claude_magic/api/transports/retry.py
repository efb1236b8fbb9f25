"""Retries, only before the first byte of a response.

The rules are those of the official SDKs, with two differences. A wait of more than a minute is an error instead of a
sleep. A request that changes, creates or deletes something is sent again only if nothing of it can have arrived or the
API says that it may be (`x-should-retry: true`, or an error code that says so): the SDKs create a second workspace.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...errors import ConnectionFailed, ExchangeError, TimedOut
from ...wire import Headers, Request
from ...wire.chat_completion import ENDPOINT as CHAT
from ...wire.completion import ENDPOINT
from ...wire.retry_after import retry_after
from ...wire.short_text import span
from ..accumulator import Accumulator
from ..endpoints.catalog import changes
from ..interrupt import Interrupt
from .base import ResponseStream, Transport
from .pace import Pace, Ticket, is_paced
from .rate_limit import RateLimits

LONGEST_WAIT = 60.0  # seconds
_HELD_BACK = "held back to stay below the rate limit"
_NEVER_AGAIN = "workspace_created_incomplete"  # it exists: another one would be created
_AGAIN = ("authorization_check_unavailable", "change_outcome_unknown")  # nothing was done, or it may be repeated
_LARGEST_ERROR = 64_000  # bytes
_REASONS = {408: "timed out", 409: "conflict", 429: "rate limited", 503: "unavailable", 529: "overloaded"}


@dataclass(frozen=True, kw_only=True)
class RetryTransport:
    """Retries requests of another transport when that can help.

    Attributes:
        rate_limit: Until when the endpoint wants no requests; shared with other requests.
        pace: Holds requests back before the endpoint refuses them; shared with other requests.
        accumulator: Shows the waits; `None` if nobody watches.
        clock: Seconds; only differences matter.
    """

    inner: Transport
    max_retries: int
    interrupt: Interrupt
    rate_limit: RateLimits = field(default_factory=RateLimits)
    pace: Pace = field(default_factory=Pace)
    accumulator: Accumulator | None = None
    clock: Callable[[], float] = time.monotonic

    def send(self, request: Request) -> ResponseStream:
        """Sends `request`, at most `max_retries + 1` times."""
        began = self.clock()
        # a completion is paid like a message, and changes nothing
        changing = request.endpoint not in (ENDPOINT, CHAT) and changes(request.method, request.endpoint)
        for failed in range(self.max_retries + 1):
            last = failed == self.max_retries
            self._wait_for_limit(request, failed)
            try:
                response = self._send_paced(request, failed)
            except (ConnectionFailed, TimedOut) as error:
                if last or not error.retryable or (changing and not error.unsent):
                    if failed:
                        error.args = (f"{error.args[0]} Tried {failed + 1} times in {span(self.clock() - began)}.",)
                    raise
                self._wait("no connection", backoff(failed), failed + 1)
                continue
            seconds = delay(response.headers, failed)
            if changing and response.status >= 400:
                response, retryable = _after_change(response)
            else:
                retryable = _is_retryable(response)
            retryable = retryable and seconds <= LONGEST_WAIT
            if retryable and retry_after(response.headers):
                self.rate_limit.hold(request, seconds)
            if last or not retryable:
                return replace(response, tries=failed + 1, seconds=self.clock() - began)
            response.close()
            self._wait(_reason(response.status), seconds, failed + 1)
        raise AssertionError("unreachable")

    def _send_paced(self, request: Request, failed: int) -> ResponseStream:
        """One try, as soon as the rate limits of the endpoint allow it."""
        if not is_paced(request):
            return self.inner.send(request)
        while not isinstance(ticket := self.pace.enter(request), Ticket):
            self._wait(_HELD_BACK, ticket, failed)
        headers: Headers | None = None
        try:
            response = self.inner.send(request)
            headers = response.headers
        finally:
            self.pace.leave(ticket, headers)
        return response

    def _wait_for_limit(self, request: Request, failed: int) -> None:
        """Waits once for a limit that another request met; a limit that this one meets is handled by `send`."""
        seconds = self.rate_limit.remaining(request)
        if seconds > 0:
            self._wait(_REASONS[429], seconds, failed)

    def _wait(self, reason: str, seconds: float, retries: int) -> None:
        if self.accumulator is not None:
            self.accumulator.set_retry(reason, seconds, retries, tries=self.max_retries + 1)
        self.interrupt.sleep(seconds)


_chance = random.SystemRandom()  # the notebook's random numbers, which it may have seeded, stay as they were


def delay(headers: Headers, failed: int) -> float:
    """Seconds to wait: as the API asks, else the backoff."""
    return retry_after(headers) or backoff(failed)


def backoff(failed: int) -> float:
    """Seconds to wait after `failed` earlier tries: from 0.5 doubling to 8, minus up to a quarter at random."""
    return min(0.5 * 2.0 ** min(failed, 10), 8.0) * (1 - 0.25 * _chance.random())


def _is_retryable(response: ResponseStream) -> bool:
    if response.status < 400:
        return False
    advice = response.headers.get("x-should-retry", "").strip().lower()
    if advice in ("true", "false"):
        return advice == "true"
    return response.status in (408, 409, 429) or response.status >= 500


def _after_change(response: ResponseStream) -> tuple[ResponseStream, bool]:
    """The response, its error read, and whether the request may be sent again although it changes something."""
    body = b""
    try:
        for chunk in response.chunks:
            body += chunk
            if len(body) >= _LARGEST_ERROR:
                break
    except ExchangeError:
        pass  # the status is enough
    code = error_code(body)
    advice = response.headers.get("x-should-retry", "").strip().lower()
    again = code != _NEVER_AGAIN and (advice == "true" or (code in _AGAIN and advice != "false"))
    return replace(response, chunks=iter([body])), again


def error_code(body: bytes) -> str:
    """`details.error_code` of an error of the API; `""` if it has none."""
    try:
        code = json.loads(body)["error"]["details"]["error_code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) else ""


def _reason(status: int) -> str:
    return _REASONS.get(status, f"server error {status}" if status >= 500 else f"refused with {status}")
