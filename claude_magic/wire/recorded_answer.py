"""A recorded answer, which can be replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .answer import Answer
from .exchange import TimedEvent
from .headers import Headers


@dataclass(frozen=True, kw_only=True)
class RecordedAnswer:
    """The response to an earlier request.

    Attributes:
        when: When the request was sent, in ISO 8601, UTC.
        headers: Of the response.
        events: Of a streamed answer, with their times.
        body: The API's JSON of an answer that was not streamed.
        answer: What an endpoint that sends no message has answered; `None` for a message.
        seconds: How long the answer took; `first_token_seconds` of them until the first piece of content.
        model_note: A note on the model, such as that it is not Claude.
        entry: Its number in the journal; `None` if it comes from elsewhere.
    """

    when: str
    status: int
    headers: Headers = field(default_factory=Headers)
    events: Sequence[TimedEvent] = ()
    body: Mapping[str, Any] | None = None
    answer: Answer | None = None
    seconds: float = 0.0
    first_token_seconds: float | None = None
    retries: int = 0
    model_note: str = ""
    entry: int | None = None
