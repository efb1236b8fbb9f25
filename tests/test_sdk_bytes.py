"""What is sent to each endpoint is what the official SDK sends: method, path, query, headers of substance, body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anthropic
import pytest

from claude_magic import claude
from claude_magic.api.endpoints.catalog import Endpoint, endpoints
from tests.notebook_shell import forget
from tests.scripted_api import ADMIN_KEY, KEY, json_answer
from tests.sdk_calls import call, path_value
from tests.server import Received, Server, whole

pytestmark = pytest.mark.slow

KNOWN = [each for each in endpoints() if each.sdk]
HEADERS = ("anthropic-version", "anthropic-beta", "accept", "content-type")


@pytest.fixture
def ours(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)
    results = f"{server.url}/v1/messages/batches/message_batch_id_01/results"
    answer = json_answer({"data": [], "id": "x", "results_url": results})
    server.respond = lambda asked: whole("hi") if asked.path == "/v1/messages" else answer
    server.strict = False
    claude.settings.api_version = "2026-10-21"  # the SDK's own
    yield server
    forget()


def of_the_sdk(endpoint: Endpoint, server: Server) -> Received:
    with anthropic.Anthropic(api_key="test-key-of-the-sdk", base_url=server.url, max_retries=0) as client:
        call(client, endpoint)
    return server.received[-1]


def boundary_of(request: Received) -> str:
    return request.headers.get("content-type", "").partition("boundary=")[2]


def facts(request: Received) -> dict[str, Any]:
    """What has to be the same, whatever the boundary of its parts."""
    boundary = boundary_of(request) or "no boundary"
    headers = {name: request.headers.get(name, "").replace(boundary, "…") for name in HEADERS}
    return {
        "method": request.method,
        "path": request.path,
        **headers,
        "body": request.body.replace(boundary.encode(), b"..."),
    }


def resent(endpoint: Endpoint, theirs: Received) -> None:
    """The same call by `claude.request`, from what was meant, not from the bytes."""
    path = endpoint.path.format_map({name: path_value(name) for name in endpoint.names})
    query = parse_qsl(urlsplit(theirs.path).query, keep_blank_values=True)
    how: dict[str, Any] = {"query": query} if query else {}
    if endpoint.body == "multipart":
        how |= parts(theirs)
    elif theirs.body:
        how["json"] = json.loads(theirs.body)
    claude.request(endpoint.verb, path, yes=True, **how)


def parts(theirs: Received) -> dict[str, Any]:
    from tests.scripted_api.files import parts_of
    from tests.scripted_api.wire import Asked

    asked = Asked(method="POST", path="", query=[], headers=theirs.headers, body=theirs.body)
    found = parts_of(asked)
    return {
        "json": {part.name: part.content.decode() for part in found if part.filename is None},
        "files": [(part.name, (part.filename, part.content, part.media_type)) for part in found if part.filename],
    }


@pytest.mark.parametrize("endpoint", KNOWN, ids=lambda each: f"{each.verb} {each.path}")
def test_the_bytes_are_those_of_the_official_sdk(endpoint: Endpoint, ours: Server) -> None:
    theirs = of_the_sdk(endpoint, ours)
    assert f"{theirs.method} {urlsplit(theirs.path).path}" == (
        f"{endpoint.verb} {endpoint.path.format_map({name: path_value(name) for name in endpoint.names})}"
    )
    resent(endpoint, theirs)
    assert facts(ours.received[-1]) == facts(theirs)
