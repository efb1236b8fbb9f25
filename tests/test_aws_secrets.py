"""No secret of AWS is in an output, a log, a traceback, a trace, the journal, a recording or a saved notebook."""

from __future__ import annotations

import http.client
import io
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import requests
import urllib3.connection
from IPython.core import ultratb

from claude_magic.errors import ClaudeError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.wire import Exchange
from tests.aws import frames, refused, streamed
from tests.notebook_shell import Shell
from tests.server import JSON, Answer, Received, Server
from tests.test_aws_credentials import ROLE_KEY, ROLE_SECRET, ROLE_TOKEN, as_json, files, role_json, sts
from tests.test_secrets_in_debug_output import is_ours, is_text

pytestmark = pytest.mark.usefixtures("only_loopback")

SECRET = "long-term-secret-0123456789abcdef01234567"
SESSION = "long-session-token-" + "QUJDREVGR0hJSktMTU5P" * 3
BEARER = "bedrock-api-key-" + "QUJDREVGR0hJSktMTU5P" * 2
CONTAINER = "a-token-of-the-container-0123456789"
SECRETS = (SECRET, SESSION, BEARER, CONTAINER, ROLE_SECRET, ROLE_TOKEN)


def from_environment(identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROLE_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)


def from_container(identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{identity.url}/creds")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER)
    identity.answers(as_json(role_json()))


def from_role(identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", identity.url)
    monkeypatch.setattr(identity, "respond", sts)
    role = "role_arn = arn:aws:iam::123456789012:role/teaching\nsource_profile = default\n"
    keys = f"[default]\naws_access_key_id = AKIA\naws_secret_access_key = {SECRET}\naws_session_token = {SESSION}\n"
    files(config=f"[profile lab]\n{role}", credentials=keys)
    monkeypatch.setenv("AWS_PROFILE", "lab")


def from_key(identity: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", BEARER)


@pytest.fixture(params=[from_environment, from_container, from_role, from_key], ids=lambda each: each.__name__)
def source(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Where Bedrock is, with credentials of one source."""
    identity = Server()
    identity.strict = server.strict = False
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.url)
    request.param(identity, monkeypatch)
    server.answers(streamed(frames("ok")))
    yield server
    identity.close()


@pytest.fixture
def claude(source: Server) -> Iterator[ClaudeHandle]:
    made = ClaudeHandle()
    made.settings.provider = "bedrock"
    made.settings.max_retries = 0
    yield made
    made.session.close()


def ask(claude: ClaudeHandle) -> Exchange:
    try:
        return claude("hi")
    except ClaudeError:
        assert claude.last is not None
        return claude.last


def secrets_of(received: list[Received]) -> tuple[str, ...]:
    """All secrets, and each signature that was sent."""
    sent = [each.headers["authorization"].partition("Signature=")[2] for each in received]
    return (*SECRETS, *filter(None, sent))


def assert_unseen(text: str, server: Server) -> None:
    assert server.received, "nothing was sent"
    assert any(secret in server.last.headers["authorization"] for secret in secrets_of(server.received))
    hidden = secrets_of(server.received)
    assert [line[:300] for line in text.split("\n") if any(secret in line for secret in hidden)] == []


def test_a_log_of_everything(claude: ClaudeHandle, source: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(claude)
    assert "invoke-with-response-stream" in caplog.text
    assert_unseen(caplog.text, source)


def test_the_user_s_own_logs_of_aws_stay(claude: ClaudeHandle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(claude)
    logging.getLogger("botocore.auth").debug("a line of the user's own")
    assert "a line of the user's own" in caplog.text


@pytest.mark.parametrize("of", [http.client.HTTPConnection, urllib3.connection.HTTPConnection])
def test_debug_output_of_http_client(
    of: Any, claude: ClaudeHandle, source: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of, "debuglevel", 2)
    with redirect_stdout(io.StringIO()) as said:
        ask(claude)
    assert_unseen(said.getvalue(), source)


def test_a_trace_function_that_shows_every_variable(claude: ClaudeHandle, source: Server) -> None:
    seen: set[str] = set()
    "x".encode("idna")  # what is imported meanwhile cannot be looked at

    def trace(frame: FrameType, kind: str, arg: object) -> Any:
        if frame.f_code.co_filename != __file__ and is_ours():
            shown = {name: value for name, value in list(frame.f_locals.items()) if is_text(value)}
            seen.add(f"{frame.f_code.co_name} {shown!r} {arg if is_text(arg) else ''!r}"[:20_000])
        return trace

    threading.settrace(trace)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ask(claude)
    finally:
        sys.settrace(before)
        threading.settrace(None)  # type: ignore[arg-type]
    assert any("stand-in-for-a-secret" in each for each in seen)
    assert_unseen("\n".join(seen), source)


def test_a_profile_function_that_shows_what_functions_return(claude: ClaudeHandle, source: Server) -> None:
    seen: set[str] = set()

    def profile(frame: FrameType, kind: str, arg: object) -> None:
        if kind == "return" and is_text(arg) and is_ours():
            seen.add(repr(arg))

    threading.setprofile(profile)
    try:
        ask(claude)
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert_unseen("\n".join(seen), source)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(requests.adapters.HTTPAdapter, "send"), (http.client.HTTPConnection, "_send_output")],
)
def test_whoever_looks_into_the_libraries(
    owner: Any, name: str, claude: ClaudeHandle, source: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    inner: Callable[..., Any] = getattr(owner, name)

    def look(*args: Any, **options: Any) -> Any:
        parts = [*args, *options.values()]
        headers = [(part.headers, part.body) for part in parts if isinstance(part, requests.PreparedRequest)]
        inside = [vars(part) for part in parts if type(part).__module__.startswith("claude_magic")]
        seen.append(repr((headers, inside)))
        return inner(*args, **options)

    monkeypatch.setattr(owner, name, look)
    ask(claude)
    assert_unseen("\n".join(seen), source)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(framing="raw", pieces=[b""], ending="cut"),
        streamed(frames("partial")[:3]),
        refused(403, "InvalidSignatureException", f"Canonical: {SECRET} {SESSION} {BEARER} {ROLE_SECRET} {ROLE_TOKEN}"),
        Answer(status=200, headers=JSON, pieces=[json.dumps({"error": {"message": ROLE_TOKEN + SESSION}}).encode()]),
    ],
    ids=["no answer", "cut", "repeated", "repeated in JSON"],
)
def test_an_error_and_its_traceback(answer: Answer, claude: ClaudeHandle, source: Server) -> None:
    source.answers(answer)
    error = ask(claude).error
    assert error is not None
    assert error.__cause__ is None
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown += "\n".join(ultratb.VerboseTB().structured_traceback(type(error), error, error.__traceback__))
    unsent = [each for each in SECRETS if each not in source.last.headers["authorization"] + str(source.last.headers)]
    shown = "\n".join(line for line in shown.split("\n") if not any(each in line for each in unsent))  # of no use here
    assert_unseen(shown + repr(getattr(error, "body", "")) * (not unsent), source)


def test_credentials_that_cannot_be_had(claude: ClaudeHandle, source: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ClaudeError) as caught:
        claude("hi")
    error = caught.value
    assert error.__context__ is None
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert [each for each in SECRETS if each in shown] == []


def test_what_is_kept(claude: ClaudeHandle, source: Server, tmp_path: Path) -> None:
    source.answers(streamed(frames("The token: ", SESSION[:30], SESSION[30:])), streamed(frames(ROLE_TOKEN, BEARER)))
    claude.record(tmp_path / "lesson.recording.txt")
    ask(claude)
    ask(claude)
    claude.record(None)
    shown = repr(claude.last) + repr(vars(claude.last)) + repr(claude.last.request) + repr(claude.last.request.on_wire)
    claude.session.close()
    kept = [
        path.read_bytes().decode("latin-1")
        for path in tmp_path.rglob("*")
        if path.is_file() and ".aws" not in str(path)
    ]
    assert any("SQLite" in each for each in kept)
    hidden = [each for each in secrets_of(source.received) if each in str(source.last.headers)]
    assert hidden
    assert [each for each in hidden if any(each in text for text in (shown, *kept))] == []


def test_a_key_of_aws_in_a_cell_is_refused(claude: ClaudeHandle, source: Server) -> None:
    ask(claude)
    sent = len(source.received)
    own = [each for each in SECRETS if each in str(source.last.headers)]
    for secret in own:
        with pytest.raises(ClaudeError, match="looks like an API key"):
            claude(f"what is {secret}?")
    assert len(source.received) == sent


def test_the_output_of_a_cell(shell: Shell, source: Server) -> None:
    shell.run("%config Claude.provider = 'bedrock'\n%xmode Verbose")
    ran = [
        shell.run(cell) for cell in ("%%claude\nhi", "%claude", "claude.last", "vars(claude.last)", "%config Claude")
    ]
    shown = json.dumps([[each.outputs, each.error, [m for _, m in each.messages]] for each in ran], default=str)
    assert "AWS" in shown
    assert_unseen(shown, source)
