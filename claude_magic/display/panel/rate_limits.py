"""A rate limit of a response as a bar: what is left, and when it resets."""

from __future__ import annotations

from datetime import datetime

from ...wire.rate_limits import RateLimit
from ..text.excerpt import line_content
from .html_rows import row_of


def bar(limit: RateLimit, sent: datetime | None) -> str:
    """One table row: the limit's name, its bar, and the same in words.

    Args:
        sent: When the response was sent; `None` if unknown: then the reset is a time of day.
    """
    text = " · ".join(filter(None, (f"{limit.amount} left", limit.reset_in_words(sent))))
    meter = f"<meter value={limit.fraction:.2g} low=.1 high=.25 optimum=1></meter>"
    return row_of(limit.kind, f"<td>{meter} {line_content(text, 160)}")
