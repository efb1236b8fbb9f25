"""What is sent to Google Cloud and to Microsoft Foundry is what the official SDK sends; who opens them is never shown."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

from claude_magic import claude
from claude_magic.api import platforms
from claude_magic.api.platforms import token
from claude_magic.errors import ClaudeError, SettingsError, Unsupported
from claude_magic.settings import Claude
from tests.google import PROJECT, REGION, TOKEN, Capture, Clouds, refused, service_account
from tests.notebook_shell import Shell, forget
from tests.scripted_api import json_answer
from tests.server import STREAM, Answer, Received, Server, event, reply, text_events

MODEL = "claude-haiku-5-5"
QUESTION: dict[str, Any] = {"max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}], "model": MODEL}
HEADERS = ("anthropic-version", "anthropic-beta", "anthropic-workspace-id", "accept", "content-type", "authorization")
KEYS = ("x-api-key", "api-key")
FOUNDRY_KEY = "a-key-of-foundry-0123456789"


@pytest.fixture
def clouds(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Clouds]:
    """A server at which Google's and Microsoft's services are, with a service account and a key in the environment."""
    script = Clouds()
    server.strict, server.respond = False, script.respond  # type: ignore[method-assign]
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the-ordinary-key-of-the-api")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path / "account.json", server)))
    monkeypatch.setenv("CLOUD_ML_REGION", REGION)
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", PROJECT)
    monkeypatch.setenv("ANTHROPIC_VERTEX_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("ANTHROPIC_GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("ANTHROPIC_GOOGLE_CLOUD_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_BASE_URL", f"{server.url}/anthropic")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_API_KEY", FOUNDRY_KEY)
    claude.settings.journal = ""
    claude.settings.api_version = "2026-10-21"  # the SDK's own
    claude.settings.max_retries = 0
    yield script
    forget()


def sdk(platform: str, **options: Any) -> Any:
    kinds: dict[str, Any] = {
        "vertex": anthropic.AnthropicVertex,
        "google-cloud": anthropic.AnthropicGoogleCloud,
        "foundry": anthropic.AnthropicFoundry,
    }
    return kinds[platform](max_retries=0, **options)


def facts(request: Received | httpx2.Request) -> dict[str, Any]:
    """What has to be the same; Google's tokens are counted, so only that there is one."""
    if isinstance(request, Received):
        method, path, body, headers = request.method, request.path, request.body, request.headers
    else:
        method, path, body, headers = request.method, request.url.raw_path.decode(), request.content, request.headers
    chosen = {name: headers.get(name) for name in (*HEADERS, *KEYS)}
    if (chosen["authorization"] or "").startswith(f"Bearer {TOKEN}"):
        chosen["authorization"] = "Bearer (a token)"
    return {"method": method, "path": path, "body": body, **chosen}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("platform", ["vertex", "google-cloud", "foundry"])
def test_a_message_is_the_sdk_s(platform: str, stream: bool, clouds: Clouds, server: Server) -> None:
    body = {**QUESTION, **({"stream": True} if stream else {})}
    beta = {"anthropic-beta": "a-2026-01-01,b-2026-01-01"}
    with sdk(platform) as client:
        answer = client.messages.create(**body, extra_headers=beta)
        if stream:
            list(answer)
    theirs = server.last
    claude.settings.provider = platform
    exchange = claude.request("POST", "/v1/messages", json=body, headers=beta)
    assert facts(server.last) == facts(theirs)
    assert exchange.status == 200
    assert "the-ordinary-key" not in str(server.last.headers)
    if platform == "foundry":
        assert "authorization" not in server.last.headers
        assert server.last.headers["x-api-key"] == server.last.headers["api-key"] == FOUNDRY_KEY
    else:
        assert server.last.headers["authorization"].startswith(f"Bearer {TOKEN}")


