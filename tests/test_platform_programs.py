"""Programs for the clouds: those of Python are run against a server on loopback, and send what the cell sends."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic import claude
from claude_magic.errors import CellError
from claude_magic.export.platforms import CLIENTS
from claude_magic.settings import PLATFORMS
from tests.aws import ACCESS_KEY, BASE_URLS, SECRET_KEY, SERVICES, frames, signature, streamed
from tests.notebook_shell import forget
from tests.server import Received, Server, reply, whole

pytestmark = pytest.mark.usefixtures("only_loopback")

AWS = [*BASE_URLS]


@pytest.fixture
def aws(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Where all three are, with credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_AWS_WORKSPACE_ID", "wrkspc_01")
    for name in BASE_URLS.values():
        monkeypatch.setenv(name, server.url)
    server.strict = False
    server.respond = answer
    claude.settings.journal = ""
    claude.settings.model = "opus"
    yield server
    forget()


def answer(request: Received) -> Any:
    if request.path.endswith("-stream"):
        return streamed(frames("Grüße"))
    return reply("Grüße") if b'"stream": true' in request.body or b'"stream":true' in request.body else whole("Grüße")


def run(program: str) -> str:
    """What a program of Python prints."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(program, "program", "exec"), {})
    return said.getvalue().strip()


def meaning(request: Received) -> Any:
    """What has to be the same; the order of fields is the SDK's own."""
    names = ("anthropic-version", "anthropic-beta", "anthropic-workspace-id")
    return request.method, request.path, json.loads(request.body), {name: request.headers.get(name) for name in names}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("language", ["python", "requests"])
@pytest.mark.parametrize("platform", AWS)
def test_a_program_of_python_sends_what_the_cell_sends(platform: str, language: str, stream: bool, aws: Server) -> None:
    how: dict[str, Any] = {
        "provider": platform,
        "stream": stream,
        "header": {"anthropic-beta": "a-1"},
        "system": "Be brief.",
    }
    claude("hi é", **how)
    ours = aws.last
    program = str(claude("hi é", show=language, **how))
    assert SECRET_KEY not in program
    assert run(program) == "Grüße"
    assert meaning(aws.last) == meaning(ours)
    assert aws.last.headers["authorization"] == signature(aws.last, SERVICES[platform])


@pytest.mark.parametrize("platform", AWS)
def test_a_model_of_old_gets_its_own_version_from_a_program_too(platform: str, aws: Server) -> None:
    how: dict[str, Any] = {"provider": platform, "model": "anthropic.claude-sonnet-4-5-20250929-v1:0"}
    claude("hi", **how)
    ours = aws.last
    assert run(str(claude("hi", show="python", **how))) == "Grüße"
    assert meaning(aws.last) == meaning(ours)


def test_a_key_of_bedrock_is_read_from_its_own_variable(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-aws-0123456789")
    for language in ("python", "requests"):
        program = str(claude("hi", show=language, provider="bedrock", stream=False))
        assert "ANTHROPIC" not in program
        assert run(program) == "Grüße"
        assert aws.last.headers["authorization"] == "Bearer a-key-of-aws-0123456789"
    assert '"Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK"' in str(
        claude("hi", show="curl", provider="bedrock")
    ).replace("authorization", "Authorization")


def test_the_region_and_the_profile_are_the_cell_s(aws: Server) -> None:
    claude.settings.region = "eu-west-1"
    program = str(claude("hi", show="python", provider="aws"))
    assert 'anthropic.AnthropicAWS(\n    aws_region="eu-west-1",\n    workspace_id="wrkspc_01",' in program


def test_a_program_without_a_workspace_says_what_it_needs(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_AWS_WORKSPACE_ID")
    program = str(claude("hi", show="curl", provider="aws"))
    assert program.startswith("# It needs the header anthropic-workspace-id too")


def test_without_credentials_a_program_signs_all_the_same(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    program = str(claude("hi", show="curl", provider="bedrock"))
    assert '--aws-sigv4 "aws:amz:us-east-1:bedrock"' in program
    assert "ANTHROPIC_API_KEY" not in program


def test_another_endpoint_of_claude_platform_on_aws(aws: Server) -> None:
    claude.settings.provider = "aws"
    claude.request("POST", "/v1/messages/count_tokens", json={"model": "x", "messages": []})
    assert claude.last is not None
    program = str(claude.last.code("python"))
    assert "anthropic.AnthropicAWS(" in program
    assert "client.messages.count_tokens(" in program


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("bedrock", 'import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";'),
        ("bedrock-mantle", 'import { AnthropicBedrockMantle } from "@anthropic-ai/bedrock-sdk";'),
        ("aws", 'import AnthropicAws from "@anthropic-ai/aws-sdk";'),
    ],
)
def test_typescript_has_the_client_of_the_platform(platform: str, expected: str, aws: Server) -> None:
    program = str(claude("hi", show="typescript", provider=platform))
    assert expected in program
    assert 'awsRegion: "us-east-1"' in program


def test_what_no_sdk_has_is_one_line(aws: Server) -> None:
    with pytest.raises(CellError, match="no OpenAI program: bedrock has no endpoint of that kind"):
        claude("hi", show="openai", provider="bedrock")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_a_client_that_the_sdk_has(platform: str) -> None:
    import inspect

    import anthropic

    known = CLIENTS[platform]
    arguments = inspect.signature(getattr(anthropic, known.python)).parameters
    assert set(known.arguments.values()) <= set(arguments)


@pytest.mark.process
@pytest.mark.parametrize("platform", AWS)
def test_curl_signs_for_aws(platform: str, aws: Server) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("NO CURL on this machine: its signature is not checked in this run")
    claude("hi", provider=platform, stream=False)
    ours = aws.last
    program = str(claude("hi", show="curl", provider=platform, stream=False))
    assert "--aws-sigv4" in program
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=120)
    assert "Grüße" in json.loads(done.stdout)["content"][0]["text"]
    assert meaning(aws.last) == meaning(ours)
    assert aws.last.headers["authorization"].replace(", ", ",") == signature(aws.last, SERVICES[platform]).replace(
        ", ", ","
    )
