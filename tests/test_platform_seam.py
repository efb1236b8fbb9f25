"""Settings, options and errors that all clouds share; nothing is signed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_magic.api import platforms
from claude_magic.api.credentials import Credential, Secret
from claude_magic.api.platforms.data import load
from claude_magic.api.platforms.features import FEATURES
from claude_magic.api.provider import Provider
from claude_magic.errors import SettingsError, Unsupported
from claude_magic.session.provider import base_url
from claude_magic.settings import PLATFORMS, Claude, InvalidSetting
from claude_magic.wire import Headers, Request
from claude_magic.wire.headers import holds_credential, request_id
from tests.notebook_shell import Shell

pytestmark = pytest.mark.usefixtures("only_loopback")

NAMES = [name for name in PLATFORMS if platforms.data_of(name) is not None]
PROJECT = """
[tool.claude-magic.profiles.work]
provider = "bedrock"
region = "eu-west-1"
"""


@pytest.mark.parametrize("name", NAMES)
def test_each_fact_of_a_platform_has_a_source_and_a_known_name(name: str) -> None:
    data = load(name)
    assert data.as_of >= "2026-11-01"
    assert set(data.lacks) <= set(FEATURES)
    for entry in (*data.models.values(), *data.lacks.values()):
        assert entry["source"]


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_offline_needs_no_settings(name: str) -> None:
    assert base_url(Claude(provider=name)).startswith("https://")


def test_a_region_is_no_way_to_another_host() -> None:
    for value in ("evil.example/", "us-east-1.evil.example", "a b", "@evil", "us/../x"):
        with pytest.raises(InvalidSetting, match="must be one name"):
            Claude().region = value


@pytest.mark.parametrize("value", ["evil.example/x", "a b"])
def test_a_region_of_the_environment_is_checked_too(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", value)
    with pytest.raises(SettingsError, match="not an AWS region"):
        platforms.find(Claude(provider="bedrock"))


def test_a_profile_of_the_project_may_choose_a_cloud_and_the_file_alone_may_not(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT)
    settings, sources = Claude().effective("work")
    assert (settings.provider, settings.region, sources["region"]) == ("bedrock", "eu-west-1", "profile work")
    for line in ("provider = 'bedrock'", "region = 'x'", "aws_profile = 'x'"):
        path.write_text(f"[tool.claude-magic]\n{line}\n")
        with pytest.raises(SettingsError, match="must not decide where your key is sent"):
            Claude().effective()
    path.write_text("[tool.claude-magic.profiles.work]\nresource = 'evil'\n")
    with pytest.raises(SettingsError, match="must not decide where your key is sent"):
        Claude().effective("work")


def test_the_option_counts_more_than_the_profile_and_the_setting(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    settings, sources = Claude(provider="local").effective("work", "anthropic")
    assert (settings.provider, sources["provider"]) == ("anthropic", "--provider")


def test_what_a_platform_lacks_is_one_line_and_nothing_is_sent(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-bedrock")
    shell.run("%config Claude.provider = 'bedrock'\n%config Claude.region = 'us-east-1'")
    ran = shell.run("%claude --get /v1/models")
    assert ran.error is not None
    assert "Amazon Bedrock has no list of models (as of 2026" in ran.error[1]
    assert "Nothing was sent." in ran.error[1]


def test_a_request_for_a_platform_is_shown_in_its_form() -> None:
    settings = Claude(provider="bedrock", region="us-east-1")
    platform = platforms.find(settings)
    assert platform is not None
    key = Credential(source="a test", secret=Secret("x" * 20), bearer=True, display_value="$AWS_BEARER_TOKEN_BEDROCK")
    provider = Provider(base_url=platform.base_url, credential=key, platform=platform)
    request = provider.address(
        Request(
            method="POST",
            url=f"{platform.base_url}/v1/messages",
            headers=Headers([("anthropic-version", "2023-06-01")]),
            body={"model": "us.anthropic.claude-x", "max_tokens": 5, "messages": [], "stream": True},
        )
    )
    assert request.endpoint == "/v1/messages"
    assert request.on_wire.url == (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-x/invoke-with-response-stream"
    )
    assert dict(request.on_wire.headers) == {"authorization": "Bearer $AWS_BEARER_TOKEN_BEDROCK"}
    assert [*(request.on_wire.body or {})] == ["max_tokens", "messages", "anthropic_version"]


def test_the_order_of_request_ids_begins_with_the_api_s_own() -> None:
    headers = Headers([("X-Amzn-RequestId", "amazon")])
    assert request_id(headers) == ("x-amzn-requestid", "amazon")
    assert request_id(Headers([*headers.items(), ("request-id", "req_1")])) == ("request-id", "req_1")
    assert request_id(Headers()) is None


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("AWS4-HMAC-SHA256 Credential=***/us-east-1/bedrock/aws4_request, Signature=***", False),
        ("Bearer ***", False),
        ("Bearer ***x", True),
        ("AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request, Signature=ab", True),
    ],
)
def test_only_placeholders_of_a_signature_are_shown(value: str, holds: bool) -> None:
    assert holds_credential("Authorization", value) is holds


def test_unsupported_is_both_a_cell_that_cannot_be_sent_and_an_answer_that_cannot_be_had() -> None:
    from claude_magic.errors import CellError, ExchangeError

    assert issubclass(Unsupported, CellError)
    assert issubclass(Unsupported, ExchangeError)
