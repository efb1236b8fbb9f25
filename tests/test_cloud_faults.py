"""Faults of clouds: what to do about an error, streams that hold what is new or wrong, previews that ask nobody."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import anthropic
import pytest

from claude_magic.api import platforms
from claude_magic.api.accumulator import Accumulator
from claude_magic.api.client import Client
from claude_magic.api.platforms import aws_advice, bedrock, foundry, google_advice
from claude_magic.api.platforms.data import load
from claude_magic.api.platforms.event_stream import as_events
from claude_magic.api.platforms.key import Key
from claude_magic.api.platforms.platform import Refusal
from claude_magic.api.transports.base import ResponseStream
from claude_magic.errors import APIError, StreamError
from claude_magic.settings import Claude
from claude_magic.wire import Exchange, Headers, Request
from tests.aws import chunk, frame, frames
from tests.google import Capture
from tests.notebook_shell import Shell
from tests.server import event, text_events

DATA = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
EVENTS = [*text_events(["Hel", "lo"])]
SENT = Request(method="POST", url="https://x/v1/messages", body={"model": "m", "messages": []})


class Answers:
    """A transport that answers with these chunks."""

    def __init__(self, chunks: list[bytes], headers: Mapping[str, str]) -> None:
        self.response = ResponseStream(
            status=200, headers=Headers(headers.items()), chunks=iter(chunks), close=lambda: None
        )

    def send(self, request: Request) -> ResponseStream:
        """Answers."""
        return self.response


def exchange(chunks: Iterator[bytes] | list[bytes], kind: str = "text/event-stream") -> Exchange:
    transport = Answers([*chunks], {"content-type": kind})
    return Client(transport=transport, credential=None).stream(SENT, Accumulator(SENT))


def of_frames(pieces: list[bytes]) -> Exchange:
    return exchange(as_events(iter(pieces)))


# What is in a stream


def coded(text: str) -> bytes:
    return frame(json.dumps({"bytes": base64.b64encode(text.encode()).decode()}).encode(), DATA)


@pytest.mark.parametrize(
    "odd",
    [
        frame(b"", DATA),
        frame(b'{"bytes":null}', DATA),
        frame(b'{"bytes":"","p":"abc"}', DATA),
        frame(b"{}", {**DATA, ":event-type": "initial-response"}),
        frame(b"", {**DATA, ":event-type": "initial-response"}),
        coded('{"amazon-bedrock-invocationMetrics":{"inputTokenCount":8}}'),
        coded("null"),
    ],
)
def test_a_frame_without_content_changes_nothing(odd: bytes) -> None:
    whole = frames("Hel", "lo")
    found = of_frames([*whole[:5], odd, *whole[5:]])
    assert (found.error, found.message.text, found.notes) == (None, "Hello", ())


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (frame(b'{"x":1}', {**DATA, ":event-type": "somethingNew"}), "somethingNew"),
        (chunk({"type": "something_new"}), "something_new"),
        (coded("[1]"), "chunk"),
        (coded('"x"'), "chunk"),
        (coded('{"type":null,"x":1}'), "chunk"),
    ],
)
def test_a_frame_of_a_new_kind_is_left_out_and_said(odd: bytes, name: str) -> None:
    whole = frames("Hel", "lo")
    found = of_frames([*whole[:5], odd, *whole[5:]])
    assert (found.error, found.message.text) == (None, "Hello")
    assert found.notes == (f"left out: {name!r}, of an unknown kind. It is in claude.last.events.",)


def test_what_the_model_said_of_its_failure_is_told() -> None:
    headers = {":exception-type": "modelStreamErrorException", ":message-type": "exception"}
    body = json.dumps({"message": "It broke.", "originalMessage": "out of memory"}).encode()
    found = of_frames([*frames("Hel", "lo")[:4], frame(body, headers)])
    assert isinstance(found.error, APIError)
    assert "modelStreamErrorException: It broke.: out of memory" in str(found.error)
    assert found.message.text == "Hel"


@pytest.mark.parametrize(("kind", "read"), [("", True), ("application/octet-stream", True), ("text/plain", False)])
def test_frames_of_which_a_gateway_does_not_say_that_they_are_frames_are_read(kind: str, read: bool) -> None:
    answer = Answers(frames("Hello"), {"content-type": kind} if kind else {}).response
    assert (bedrock.read(answer) is not answer) == read
    other = Answers([b'{"type"', b":1}"], {"content-type": kind} if kind else {}).response
    assert b"".join(bedrock.read(other).chunks) == b'{"type":1}'


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (b'{"error":{"code":500,"message":"It broke","status":"INTERNAL"}}', "INTERNAL: It broke"),
        (b'[{"error":{"code":429,"message":"Slow","status":"RESOURCE_EXHAUSTED"}}]\n', "RESOURCE_EXHAUSTED: Slow"),
        (b'\r\n{\r\n  "message": "Internal server error"\r\n}\r\n\r\n', "Internal server error"),
        (b'data: [{"error":{"code":429,"message":"Slow","status":"RESOURCE_EXHAUSTED"}}]\n\n', "RESOURCE_EXHAUSTED"),
    ],
)
def test_an_error_that_is_written_after_the_events_as_plain_json_is_the_error(end: bytes, said: str) -> None:
    found = exchange([*map(event, EVENTS[:4]), end])
    assert isinstance(found.error, APIError)
    assert said in str(found.error)
    assert "inside the stream" in str(found.error)
    assert found.message.text == "Hel"


@pytest.mark.parametrize("end", [b'{"error": {', b'{"usage": 1}', b"[1, 2]", b"{", b'data: {"type":'])
def test_other_rests_of_a_stream_are_an_early_end(end: bytes) -> None:
    found = exchange([*map(event, EVENTS[:4]), end])
    assert isinstance(found.error, StreamError)
    assert "ended early" in str(found.error)


def test_events_that_are_no_objects_are_said() -> None:
    found = exchange([*map(event, EVENTS[:4]), b"data: null\n\ndata: [1]\n\n", *map(event, EVENTS[4:])])
    assert (found.error, found.message.text) == (None, "Hello")
    assert found.notes == ("left out: '[1]', of an unknown kind. It is in claude.last.events.",)


def test_an_empty_event_that_keeps_the_connection_alive_is_none() -> None:
    found = exchange([*map(event, EVENTS[:4]), b'data: {}\n\ndata: []\n\ndata: ""\n\n', *map(event, EVENTS[4:])])
    assert (found.error, found.message.text, found.notes) == (None, "Hello", ())


@pytest.mark.parametrize("block", [{"text": "Hello"}, {"type": None, "text": "Hello"}])
def test_a_block_without_a_type_is_text_in_an_answer_that_is_not_streamed_too(block: dict[str, Any]) -> None:
    body = {"type": "message", "role": "assistant", "content": [block], "stop_reason": "end_turn"}
    assert exchange([json.dumps(body).encode()], "application/json").message.text == "Hello"


# What to do about an error

KEY = Key(source="$AWS_BEARER_TOKEN_BEDROCK", names=(), secrets=())
ROLE = Key(source="the role of the instance", names=(), secrets=())
ENVIRONMENT = Key(source="the environment variables of AWS", names=(), secrets=())


def of_aws(status: int, kind: str, text: str, credential: Key = ROLE, model: str = "us.anthropic.claude-x") -> str:
    refusal = Refusal(status=status, kind=kind, message=text, model=model, credential=credential)
    return aws_advice.advice(refusal, load("bedrock"), "us-east-1") or ""


def test_a_clock_that_is_wrong_is_told_from_other_refusals() -> None:
    skewed = "The difference between the request time and the current time is too large."
    for kind, text in (
        ("RequestTimeTooSkewed", ""),
        ("", skewed),
        ("InvalidSignatureException", "Signature expired: 1"),
    ):
        assert "clock of this machine" in of_aws(403, kind, text)


def test_the_route_to_try_replaces_the_one_that_was_refused() -> None:
    text = "Invocation of model ID us.anthropic.claude-x with on-demand throughput isn't supported."
    for model in (
        "us.anthropic.claude-x",
        "us-gov.anthropic.claude-x",
        "arn:aws:bedrock:r::inference-profile/anthropic.claude-x",
    ):
        assert "-m global.anthropic.claude-x or us.anthropic.claude-x or" in of_aws(400, "", text, model=model)


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (KEY, "Make a new key in the console, and set it."),
        (ENVIRONMENT, "Set new ones there, or remove them and sign in, such as with `aws sso login`."),
        (ROLE, "Renew them, such as with `aws sso login`."),
    ],
)
def test_what_has_ended_is_renewed_where_it_comes_from(credential: Key, said: str) -> None:
    for status, kind, text in (
        (403, "ExpiredTokenException", ""),
        (200, "expiredTokenException", ""),
        (403, "", "Bearer Token has expired"),
    ):
        assert of_aws(status, kind, text, credential) == (
            f"The credentials have ended; they came from {credential.source}. {said}"
        )


@pytest.mark.parametrize(
    ("status", "kind", "text", "said"),
    [
        (401, "", "Invalid API Key format: Must start with pre-defined prefix", "does not accept the credentials"),
        (403, "IncompleteSignatureException", "Credential must have 5 elements", "does not accept the credentials"),
        (403, "MissingAuthenticationTokenException", "Missing Authentication Token", "does not accept the credentials"),
        (403, "AccessDeniedException", "denied due to INVALID_PAYMENT_INSTRUMENT: A valid", "billing console"),
        (404, "ResourceNotFoundException", "Model use case details have not been submitted", "form"),
        (404, "ResourceNotFoundException", "This model version has reached the end of its life.", "newer model"),
        (429, "ModelNotReadyException", "Model is not ready for inference.", "not ready yet"),
        (424, "ModelErrorException", "The model returned an error", "try again"),
        (200, "modelStreamErrorException", "It broke", "try again"),
        (200, "accessDeniedException", "no", "docs/clouds.md"),
    ],
)
def test_errors_of_aws_that_look_like_others(status: int, kind: str, text: str, said: str) -> None:
    assert said in of_aws(status, kind, text)


@pytest.mark.parametrize(
    ("provider", "region", "status", "kind", "text", "said", "unsaid"),
    [
        ("vertex", "global", 404, "NOT_FOUND", "Publisher Model x was not found", "Model Garden", "has most of them"),
        ("vertex", "us-east5", 404, "NOT_FOUND", "Publisher Model x was not found", "has most of them", "models`"),
        ("google-cloud", "global", 404, "NOT_FOUND", "model: x", "`claude.models`", "Model Garden"),
        ("google-cloud", "global", 403, "PERMISSION_DENIED", "denied", "docs/clouds.md", "Model Garden"),
        ("vertex", "eu", 400, "FAILED_PRECONDITION", "not allowed to use Publisher Model x", "Model Garden", "policy"),
        ("vertex", "eu", 403, "PERMISSION_DENIED", "requires billing to be enabled", "Turn on billing", "clouds.md"),
        ("vertex", "eu", 403, "PERMISSION_DENIED", "requires a quota project", "set-quota-project my-p", "clouds.md"),
    ],
)
def test_errors_of_google_that_look_like_others(
    provider: str, region: str, status: int, kind: str, text: str, said: str, unsaid: str
) -> None:
    refusal = Refusal(status=status, kind=kind, message=text, model="x", credential=ROLE)
    advice = google_advice.advice(refusal, load(provider), "my-p", region) or ""
    assert (said in advice, unsaid in advice) == (True, False)


def test_a_resource_of_foundry_in_a_network_of_its_own_is_no_matter_of_a_role() -> None:
    text = "Public access is disabled. Please configure private endpoint."
    refusal = Refusal(status=403, kind="403", message=text, model="x", credential=KEY)
    advice = foundry._advice(refusal, "my-res") or ""
    assert ("network of its own" in advice, "role" in advice) == (True, False)


@pytest.mark.parametrize(
    ("status", "kind", "text", "headers", "said"),
    [
        (429, "ThrottlingException", "Too many", {"retry-after": "7"}, r"\(in 7 s\)\. The quota of the account"),
        (429, "ThrottlingException", "Too many", {}, r"\)\. The quota of the account"),
        (529, "overloaded_error", "Overloaded", {}, "The platform is overloaded"),
        (503, "", "no", {}, "The platform is unavailable"),
        (413, "request_too_large", "large", {}, "at most 20 MB there"),
        (200, "rate_limit_error", "slow", {}, "The quota for this model"),
    ],
)
def test_every_cloud_says_when_to_try_again_and_names_itself(
    status: int, kind: str, text: str, headers: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claude_magic.api.error_responses import response_error

    monkeypatch.setenv("AWS_REGION", "us-east-1")
    body = json.dumps({"error": {"type": kind, "message": text}}).encode()
    answer = ResponseStream(status=status, headers=Headers(headers.items()), chunks=iter([body]), close=lambda: None)
    error = response_error(answer, model="m", credential=None, platform=platforms.find(Claude(provider="bedrock")))
    assert "the API" not in str(error)
    with pytest.raises(APIError, match=said):
        raise error


# Names of models


@pytest.mark.parametrize("model", ["claude-x@20260101", "a&b=c", "a+b", "a,b$c!'()*", "a;b", "a b/c?d#e%2F"])
def test_a_name_stands_in_the_path_of_vertex_as_the_sdk_writes_it(model: str) -> None:
    capture = Capture()
    client = anthropic.AnthropicVertex(
        region="eu", project_id="p", access_token="t", http_client=capture.client, max_retries=0
    )
    with pytest.raises(anthropic.APIStatusError):
        client.messages.create(model=model, max_tokens=1, messages=[{"role": "user", "content": "hi"}])
    platform = platforms.find(Claude(provider="vertex", region="eu", project="p"))
    assert platform is not None
    body: dict[str, Any] = {"model": model, "messages": [], "max_tokens": 1}
    ours = platform.address(Request(method="POST", url=f"{platform.base_url}/v1/messages", body=body))
    assert ours.on_wire.url == str(capture.last.url)


def test_a_profile_of_the_government_s_regions_gets_the_version_of_its_model() -> None:
    data = load("bedrock")
    assert data.api_name("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0") == "claude-sonnet-4-5"
    assert data.price_factor("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", {}) is None


# Previews ask nobody


@pytest.fixture
def no_search(shell: Shell, only_loopback: list[object], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Without settings; whoever asks the machine's metadata servers leaves loopback, and fails the test."""
    monkeypatch.delenv("NO_GCE_CHECK")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    return shell