@pytest.mark.parametrize("platform", ["vertex", "google-cloud", "foundry"])
def test_counting_tokens_is_the_sdk_s(platform: str, clouds: Clouds, server: Server) -> None:
    body = {"messages": QUESTION["messages"], "model": MODEL}
    with sdk(platform) as client:
        client.messages.count_tokens(**body)
    theirs = server.last
    claude.settings.provider = platform
    claude.request("POST", "/v1/messages/count_tokens", json=body)
    assert facts(server.last) == facts(theirs)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
    ],
)
def test_each_region_of_vertex_has_its_host(region: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture()
    client = anthropic.AnthropicVertex(
        region=region, project_id=PROJECT, access_token="t", http_client=capture.client, max_retries=0
    )
    for model in (MODEL, "claude-x@20260101", "claude-x;a"):
        with contextlib.suppress(anthropic.APIStatusError):
            client.messages.create(**{**QUESTION, "model": model})
        ours = addressed(Claude(provider="vertex", region=region, project=PROJECT), {**QUESTION, "model": model})
        assert ours == str(capture.last.url)
        assert capture.last.url.host == host
        assert f"/locations/{region}/" in ours


def addressed(settings: Claude, body: dict[str, Any], path: str = "/v1/messages") -> str:
    """Where a request would go."""
    from claude_magic.wire import Headers, Request

    platform = platforms.find(settings)
    assert platform is not None
    method = "POST" if body else "GET"
    request = Request(method=method, url=f"{platform.base_url}{path}", headers=Headers(), body=body or None)
    return platform.address(request).on_wire.url


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/models", "/v1/organizations/workspaces?limit=2", "/v1/files"])
def test_claude_on_google_cloud_has_the_sdk_s_addresses(path: str) -> None:
    capture = Capture()
    client = anthropic.AnthropicGoogleCloud(
        project=PROJECT, workspace_id="wrkspc_01", token_provider=lambda: "t", http_client=capture.client, max_retries=0
    )
    with contextlib.suppress(anthropic.APIStatusError):
        client.get(path, cast_to=object)
    settings = Claude(provider="google-cloud", project=PROJECT, workspace="wrkspc_01")
    assert addressed(settings, {}, path) == str(capture.last.url)


def test_only_what_is_of_the_organization_needs_no_workspace() -> None:
    settings = Claude(provider="google-cloud", project=PROJECT)
    assert "/claudeOrganization/invoke/v1/organizations/" in addressed(settings, {}, "/v1/organizations/workspaces")
    with pytest.raises(SettingsError, match=r"no workspace: .*ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID"):
        addressed(settings, {}, "/v1/models")


def test_foundry_has_the_sdk_s_address_and_takes_one_of_resource_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture()
    client = anthropic.AnthropicFoundry(
        resource="my-res", api_key=FOUNDRY_KEY, http_client=capture.client, max_retries=0
    )
    with contextlib.suppress(anthropic.APIStatusError):
        client.messages.create(**QUESTION)
    assert addressed(Claude(provider="foundry", resource="my-res"), QUESTION) == str(capture.last.url)
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_BASE_URL", "https://gateway.example/anthropic/v1/")
    assert addressed(Claude(provider="foundry"), QUESTION) == "https://gateway.example/anthropic/v1/messages"
    with pytest.raises(SettingsError, match="Foundry takes one of them"):
        platforms.find(Claude(provider="foundry", resource="my-res"))
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_BASE_URL")
    with pytest.raises(SettingsError, match="no resource: "):
        platforms.find(Claude(provider="foundry"))
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_RESOURCE", "evil.example/x")
    with pytest.raises(SettingsError, match="not a resource of Foundry"):
        platforms.find(Claude(provider="foundry"))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("platform", ["vertex", "google-cloud", "foundry"])
def test_a_program_of_the_sdk_sends_what_the_cell_sends(
    platform: str, stream: bool, clouds: Clouds, server: Server
) -> None:
    how: dict[str, Any] = {"provider": platform, "stream": stream, "model": MODEL, "header": {"anthropic-beta": "a-1"}}
    claude("hi é", **how)
    ours = server.last
    program = str(claude("hi é", show="python", **how))
    assert {TOKEN, FOUNDRY_KEY} & {*program.split('"')} == set()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(program, "program", "exec"), {})
    assert printed.getvalue().strip() == "hi"
    theirs = server.last
    assert theirs.json == ours.json
    assert {**facts(theirs), "body": None, "accept": None} == {**facts(ours), "body": None, "accept": None}


@pytest.mark.parametrize(
    ("platform", "credential"),
    [("vertex", "gcloud auth print-access-token"), ("foundry", "$ANTHROPIC_FOUNDRY_API_KEY")],
)
def test_curl_of_a_cloud_asks_the_cloud_s_tools_for_the_credential(
    platform: str, credential: str, clouds: Clouds, server: Server
) -> None:
    program = str(claude("hi", show="curl", provider=platform, model=MODEL))
    assert credential in program
    assert FOUNDRY_KEY not in program
    assert TOKEN not in program


