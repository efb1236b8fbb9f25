"""Answers and paths that are out to get something: a key that is repeated, a path that reads as another, one name twice."""

from __future__ import annotations

import contextlib
import html
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claude_magic import claude
from claude_magic.api.endpoints import batches as batch_endpoint
from claude_magic.api.saved_files import SavedFile
from claude_magic.batch.message_batches import part
from claude_magic.errors import CellError, ExchangeError
from claude_magic.magics.claude import ClaudeHandle
from tests.batch_api import BatchAPI
from tests.notebook_shell import Shell, forget
from tests.scripted_api import KEY, ScriptedAPI
from tests.server import STREAM, Answer, event, text_events

GATEWAY_KEY = "gw/token+with=odd\"chars&<>'0123456789"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    forget()


@pytest.mark.parametrize(
    "path",
    [
        "/V1/Organizations/me",
        "/v1/organizations%2Fme",
        "/v1%2Forganizations/me",
        "/v1/%2Forganizations/me",
        "/v1/%256Frganizations/me",
        "/v1/organizations;x=1/me",
        "/v1/organizations%3Fx/me",
        "/v1/organizations%20/me",
        "/v1/organizations%00/me",
        "/v1/organizations/..;/files",
        "/v1/organizations/%252e%252e/files",
        "/v1/files/a%2F..%2F..%2Forganizations/me",
    ],
)
def test_a_path_that_some_servers_read_as_another_gets_neither_key(path: str, api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="may lead elsewhere"):
        claude.request("GET", path)
    assert api.calls == []


