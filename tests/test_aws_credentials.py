"""Credentials come through botocore itself, from small servers on loopback, files and processes; nothing is mocked."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from claude_magic import claude
from claude_magic.errors import APIError, SettingsError, Unsupported
from tests.aws import ACCESS_KEY, SECRET_KEY, frames, refused, signature, streamed
from tests.notebook_shell import forget
from tests.server import JSON, Answer, Received, Server, whole

pytestmark = pytest.mark.usefixtures("only_loopback")

ROLE_KEY, ROLE_SECRET, ROLE_TOKEN = "ASIAROLE", "role-secret-0123456789abcdef0123456789abcd", "role-token-0123456789"


@pytest.fixture
def bedrock(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Where Bedrock is; no credentials are anywhere."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the-ordinary-key-of-the-api")
    server.strict = False
    server.answers(streamed(frames("hi")))
    claude.settings.provider = "bedrock"
    claude.settings.max_retries = 0
    claude.settings.journal = ""
    yield server
    forget()


@pytest.fixture
def identity() -> Iterator[Server]:
    """A server that gives credentials; the test says how."""
    made = Server()
    made.strict = False
    yield made
    made.close()


def later(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def role_json(key: str = ROLE_KEY, seconds: float = 3600) -> dict[str, str]:
    names = {"AccessKeyId": key, "SecretAccessKey": ROLE_SECRET, "Token": ROLE_TOKEN, "Expiration": later(seconds)}
    return {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": later(-5), **names}


def as_json(value: Any) -> Answer:
    return Answer(headers=JSON[:1], pieces=[json.dumps(value).encode()], framing="length")


def as_text(value: str, kind: str = "text/plain") -> Answer:
    return Answer(headers=[("content-type", kind)], pieces=[value.encode()], framing="length")


def metadata(request: Received) -> Answer:
    """The metadata service of an instance."""
    if request.method == "PUT":
        return as_text("a-token-of-the-metadata-service")
    assert request.headers["x-aws-ec2-metadata-token"] == "a-token-of-the-metadata-service"
    return as_json(role_json()) if request.path.endswith("/teaching") else as_text("teaching")


def sts(request: Received) -> Answer:
    """STS, asked to assume a role."""
    assert b"Action=AssumeRole" in request.body
    names = {"AccessKeyId": ROLE_KEY, "SecretAccessKey": ROLE_SECRET, "SessionToken": ROLE_TOKEN}
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in {**names, "Expiration": later(3600)}.items())
    return as_text(
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"{fields}</Credentials></AssumeRoleResult></AssumeRoleResponse>",
        "text/xml",
    )


def files(config: str = "", credentials: str = "") -> None:
    """The files of AWS in the home folder."""
    folder = Path.home() / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text(textwrap.dedent(config))
    (folder / "credentials").write_text(textwrap.dedent(credentials))


KEYS = f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"


def used() -> str:
    """The access key that the last request is signed with, after one question; and what `%claude` says of it."""
    from claude_magic.magics.status import card

    assert claude("hi").text == "hi"
    said = card(claude)
    assert SECRET_KEY not in said
    assert ROLE_SECRET not in said
    assert ROLE_TOKEN not in said
    return next(line for line in said.splitlines() if line.startswith("key")).removeprefix("key").strip()


def key_of(request: Received) -> str:
    return request.headers["authorization"].partition("Credential=")[2].partition("/")[0]


def test_the_environment(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    assert used() == "from the environment variables of AWS"
    assert bedrock.last.headers["authorization"] == signature(bedrock.last, "bedrock")


def test_the_files_and_a_profile_in_them(bedrock: Server) -> None:
    files(credentials=KEYS + f"[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = {SECRET_KEY}\n")
    assert used() == "from the AWS credentials file, profile default"
    assert key_of(bedrock.last) == ACCESS_KEY
    claude.settings.aws_profile = "work"
    assert used() == "from the AWS credentials file, profile work"
    assert key_of(bedrock.last) == "AKIAWORK"


def test_files_that_change_are_read_again(bedrock: Server) -> None:
    files(credentials=KEYS)
    claude("hi")
    files(credentials=KEYS.replace(ACCESS_KEY, "AKIANEWER"))
    claude("hi")
    assert key_of(bedrock.last) == "AKIANEWER"


def test_a_profile_that_is_set_counts_more_than_a_key(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-aws-0123456789")
    files(credentials=KEYS)
    assert used() == "from $AWS_BEARER_TOKEN_BEDROCK"
    claude.settings.aws_profile = "default"
    assert used() == "from the AWS credentials file, profile default"


def test_the_region_of_the_files(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    files(config="[default]\nregion = eu-north-1\n", credentials=KEYS)
    claude("hi")
    assert "/eu-north-1/bedrock/" in bedrock.last.headers["authorization"]
    files(credentials=KEYS)
    with pytest.raises(SettingsError, match=r"no AWS region: \$AWS_REGION is empty"):
        claude("hi")


def test_the_role_of_an_instance(bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", identity.url)
    monkeypatch.setattr(identity, "respond", metadata)
    assert used() == "from the role of the instance"
    assert key_of(bedrock.last) == ROLE_KEY
    assert bedrock.last.headers["x-amz-security-token"] == ROLE_TOKEN


def test_the_role_of_a_container(bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{identity.url}/creds")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token-of-the-container")
    identity.answers(as_json(role_json()))
    assert used() == "from the role of the container"
    assert identity.last.headers["authorization"] == "a-token-of-the-container"
    assert key_of(bedrock.last) == ROLE_KEY


def test_a_role_that_is_assumed(bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", identity.url)
    monkeypatch.setattr(identity, "respond", sts)
    role = "role_arn = arn:aws:iam::123456789012:role/teaching\nsource_profile = default\n"
    files(config=f"[profile lab]\n{role}", credentials=KEYS)
    claude.settings.aws_profile = "lab"
    assert used() == "from a role that is assumed, profile lab"
    assert key_of(bedrock.last) == ROLE_KEY
    assert key_of(identity.last) == ACCESS_KEY


def test_a_role_that_may_not_be_assumed_is_one_line(
    bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", identity.url)
    text = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    answer = Answer(status=403, headers=[("content-type", "text/xml")], pieces=[text.encode()], framing="length")
    identity.answers(answer)
    role = "role_arn = arn:aws:iam::123456789012:role/teaching\nsource_profile = default\n"
    files(config=f"[profile lab]\n{role}", credentials=KEYS)
    claude.settings.aws_profile = "lab"
    with pytest.raises(SettingsError, match=r"AWS refused them \(AccessDenied\)\. Look at the role"):
        claude("hi")
    assert bedrock.received == []


@pytest.mark.process
def test_a_process_that_gives_them(bedrock: Server, tmp_path: Path) -> None:
    given = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": ROLE_SECRET}
    script = tmp_path / "give.py"
    script.write_text(f"print({json.dumps(json.dumps(given))})")
    files(config=f"[default]\ncredential_process = {sys.executable} {script}\n")
    assert used() == "from credential_process of the AWS config file, profile default"
    assert key_of(bedrock.last) == "AKIAPROCESS"


@pytest.mark.process
def test_a_process_that_fails_is_one_line_without_its_output(bedrock: Server, tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text("import sys; sys.exit('a-secret-in-the-output')")
    files(config=f"[default]\ncredential_process = {sys.executable} {script}\n")
    with pytest.raises(SettingsError, match="CredentialRetrievalError") as caught:
        claude("hi")
    assert "a-secret-in-the-output" not in str(caught.value)


def test_nothing_found_says_what_to_do_and_the_ordinary_key_does_not_go_there(bedrock: Server) -> None:
    with pytest.raises(SettingsError, match=r"no AWS credentials: \$AWS_BEARER_TOKEN_BEDROCK is empty") as caught:
        claude("hi")
    assert "`aws configure` or `aws sso login`" in str(caught.value)
    assert bedrock.received == []


def test_a_profile_that_is_not_there_is_one_line(bedrock: Server) -> None:
    files(credentials=KEYS)
    claude.settings.aws_profile = "nobody"
    with pytest.raises(SettingsError, match=r"no such profile in the AWS files\. Look at Claude\.aws_profile"):
        claude("hi")


def test_a_sign_in_that_has_ended_names_the_command(bedrock: Server) -> None:
    files(
        config="""\
        [profile lab]
        sso_session = school
        sso_account_id = 123456789012
        sso_role_name = student
        [sso-session school]
        sso_region = us-east-1
        sso_start_url = https://school.awsapps.com/start
        """
    )
    claude.settings.aws_profile = "lab"
    with pytest.raises(SettingsError, match=r"Run `aws sso login`"):
        claude("hi")


def test_many_requests_at_once_fetch_the_credentials_once(
    bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{identity.url}/creds")
    identity.answers(as_json(role_json()))
    bedrock.answers(whole("hi"))
    claude.map([f"question {number}" for number in range(20)], concurrency=8)
    assert len(bedrock.received) == 20
    assert len(identity.received) == 1


def test_credentials_that_end_are_renewed_in_the_middle_of_a_map(
    bedrock: Server, identity: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{identity.url}/creds")

    def answer(request: Received) -> Answer:
        """Credentials that are about to end, until two of the six rows are answered."""
        ending = len(bedrock.received) < 2
        return as_json(role_json("ASIAFIRST", 300) if ending else role_json("ASIASECOND", 36_000))

    monkeypatch.setattr(identity, "respond", answer)
    bedrock.answers(whole("hi"))
    claude.map([f"question {number}" for number in range(6)], concurrency=1)
    assert [key_of(each) for each in bedrock.received] == ["ASIAFIRST"] * 2 + ["ASIASECOND"] * 4


def test_each_try_is_signed_anew(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.auth

    moments = iter(datetime(2026, 1, 1, 0, 0, second, tzinfo=timezone.utc) for second in range(9))
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: next(moments))
    files(credentials=KEYS)
    claude.settings.max_retries = 1
    throttled = refused(429, "ThrottlingException", "Too many requests")
    wait = ("retry-after-ms", "1")
    bedrock.answers(Answer(status=429, headers=[*throttled.headers, wait], pieces=throttled.pieces), whole("hi"))
    assert claude("hi").text == "hi"
    first, second = bedrock.received
    assert (first.headers["x-amz-date"], second.headers["x-amz-date"]) == ("20260101T000000Z", "20260101T000001Z")
    assert first.headers["authorization"] != second.headers["authorization"]


@pytest.mark.parametrize(
    ("status", "kind", "text", "advice"),
    [
        (
            403,
            "InvalidSignatureException",
            "Signature not yet current: 20260101T1 is still later than 20260101T0",
            "clock",
        ),
        (403, "InvalidSignatureException", "Signature expired: 20260101T0 is now earlier than 20260101T1", "clock"),
        (403, "ExpiredTokenException", "The security token included in the request is expired", "`aws sso login`"),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", "check both"),
        (
            *(
                403,
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel",
            ),
            "docs/clouds.md",
        ),
        (
            *(403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
            "Enable the model for the account",
        ),
        (
            *(400, "ValidationException"),
            "Invocation of model ID anthropic.claude-opus-5-5 with on-demand throughput isn\u2019t supported.",
            "-m global.anthropic.claude-x or us.anthropic.claude-x",
        ),
        (400, "ValidationException", "The provided model identifier is invalid.", "Region us-east-1 may not have"),
        (404, "ResourceNotFoundException", "Could not resolve the foundation model", "Region us-east-1 may not have"),
        (429, "ThrottlingException", "Too many requests, please wait before trying again.", "Service Quotas"),
        (424, "ModelErrorException", "The model returned an error.", ""),
        (503, "ServiceUnavailableException", "Bedrock is unable to process your request.", "unavailable"),
    ],
)
@pytest.mark.parametrize("name", ["message", "Message"])
def test_an_error_of_aws_is_one_line_that_says_what_to_do(
    name: str, status: int, kind: str, text: str, advice: str, bedrock: Server
) -> None:
    files(credentials=KEYS)
    bedrock.answers(refused(status, kind, text, name))
    with pytest.raises(APIError) as caught:
        claude("hi", model="anthropic.claude-x")
    line = str(caught.value)
    assert (caught.value.status, caught.value.type, caught.value.request_id) == (status, kind, "0b1f-amazon")
    assert line.startswith(f"{kind}: {text.rstrip('.')} (HTTP {status}")
    assert "x-amzn-requestid 0b1f-amazon" in line
    assert advice in line.rpartition("amazon")[2]
    assert "\n" not in line


def test_a_refused_signature_does_not_repeat_what_was_signed(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS answers with the canonical request, which holds the session token."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ROLE_SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", ROLE_TOKEN)
    text = f"The request signature we calculated does not match. Canonical: 'x-amz-security-token:{ROLE_TOKEN}'"
    bedrock.answers(refused(403, "InvalidSignatureException", text))
    with pytest.raises(APIError) as caught:
        claude("hi")
    assert ROLE_TOKEN not in str(caught.value)
    assert ROLE_TOKEN not in repr(caught.value.body)
    assert "x-amz-security-token:***" in str(caught.value)


def test_what_bedrock_lacks_is_said_before_sending(bedrock: Server) -> None:
    files(credentials=KEYS)
    for ask in (
        lambda: claude.count("hi"),
        lambda: claude("hi", web_search=True),
        lambda: claude.request("GET", "/v1/models"),
        lambda: claude.map(["a"], batch=True),
    ):
        with pytest.raises(Unsupported, match=r"Amazon Bedrock has no .* \(as of 2026"):
            ask()
    assert bedrock.received == []
