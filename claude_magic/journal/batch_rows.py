"""The states of message batches and their requests in the journal, and the values that are written and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .attachments import Attachment

BUILDING, READY, UNCLEAR, SENT, READ = "building", "ready", "unclear", "sent", "read"
WAITING, SUCCEEDED, REPLACED = "waiting", "succeeded", "replaced"
CHUNK = 500  # requests that are looked up, written or read at once


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who makes a batch, and where.

    Attributes:
        endpoint: The base URL of the API.
    """

    session: str
    endpoint: str
    provider: str = ""
    notebook: str = ""
    cell: str = ""


@dataclass(frozen=True, kw_only=True)
class NewRequest:
    """A request that may become part of a batch.

    Attributes:
        row: The number of its row.
        content: The body of a request for a message, as compact JSON.
    """

    row: int
    custom_id: str
    identity: str
    content: str

    @property
    def size(self) -> int:
        """The bytes it adds to a batch, with the comma before it."""
        return len(entry(self.custom_id, self.content).encode()) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where the result of a row is found: in a request of a batch, or in an exchange.

    Attributes:
        request: Id of the batch's request; `None` for an exchange.
        exchange: Id of the exchange; `None` for a request of a batch.
        batch: Id of the batch in the journal.
        failed: Whether it has ended without a reply.
    """

    request: int | None = None
    exchange: int | None = None
    batch: int | None = None
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end of a request of a batch.

    Attributes:
        begin: The columns and attachments of its exchange; `None` if there was no exchange.
        end: Further columns of its exchange.
        error: Why there is no reply; `""` if there is one.
    """

    custom_id: str
    state: str
    begin: tuple[Mapping[str, Any], Sequence[Attachment]] | None = None
    end: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def entry(custom_id: str, content: str) -> str:
    """A request as it stands in the body that makes a batch."""
    return f'{{"custom_id":"{custom_id}","params":{content}}}'