def test_a_base_url_within_the_organization_gets_no_ordinary_key(
    api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{api.server.url}/v1/organizations")
    for path in ("/me", "/v1/models"):
        with pytest.raises(CellError, match="may lead elsewhere"):
            claude.request("GET", path)
    assert api.calls == []


@pytest.mark.parametrize("path", ["/v1/organizationsX/me", "/v1/models/us%2Fmy-model", "/v1/files/a;b"])
def test_a_path_that_only_looks_odd_is_sent_with_the_ordinary_key(path: str, api: ScriptedAPI) -> None:
    with contextlib.suppress(Exception):  # a 404
        claude.request("GET", path)
    assert [each.headers["x-api-key"] for each in api.server.received] == [KEY]


def every_character(key: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in key)


def every_character_in_capitals(key: str) -> str:
    return "".join(f"\\u{ord(c):04X}" for c in key)


def as_php(key: str) -> str:
    return json.dumps(key)[1:-1].replace("/", "\\/")


def as_net(key: str) -> str:
    return "".join(f"\\u{ord(c):04X}" if c in "\"&'+<>" else c for c in key)


def as_python(key: str) -> str:
    return json.dumps(key)[1:-1]


@pytest.mark.parametrize("escape", [every_character, every_character_in_capitals, as_php, as_net, as_python])
@pytest.mark.parametrize("kind", ["json", "lines", "error", "models", "batches"])
def test_a_key_that_an_answer_repeats_is_redacted_however_it_is_escaped(
    kind: str, escape: Callable[[str], str], api: ScriptedAPI, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = GATEWAY_KEY
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    told = escape(key)
    item = '{"id": "x KEY", "KEY": "k", "processing_status": "ended", "display_name": "KEY"}'.replace("KEY", told)
    error = '{"type": "error", "error": {"type": "invalid_request_error", "message": "KEY", "details": {"KEY": 1}}}'
    code, status, body = {
        "json": ("%claude --get /v1/models/x -o v", 200, item),
        "lines": ("%claude --get /v1/messages/batches/b/results -o v", 200, f"{item}\n{item}"),
        "error": ("%claude --get /v1/models/x", 400, error.replace("KEY", told)),
        "models": ("claude.models", 200, f'{{"data": [{item}], "has_more": false}}'),
        "batches": ("claude.batches", 200, f'{{"data": [{item}], "has_more": false}}'),
    }[kind]
    media = "application/x-jsonl" if kind == "lines" else "application/json"
    headers = (("content-type", media), ("x-echo", key))
    api.server.respond = lambda _: Answer(status=status, headers=headers, pieces=[body.encode()], framing="length")
    shell.run("from claude_magic import claude\nclaude.record('all.recording.txt')")
    ran = shell.run(code)
    assert (ran.error is not None) == (kind == "error")
    shell.run("claude.journal.writer.flush()")
    kept = b"".join(path.read_bytes() for path in (Path.cwd() / "home").rglob("*") if path.is_file())
    kept += b"".join(path.read_bytes() for path in Path.cwd().glob("*.recording.txt"))
    seen = json.dumps([*ran.outputs]) + ran.stdout + repr(ran.error) + repr(shell.user_ns.get("v"))
    seen += repr(claude.last and (claude.last.json, claude.last.headers)) + kept.decode("utf-8", "replace")
    forms = {key, told, html.escape(key), as_python(key), as_python(as_python(key)), as_python(html.escape(key))}
    assert [form for form in forms if form in seen] == []


@pytest.mark.parametrize("escape", [every_character, every_character_in_capitals, as_php, as_net, as_python])
def test_a_reply_that_repeats_the_key_is_shown_without_it(
    escape: Callable[[str], str], api: ScriptedAPI, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", GATEWAY_KEY)
    told = escape(GATEWAY_KEY).encode()
    whole = b"".join(event(each).replace(b"HERE", told) for each in text_events(["It is HERE."]))
    at = whole.index(told) + 9
    api.server.respond = lambda _: Answer(headers=STREAM, pieces=[whole[:at], 0.01, whole[at:]])  # cut within the key
    ran = shell.run("%%claude -o text\nhi")
    assert shell.user_ns["text"] == "It is ***."
    assert html.escape(GATEWAY_KEY) not in json.loads(json.dumps(ran.data("text/html")))[0]


def test_a_short_key_is_an_ordinary_word_of_a_reply(
    api: ScriptedAPI, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "lm-studio")
    api.server.respond = lambda _: Answer(headers=STREAM, pieces=[event(e) for e in text_events(["Try lm-studio."])])
    shell.run("%%claude -o text\nhi")
    assert shell.user_ns["text"] == "Try lm-studio."


@pytest.mark.parametrize("told", ["inf", "1e300", "99999999999", "nan", "-1", "soon"])
def test_a_batch_is_looked_at_again_whatever_retry_after_says(
    told: str, batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_endpoint, "MOST_POLL_SECONDS", 0.01)
    monkeypatch.setattr(batch_endpoint, "POLL_SECONDS", 0.01)
    batch_api.retry_after, batch_api.polls = told, 3
    assert ClaudeHandle().map(["one"], batch=True).wait(60).results() == ["ONE"]


def test_a_row_that_is_larger_than_a_batch_is_an_error_beside_the_others(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claude_magic.batch.message_batches import start
    from claude_magic.batch.message_batches.plan import plan

    monkeypatch.setattr(start, "plan", lambda *args: plan(*args, most_bytes=700))
    batch_api.most_bytes = 700
    batch = ClaudeHandle().map(["one", "x" * 1_000, "three"], batch=True)
    replies = batch.results()
    assert (replies[0], replies[2]) == ("ONE", "THREE")
    assert "the request has 1.1 kB, and a whole batch may have 700 bytes" in str(replies[1])
    assert len(batch_api.batches) == 1


def results_instead(batch_api: BatchAPI, change: Callable[[bytes], Answer | None]) -> None:
    """Let the scripted API change the bytes of its results; `None` leaves them."""
    usual = batch_api.answer

    def answer(asked: Any) -> Answer | None:
        given = usual(asked)
        if given is None or not asked.path.endswith("/results"):
            return given
        return change(b"".join(piece for piece in given.pieces if isinstance(piece, bytes))) or given

    batch_api.answer = answer  # type: ignore[method-assign]


def lines(content: bytes, **how: Any) -> Answer:
    return Answer(headers=(("content-type", "application/x-jsonl"),), pieces=[content], **how)


def test_results_that_a_proxy_cuts_without_a_sign_are_read_again(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "backoff", lambda _: 0.01)
    cuts = [60]
    results_instead(batch_api, lambda content: lines(content[: -cuts.pop()], framing="close") if cuts else None)
    batch = ClaudeHandle().map(["one", "two"], batch=True)
    assert batch.results() == ["ONE", "TWO"]
    assert len(ClaudeHandle().journal.last()) == 2


def test_a_page_of_a_proxy_instead_of_results_loses_none_of_them(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "backoff", lambda _: 0.01)
    pages = [lines(b"<html>Sign in</html>")] * 2
    results_instead(batch_api, lambda _: pages.pop() if pages else None)
    with pytest.raises(ExchangeError, match=r"has 2 replies, and none was among its results; 1 line .*run it again"):
        ClaudeHandle().map(["one", "two"], batch=True).results()
    assert ClaudeHandle().map(["one", "two"], batch=True).results() == ["ONE", "TWO"]
    assert batch_api.created == 1


def test_a_byte_order_mark_before_results_costs_no_row(batch_api: BatchAPI) -> None:
    results_instead(batch_api, lambda content: lines(b"\xef\xbb\xbf" + content))
    assert ClaudeHandle().map(["one", "two"], batch=True).results() == ["ONE", "TWO"]


def test_an_error_of_a_row_that_is_a_text_is_told(batch_api: BatchAPI) -> None:
    batch_api.outcome = lambda _: {"type": "errored", "error": "no room left"}
    assert "no room left" in str(ClaudeHandle().map(["one"], batch=True).results()[0])


def test_two_downloads_of_the_same_name_at_once_are_two_files(tmp_path: Path) -> None:
    first, second = (SavedFile(tmp_path, name="plot.png", numbered=True) for _ in range(2))
    for saved, content in ((first, b"first"), (second, b"second")):
        saved.open("", "x").write(content)
    for saved in (second, first):
        saved.close(complete=True)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("plot*")} == {
        "plot.png": b"second",
        "plot (1).png": b"first",
    }
    assert first.path == tmp_path / "plot (1).png"
    assert [*tmp_path.glob(".*.part")] == []


def test_a_download_needs_no_hard_links_and_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a.bin"
    for content in (b"first", b"second"):
        saved = SavedFile(path)
        saved.open("", "x").write(content)
        with contextlib.nullcontext() if content == b"first" else pytest.raises(CellError, match="exists"):
            saved.close(complete=True)
    assert path.read_bytes() == b"first"
    assert [*tmp_path.glob(".*.part")] == []


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x-api-key": "another"}, "header x-api-key is refused: the key comes from"),
        ({"Authorization": "Bearer another"}, "header Authorization is refused: the key comes from"),
        ({"host": "evil.example"}, "header host is refused: it is set for you"),
        ({"a": "b\r\nEvil: 1"}, "header a: the value holds a control"),
        ({"a b": "c"}, "not a header name"),
        ({"a": 5}, "header a: the value"),
    ],
)
def test_a_header_from_python_is_checked_like_one_of_a_cell(
    headers: dict[str, Any], told: str, api: ScriptedAPI
) -> None:
    with pytest.raises(CellError, match=told):
        claude.request("GET", "/v1/models", headers=headers)
    assert api.calls == []


def test_what_is_no_path_type_or_time_is_an_error_of_one_line(api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="the path is a NoneType"):
        claude.request("GET", None)  # type: ignore[arg-type]
    with pytest.raises(CellError, match="not a media type"):
        claude.request("POST", "/v1/files", files={"file": ("a", b"x", "text/plain\r\nEvil: 1")}, yes=True)
    with pytest.raises(CellError, match="expires is a str"):
        claude.files.upload(b"x", expires="soon")  # type: ignore[arg-type]
    assert api.calls == []


def test_a_cell_that_names_two_endpoints_is_refused(api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run("%claude --get /v1/models --delete /v1/files/file_1 --yes")
    assert ran.error is not None
    assert "one cell calls one endpoint" in ran.error[1]
    assert api.calls == []
