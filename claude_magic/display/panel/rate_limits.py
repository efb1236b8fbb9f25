"""Rate limits of a response, each as a bar: what is left, and when it resets.

Source: https://docs.anthropic.com/en/api/rate-limits#response-headers
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ...wire import Headers
from ...wire.short_text import duration
from ..text.excerpt import line_content
from .html_rows import row_of

_NAME = re.compile(r"anthropic-(?:ratelimit-)?(?P<kind>.+)-(?P<field>limit|remaining|reset)", re.IGNORECASE)
_LONGEST_NUMBER = 18
_MOST_BARS = 24


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """One limit of a response.

    Attributes:
        kind: Such as `input-tokens`.
        reset: When the limit is full again, as sent; `None` if not sent.
        names: The headers it was read from.
    """

    kind: str
    limit: int
    remaining: int
    reset: str | None
    names: frozenset[str]

    @property
    def fraction(self) -> float:
        """The share that is left, between 0 and 1."""
        return min(self.remaining / self.limit, 1.0) if self.limit else 0.0


def rate_limits(headers: Headers) -> list[RateLimit]:
    """The limits for which both limit and remaining were sent, in order."""
    fields: dict[str, dict[str, str]] = {}
    for name in headers:
        match = _NAME.fullmatch(name)
        if match:
            fields.setdefault(match["kind"].lower(), {})[match["field"].lower()] = name
    return list(_limits(fields, headers))[:_MOST_BARS]


def bar(limit: RateLimit, sent: datetime | None) -> str:
    """One table row: the limit's name, its bar, and the same in words.

    Args:
        sent: When the response was sent; `None` if unknown: then the reset is a time of day.
    """
    words = f"{limit.remaining:,} of {limit.limit:,} left"
    text = " · ".join((words, _reset_in_words(limit.reset, sent))) if limit.reset else words
    meter = f'<meter value="{limit.fraction:.2g}" low="0.1" high="0.25" optimum="1"></meter>'
    return row_of(limit.kind, f"<td>{meter} {line_content(text, 160)}")


def moment(headers: Headers) -> datetime | None:
    """When the response was sent, by its header `date`; `None` without a valid one."""
    try:
        return _aware(parsedate_to_datetime(headers["date"]))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _limits(fields: dict[str, dict[str, str]], headers: Headers) -> Iterator[RateLimit]:
    for kind, names in fields.items():
        limit, remaining = (_number(headers.get(names.get(field, ""))) for field in ("limit", "remaining"))
        if limit is not None and remaining is not None:
            yield RateLimit(
                kind=kind,
                limit=limit,
                remaining=remaining,
                reset=headers.get(names.get("reset", "")),
                names=frozenset(name.lower() for name in names.values()),
            )


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
