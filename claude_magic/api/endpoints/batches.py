"""`/v1/messages/batches`: many requests for messages in one, answered within a day at half the price.

Reading is lenient: fields may be missing or new, and results come in any order.

Source: https://docs.anthropic.com/en/api/creating-message-batches
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ...errors import StreamError
from ...wire import Headers, Request
from ...wire.headers import client_headers
from ...wire.request import Upload
from ...wire.retry_after import retry_after
from ...wire.short_text import shorten
from ..client import Client
from ..credentials import parse_redacted

MOST_REQUESTS = 100_000  # in a batch
MOST_BYTES = 256_000_000  # of a batch
POLL_SECONDS = 10.0  # between two looks, if the API does not say
MOST_POLL_SECONDS = 600.0  # whatever it says: a batch would never be looked at again
IN_PROGRESS, CANCELING, ENDED = "in_progress", "canceling", "ended"
SUCCEEDED, ERRORED, CANCELED, EXPIRED = "succeeded", "errored", "canceled", "expired"
UNREADABLE = "unreadable"  # our own: a line that is no result
_PATH = "/v1/messages/batches"
_PAGE_SIZE = 1000  # the most that the API takes
_MAX_PAGES = 50


@dataclass(frozen=True, kw_only=True)
class RequestCounts:
    """How many requests of a batch are in each state; all are processing until the batch has ended."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, kw_only=True)
class MessageBatch:
    """A batch, as the endpoint describes it; its times are in ISO 8601, `""` where there is none.

    Attributes:
        status: `in_progress`, `canceling` or `ended`.
        expires: When its requests end that had no turn.
        archived: Since when its results are gone.
    """

    id: str
    status: str
    counts: RequestCounts = field(default_factory=RequestCounts)
    created: str = ""
    expires: str = ""
    ended: str = ""
    archived: str = ""

    @property
    def is_ended(self) -> bool:
        return self.status == ENDED


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a request of a batch.

    Attributes:
        kind: `succeeded`, `errored`, `canceled` or `expired`; `unreadable` for a line that is no result.
        message: The API's JSON of a reply; `{}` if there is none.
        error: The API's JSON of an error, with its `error` and `request_id`; `{}` if there is none.
    """

    custom_id: str
    kind: str
    message: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Batches:
    """The requests to the batches of one endpoint.

    Attributes:
        headers: Further headers, such as `anthropic-beta`.
    """

    base_url: str
    api_version: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def create(self, upload: Upload) -> Request:
        """Makes a batch of `{"requests": [{"custom_id": ..., "params": ...}]}`."""
        return self._request("POST", "", upload=upload)

    def page(self, *, limit: int = _PAGE_SIZE, after_id: str = "") -> Request:
        """A page of batches, the newest first."""
        query = {**({"after_id": after_id} if after_id else {}), "limit": str(limit)}
        return self._request("GET", f"?{urlencode(query)}")

    def retrieve(self, id: str) -> Request:
        return self._request("GET", f"/{_segment(id)}")

    def cancel(self, id: str) -> Request:
        return self._request("POST", f"/{_segment(id)}/cancel")

    def delete(self, id: str) -> Request:
        """Deletes a batch that has ended, with its results."""
        return self._request("DELETE", f"/{_segment(id)}")

    def results(self, id: str) -> Request:
        """The results as JSON lines.

        `results_url` of the batch leads to the same path; it is not followed, as it could lead the key elsewhere.
        """
        return self._request("GET", f"/{_segment(id)}/results", accept="application/binary")

    def _request(
        self, method: str, rest: str, *, accept: str = "application/json", upload: Upload | None = None
    ) -> Request:
        headers = {
            "anthropic-version": self.api_version,
            **({} if method == "GET" else {"content-type": "application/json"}),
            **client_headers(accept),
            **self.headers,
        }
        return Request(
            method=method, url=f"{self.base_url}{_PATH}{rest}", headers=Headers(headers.items()), upload=upload
        )


def create(client: Client, batches: Batches, upload: Upload) -> MessageBatch:
    """Makes a batch.

    Raises:
        ExchangeError: It was refused, or the answer is lost: then it may have been made.
    """
    return message_batch(client.json(batches.create(upload)))


def retrieve(client: Client, batches: Batches, id: str) -> tuple[MessageBatch, float]:
    """A batch as it is now, and the seconds after which to look again.

    Raises:
        ExchangeError: There is none of this id, or no answer.
    """
    answer, headers = client.json_response(batches.retrieve(id))
    return message_batch(answer), min(retry_after(headers) or POLL_SECONDS, MOST_POLL_SECONDS)


def list_batches(client: Client, batches: Batches, *, limit: int = _PAGE_SIZE) -> Iterator[MessageBatch]:
    """All batches of the workspace, the newest first; pages are asked for as they are needed.

    Raises:
        ExchangeError: The endpoint lists none, or does not answer.
    """
    seen: set[str] = set()
    after = ""
    for _ in range(_MAX_PAGES):
        answer = client.json(batches.page(limit=limit, after_id=after))
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list):
            raise StreamError(f"the answer is no list of batches: {shorten(str(answer))!r}. Is Claude.base_url right?")
        found = [batch for batch in map(message_batch, data) if batch.id not in seen]
        seen.update(batch.id for batch in found)
        yield from found
        after = _text(answer.get("last_id"))
        if answer.get("has_more") is not True or not after or not found:  # a page that repeats would never end
            return


def results(client: Client, batches: Batches, id: str) -> Iterator[Outcome]:
    """What became of each request of a batch that has ended, as it arrives; in any order.

    A line that is no result does not keep those after it from being read.

    Raises:
        ExchangeError: There are none, or they broke off; those before that are whole.
    """
    for line in client.lines(batches.results(id)):
        if line.strip():
            yield outcome(_json(line.decode("utf-8", "replace"), client))


def message_batch(answer: object) -> MessageBatch:
    """A batch of the API's JSON.

    Raises:
        StreamError: It is none.
    """
    if not isinstance(answer, Mapping) or not _text(answer.get("id")) or not _text(answer.get("processing_status")):
        raise StreamError(f"the answer is no message batch: {shorten(str(answer))!r}. Is Claude.base_url right?")
    counts = answer.get("request_counts")
    counts = counts if isinstance(counts, Mapping) else {}
    names = ("processing", SUCCEEDED, ERRORED, CANCELED, EXPIRED)
    return MessageBatch(
        id=_text(answer["id"]),
        status=_text(answer["processing_status"]),
        counts=RequestCounts(**{name: _count(counts.get(name)) for name in names}),
        created=_text(answer.get("created_at")),
        expires=_text(answer.get("expires_at")),
        ended=_text(answer.get("ended_at")),
        archived=_text(answer.get("archived_at")),
    )


def outcome(value: object) -> Outcome:
    """A result of the API's JSON."""
    result = value.get("result") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(result, Mapping) or not isinstance(value.get("custom_id"), str):
        return Outcome(custom_id="", kind=UNREADABLE)
    message, error = result.get("message"), result.get("error")
    return Outcome(
        custom_id=value["custom_id"],
        kind=_text(result.get("type")),
        message=message if isinstance(message, Mapping) else {},
        error=error if isinstance(error, Mapping) else {"message": error} if error else {},
    )


def _json(line: str, client: Client) -> Any:
    """The value of a line, keys redacted; `None` if it is not JSON."""
    try:
        return parse_redacted(line, client.redact)
    except (ValueError, RecursionError):
        return None


def _segment(id: str) -> str:
    return quote(id, safe="")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
