"""Message Batches as a state machine, with the faults that a test asks for.

    batches.polls = 2                         # a batch ends when it is looked at for the third time; None: when told
    batches.outcome = lambda params: errored("invalid_request_error", "no")
    batches.lose_creations = 1                # makes the batch, and drops the connection instead of answering
    batches.faults = [failure(500, ...)]      # answers to the next looks at a batch
    batches.cuts = [3]                        # the next results break off after three lines

What breaks the API's rules for batches is answered as the API does, with a 400.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from claude_magic.wire.message_rules import problems
from tests.scripted_api.wire import Asked
from tests.server import Answer, failure, message

PATH = "/v1/messages/batches"
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KINDS = ("succeeded", "errored", "canceled", "expired")


def succeeded(text: str, **fields: Any) -> dict[str, Any]:
    """A result with a reply of one text."""
    usage = {"input_tokens": 10, "output_tokens": 5, "service_tier": "batch"}
    body = message(content=[{"type": "text", "text": text}], stop_reason="end_turn", usage=usage)
    return {"type": "succeeded", "message": {**body, **fields}}


def errored(type: str, text: str) -> dict[str, Any]:
    """A result with an error: the whole envelope."""
    error = {"type": type, "message": text, "details": None}
    return {"type": "errored", "error": {"type": "error", "error": error, "request_id": "req_011Row"}}


def last_text(params: Mapping[str, Any]) -> str:
    """The text of the last message of a request."""
    content = params["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[-1].get("text", ""))


def echo(params: Mapping[str, Any]) -> dict[str, Any]:
    """A reply that repeats the question in capitals."""
    return succeeded(last_text(params).upper(), model=params["model"])


@dataclass
class Batch:
    """A batch of the scripted API."""

    id: str
    requests: list[dict[str, Any]]
    created: datetime
    polls: int | None
    host: str
    status: str = "in_progress"
    ended: datetime | None = None
    canceled: datetime | None = None
    results: list[dict[str, Any]] = field(default_factory=list)
    archived: datetime | None = None
    garbled: set[int] = field(default_factory=set)  # results whose lines are no JSON

    @property
    def counts(self) -> dict[str, int]:
        """All are processing until the batch has ended."""
        kinds = [each["result"]["type"] for each in self.results]
        done = {kind: kinds.count(kind) for kind in KINDS}
        return {"processing": len(self.requests) if self.ended is None else 0, **done}


class Batches:
    """The endpoints of `/v1/messages/batches`.

    Attributes:
        batches: By id, in the order in which they were made.
        polls: How often a batch is looked at before it ends; `None`: it goes on until `end` is called.
        outcome: From the parameters of a request to its result.
        reverse: Whether results come in the reverse order.
        retry_after: The header on a batch that goes on.
        page_size: The most batches on a page of the list.
        lose_creations: How many of the next creations are done, and not answered.
        creations: Answers to the next creations, which then make nothing.
        faults: Answers to the next looks at a batch.
        cuts: After how many lines the next results break off; `-n`: in the middle of line n.
        most_requests: The API's limit, to be lowered by a test.
        created: How many batches were asked for, in all.
    """

    def __init__(self) -> None:
        self.batches: dict[str, Batch] = {}
        self.polls: int | None = 1
        self.outcome: Callable[[Mapping[str, Any]], dict[str, Any]] = echo
        self.reverse = True
        self.retry_after = "0.01"
        self.page_size = 1000
        self.lose_creations = 0
        self.creations: list[Answer] = []
        self.faults: list[Answer] = []
        self.cuts: list[int] = []
        self.most_requests = 100_000
        self.most_bytes = 256_000_000
        self.deleted: list[str] = []
        self.created = 0
        self._numbers = itertools.count(1)
        self._batches_lock = threading.Lock()

    def end(self, id: str = "", kind: str = "") -> None:
        """End a batch, or all; with `kind`, its requests have no turn and are canceled or expired."""
        for batch in [self.batches[id]] if id else list(self.batches.values()):
            if batch.ended is None:
                self._end(batch, kind)

    def answer(self, asked: Asked) -> Answer | None:
        if not asked.path.startswith(PATH):
            return None
        with self._batches_lock:
            return self._route(asked, [part for part in asked.path.removeprefix(PATH).split("/") if part])

    def _route(self, asked: Asked, rest: list[str]) -> Answer:
        if not rest:
            return self._create(asked) if asked.method == "POST" else self._list(asked)
        batch = self.batches.get(rest[0])
        if batch is None:
            return failure(404, "not_found_error", f"Message batch not found: {rest[0]}")
        actions = {
            ("GET",): self._retrieve,
            ("DELETE",): self._delete,
            ("POST", "cancel"): self._cancel,
            ("GET", "results"): self._results,
        }
        action = actions.get((asked.method, *rest[1:]))
        return failure(404, "not_found_error", "Not Found") if action is None else action(batch)

    def _create(self, asked: Asked) -> Answer:
        self.created += 1
        if self.creations:
            return self.creations.pop(0)
        wrong = self._wrong(asked)
        if wrong:
            return failure(413 if "large" in wrong else 400, "invalid_request_error", wrong)
        number = next(self._numbers)
        batch = Batch(
            id=f"msgbatch_{number:04d}Test",
            requests=asked.json["requests"],
            created=datetime.now(timezone.utc) + timedelta(milliseconds=number),
            polls=self.polls,
            host=f"http://{asked.headers.get('host', '')}",
        )
        self.batches[batch.id] = batch
        if self.lose_creations:
            self.lose_creations -= 1
            return Answer(framing="raw", ending="cut")
        return self._json(self._body(batch))

    def _wrong(self, asked: Asked) -> str:
        """Why the API refuses to make a batch; `""` if it does not."""
        if len(asked.body) > self.most_bytes:
            return "request too large"
        requests = asked.json.get("requests")
        if not isinstance(requests, list) or not 1 <= len(requests) <= self.most_requests:
            return f"requests: between 1 and {self.most_requests} are allowed"
        ids = [each["custom_id"] for each in requests]
        if len(set(ids)) != len(ids):
            return "requests: custom_id must be unique"
        for number, each in enumerate(requests):
            params = each["params"]
            if not _ID.fullmatch(each["custom_id"]):
                return f"requests.{number}.custom_id: String should match pattern"
            if params.get("stream"):
                return f"requests.{number}.params.stream: Extra inputs are not permitted"
            if params.get("max_tokens", 0) < 1:
                return f"requests.{number}.params.max_tokens: must be at least 1"
            if found := problems(params["messages"], system=params.get("system"), model=params["model"]):
                return f"requests.{number}.params.{found[0].text}"
        return ""

    def _list(self, asked: Asked) -> Answer:
        query = dict(asked.query)
        ids = list(reversed(self.batches))
        begin = ids.index(query["after_id"]) + 1 if query.get("after_id") in ids else 0
        page = ids[begin : begin + min(int(query.get("limit", 20)), self.page_size)]
        body = {
            "data": [self._body(self.batches[each]) for each in page],
            "has_more": begin + len(page) < len(ids),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }
        return self._json(body)

    def _retrieve(self, batch: Batch) -> Answer:
        if self.faults:
            return self.faults.pop(0)
        if batch.ended is None and batch.polls is not None:
            if batch.polls <= 0 or batch.status == "canceling":
                self._end(batch, "canceled" if batch.status == "canceling" else "")
            else:
                batch.polls -= 1
        wait = () if batch.ended is not None else (("retry-after", self.retry_after),)
        return self._json(self._body(batch), *wait)

    def _cancel(self, batch: Batch) -> Answer:
        if batch.ended is None:
            batch.status, batch.canceled = "canceling", datetime.now(timezone.utc)
        return self._json(self._body(batch))

    def _delete(self, batch: Batch) -> Answer:
        if batch.ended is None:
            return failure(400, "invalid_request_error", f"Message batch {batch.id} must have ended to be deleted")
        del self.batches[batch.id]
        self.deleted.append(batch.id)
        return self._json({"id": batch.id, "type": "message_batch_deleted"})

    def _results(self, batch: Batch) -> Answer:
        if batch.ended is None:
            return failure(404, "not_found_error", f"Message batch {batch.id} has no results yet")
        if batch.archived is not None:
            return failure(404, "not_found_error", f"Message batch {batch.id} has been archived: no results")
        lines = [b'{"custom_id": \n' if n in batch.garbled else _line(each) for n, each in enumerate(batch.results)]
        if self.reverse:
            lines.reverse()
        headers = (("content-type", "application/x-jsonl"), ("request-id", "req_011Results"))
        if not self.cuts:
            return Answer(headers=headers, pieces=lines)
        cut = self.cuts.pop(0)
        kept = lines[:cut] if cut >= 0 else [*lines[: -cut - 1], lines[-cut - 1][:20]]
        return Answer(headers=headers, pieces=kept, ending="cut")

    def _end(self, batch: Batch, kind: str) -> None:
        batch.status, batch.ended = "ended", datetime.now(timezone.utc)
        batch.results = [
            {"custom_id": each["custom_id"], "result": {"type": kind} if kind else self.outcome(each["params"])}
            for each in batch.requests
        ]

    def _body(self, batch: Batch) -> dict[str, Any]:
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": batch.counts,
            "ended_at": _moment(batch.ended),
            "created_at": _moment(batch.created),
            "expires_at": _moment(batch.created + timedelta(hours=24)),
            "archived_at": _moment(batch.archived),
            "cancel_initiated_at": _moment(batch.canceled),
            "results_url": None if batch.ended is None else f"{batch.host}{PATH}/{batch.id}/results",
        }

    def _json(self, body: object, *headers: tuple[str, str]) -> Answer:
        told = (("content-type", "application/json"), ("request-id", "req_011Test"), *headers)
        return Answer(headers=told, pieces=[json.dumps(body).encode()], framing="length")


def _line(result: dict[str, Any]) -> bytes:
    """JSON as the API writes it: characters as they are, but for halves of pairs."""
    text = json.dumps(result, ensure_ascii=False)
    with contextlib.suppress(UnicodeEncodeError):
        return text.encode() + b"\n"
    return json.dumps(result).encode() + b"\n"


def custom_ids(batch: Batch) -> Iterator[str]:
    return (each["custom_id"] for each in batch.requests)


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
