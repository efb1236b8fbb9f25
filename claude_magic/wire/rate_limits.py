"""Rate limits of a response: what is left of each, and when it resets.

Source: https://docs.anthropic.com/en/api/rate-limits#response-headers
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from .headers import Headers
from .short_text import duration

_NAME = re.compile(r"anthropic-(?:ratelimit-)?(?P<kind>.+)-(?P<field>limit|remaining|reset|utilization)", re.IGNORECASE)
_LONGEST_NUMBER = 18
_SHARE = re.compile(r"[01](?:\.\d{1,12})?")
_MOST = 24
_LOW = 0.1  # of a limit


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """One limit of a response.

    Attributes:
        kind: Such as `input-tokens`.
        limit: 100 where only a percentage is known.
        reset: When the limit is full again, as sent; `None` if not sent.
        names: The headers it was read from.
        unit: `"%"` for a percentage; `""` for requests or tokens.
    """

    kind: str
    limit: int
    remaining: int
    reset: str | None
    names: frozenset[str]
    unit: str = ""

    @property
    def fraction(self) -> float:
        """The share that is left, between 0 and 1."""
        return min(self.remaining / self.limit, 1.0) if self.limit else 0.0

    @property
    def amount(self) -> str:
        """What is left, such as `400 of 8,000`, or `4 %`."""
        return f"{self.remaining} %" if self.unit else f"{self.remaining:,} of {self.limit:,}"

    def reset_in_words(self, sent: datetime | None) -> str:
        """When it resets, counted from the response: a saved page is read at any later time; `""` if not sent.

        Args:
            sent: When the response was sent; `None` if unknown: then it is a time of day.
        """
        return _reset_in_words(self.reset, sent) if self.reset else ""

    def line(self, when: str) -> str:
        """What is left of which limit, and when it resets, in words."""
        what = self.kind.replace("-", " ")
        left = f"{self.amount} of {what} left" if self.unit else f"{self.amount} {what} left"
        return ", ".join(filter(None, (left, when)))


def rate_limits(headers: Headers) -> list[RateLimit]:
    """The limits for which limit and remaining were sent, or the share that is used, in order."""
    fields: dict[str, dict[str, str]] = {}
    for name in headers:
        match = _NAME.fullmatch(name)
        if match:
            fields.setdefault(match["kind"].lower(), {})[match["field"].lower()] = name
    return list(_limits(fields, headers))[:_MOST]


def low_limits(headers: Headers) -> list[RateLimit]:
    """The limits of which less than 10 % is left."""
    return [limit for limit in rate_limits(headers) if limit.limit and limit.fraction < _LOW]


def reset_clock(reset: str | None) -> str:
    """When a limit resets, by this machine's clock, such as `resets at 14:32:10`; `""` if that is unknown."""
    when = _time(reset) if reset else None
    return "" if when is None else f"resets at {when.astimezone():%H:%M:%S}"


def moment(headers: Headers) -> datetime | None:
    """When the response was sent, by its header `date`; `None` without a valid one."""
    try:
        return _aware(parsedate_to_datetime(headers["date"]))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _limits(fields: dict[str, dict[str, str]], headers: Headers) -> Iterator[RateLimit]:
    for kind, names in fields.items():
        limit, remaining = (_number(headers.get(names.get(field, ""))) for field in ("limit", "remaining"))
        used = _SHARE.fullmatch(headers.get(names.get("utilization", ""), "").strip())
        known: dict[str, Any] = {
            "kind": kind,
            "reset": headers.get(names.get("reset", "")),
            "names": frozenset(name.lower() for name in names.values()),
        }
        if limit is not None and remaining is not None:
            yield RateLimit(limit=limit, remaining=remaining, **known)
        elif used is not None:  # of a subscription, a share of what it allows in some hours
            yield RateLimit(limit=100, remaining=max(0, math.ceil(100 - 100 * float(used[0]))), unit="%", **known)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        return None
    return int(text)


def _reset_in_words(reset: str, sent: datetime | None) -> str:
    """When the limit resets, counted from the response: a saved page is read at any later time."""
    when = _time(reset)
    if when is None:
        return f"resets at {reset}"
    if sent is None:
        return f"resets at {when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    seconds = (when - sent).total_seconds()
    return f"resets in {duration(seconds)}" if seconds >= 1 else "resets now"


def _time(text: str) -> datetime | None:
    """An RFC 3339 time, or seconds since 1970."""
    try:
        if _number(text) is not None:
            return datetime.fromtimestamp(int(text), timezone.utc)
        return _aware(datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip())))
    except (ValueError, OverflowError, OSError):
        return None


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)