@pytest.mark.parametrize(
    ("provider", "names"),
    [
        ("bedrock", "REGION must be filled in: Claude.region is not set."),
        ("aws", "REGION must be filled in: Claude.region is not set."),
        ("vertex", "REGION and PROJECT must be filled in: Claude.region, Claude.project are not set."),
        ("google-cloud", "PROJECT and WORKSPACE must be filled in: Claude.project, Claude.workspace are not set."),
        ("foundry", "RESOURCE must be filled in: Claude.resource is not set."),
    ],
)
def test_a_program_says_which_settings_are_missing(provider: str, names: str, no_search: Shell) -> None:
    for language, comment in (("python", "#"), ("curl", "#"), ("requests", "#")):
        ran = no_search.run(f"%%claude --provider {provider} --show {language}\nhi")
        assert ran.error is None
        assert ran.text.startswith(f"{comment} {names}\n")


def test_a_program_of_a_cloud_whose_settings_are_there_looks_for_no_credentials(no_search: Shell) -> None:
    no_search.run("%config Claude.region = 'eu-west-1'\n%config Claude.project = 'p'\n%config Claude.workspace = 'w'")
    for provider in ("bedrock", "aws", "vertex", "google-cloud"):
        ran = no_search.run(f"%%claude --provider {provider} --show curl\nhi")
        assert ran.error is None
        assert "filled in" not in ran.text
    assert "ANTHROPIC_API_KEY" not in no_search.run("%claude --provider aws --get /v1/models --show curl").text


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("bedrock", "no AWS region"),
        ("vertex", "no project: Vertex AI needs one, and $ANTHROPIC_VERTEX_PROJECT_ID is empty."),
        ("google-cloud", "no project: Claude on Google Cloud needs one"),
    ],
)
def test_a_preview_names_the_setting_that_is_missing(
    provider: str, said: str, no_search: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    ran = no_search.run(f"%%claude --provider {provider} --preview\nhi")
    assert ran.error is not None
    assert said in ran.error[1]


def test_a_preview_where_nothing_is_counted_looks_for_no_credentials(no_search: Shell) -> None:
    no_search.run("%config Claude.region = 'eu-west-1'")
    ran = no_search.run("%%claude --provider bedrock --preview\nhi")
    assert ran.error is None
    assert "Amazon Bedrock has no count of tokens" in ran.text
