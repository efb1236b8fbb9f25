"""The requests to message batches and what is read of the answers: beside the official SDK, and of the real API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from claude_magic.api.client import Client
from claude_magic.api.connect import connect
from claude_magic.api.credentials import Credential, Secret
from claude_magic.api.endpoints import batches
from claude_magic.api.endpoints.batches import Batches, MessageBatch, RequestCounts
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.provider import Provider
from claude_magic.api.transports.http import pool
from claude_magic.errors import APIError, StreamError
from claude_magic.settings import Claude
from tests.batch_api import PATH, BatchAPI
from tests.conftest import KEY
from tests.server import Answer, Received, Server, failure

REQUESTS = [
    {"custom_id": "0-a", "params": {"model": "claude-haiku-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "héllo ☃"}]}},
    {"custom_id": "1-b", "params": {"max_tokens": 5, "messages": [{"role": "user", "content": "two"}], "model": "claude-haiku-5-5"}},
]  # fmt: skip


class Pieces:
    """An upload in pieces."""

    def __init__(self, text: str, size: int = 7) -> None:
        data = text.encode()
        self._pieces = [data[n : n + size] for n in range(0, len(data), size)]

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


@pytest.fixture
def api() -> Iterator[BatchAPI]:
    made = BatchAPI()
    yield made
    made.close()


def client_of(server: Server) -> tuple[Client, Batches]:
    provider = Provider(base_url=server.url, credential=Credential(source="the test", secret=Secret(KEY)))
    client = connect(Claude(max_retries=0), provider, pool=pool(), interrupt=Interrupt())
    return client, Batches(base_url=server.url, api_version="2023-06-01")


def wire(received: Sequence[Received]) -> list[tuple[Any, ...]]:
    """What matters of requests: method, path, some headers, body; no length is a length of 0."""
    names = ("content-type", "accept", "transfer-encoding")
    length = "content-length"
    return [(r.method, r.path, *map(r.headers.get, names), r.headers.get(length, "0"), r.body) for r in received]


def ours(server: Server, call: Callable[[Client, Batches], object]) -> list[tuple[Any, ...]]:
    before = len(server.received)
    call(*client_of(server))
    return wire(server.received[before:])


def official(server: Server, call: Callable[[Any], object]) -> list[tuple[Any, ...]]:
    from anthropic import Anthropic

    before = len(server.received)
    with Anthropic(api_key=KEY, base_url=server.url, max_retries=0) as client:
        call(client.messages.batches)
    return wire(server.received[before:])


def test_requests_are_byte_for_byte_those_of_the_official_sdk(api: BatchAPI) -> None:
    api.polls = 0
    text = json.dumps({"requests": REQUESTS}, ensure_ascii=False, separators=(",", ":"))
    made = ours(api, lambda c, b: batches.create(c, b, Pieces(text)))
    theirs = official(api, lambda sdk: sdk.create(requests=REQUESTS))
    assert made == theirs
    one, other = api.batches
    api.polls = None
    pairs: list[tuple[Callable[[Client, Batches], object], Callable[[Any], object]]] = [
        (lambda c, b: batches.retrieve(c, b, one), lambda sdk: sdk.retrieve(one)),
        (lambda c, b: c.json(b.page(limit=20)), lambda sdk: sdk.list(limit=20)),
        (lambda c, b: c.json(b.page(limit=1, after_id=other)), lambda sdk: sdk.list(after_id=other, limit=1)),
        (lambda c, b: c.json(b.cancel(one)), lambda sdk: sdk.cancel(one)),
        (
            lambda c, b: [batches.retrieve(c, b, one), list(batches.results(c, b, one))],
            lambda sdk: list(sdk.results(one)),
        ),
    ]
    for ask, ask_sdk in pairs:
        assert ours(api, ask) == official(api, ask_sdk)
    api.end(other)
    deleted = ours(api, lambda c, b: c.json(b.delete(one)))
    api.batches[one] = api.batches[other]
    assert official(api, lambda sdk: sdk.delete(one)) == deleted


def test_a_long_upload_is_sent_in_pieces_with_its_length(api: BatchAPI) -> None:
    text = json.dumps({"requests": REQUESTS}, ensure_ascii=False)
    batches.create(*client_of(api), Pieces(text, size=3))
    received = api.last
    assert (received.headers["content-length"], received.json) == (str(len(text.encode())), {"requests": REQUESTS})
    assert "transfer-encoding" not in received.headers
    assert KEY not in text


def test_all_pages_are_listed_the_newest_first(api: BatchAPI) -> None:
    client, requests = client_of(api)
    for _ in range(5):
        batches.create(client, requests, Pieces(json.dumps({"requests": REQUESTS})))
    api.page_size = 2
    listed = [batch.id for batch in batches.list_batches(client, requests)]
    assert listed == list(reversed(api.batches))


@pytest.mark.parametrize(
    "page",
    [
        {"data": [], "has_more": True, "last_id": "x"},
        {"data": [{"id": "b", "processing_status": "ended"}], "has_more": True, "last_id": "b"},
        {"data": [{"id": "b", "processing_status": "ended"}], "has_more": True, "last_id": None},
    ],
    ids=["empty", "repeats", "no last"],
)
def test_a_list_that_would_never_end_ends(page: dict[str, Any], server: Server) -> None:
    server.answers(Answer(pieces=[json.dumps(page).encode()], framing="length"))
    assert len(list(batches.list_batches(*client_of(server)))) == len(page["data"])
    assert len(server.received) <= 2


def test_lines_are_split_at_line_feeds_only(server: Server) -> None:
    text = "a\u2028b\u0085c\u2029d\x0b\x0ce\r"
    message = {"content": [{"type": "text", "text": text}]}
    lines = [{"custom_id": str(n), "result": {"type": "succeeded", "message": message}} for n in range(3)]
    body = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    pieces = [body[n : n + 5] for n in range(0, len(body), 5)]
    server.answers(Answer(headers=(("content-type", "application/x-jsonl"),), pieces=pieces))
    found = list(batches.results(*client_of(server), "msgbatch_1"))
    assert [each.custom_id for each in found] == ["0", "1", "2"]
    assert [each.message["content"][0]["text"] for each in found] == [text] * 3


def test_results_that_break_off_keep_the_lines_before(api: BatchAPI) -> None:
    client, requests = client_of(api)
    made = batches.create(client, requests, Pieces(json.dumps({"requests": REQUESTS})))
    api.end()
    api.cuts = [-2]
    found = batches.results(client, requests, made.id)
    assert next(found).custom_id == "1-b"
    with pytest.raises(StreamError, match="the stream ended early"):
        next(found)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"custom_id": 5, "result": {}}', '{"custom_id": "a"}', '{"custom_id": "a", "result": []}', "[" * 5000],
)
def test_a_line_that_is_no_result_is_told_and_the_others_are_read(line: str, server: Server) -> None:
    fine = b'{"custom_id": "a", "result": {"type": "canceled"}}'
    server.answers(Answer(pieces=[fine + b"\n" + line.encode() + b"\n" + fine]))
    found = list(batches.results(*client_of(server), "x"))
    assert [each.kind for each in found] == ["canceled", "unreadable", "canceled"]


@pytest.mark.parametrize("body", ["[]", '{"id": "", "processing_status": "ended"}', '{"id": 5}', "null"])
def test_what_is_no_batch_is_an_error_of_one_line(body: str, server: Server) -> None:
    server.answers(Answer(headers=(("content-type", "application/json"),), pieces=[body.encode()]))
    with pytest.raises(StreamError, match=r"no message batch: .* Is Claude.base_url right"):
        batches.retrieve(*client_of(server), "x")


@pytest.mark.parametrize(
    ("header", "seconds"), [((), 10.0), ((("retry-after", "3"),), 3.0), ((("retry-after", "x"),), 10.0)]
)
def test_the_time_until_the_next_look_is_the_one_that_the_api_tells(
    header: tuple[tuple[str, str], ...], seconds: float, server: Server
) -> None:
    body = b'{"id": "b", "processing_status": "in_progress"}'
    server.answers(Answer(headers=(("content-type", "application/json"), *header), pieces=[body]))
    assert batches.retrieve(*client_of(server), "b")[1] == seconds


def test_odd_fields_of_a_batch_are_read_as_far_as_they_make_sense() -> None:
    counts = {"processing": True, "succeeded": -3, "errored": "7", "canceled": 2, "unheard_of": 9}
    odd = {"id": "b", "processing_status": "resting", "request_counts": counts, "ended_at": 5, "new": {}}
    assert batches.message_batch(odd) == MessageBatch(id="b", status="resting", counts=RequestCounts(canceled=2))


def test_an_id_stays_one_segment_of_the_path(server: Server) -> None:
    server.answers(failure(404, "not_found_error", "no such batch"))
    with pytest.raises(APIError):
        batches.retrieve(*client_of(server), "../files/x?y#z")
    assert server.last.path == f"{PATH}/..%2Ffiles%2Fx%3Fy%23z"


def test_recorded_batches_of_the_real_api_are_read(recorded: Path) -> None:
    path = next((recorded / "exchanges" / "crmne+ruby_llm").glob("batch_*.yml"))
    interactions = yaml.safe_load(path.read_text())["http_interactions"]
    bodies = [(i["request"]["uri"], i["response"]["headers"], i["response"]["body"]["string"]) for i in interactions]
    *looks, (uri, headers, last) = bodies
    found = [batches.message_batch(json.loads(body)) for _, _, body in looks]
    assert (found[0].status, found[0].counts, found[0].ended) == ("in_progress", RequestCounts(processing=1), "")
    assert (found[-1].is_ended, found[-1].counts) == (True, RequestCounts(succeeded=1))
    assert uri.endswith("/results")
    assert headers["Content-Type"] == ["application/x-jsonl"]
    (result,) = [batches.outcome(json.loads(line)) for line in last.splitlines()]
    assert (result.custom_id, result.kind, result.message["content"][0]["text"]) == ("0", "succeeded", "6")
    assert result.message["usage"]["service_tier"] == "batch"


def test_a_recorded_creation_of_the_real_api_is_read(recorded: Path) -> None:
    path = recorded / "exchanges" / "posit-dev+chatlas" / "test_can_submit_anthropic_batch.yaml"
    (made,) = yaml.safe_load(path.read_text())["interactions"]
    batch = batches.message_batch(json.loads(made["response"]["body"]["string"]))
    assert (batch.id, batch.counts.total) == ("msgbatch_01UdG5AjbCDxdmiyZTybPbWT", 2)
    assert batch.expires > batch.created
