"""The models of an endpoint: listed over real sockets, named when a name is wrong, shown as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.api.client import Client
from claude_magic.api.endpoints.models import Model, list_models
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.known_models import nearest
from claude_magic.api.transports.http import HTTPTransport, pool
from claude_magic.display.tables.models import model_table
from claude_magic.errors import APIError, ExchangeError, StreamError
from tests.server import JSON, Answer, Server, failure
from tests.test_panel import HOSTILE, Read

TODAY = date(2026, 11, 23)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with pool() as made:
        yield made


def models(server: Server, session: requests.Session) -> list[Model]:
    direct = HTTPTransport(pool=session, credential=None, connect_timeout=100, timeout=100, interrupt=Interrupt())
    client = Client(transport=direct, credential=None)
    return list_models(client, base_url=server.url, api_version="2023-06-01")


def page(*ids: str, **fields: Any) -> Answer:
    return json_answer({"data": [{"type": "model", "id": name} for name in ids], **fields})


def json_answer(body: object) -> Answer:
    return Answer(headers=JSON, pieces=[json.dumps(body).encode()], framing="length")


def text(*rows: dict[str, Any]) -> str:
    return model_table(rows, today=TODAY)["text/plain"]


@pytest.fixture
def real(recorded: Path) -> bytes:
    """The body of a real list, recorded in August 2026."""
    source = (recorded / "exchanges" / "tidyverse+ellmer" / "anthropic-list-models.yml").read_text(encoding="utf-8")
    body: str = yaml.safe_load(source)["http_interactions"][0]["response"]["body"]["string"]
    return body.encode()


# Listing


def test_the_recorded_list_is_read_whole(server: Server, session: requests.Session, real: bytes) -> None:
    server.answers(Answer(headers=JSON, pieces=[real], framing="length"))
    found = models(server, session)
    assert [model.id for model in found] == [each["id"] for each in json.loads(real)["data"]]
    assert (found[0].id, found[0].display_name, found[0].created) == (
        "claude-opus-5",
        "Claude Opus 5",
        "2026-07-24T00:00:00Z",
    )
    assert (found[0].max_input_tokens, found[0].max_tokens) == (1_000_000, 128_000)
    assert found[0].capabilities["effort"]["xhigh"] == {"supported": True}
    assert {(model.deprecated, model.retires, model.lifecycle) for model in found} == {("", "", "")}


def test_one_get_asks_for_the_first_thousand(server: Server, session: requests.Session) -> None:
    server.answers(page("a"))
    models(server, session)
    assert [(each.method, each.path, each.body) for each in server.received] == [("GET", "/v1/models?limit=1000", b"")]
    assert server.last.headers["anthropic-version"] == "2023-06-01"
    assert "content-type" not in server.last.headers


def test_all_pages_are_listed_in_their_order(server: Server, session: requests.Session) -> None:
    server.answers(page("a", "b", has_more=True, last_id="b"), page("c/d &", has_more=True), page("e", has_more=False))
    assert [model.id for model in models(server, session)] == ["a", "b", "c/d &", "e"]
    assert [each.path.partition("limit=1000")[2] for each in server.received] == [
        "",
        "&after_id=b",
        "&after_id=c%2Fd+%26",
    ]


def test_a_page_that_repeats_is_the_last(server: Server, session: requests.Session) -> None:
    server.answers(page("a", "b", has_more=True, last_id="b"))
    assert [model.id for model in models(server, session)] == ["a", "b"]
    assert len(server.received) == 2


def test_the_end_of_a_model_is_listed(server: Server, session: requests.Session) -> None:
    ends = {"id": "a", "deprecated_at": "2026-06-01T00:00:00Z", "retires_at": "2026-11-30T00:00:00Z"}
    server.answers(json_answer({"data": [{**ends, "lifecycle": "deprecated"}]}))
    (found,) = models(server, session)
    assert (found.deprecated, found.retires, found.lifecycle) == (
        ends["deprecated_at"],
        ends["retires_at"],
        "deprecated",
    )


def test_a_list_of_openai_s_shape_is_a_list(server: Server, session: requests.Session) -> None:
    data = [{"id": "llama", "object": "model", "created": 1_750_000_000, "owned_by": "llamacpp", "meta": {}}]
    server.answers(json_answer({"object": "list", "data": data}))
    assert models(server, session) == [Model(id="llama", created="2025-06-15T15:06:40Z")]


def test_odd_entries_are_passed_over_and_odd_fields_unknown(server: Server, session: requests.Session) -> None:
    odd = {
        "id": "a",
        "display_name": 1,
        "created": 1e99,
        "max_tokens": True,
        "max_input_tokens": -1,
        "capabilities": [],
    }
    server.answers(json_answer({"data": [None, {}, {"id": ""}, {"id": 7}, "a", {**odd, "created_at": None}]}))
    assert models(server, session) == [Model(id="a")]


def test_an_error_of_the_api_is_told_in_its_words(server: Server, session: requests.Session) -> None:
    server.answers(failure(401, "authentication_error", "invalid x-api-key"))
    with pytest.raises(
        APIError, match=r"^authentication_error: invalid x-api-key \(HTTP 401, request-id req_011Test\)"
    ):
        models(server, session)


def test_a_server_without_a_list_is_asked_about_its_address(server: Server, session: requests.Session) -> None:
    server.answers(failure(404, "not_found_error", "Not Found"))
    with pytest.raises(APIError, match=r"Is Claude\.base_url right"):
        models(server, session)


@pytest.mark.parametrize("body", [b"<html>Hello</html>", b"[]", b'{"data": 1}', b"", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_list_says_so(server: Server, session: requests.Session, body: bytes) -> None:
    server.answers(Answer(headers=JSON, pieces=[body], framing="length"))
    with pytest.raises(StreamError, match="not the Messages API's"):
        models(server, session)


def test_a_list_that_breaks_off_says_so(server: Server, session: requests.Session) -> None:
    server.answers(Answer(headers=JSON, pieces=[b'{"data":'], ending="cut"))
    with pytest.raises(ExchangeError, match="ended early"):
        models(server, session)


# Names

KNOWN = [
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5",
    "claude-opus-4-5-20251101",
    "claude-haiku-5-5",
    "llama",
]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("claude-opus-5-6", ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-5-20251101"]),
        ("opus", ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-5-20251101"]),
        ("Sonnet 5.5", ["claude-sonnet-5-5"]),
        ("lama", ["llama"]),
        ("gpt", []),
        ("", []),
    ],
)
def test_the_nearest_names_are_named(name: str, near: list[str]) -> None:
    assert nearest(name, KNOWN) == near


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=20))
def test_nearest_names_are_known_ones_and_at_most_three(name: str, known: list[str]) -> None:
    found = nearest(name, known)
    assert len(found) <= 3
    assert set(found) <= set(known)
    assert len(set(found)) == len(found)


# The table


def test_a_model_is_one_line_of_the_table(real: bytes) -> None:
    model = json.loads(real)["data"][0]
    head, line = text({**model, "usd_input": 5, "usd_output": 25.0}).split("\n")
    assert " ".join(head.split()) == "model context max output $ per M in $ per M out capabilities"
    assert line.split()[:5] == ["claude-opus-5", "1M", "128k", "5.00", "25.00"]
    assert line.endswith(
        "  thinking, effort, images, pdf, structured output, batch, citations, code execution, context editing"
    )


def test_what_is_unknown_is_not_guessed() -> None:
    unknown = "context, max output, $ per M in, $ per M out, capabilities"
    assert text({"id": "llama"}).split("\n") == ["model", "llama", f"unknown: {unknown}"]

    known = {"id": "m", "max_input_tokens": 1000, "max_tokens": 10, "usd_input": 1, "usd_output": 2, "batch": True}
    rows = text({"id": "llama"}, {**known, "capabilities": {"batch": True}}).split("\n")
    assert [row.split() for row in rows[1:]] == [
        ["llama", *["unknown"] * 5],
        ["m", "1k", "10", "1.00", "2.00", "batch"],
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"retires": "2026-11-30T00:00:00Z", "lifecycle": "deprecated"}, "retires 2026-11-30, in 7 days"),
        ({"retires": "2026-11-24"}, "retires 2026-11-24, in 1 day"),
        ({"retires": "2027-11-24", "lifecycle": "active"}, "2027-11-24"),
        ({"retires": "2026-06-15T00:00:00Z"}, "retired 2026-06-15"),
        ({"lifecycle": "retired"}, "retired"),
        ({"lifecycle": "deprecated"}, "deprecated"),
        ({"retires": "nonsense"}, ""),
    ],
)
def test_an_end_of_life_is_told(fields: dict[str, Any], told: str) -> None:
    line = text({"id": "m", "max_tokens": 1, "usd_output": 1, **fields}).split("\n")[1]
    assert line.partition("1.00")[2].strip() == told


def test_what_ends_is_marked() -> None:
    rows = [{"id": "a", "lifecycle": "retired"}, {"id": "b", "retires": "2026-12-01"}, {"id": "c"}]
    shown = model_table(rows, today=TODAY)["text/html"]
    assert [shown.count(f'<tr class="{css}"><td class="cm-code">') for css in ("cm-ended", "cm-ends", "")] == [1, 1, 1]


def test_prices_have_two_decimals_or_as_many_as_there_are() -> None:
    rows = [{"id": "a", "usd_input": 0.1, "usd_output": 0.125}, {"id": "b", "usd_input": 0, "usd_output": float("nan")}]
    assert [line.split()[1:] for line in text(*rows).split("\n")[1:3]] == [["0.10", "0.125"], ["0.00", "unknown"]]


def test_no_models_are_told_as_such() -> None:
    assert model_table([]) == {"text/html": "<div>no models</div>", "text/plain": "no models"}


def test_hostile_names_do_nothing() -> None:
    row: dict[str, Any] = {"id": HOSTILE, "lifecycle": HOSTILE, "retires": HOSTILE, "usd_input": HOSTILE}
    row["capabilities"] = {
        HOSTILE: {"supported": True},
        "sk-ant-api03-abcdefgh": True,
        **{f"x{n}": True for n in range(99)},
    }
    bundle = model_table([{**row, "max_tokens": 10**5000, "max_input_tokens": "1"}])
    read = Read(bundle["text/html"])
    assert read.tags <= {"style", "table", "thead", "tbody", "tr", "th", "td", "div"}
    assert {name for name, _ in read.attributes} <= {"class", "scope"}
    assert bundle["text/plain"].replace("\n", "").isprintable()
    assert "abcdefgh" not in "".join(bundle.values())
    assert len(bundle["text/html"]) < 4_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("id", "max_input_tokens", "max_tokens", "capabilities", "deprecated", "retires", "lifecycle", "usd_input")


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values)), max_size=4))
def test_any_values_make_a_table(rows: list[dict[str, Any]]) -> None:
    assert set(model_table(rows, today=TODAY)) == {"text/html", "text/plain"}
