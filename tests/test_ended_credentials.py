"""A cloud's credential that ends before it said so is renewed once, and nothing else is asked twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_magic import claude
from claude_magic.errors import APIError, SettingsError
from tests.aws import ACCESS_KEY, SECRET_KEY, frames, refused, streamed
from tests.google import TOKEN, Clouds, service_account
from tests.google import refused as refused_by_google
from tests.notebook_shell import forget
from tests.scripted_api import json_answer
from tests.server import Answer, Received, Server, reply, whole

pytestmark = pytest.mark.usefixtures("only_loopback")

SECRET = "role-secret-0123456789abcdef0123456789abcd"
ENDED = refused(403, "ExpiredTokenException", "The security token included in the request is expired")


class Identity:
    """Gives the credentials of a role: those that the test names, first to last; the last again and again."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.given: list[str] = []

    def respond(self, request: Received) -> Answer:
        """Credentials that say that they hold for years."""
        key = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        self.given.append(key)
        secret = {"SecretAccessKey": f"{SECRET}{key}", "Token": f"role-token-0123456789-{key}"}
        return json_answer({"AccessKeyId": key, **secret, "Expiration": "2099-01-01T00:00:00Z"})


def key_of(request: Received) -> str:
    return request.headers["authorization"].partition("Credential=")[2].partition("/")[0]


@pytest.fixture
def settings() -> Iterator[None]:
    """No retries and no journal."""
    claude.settings.max_retries = 0
    claude.settings.journal = ""
    yield
    forget()


@pytest.fixture
def bedrock(settings: None, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Bedrock, for which `ASIAFIRST` has ended."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.url)
    server.strict = False
    server.respond = lambda request: ENDED if key_of(request) == "ASIAFIRST" else None  # type: ignore[method-assign]
    server.answers(streamed(frames("hi")))
    claude.settings.provider = "bedrock"
    return server


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    made, script = Server(), Identity("ASIAFIRST", "ASIASECOND")
    made.strict, made.respond = False, script.respond  # type: ignore[method-assign]
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{made.url}/creds")
    yield script
    made.close()


def test_a_role_that_has_ended_early_is_asked_again_and_so_is_the_question(bedrock: Server, identity: Identity) -> None:
    assert claude("hi").text == "hi"
    assert [key_of(each) for each in bedrock.received] == ["ASIAFIRST", "ASIASECOND"]
    assert bedrock.received[0].body == bedrock.received[1].body
    assert claude("hi").text == "hi"
    assert identity.given == ["ASIAFIRST", "ASIASECOND"]


def test_the_rows_of_a_table_renew_it_once(bedrock: Server, identity: Identity) -> None:
    bedrock.answers(whole("hi"))
    assert list(claude.map([f"question {number}" for number in range(12)], concurrency=6)) == ["hi"] * 12
    assert identity.given == ["ASIAFIRST", "ASIASECOND"]


def test_the_same_credentials_are_not_tried_again(bedrock: Server, identity: Identity) -> None:
    identity.keys = ["ASIAFIRST"]
    with pytest.raises(APIError, match=r"The credentials have ended; they came from the role of the container\."):
        claude("hi")
    assert len(bedrock.received) == 1


def test_other_credentials_that_have_ended_too_are_an_error(bedrock: Server, identity: Identity) -> None:
    bedrock.respond = lambda request: ENDED  # type: ignore[method-assign]
    with pytest.raises(APIError, match="The credentials have ended"):
        claude("hi")
    assert [key_of(each) for each in bedrock.received] == ["ASIAFIRST", "ASIASECOND"]


def test_credentials_of_the_environment_cannot_be_renewed(bedrock: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with pytest.raises(APIError, match="Set new ones there, or remove them and sign in"):
        claude("hi")
    assert len(bedrock.received) == 1


@pytest.mark.process  # the program of the AWS config file
def test_a_program_that_gives_them_is_run_again_and_one_that_fails_is_one_line(bedrock: Server, tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text("ASIAFIRST ASIASECOND")
    program = tmp_path / "program.py"
    program.write_text(
        "import json, pathlib, sys\n"
        f"path = pathlib.Path({str(names)!r})\n"
        "first, *others = path.read_text().split()\n"
        "path.write_text(' '.join(others or ['fails']))\n"
        f"secret = {SECRET!r} + first\n"
        "print(json.dumps(dict(Version=1, AccessKeyId=first, SecretAccessKey=secret)))\n"
        "sys.exit(first == 'fails')\n"
    )
    folder = Path.home() / ".aws"
    folder.mkdir()
    (folder / "config").write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    assert claude("hi").text == "hi"
    assert [key_of(each) for each in bedrock.received] == ["ASIAFIRST", "ASIASECOND"]
    bedrock.respond = lambda request: ENDED  # type: ignore[method-assign]
    with pytest.raises(SettingsError, match="AWS credentials") as caught:
        claude("hi")
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(bedrock.received) == 3


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "InvalidSignatureException", "Signature expired: 20260101T0 is now earlier than 20260101T1"),
        refused(403, "AccessDeniedException", "User: x is not authorized to perform: bedrock:InvokeModel"),
        refused(400, "ValidationException", "max_tokens: 0"),
    ],
)
def test_what_new_credentials_do_not_help_is_sent_once(answer: Answer, bedrock: Server, identity: Identity) -> None:
    bedrock.respond = lambda request: answer  # type: ignore[method-assign]
    with pytest.raises(APIError, match=json.loads(answer.pieces[0])["message"][:12]):  # type: ignore[arg-type]
        claude("hi")
    assert (len(bedrock.received), identity.given) == (1, ["ASIAFIRST"])


@pytest.fixture
def clouds(settings: None, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clouds:
    """Google and Microsoft, for which the first token has ended."""
    script = Clouds()
    server.strict, server.respond = False, script.respond  # type: ignore[method-assign]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path / "account.json", server)))
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    monkeypatch.setenv("ANTHROPIC_VERTEX_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("ANTHROPIC_GOOGLE_CLOUD_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_BASE_URL", f"{server.url}/anthropic")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "a-header-of-the-machine")
    script.answer = only_with(f"{TOKEN}2")
    return script


def only_with(token: str) -> Callable[[Received], Answer]:
    """Answers requests with this token, and refuses others."""

    def answer(request: Received) -> Answer:
        if request.headers["authorization"] == f"Bearer {token}":
            return reply("hi")
        return refused_by_google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    return answer


@pytest.mark.parametrize("provider", ["vertex", "google-cloud", "foundry"])
def test_a_token_that_has_ended_early_is_fetched_again_and_the_question_sent_again(
    provider: str, clouds: Clouds, server: Server
) -> None:
    claude.settings.provider = provider
    assert claude("hi").text == "hi"
    assert clouds.tokens == 2
    assert len([each for each in server.received if each.headers.get("authorization", "").startswith("Bearer")]) == 2


def test_a_token_that_is_refused_again_is_an_error(clouds: Clouds) -> None:
    claude.settings.provider = "vertex"
    clouds.answer = only_with("nobody")
    with pytest.raises(APIError, match="and Google does not accept it"):
        claude("hi")
    assert clouds.tokens == 2


def test_a_key_of_foundry_is_sent_once(clouds: Clouds, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_API_KEY", f"{ACCESS_KEY}{SECRET_KEY}")
    claude.settings.provider = "foundry"
    clouds.answer = lambda request: refused_by_google(401, "Unauthorized", "Access denied.")
    with pytest.raises(APIError, match=r"\$ANTHROPIC_FOUNDRY_API_KEY"):
        claude("hi")
    assert len(server.received) == 1
