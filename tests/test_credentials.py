"""The key: where it comes from, and that nobody sees it."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
import pickle
import stat
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core import ultratb

from claude_magic.api import credentials
from claude_magic.api.credentials import Credential, Secret, UnsignedRequest
from claude_magic.errors import ClaudeError, SettingsError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from tests.conftest import KEY
from tests.server import Server, failure, reply

SHAPED = "sk-ant-api03-" + "Ab1_" * 10


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    credentials._login_credential = None
    yield
    credentials._login_credential = None


@pytest.fixture
def claude(endpoint: Server) -> Iterator[ClaudeHandle]:
    """A handle of its own, and an API that answers."""
    endpoint.answers(reply("ok"))
    made = ClaudeHandle()
    made.settings.max_retries = 0
    yield made
    made.session.close()


def sent(claude: ClaudeHandle, endpoint: Server) -> str | None:
    """The key that the next request carries, as it stands on the wire."""
    before = len(endpoint.received)
    claude.session.ask(Prompt(options=Options(), text="hi"))
    assert len(endpoint.received) == before + 1
    headers = endpoint.last.headers
    return headers.get("x-api-key") or headers.get("authorization")


def refused(claude: ClaudeHandle, endpoint: Server, text: str = "hi", **options: Any) -> str:
    """Why nothing was sent."""
    before = len(endpoint.received)
    with pytest.raises(ClaudeError) as caught:
        claude.session.ask(Prompt(options=Options(**options), text=text))
    assert len(endpoint.received) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Where it comes from


def test_sources_are_asked_in_order(claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-env-0000")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-env-00")
    Path(".env").write_text("ANTHROPIC_API_KEY=key-of-dotenv-0\n")
    credentials.remember("key-of-file-000", save=True)
    credentials.remember("key-of-login-00", save=False)
    seen = [sent(claude, endpoint)]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    seen.append(sent(claude, endpoint))
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN")
    seen.append(sent(claude, endpoint))
    Path(".env").unlink()
    seen.append(sent(claude, endpoint))
    credentials._login_credential = None
    seen.append(sent(claude, endpoint))
    claude.logout()
    seen.append(sent(claude, endpoint))
    assert seen == [
        *("key-of-env-0000", "Bearer token-of-env-00", "key-of-dotenv-0", "key-of-login-00", "key-of-file-000", None)
    ]


def test_the_environment_is_read_at_each_request(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("first-key-00000", "second-key-0000"):
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
        assert sent(claude, endpoint) == key


@pytest.mark.parametrize("around", [" {} ", "\t{}\n", "{}\r\n", "\u00a0{}\u3000"])
def test_white_space_around_a_key_is_stripped(
    around: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", around.format("key-0000000000"))
    assert sent(claude, endpoint) == "key-0000000000"


@pytest.mark.parametrize("empty", ["", " ", "\n\t "])
def test_an_empty_variable_counts_as_unset(
    empty: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", empty)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-000000000")
    assert sent(claude, endpoint) == "Bearer token-000000000"


@pytest.mark.parametrize(
    "wrong", ["bad\nkey-000", "bad\0key-000", "bad\x1b[0mkey-000", "bad-kéy-000", "bad\u2013key-000"]
)
@pytest.mark.parametrize("source", ["environment", "dotenv", "login", "file"])
def test_a_key_that_cannot_be_sent_is_an_error_that_does_not_show_it(
    wrong: str, source: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    if source == "login":
        with pytest.raises(SettingsError) as caught:
            claude.login(wrong)
        text = str(caught.value)
    else:
        if source == "environment":
            monkeypatch.setattr(os, "getenv", lambda name, default="": wrong if name.endswith("KEY") else default)
        elif source == "dotenv":
            Path(".env").write_text(f"ANTHROPIC_API_KEY='{wrong}'\n")
        else:
            credentials.remember("good-key-000000", save=True)
            credentials._login_credential = None
            credentials._file().write_text(wrong)
        text = refused(claude, endpoint)
    assert "control or non-ASCII character" in text
    assert "bad" not in text


def test_a_dotenv_beside_comes_before_one_above(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    (tmp_path / ".env").write_text('export ANTHROPIC_API_KEY="key-above-00000" # mine\n')
    above = sent(claude, endpoint)
    (tmp_path / "a" / "b" / ".env").write_text("ANTHROPIC_API_KEY=${HOME}key-beside\n")
    assert (above, sent(claude, endpoint)) == ("key-above-00000", "${HOME}key-beside")


def test_a_dotenv_changes_nothing_else(claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    Path(".env").write_text("ANTHROPIC_API_KEY=key-0000000000\nANTHROPIC_MODEL=x\nFOO_OF_DOTENV=1\n")
    sent(claude, endpoint)
    assert ("FOO_OF_DOTENV" in os.environ, "ANTHROPIC_API_KEY" in os.environ) == (False, False)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\0A", b"", b"nonsense {", b"ANTHROPIC_API_KEY\n", b"ANTHROPIC_API_KEY=\n"]
)
def test_a_dotenv_without_a_key_is_passed_over(
    content: bytes, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    Path(".env").write_bytes(content)
    claude.login("key-of-login-00")
    assert sent(claude, endpoint) == "key-of-login-00"


def test_a_key_in_memory_is_written_nowhere(
    claude: ClaudeHandle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claude.login(SHAPED)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert SHAPED not in capsys.readouterr().out


def test_a_saved_key_is_a_file_that_only_the_user_can_read(claude: ClaudeHandle) -> None:
    credentials._file().parent.mkdir(parents=True)
    credentials._file().write_text("older")
    credentials._file().chmod(0o644)
    claude.login("key-of-file-000", save=True)
    assert credentials._file().read_text() == "key-of-file-000\n"
    assert stat.S_IMODE(credentials._file().stat().st_mode) == 0o600


def test_logout_deletes_the_file_and_may_be_repeated(claude: ClaudeHandle) -> None:
    claude.login("key-of-file-000", save=True)
    claude.logout()
    claude.logout()
    assert not credentials._file().exists()


def test_a_folder_that_cannot_be_written_is_one_line(claude: ClaudeHandle) -> None:
    credentials._file().parent.parent.mkdir(parents=True, exist_ok=True)
    credentials._file().parent.write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="cannot be saved"):
        claude.login("key-of-file-000", save=True)


# That nobody sees it


UNSIGNED = UnsignedRequest(method="GET", url="https://api.example", headers={}, digest=str)


def credential() -> Credential:
    return Credential(source="here", secret=Secret(SHAPED))


@pytest.mark.parametrize(
    "show",
    [
        *(repr, str, ascii, "{}".format, "%s".__mod__, lambda c: f"{c!r:>9}", lambda c: f"{c.secret}", vars),
        *(lambda c: str(vars(c)), lambda c: str([c.secret]), lambda c: list(c.placeholders), lambda c: dir(c.secret)),
        *(lambda c: list(c.headers(UNSIGNED)),),
    ],
)
def test_a_credential_shows_no_key(show: Any) -> None:
    assert SHAPED not in str(show(credential()))


@pytest.mark.parametrize(
    "write",
    [
        *(json.dumps, pickle.dumps, copy.copy, copy.deepcopy, list, "".join, bytes, iter),
        *(lambda secret: json.dumps({"key": secret}), lambda secret: "" + secret, vars),
        lambda secret: sys.stdout.write(secret),
    ],
)
def test_a_key_is_nothing_that_can_be_written_down(write: Any) -> None:
    with pytest.raises(TypeError):
        write(credential().secret)


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, dataclasses.asdict, json.dumps])
def test_a_credential_cannot_be_written_down(write: Any) -> None:
    with pytest.raises(TypeError):
        write(credential())


def test_no_traceback_shows_a_key_however_verbose() -> None:
    held = credential()
    header = list(held.headers(UNSIGNED))
    try:
        assert header, len(held.secret)
        raise ValueError(held, held.secret, header)
    except ValueError as error:
        shown = "\n".join(ultratb.VerboseTB().structured_traceback(type(error), error, error.__traceback__))
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "held" in shown
    assert SHAPED not in shown
    assert SHAPED not in "".join(captured.format())


@pytest.mark.parametrize("source", ["environment", "dotenv", "login", "file"])
def test_no_traceback_of_a_wrong_key_shows_it(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = SHAPED + "é"
    if source == "environment":
        monkeypatch.setenv("ANTHROPIC_API_KEY", wrong)
    elif source == "dotenv":
        Path(".env").write_text(f"ANTHROPIC_API_KEY={wrong}\n")
    elif source == "file":
        credentials._file().parent.mkdir(parents=True)
        credentials._file().write_text(wrong)
    try:
        if source == "login":
            credentials.remember(wrong[:], save=False)
        else:
            credentials.find()
    except SettingsError as error:
        inner = error.__traceback__.tb_next  # the first frame is this test's, which knows the key
        shown = "\n".join(ultratb.VerboseTB().structured_traceback(type(error), error, inner))
        plain = traceback.TracebackException(type(error), error, inner, capture_locals=True)
    assert SHAPED not in shown
    assert SHAPED not in "".join(plain.format())


def test_an_error_of_the_network_holds_no_key(claude: ClaudeHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "net-key-0123456789")
    claude.settings.base_url = "http://127.0.0.1:9"
    error = claude.session.ask(Prompt(options=Options(), text="hi")).error
    while error is not None:
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert "net-key-0123456789" not in "".join(captured.format())
        error = error.__context__  # type: ignore[assignment]


def test_an_exchange_and_its_error_can_be_pickled_without_a_key(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(failure(401, "authentication_error", f"wrong key {KEY}"))
    exchange = claude.session.ask(Prompt(options=Options(), text="hi"))
    assert KEY.encode() not in pickle.dumps((exchange.request.headers, exchange.message, exchange.headers))
    assert KEY not in repr(vars(exchange)) + repr(vars(exchange.error))


def test_settings_and_handle_show_no_key(claude: ClaudeHandle) -> None:
    claude.login(SHAPED)
    assert SHAPED not in repr(claude) + repr(vars(claude)) + repr(claude.settings.trait_values())


# That nobody sends it elsewhere, or as text


@pytest.mark.parametrize("text", [SHAPED, f"my key is {SHAPED}, hi", f"a\n{SHAPED}\nb", f'"{SHAPED}"', KEY, f"x{KEY}x"])
@pytest.mark.parametrize("place", ["text", "system", "stop", "param", "header", "model", "api_version"])
def test_a_key_is_not_sent_as_text(text: str, place: str, claude: ClaudeHandle, endpoint: Server) -> None:
    options: dict[str, Any] = {
        "text": {},
        "system": {"system": text},
        "stop": {"stop": (text,)},
        "param": {"param": {"metadata": {"user_id": [text]}}},
        "header": {"header": {"x-mine": text}},
        "model": {"model": text},
        "api_version": {"api_version": text},
    }[place]
    shown = refused(claude, endpoint, text if place == "text" else "hi", **options)
    assert "looks like an API key" in shown
    assert SHAPED not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "text", ["sk-ant-", "sk-ant-...", "what does sk-ant-api mean?", "sk-something-else-0123456789"]
)
def test_talking_of_keys_is_allowed(text: str, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.session.ask(Prompt(options=Options(), text=text))
    assert endpoint.last.json["messages"][0]["content"] == text


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com", "http://localhost@evil.com", "http://127.0.0.1.evil.com", "http://localhost.evil.com"),
        *("http://127.0.0.1@evil.com", "http://evil.com#@localhost", "http://evil.com\\@localhost"),
        *(
            "http://2130706434.evil.com",
            "http://0x7f",
            "http://128.1",
            "http://[::2]",
            "http://10.0.0.1",
            "http://[::1:1]",
        ),
        *("http://user:secret@localhost", "http://localhost:80:90", "http://localhost:99999", "ftp://localhost"),
        *(
            "localhost:8080",
            "http://",
            "https://",
            "http:///x",
            "https://h ost",
            "https://host\n.evil.com",
            "javascript:x",
        ),
        *("https://host?x=1", "https://host#x", "https://[::1", "http://ⓛocalhost", "http://localhost%2eevil.com"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "setting"])
def test_a_url_that_is_none_or_not_safe_is_refused_before_anything_is_sent(
    url: str, place: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr("claude_magic.api.transports.connections._connect", connect)
    if place == "environment":
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    else:
        with contextlib.suppress(SettingsError):
            claude.settings.base_url = url
            claude.settings.base_url = claude.settings.base_url
        if not claude.settings._trait_values.get("base_url"):
            return
    shown = refused(claude, endpoint)
    assert "base_url" in shown or "http://" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_loopback_may_be_asked_without_tls(host: str, claude: ClaudeHandle, endpoint: Server) -> None:
    claude.settings.base_url = f"http://{host}:{endpoint.port}/"
    assert sent(claude, endpoint) == KEY


def test_http_to_another_machine_is_allowed_when_asked_for(claude: ClaudeHandle) -> None:
    claude.settings.base_url = "http://no-such-host.invalid"
    claude.settings.allow_http = True
    assert "no such host" in str(claude.session.ask(Prompt(options=Options(), text="hi")).error)
