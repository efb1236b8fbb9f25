"""An answer that was kept, so that it can be given again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .exchange import TimedEvent
from .headers import Headers


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What came back for a request.

    Attributes:
        when: When it was asked, in ISO 8601, UTC.
        headers: Of the response.
        events: Of an answer that was streamed, with their times.
        body: The API's JSON of an answer that was not.
        seconds: As long as the answer took; `first_token_seconds` of them to the first piece of content.
        model_note: What a reader must know of the model, such as that it is not Claude.
        entry: Its number in the journal; `None` if it comes from elsewhere.
    """

    when: str
    status: int
    headers: Headers = field(default_factory=Headers)
    events: Sequence[TimedEvent] = ()
    body: Mapping[str, Any] | None = None
    seconds: float = 0.0
    first_token_seconds: float | None = None
    retries: int = 0
    model_note: str = ""
    entry: int | None = None