def test_a_deployment_is_sent_instead_of_the_model(clouds: Clouds, server: Server) -> None:
    claude.settings.provider, claude.settings.deployment = "foundry", "our-haiku"
    exchange = claude("hi", model="haiku", stream=False)
    assert server.last.json["model"] == "our-haiku"
    assert (exchange.request.on_wire.body or {})["model"] == "our-haiku"
    assert (exchange.request.body or {})["model"] == MODEL


def test_the_version_that_is_not_chosen_is_the_one_that_vertex_documents(clouds: Clouds, server: Server) -> None:
    claude.settings.provider, claude.settings.api_version = "vertex", "2023-06-01"
    claude("hi", model="claude-sonnet-4-5", stream=False)
    assert server.last.json["anthropic_version"] == "vertex-2023-10-16"
    assert server.last.path.endswith("/claude-sonnet-4-5@20250929:rawPredict")
    assert "anthropic-version" not in server.last.headers


def test_the_price_counts_the_region(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    claude.settings.provider = "vertex"
    regional = claude("hi", model=MODEL, stream=False).usd
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    everywhere = claude("hi", model=MODEL, stream=False).usd
    assert regional is not None
    assert everywhere is not None
    assert regional == pytest.approx(1.1 * everywhere)
    claude.settings.provider = "google-cloud"
    assert claude("hi", model=MODEL, stream=False).usd is None


@pytest.mark.parametrize(
    ("provider", "options", "what"),
    [
        ("vertex", {"web_fetch": True}, "web fetch"),
        ("foundry", {"param": {"speed": "fast"}}, "fast mode"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_sent(
    provider: str, options: dict[str, Any], what: str, clouds: Clouds, server: Server
) -> None:
    claude.settings.provider = provider
    with pytest.raises(Unsupported, match=what):
        claude("hi", model=MODEL, **options)
    assert [request for request in server.received if "token" not in request.path] == []


def test_one_token_is_fetched_for_many_requests_and_renewed_before_it_ends(
    clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude.settings.provider = "vertex"
    results = claude.map([{"n": n} for n in range(20)], "{{n}}", concurrency=10, model=MODEL)
    assert len(results) == 20
    assert clouds.tokens == 1
    now = token.time.time() + clouds.lifetime - 60
    monkeypatch.setattr(token.time, "time", lambda: now)
    clouds.lifetime *= 2
    claude("again", model=MODEL)
    assert clouds.tokens == 2
    assert server.last.headers["authorization"] == f"Bearer {TOKEN}2"


def test_a_token_that_ends_amid_a_table_is_renewed(clouds: Clouds, server: Server) -> None:
    clouds.lifetime = 1  # it has always ended
    claude.settings.provider = "vertex"
    results = claude.map([{"n": n} for n in range(5)], "{{n}}", concurrency=1, model=MODEL)
    assert [*results] == ["hi"] * 5
    assert clouds.tokens >= 5


def test_the_metadata_server_of_a_machine_opens_vertex_and_names_the_project(
    clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.delenv("ANTHROPIC_VERTEX_PROJECT_ID")
    monkeypatch.delenv("NO_GCE_CHECK")
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, f"127.0.0.1:{server.port}")
    claude.settings.provider = "vertex"
    claude("hi", model=MODEL, stream=False)
    assert f"/projects/{PROJECT}/locations/{REGION}/" in server.last.path
    assert server.last.headers["authorization"].startswith(f"Bearer {TOKEN}")


def test_workload_identity_federation_opens_vertex(
    clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "subject").write_text("a-token-of-the-cluster")
    config = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{server.url}/sts",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    (tmp_path / "federation.json").write_text(json.dumps(config))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "federation.json"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)  # else google-auth asks for it, on the network
    claude.settings.provider = "vertex"
    claude("hi", model=MODEL, stream=False)
    assert server.last.headers["authorization"].startswith(f"Bearer {TOKEN}")


ERRORS = [
    (403, "PERMISSION_DENIED", "Permission denied on resource project", r"docs/clouds\.md names in project my-proj"),
    (403, "SERVICE_DISABLED", "Vertex AI API has not been used in project my-proj", "gcloud services enable aiplat"),
    (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "came from a service account"),
    (
        404,
        "NOT_FOUND",
        "Publisher Model was not found",
        "Is the model enabled in Model Garden, and offered in us-east5",
    ),
    (429, "RESOURCE_EXHAUSTED", "Quota exceeded", "The quota of project my-proj"),
    (400, "FAILED_PRECONDITION", "violates an organization policy", "A policy of the organization forbids"),
]


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize(("status", "name", "text", "what"), ERRORS)
def test_errors_of_google_are_one_line_that_says_what_to_do(
    status: int, name: str, text: str, what: str, as_list: bool, clouds: Clouds
) -> None:
    clouds.answer = lambda request: refused(status, name, text, as_list=as_list)
    claude.settings.provider = "vertex"
    with pytest.raises(ClaudeError, match=what) as caught:
        claude("hi", model=MODEL)
    assert f"{name}: {text.rstrip('.')}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "what"),
    [
        (404, "DeploymentNotFound", "has no deployment of this name"),
        (401, "401", r"came from \$ANTHROPIC_FOUNDRY_API_KEY"),
        (429, "RateLimitReached", "The quota of the deployment"),
    ],
)
def test_errors_of_foundry_are_one_line_that_says_what_to_do(status: int, code: str, what: str, clouds: Clouds) -> None:
    headers = (("content-type", "application/json"), ("apim-request-id", "0b1f-apim"))
    body = json.dumps({"error": {"code": code, "message": "Refused."}}).encode()
    clouds.answer = lambda request: Answer(status=status, headers=headers, pieces=[body], framing="length")
    claude.settings.provider = "foundry"
    with pytest.raises(ClaudeError, match=what) as caught:
        claude("hi", model=MODEL)
    assert "apim-request-id 0b1f-apim" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_google_that_gives_no_token_is_one_line(clouds: Clouds, server: Server) -> None:
    clouds.refusal = json_answer({"error": "invalid_grant", "error_description": f"{TOKEN}-secret"}, 400)
    claude.settings.provider = "vertex"
    with pytest.raises(SettingsError, match=r"Google gives no token for a service account \(RefreshError\)") as caught:
        claude("hi", model=MODEL)
    assert TOKEN not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_program_needs_no_token(clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_API_KEY")
    for provider in ("vertex", "google-cloud", "foundry"):
        assert "anthropic.Anthropic" in str(claude("hi", show="python", provider=provider, model=MODEL))
    assert server.received == []


def test_without_credentials_the_line_says_what_to_run(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    claude.settings.provider = "vertex"
    with pytest.raises(SettingsError, match="gcloud auth application-default login"):
        claude("hi", model=MODEL)
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_API_KEY")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")  # the rest of its search asks the network
    claude.settings.provider = "foundry"
    with pytest.raises(SettingsError, match=r"Microsoft Entra gives no token \(.*Run `az login`, or set the key"):
        claude("hi", model=MODEL)
    assert caplog.records == []


def test_the_identity_of_a_machine_at_entra_opens_foundry(
    clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "a-header-of-the-machine")
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_API_KEY")
    claude.settings.provider = "foundry"
    claude("hi", model=MODEL, stream=False)
    assert "resource=https://ai.azure.com" in server.received[0].path
    assert server.last.headers["authorization"] == f"Bearer {TOKEN}1"
    assert not {*KEYS} & {*server.last.headers}


@pytest.mark.parametrize("provider", ["vertex", "foundry"])
def test_a_cell_shows_where_it_went_and_no_credential(
    provider: str, clouds: Clouds, shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    def echo(request: Received) -> Any:
        return reply(str(request.headers), id="msg_1")

    clouds.answer = echo
    shell.run(f"%config Claude.provider = '{provider}'\n%config Claude.journal = ''")
    status = shell.run("%claude")
    ran = shell.run(f"%%claude -m {MODEL}\nhi")
    again = shell.run(
        "import logging; logging.basicConfig(level=1)\nfrom claude_magic import claude\n"
        "for _ in range(1): print(claude.last.request.on_wire.headers, claude.last.headers, repr(claude.last))"
    )
    text = "".join(map(str, (status, ran, again, *capfd.readouterr())))
    assert ran.error is None
    assert TOKEN not in text
    assert FOUNDRY_KEY not in text
    assert "BEGIN PRIVATE KEY" not in text
    assert "Bearer ***" in text if provider == "vertex" else "$ANTHROPIC_FOUNDRY_API_KEY" in text


def test_a_stream_that_ends_early_is_incomplete(clouds: Clouds) -> None:
    pieces = [event(each) for each in [*text_events(["one"])][:-2]]
    clouds.answer = lambda request: Answer(headers=STREAM, pieces=pieces)
    claude.settings.provider = "vertex"
    with pytest.raises(ClaudeError, match="the stream ended early"):
        claude("hi", model=MODEL)
    assert claude.last.message.text == "one"
