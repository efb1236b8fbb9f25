"""What is sent to the three of AWS is what the official SDK sends, and its signature is the one that botocore computes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import botocore.auth
import pytest
from botocore.credentials import ReadOnlyCredentials

from claude_magic import claude
from claude_magic.api.credentials import UnsignedRequest
from claude_magic.api.platforms.sigv4 import sign
from claude_magic.api.stand_ins import StandIns
from tests.aws import ACCESS_KEY, BASE_URLS, NOW, REGION, SECRET_KEY, SERVICES, TOKEN, frames, signature, streamed
from tests.notebook_shell import forget
from tests.scripted_api import json_answer
from tests.server import Received, Server, reply, whole

pytestmark = pytest.mark.usefixtures("only_loopback")

MODEL = "us.anthropic.claude-haiku-5-5-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
QUESTION: dict[str, Any] = {"max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
RICH: dict[str, Any] = {
    "max_tokens": 16,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "né \U0001f600", "cache_control": {"type": "ephemeral"}}]}
    ],
    "system": "Be brief.",
    "tools": [{"name": "f", "description": "Adds.", "input_schema": {"type": "object", "properties": {}}}],
    "thinking": {"type": "adaptive"},
}
HEADERS = ("anthropic-version", "anthropic-beta", "anthropic-workspace-id", "accept", "content-type")
CLIENTS: dict[str, Any] = {
    "bedrock": anthropic.AnthropicBedrock,
    "bedrock-mantle": anthropic.AnthropicBedrockMantle,
    "aws": anthropic.AnthropicAWS,
}


@pytest.fixture
def aws(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server at which all three are, with credentials in the environment, and a time that stands still."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the-ordinary-key-of-the-api")
    monkeypatch.setenv("ANTHROPIC_AWS_WORKSPACE_ID", "wrkspc_01")
    for name in BASE_URLS.values():
        monkeypatch.setenv(name, server.url)
    from anthropic.lib.aws._auth import _get_session

    _get_session.cache_clear()  # the SDK keeps what it has found in an earlier environment
    server.strict = False
    server.respond = _answer
    claude.settings.journal = ""
    claude.settings.api_version = "2026-10-21"  # the SDK's own
    yield server
    forget()


def _answer(request: Received) -> Any:
    if request.path.endswith("/invoke-with-response-stream"):
        return streamed(frames("hi"))
    if request.path.endswith("/count_tokens"):
        return json_answer({"input_tokens": 7})
    if "/messages/batches" in request.path or "/models" in request.path or "/files" in request.path:
        return json_answer({"data": [], "id": "x"})
    return reply("hi") if b'"stream":true' in request.body else whole("hi")


def facts(request: Received) -> dict[str, Any]:
    """What has to be the same."""
    headers = {name: request.headers.get(name) for name in HEADERS}
    return {"method": request.method, "path": request.path, "body": request.body, **headers}


def of_the_sdk(aws: Server, platform: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Received:
    with CLIENTS[platform](max_retries=0) as client:
        answer = client.messages.create(**body, extra_headers=headers or {})
        if body.get("stream"):
            list(answer)
    return aws.received[-1]


def of_ours(aws: Server, platform: str, sent: Received, model: str, headers: dict[str, str] | None = None) -> Received:
    """The same question, from what was meant: the body in the order in which the SDK has it."""
    body = json.loads(sent.body)
    if platform == "bedrock":
        body = {
            name: value
            for name, value in body.items()
            if name not in ("anthropic_version", "anthropic_beta", "user_profile_id")
        }
        body["model"] = model
        if sent.path.endswith("stream"):
            body["stream"] = True
    claude.settings.provider = platform
    claude.request("POST", "/v1/messages", json=body, headers=headers or {})
    return aws.received[-1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", [QUESTION, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("platform", CLIENTS)
def test_a_message_is_the_sdk_s(platform: str, body: dict[str, Any], stream: bool, aws: Server) -> None:
    body = {**body, "model": MODEL, **({"stream": True} if stream else {})}
    theirs = of_the_sdk(aws, platform, body)
    ours = of_ours(aws, platform, theirs, MODEL)
    assert facts(ours) == facts(theirs)
    for request in (ours, theirs):
        assert request.headers["authorization"] == signature(request, SERVICES[platform])
    assert ours.headers["x-amz-date"] == "20260101T000000Z"
    assert "the-ordinary-key" not in str(ours.headers)
    assert "x-api-key" not in ours.headers


@pytest.mark.parametrize("platform", CLIENTS)
def test_headers_and_a_session_token_are_the_sdk_s(platform: str, aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    headers = {"anthropic-beta": "a-2026-01-01,b-2026-01-01", "anthropic-workspace-id": "wrkspc_02"}
    headers |= {"anthropic-user-profile-id": "up_1"} if platform == "bedrock" else {}
    theirs = of_the_sdk(aws, platform, {**QUESTION, "model": ARN}, headers)
    ours = of_ours(aws, platform, theirs, ARN, headers)
    assert facts(ours) == facts(theirs)
    assert ours.headers["x-amz-security-token"] == TOKEN
    for request in (ours, theirs):
        assert request.headers["authorization"] == signature(request, SERVICES[platform], TOKEN)
    if platform == "bedrock":
        assert ours.path == "/model/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile%2Fabc/invoke"
        assert json.loads(ours.body)["anthropic_beta"] == ["a-2026-01-01", "b-2026-01-01"]
        assert json.loads(ours.body)["user_profile_id"] == "up_1"


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("bedrock", "AWS_BEARER_TOKEN_BEDROCK"),
        ("bedrock-mantle", "AWS_BEARER_TOKEN_BEDROCK"),
        ("bedrock-mantle", "ANTHROPIC_AWS_API_KEY"),
        ("aws", "ANTHROPIC_AWS_API_KEY"),
    ],
)
def test_a_key_is_sent_as_the_sdk_sends_it(
    platform: str, name: str, aws: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "a-key-of-aws-0123456789")
    theirs = of_the_sdk(aws, platform, {**QUESTION, "model": MODEL})
    ours = of_ours(aws, platform, theirs, MODEL)
    assert facts(ours) == facts(theirs)
    assert ours.headers["authorization"] == theirs.headers["authorization"] == "Bearer a-key-of-aws-0123456789"
    assert "x-amz-date" not in ours.headers


def test_a_netrc_file_does_not_replace_the_key(aws: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-aws-0123456789")
    claude.settings.provider = "bedrock"
    claude.request("POST", "/v1/messages", json={**QUESTION, "model": MODEL})
    assert aws.last.headers["authorization"] == "Bearer a-key-of-aws-0123456789"


def test_betas_with_spaces_become_a_list_without_them(aws: Server) -> None:
    claude.settings.provider = "bedrock"
    claude.request("POST", "/v1/messages", json={**QUESTION, "model": MODEL}, headers={"anthropic-beta": "a, b"})
    assert json.loads(aws.last.body)["anthropic_beta"] == ["a", "b"]
    assert aws.last.headers["authorization"] == signature(aws.last, "bedrock")


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("global.anthropic.claude-opus-5-5", "2026-10-21"),
        ("us.anthropic.claude-opus-4-7", "2026-10-21"),
        ("us.anthropic.claude-fable-5-2", "2026-10-21"),
        ("eu.anthropic.claude-opus-4-6-v1", "bedrock-2023-05-31"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock-2023-05-31"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "bedrock-2023-05-31"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock-2023-05-31"),
        (ARN, "bedrock-2023-05-31"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5", "2026-10-21"),
    ],
)
def test_each_model_gets_the_version_that_it_takes(model: str, version: str, aws: Server) -> None:
    claude.settings.api_version = "2023-06-01"
    claude.settings.provider = "bedrock"
    claude.request("POST", "/v1/messages", json={**QUESTION, "model": model})
    assert json.loads(aws.last.body)["anthropic_version"] == version


def test_a_version_of_one_s_own_is_sent(aws: Server) -> None:
    claude.settings.provider = "bedrock"
    claude("hi", model=ARN, api_version="2027-01-01", stream=False)
    assert json.loads(aws.last.body)["anthropic_version"] == "2027-01-01"
    claude("hi", model=ARN, param={"anthropic_version": "x-1"}, stream=False)
    assert json.loads(aws.last.body)["anthropic_version"] == "x-1"


@pytest.mark.parametrize("platform", ["bedrock-mantle", "aws"])
def test_counting_tokens_is_the_sdk_s(platform: str, aws: Server) -> None:
    body = {"messages": QUESTION["messages"], "model": "claude-opus-5-5"}
    with CLIENTS[platform](max_retries=0) as client:
        client.messages.count_tokens(**body)
    theirs = aws.last
    claude.settings.provider = platform
    claude.request("POST", "/v1/messages/count_tokens", json=json.loads(theirs.body))
    assert facts(aws.last) == facts(theirs)
    assert aws.last.headers["authorization"] == signature(aws.last, SERVICES[platform])


def test_a_query_is_signed_as_it_is_sent(aws: Server) -> None:
    with anthropic.AnthropicAWS(max_retries=0) as client:
        client.models.list(limit=2, after_id="a b")
    theirs = aws.last
    claude.settings.provider = "aws"
    claude.request("GET", "/v1/models", query={"limit": 2, "after_id": "a b"})
    assert sorted(aws.last.path.partition("?")[2].split("&")) == sorted(theirs.path.partition("?")[2].split("&"))
    assert aws.last.headers["authorization"] == signature(aws.last, "aws-external-anthropic")


def test_a_file_is_signed_by_what_is_sent_of_it(aws: Server) -> None:
    claude.settings.provider = "aws"
    claude.request("POST", "/v1/files", files={"file": ("é.txt", b"some text", "text/plain")}, yes=True)
    assert b"some text" in aws.last.body
    assert aws.last.headers["anthropic-workspace-id"] == "wrkspc_01"
    assert aws.last.headers["authorization"] == signature(aws.last, "aws-external-anthropic")


def test_the_token_of_an_mcp_server_is_signed_as_it_is_sent(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TOKEN_DOCS", 'a-token-"\\-of-docs')
    mcp = {"type": "url", "url": "https://mcp.example.com", "name": "docs", "authorization_token": "$MCP_TOKEN_DOCS"}
    claude.settings.provider = "aws"
    claude.request("POST", "/v1/messages", json={**QUESTION, "model": "claude-opus-5-5", "mcp_servers": [mcp]})
    assert json.loads(aws.last.body)["mcp_servers"][0]["authorization_token"] == 'a-token-"\\-of-docs'
    assert aws.last.headers["authorization"] == signature(aws.last, "aws-external-anthropic")


BODY = '{"max_tokens":16,"messages":[{"role":"user","content":"Hello"}],"anthropic_version":"2026-10-21"}'
MESSAGE = '{"max_tokens":16,"messages":[{"role":"user","content":"Hello"}],"model":"claude-haiku-5-5"}'
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
VERSION = {"anthropic-version": "2026-10-21"}
RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
AWS = "https://aws-external-anthropic.us-east-1.api.aws"


@pytest.mark.parametrize(
    ("service", "method", "url", "headers", "body", "token", "expected"),
    [
        pytest.param(
            *("bedrock", "POST", f"{RUNTIME}/{MODEL}/invoke", JSON, BODY, None),
            "80729b02bdaa9d6f9603867a2ce80426ebe5cce0f6d4f3551b2064b1deaa8453",
            id="A",
        ),
        pytest.param(
            *("bedrock", "POST", f"{RUNTIME}/{ARN.replace('/', '%2F')}/invoke"),
            {**JSON, "anthropic-beta": "a-2026-01-01, b-2026-01-01", "User-Agent": "x", "Connection": "keep-alive"},
            *(BODY, TOKEN),
            "f58ea350159a5fa2e5ddc42bec0dd478322347325fbb140cacb8d79a8c5a2d40",
            id="B",
        ),
        pytest.param(
            *("aws-external-anthropic", "POST", f"{AWS}/v1/messages"),
            {**JSON, **VERSION, "anthropic-workspace-id": "wrkspc_01"},
            *(MESSAGE, None),
            "e15fc7fbfd8e39b1adcc2f21c6ca4ad9c1c140dbb32fcc0f80b2001eb21f2940",
            id="C",
        ),
        pytest.param(
            *("aws-external-anthropic", "GET", f"{AWS}/v1/models?limit=2&after_id=a%20b&lifecycle%5B%5D=active"),
            {"Accept": "application/json", **VERSION, "anthropic-workspace-id": "wrkspc_01"},
            *("", None),
            "1e978b5d5fca04125c1daabfa1ba2bebeba52ce83284773e333324f33f064ff0",
            id="D",
        ),
        pytest.param(
            *("bedrock-mantle", "POST", "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages"),
            {**JSON, **VERSION},
            *(MESSAGE, None),
            "49f999aeff82c9fb07c21bdde5cb66d10a889b14c2f0814563ffca17427e087a",
            id="E",
        ),
    ],
)
def test_the_signatures_that_were_computed_by_hand(
    service: str,
    method: str,
    url: str,
    headers: dict[str, str],
    body: str,
    token: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each was computed with botocore and again with plain HMAC."""
    import hashlib

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW)
    digest = hashlib.sha256(body.encode()).hexdigest()
    unsigned = UnsignedRequest(method=method, url=url, headers=headers, digest=lambda: digest)
    keys = ReadOnlyCredentials(ACCESS_KEY, SECRET_KEY, token)
    stand_ins = StandIns()
    *_, (name, text, secret) = sign(unsigned, keys, service=service, region=REGION)
    assert name == "Authorization"
    assert secret is not None
    sent = stand_ins.substitute(f"{text}{stand_ins.add(secret)}".encode()).decode()
    assert sent.endswith(f"Signature={expected}")
