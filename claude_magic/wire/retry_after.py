"""How long a response asks to wait before the next request, and what that is on the clock of this machine.

Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from __future__ import annotations

import email.utils
import math
import time
from datetime import datetime

from .headers import Headers
from .short_text import duration

_LONGEST = 30 * 24 * 3600.0  # seconds from which on no time is told: it may be `inf`, or a year


def retry_after(headers: Headers) -> float | None:
    """Seconds that the API asks to wait: from `retry-after-ms`, else from `retry-after`, in seconds or as a date.

    `None` if there is no such header, or its value is invalid or in the past.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, "")) * scale
        if seconds > 0:
            return seconds
    return None


def try_again(seconds: float, now: float | None = None) -> str:
    """When to try again, such as "try again after 14:32:10 (in 45 s)"; `""` if that is in more than a month.

    Args:
        now: When the response was received, in seconds since 1970; `None` for now.
    """
    if seconds > _LONGEST:
        return ""
    whole = math.ceil(seconds)
    received = datetime.fromtimestamp(time.time() if now is None else now).astimezone()
    when = datetime.fromtimestamp(received.timestamp() + whole).astimezone()
    day = "" if when.date() == received.date() else f"{when:%Y-%m-%d} "
    return f"try again after {day}{when:%H:%M:%S} (in {duration(whole)})"


def _seconds(value: str) -> float:
    """The wait that a header asks for; 0 or less if its value is invalid or in the past."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            parsed = email.utils.parsedate_tz(value)
            return email.utils.mktime_tz(parsed) - time.time() if parsed else 0.0
        except (ValueError, OverflowError, IndexError, TypeError):  # from some invalid dates
            return 0.0
    return 0.0 if math.isnan(seconds) else seconds
