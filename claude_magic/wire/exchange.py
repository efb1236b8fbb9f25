"""An exchange: a request, its response, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

from ..errors import ClaudeError
from .answer import Answer
from .headers import Headers, request_id
from .message import Block, Message
from .request import Request
from .short_text import fields_repr
from .stored_file import StoredFile
from .tool import Call


class TimedEvent(NamedTuple):
    """One server-sent event of a reply.

    Attributes:
        seconds: From the first byte sent to the arrival of the event.
        event: The event's name; `""` if it has none.
        data: As received, usually JSON.
    """

    seconds: float
    event: str
    data: str

    def __repr__(self) -> str:
        return fields_repr("TimedEvent", {**self._asdict(), "seconds": round(self.seconds, 3)}, ".data", 600)


class Code(str):
    """The text of a program; its repr is the program itself, so that a cell shows it line by line."""

    __slots__ = ()

    def __repr__(self) -> str:
        if len(self) <= _LONGEST_CODE:
            return str(self)
        note = f"shortened: {len(self):,} characters; print(...) shows all of it, or write it to a file"
        return f"{self[:_LONGEST_CODE]}\n… ({note})"


_LONGEST_CODE = 50_000  # characters that a cell shows
Batch = tuple[float, Sequence[str | None], Sequence[str]]


class Events(Sequence[TimedEvent]):
    """The events of a reply, in the batches they were received in; most are never read one by one.

    Attributes:
        batches: For each batch the seconds, the names and the data of the events received at once.
    """

    def __init__(self, batches: Iterable[Batch] = ()) -> None:
        self.batches = tuple(batches)
        self._length = sum(len(names) for _, names, _ in self.batches)

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"{len(self):,} events; list(...) has them, each with seconds, event and data"

    def __iter__(self) -> Iterator[TimedEvent]:
        return iter(
            [
                TimedEvent(seconds, name or "", datum)
                for seconds, names, data in self.batches
                for name, datum in zip(names, data, strict=True)
            ]
        )

    @overload
    def __getitem__(self, index: int) -> TimedEvent: ...

    @overload
    def __getitem__(self, index: slice) -> list[TimedEvent]: ...

    def __getitem__(self, index: int | slice) -> TimedEvent | list[TimedEvent]:
        return list(self)[index]


@dataclass(frozen=True, kw_only=True)
class Response:
    """The HTTP response.

    Attributes:
        status: `None` if there was no response.
        events: As received; empty for a response that was not streamed.
    """

    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    events: Sequence[TimedEvent] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When an exchange took place, and how long it took.

    Attributes:
        began: In ISO 8601, UTC; `""` if unknown.
        seconds: From the first byte sent to the last byte read, waits and retries included.
        first_token_seconds: Until the first piece of content; `None` if there was none.
        retries: The number of failed tries before this answer.
    """

    began: str = ""
    seconds: float = 0.0
    first_token_seconds: float | None = None
    retries: int = 0


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the ledger knows of an exchange.

    Attributes:
        entry: Its id in the journal; `None` if it is not there.
        usd: Its price in US dollars; `None` if unknown. Of a replayed exchange: the price without the replay.
        replayed: When the replayed answer was recorded, in ISO 8601, UTC; `""` if the request was sent.
    """

    entry: int | None = None
    usd: float | None = None
    replayed: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class Exchange:
    """A request and its response, complete or incomplete.

    Attributes:
        request: Without the credential.
        response: The HTTP status, headers and events.
        message: As far as it was received; its `stop_reason` is `None` if it is incomplete. Empty if `answer` is set.
        answer: What an endpoint that sends no message has answered; `None` for a message.
        timing: When it took place, and how long it took.
        record: Its price, its journal entry, and whether it is a replay.
        before: Blocks of an earlier, cut reply that this one continues; its text is joined to theirs.
        notes: What else the user should know, a sentence each.
        model_note: What the user should know about the model, such as that it is not Claude; `""` if nothing.
        error: Why it failed; `None` if it did not.
        calls: The tool calls in the message, with their results.
        written: The files that code execution wrote.
        earlier: The exchanges of the same turn before this one.
    """

    request: Request
    response: Response = field(default_factory=Response)
    message: Message = field(default_factory=Message)
    answer: Answer | None = None
    timing: Timing = field(default_factory=Timing)
    record: Record = field(default_factory=Record)
    before: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    model_note: str = ""
    error: ClaudeError | None = None
    calls: tuple[Call, ...] = ()
    written: tuple[StoredFile, ...] = ()
    earlier: tuple[Exchange, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        model = self.message.model or (self.request.body or {}).get("model")
        facts: dict[str, Any]
        if self.answer is not None:
            facts = {"request": f"{self.request.method} {self.request.endpoint}", "json": self.json}
            facts |= {"status": self.status, "seconds": round(self.seconds, 3), "error": self.error}
            return fields_repr("Exchange", facts, ".json, .answer, .request and .headers", 600)
        facts = {"model": model, "text": self.text, "status": self.status, "stop_reason": self.message.stop_reason}
        facts |= {"seconds": round(self.seconds, 3), "usd": self.usd, "entry": self.entry, "error": self.error}

        return fields_repr("Exchange", facts, ".text, .request, .message, .headers and .events", 600)

    @property
    def json(self) -> Any:
        """The parsed JSON of the response; a list for JSON lines, the message for messages; `None` for none."""
        return self.message.body if self.answer is None else self.answer.value

    def code(self, language: str = "python") -> Code:
        """The request as a program: `curl`, `python`, `typescript`, `openai`, `requests` or `http`.

        Raises:
            CellError: There is no such language, or the request cannot be written in it.
        """
        from ..export import program, unchanged_files  # the one import upwards: see tests/test_architecture.py

        return Code(program(self.request, language, files=unchanged_files(self.request.files)))

    @property
    def text(self) -> str:
        """All text blocks of the reply, joined."""
        return self.joined_message.text

    @property
    def joined_message(self) -> Message:
        """The message, after the blocks of the incomplete reply that it continues."""
        if not self.before:
            return self.message
        return Message(body={**self.message.body, "content": [*self.before, *self.message.content]})

    @property
    def status(self) -> int | None:
        """The HTTP status; `None` if there was no answer."""
        return self.response.status

    @property
    def headers(self) -> Headers:
        """The headers of the response."""
        return self.response.headers

    @property
    def events(self) -> Sequence[TimedEvent]:
        """The events as received; empty for a response that was not streamed."""
        return self.response.events

    @property
    def request_id(self) -> str | None:
        found = request_id(self.headers)
        return None if found is None else found[1]

    @property
    def began(self) -> str:
        """When it began, in ISO 8601, UTC; `""` if unknown."""
        return self.timing.began

    @property
    def seconds(self) -> float:
        """From the first byte sent to the last byte read, waits and retries included."""
        return self.timing.seconds

    @property
    def first_token_seconds(self) -> float | None:
        """Until the first piece of content; `None` if there was none."""
        return self.timing.first_token_seconds

    @property
    def retries(self) -> int:
        """The number of failed tries before this answer."""
        return self.timing.retries

    @property
    def usd(self) -> float | None:
        """Its price in US dollars; `None` if unknown."""
        return self.record.usd

    @property
    def entry(self) -> int | None:
        """Its id in the journal; `None` if it is not there."""
        return self.record.entry

    @property
    def replayed(self) -> str:
        """When the replayed answer was recorded, in ISO 8601, UTC; `""` if the request was sent."""
        return self.record.replayed

    def with_error(self, error: ClaudeError) -> Exchange:
        """The same exchange, with the reason why it is incomplete."""
        return replace(self, error=error)

    def with_notes(self, *notes: str) -> Exchange:
        """The same exchange with further notes; empty ones are left out."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))

    def with_record(self, **changes: Any) -> Exchange:
        """The same exchange with another `usd`, `entry` or `replayed`."""
        return replace(self, record=replace(self.record, **changes))
