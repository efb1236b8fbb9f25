"""An exchange: one request, what came back, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..errors import ClaudeError
from .headers import Headers
from .message import Message
from .request import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedEvent:
    """One server-sent event of a reply.

    Attributes:
        seconds: From the first byte sent to the arrival of the event.
        event: The event's name; `""` if the stream named none.
        data: As it came, usually JSON.
    """

    seconds: float
    event: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A round trip, finished or broken off.

    Attributes:
        request: Without the credential.
        message: As far as it came; its `stop_reason` is `None` if it did not come to its end.
        status: HTTP status; `None` if there was no answer.
        headers: Of the response.
        events: As they came; empty for an answer that was not streamed.
        seconds: From the first byte sent to the last byte read, waits and retries included.
        first_token_seconds: Until the first piece of content; `None` if there was none.
        retries: How many tries failed before this answer.
        model_note: What a reader must know of the model, such as that it is not Claude; `""` if nothing.
        error: Why it failed; `None` if it did not.
    """

    request: Request
    message: Message = field(default_factory=Message)
    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    events: tuple[TimedEvent, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    first_token_seconds: float | None = None
    retries: int = 0
    model_note: str = ""
    error: ClaudeError | None = None

    @property
    def text(self) -> str:
        """All text blocks of the reply, joined."""
        return self.message.text

    @property
    def request_id(self) -> str | None:
        return self.headers.get("request-id")

    def failed(self, error: ClaudeError) -> Exchange:
        """The same exchange, with the reason why it is not whole."""
        return replace(self, error=error)
