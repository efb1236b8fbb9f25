"""Any endpoint: paths, keys, lists, files, retries, the journal and recordings, against endpoints that keep state."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_magic import claude
from claude_magic.errors import (
    APIError,
    CellError,
    ConnectionFailed,
    NotRecorded,
    OverBudget,
    SettingsError,
    StreamError,
)
from tests.notebook_shell import forget
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI, error, json_answer
from tests.server import HEADERS, JSON, Answer, Received, Server

auditing: list[list[str]] = []


def _audit(event: str, about: tuple[Any, ...]) -> None:
    if auditing and event.startswith(("http.client", "socket")):
        auditing[-1].append(repr(about))


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    forget()


def get(path: str, **how: Any) -> Any:
    return claude.request("GET", path, **how)


def test_a_request_gives_an_exchange_with_the_parsed_json(api: ScriptedAPI) -> None:
    exchange = get("/v1/models")
    assert [model["id"] for model in exchange.json["data"]][:2] == ["claude-fable-5-2", "claude-opus-5-5"]
    assert exchange.status == 200
    assert exchange.request_id == "req_011Test"
    assert exchange.entry == 1
    assert claude.last is exchange


def test_a_query_is_typed_with_the_path_or_given(api: ScriptedAPI) -> None:
    for exchange in (get("/v1/models?limit=2"), get("/v1/models", query={"limit": 2, "after_id": None})):
        assert len(exchange.json["data"]) == 2
    assert api.calls == ["GET /v1/models?limit=2"] * 2


def test_a_list_in_the_query_repeats_its_name(api: ScriptedAPI) -> None:
    get("/v1/models", query={"lifecycle[]": ["active", "deprecated"]})
    assert api.calls == ["GET /v1/models?lifecycle%5B%5D=active&lifecycle%5B%5D=deprecated"]


@pytest.mark.parametrize(
    "path",
    [
        "v1/models",
        "//evil.example/v1/models",
        "/v1/organizations/../files",
        "/v1/organizations/%2e%2e/files",
        "/v1/organizations/%2E./files",
        "/v1//organizations/me",
        "/v1/organizations\\..\\files",
        "/v1/files/{file_id}",
        "/v1/models#x",
        "/v1/mod\nels",
        "https://evil.example/v1/models",
        "",
    ],
)
def test_a_path_that_may_lead_elsewhere_is_refused_and_nothing_is_sent(path: str, api: ScriptedAPI) -> None:
    with pytest.raises(CellError):
        get(path)
    assert api.calls == []


def test_an_address_of_the_endpoint_itself_is_a_path_as_results_urls_are(api: ScriptedAPI) -> None:
    assert get(f"{api.server.url}/v1/models?limit=1").json["has_more"] is True


@pytest.mark.parametrize("path", ["/v1/organizations/me", "/v1/%6Frganizations/me", "/v1/organizations/users"])
def test_the_admin_key_goes_to_the_organization_and_the_ordinary_one_never(path: str, api: ScriptedAPI) -> None:
    get(path)
    get("/v1/models")
    sent = [each.headers["x-api-key"] for each in api.server.received]
    assert sent == [ADMIN_KEY, KEY]
    assert api.misplaced == []


def test_without_an_admin_key_nothing_is_sent_to_the_organization(
    api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    with pytest.raises(SettingsError, match=r"no admin key.*login\(admin=True\)"):
        get("/v1/organizations/me")
    assert api.calls == []
    claude.login(ADMIN_KEY, admin=True)
    assert get("/v1/organizations/me").json["name"] == "Example Org"
    claude.logout()
    with pytest.raises(SettingsError, match="no admin key"):
        get("/v1/organizations/me")


def test_an_admin_key_in_the_place_of_the_ordinary_one_is_not_sent(
    api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-" + "admin01-" + "x1Y2z3" * 8)
    with pytest.raises(SettingsError, match="ANTHROPIC_ADMIN_KEY"):
        get("/v1/models")
    assert api.calls == []


def test_a_saved_admin_key_is_a_file_of_its_own(api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    claude.login(ADMIN_KEY, admin=True, save=True)
    forget()
    assert get("/v1/organizations/me").status == 200
    assert get("/v1/models").status == 200
    assert api.misplaced == []


@pytest.mark.parametrize("key", [ADMIN_KEY, KEY])
@pytest.mark.parametrize("place", ["query", "headers", "json", "path"])
def test_neither_key_is_sent_as_text(key: str, place: str, api: ScriptedAPI) -> None:
    how: dict[str, Any] = {place: {"metadata": key}} if place != "path" else {}
    path = f"/v1/files/{key}" if place == "path" else "/v1/messages/count_tokens"
    with pytest.raises(CellError, match="nothing was sent"):
        claude.request("GET" if place == "path" else "POST", path, **how)
    assert api.calls == []


def test_no_key_is_in_the_journal_a_recording_or_a_program(api: ScriptedAPI, tmp_path: Path) -> None:
    recording = tmp_path / "calls.recording.txt"
    claude.record(recording)
    api.organization.workspaces[0]["name"] = f"{ADMIN_KEY} and {KEY}"  # a server that repeats keys
    exchange = get("/v1/organizations/workspaces")
    assert ADMIN_KEY not in json.dumps(exchange.json)
    claude.journal.writer.flush()
    everything = claude.journal.path.read_bytes() + recording.read_bytes()
    everything += b"".join(path.read_bytes() for path in claude.journal.path.parent.iterdir())
    everything += "".join(exchange.code(name) for name in ("curl", "requests", "http")).encode()
    assert ADMIN_KEY.encode() not in everything
    assert "$ANTHROPIC_ADMIN_KEY" in exchange.code("curl")


def test_the_admin_key_is_in_no_log_trace_or_audit_event(
    api: ScriptedAPI, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    import http.client
    import logging

    seen: list[str] = []

    def trace(frame: Any, event: str, _: Any) -> Any:
        if "claude_magic/api" in frame.f_code.co_filename or "urllib3" in frame.f_code.co_filename:
            seen.append(repr(list(frame.f_locals.values())))
        return trace

    auditing.append(seen)
    caplog.set_level(logging.DEBUG)
    http.client.HTTPConnection.debuglevel = 1
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        get("/v1/organizations/me")
    finally:
        sys.settrace(before)
        http.client.HTTPConnection.debuglevel = 0
        auditing.clear()
    everything = "".join(seen) + caplog.text + "".join(capfd.readouterr())
    assert api.server.last.headers["x-api-key"] == ADMIN_KEY
    assert ADMIN_KEY not in everything


def test_a_hint_of_a_key_is_shown_as_the_api_gives_it(api: ScriptedAPI) -> None:
    assert get("/v1/organizations/api_keys").json["data"][0]["partial_key_hint"] == "sk-ant-api03-R2D...igAA"


@pytest.mark.parametrize(
    ("path", "count"), [("/v1/organizations/users", 45), ("/v1/files", 30), ("/v1/organizations/analytics/cost", 25)]
)
def test_all_follows_each_style_of_pages(path: str, count: int, api: ScriptedAPI) -> None:
    for number in range(30):
        api.files.add(f"{number}.txt", b"x")
    api.organization.cost += [{"cost": {"amount": f"{number}"}} for number in range(25)]
    exchange = get(path, all=True)
    assert len(exchange.json["data"]) == count
    assert f"{count} items of {-(-count // 20)} pages" in exchange.notes[-1]
    assert len(api.calls) == -(-count // 20)


def test_before_id_pages_backwards(api: ScriptedAPI) -> None:
    exchange = get("/v1/organizations/users", query={"before_id": "user_31", "limit": 10}, all=True)
    assert sorted(each["id"] for each in exchange.json["data"]) == [f"user_{number:02d}" for number in range(1, 31)]


def test_an_end_without_more_is_believed_whatever_last_id_says(api: ScriptedAPI) -> None:
    body = {"data": [{"id": "a"}], "has_more": False, "last_id": "a", "first_id": "a"}
    api.server.respond = lambda _: json_answer(body)
    assert len(get("/v1/models", all=True).json["data"]) == 1
    assert len(api.calls) == 1


def test_a_page_that_names_itself_again_ends_the_list(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: json_answer({"data": [{"id": "a"}], "next_page": "page_1"})
    assert len(get("/v1/files", all=True).json["data"]) == 2
    assert len(api.calls) == 2


@pytest.mark.slow
def test_an_endless_list_stops_at_a_bound_that_is_said(api: ScriptedAPI) -> None:
    def endless(received: Received) -> Answer:
        return json_answer({"data": [{"id": "a"}], "next_page": f"page_{len(api.calls)}"})

    api.server.respond = endless
    exchange = get("/v1/files", all=True)
    assert len(api.calls) == 100
    assert exchange.notes[-1].startswith("stopped after 100 pages, 100 items")
    assert "--query page page_100" in exchange.notes[-1]


def test_what_is_no_list_has_no_pages(api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="no list"):
        get("/v1/models/claude-opus-5-5", all=True)


def test_what_changes_something_is_not_sent_from_python_unless_it_says_yes(api: ScriptedAPI) -> None:
    stored = api.files.add("a.txt", b"x")
    with pytest.raises(CellError, match=r"changes something.*yes=True"):
        claude.request("DELETE", f"/v1/files/{stored.id}")
    assert api.calls == []
    assert claude.request("DELETE", f"/v1/files/{stored.id}", yes=True).json["type"] == "file_deleted"
    assert api.files.stored == {}


def test_counting_tokens_changes_nothing(api: ScriptedAPI) -> None:
    body = {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "hi"}]}
    assert claude.request("POST", "/v1/messages/count_tokens", json=body).json["input_tokens"] > 0


def test_a_workspace_that_was_created_incompletely_is_never_created_again(api: ScriptedAPI) -> None:
    for _ in range(2):
        api.organization.incomplete = True
        with pytest.raises(APIError, match="The workspace exists"):
            claude.request("POST", "/v1/organizations/workspaces", json={"name": "New"}, yes=True)
    assert len(api.calls) == 2


def test_not_even_x_should_retry_creates_a_second_workspace(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: error(
        503, "api_error", "incomplete", ("x-should-retry", "true"), code="workspace_created_incomplete"
    )
    with pytest.raises(APIError, match="do not create it again"):
        claude.request("POST", "/v1/organizations/workspaces", json={"name": "New"}, yes=True)
    assert len(api.calls) == 1


def test_an_update_whose_outcome_is_unknown_is_sent_again_as_the_api_says(api: ScriptedAPI) -> None:
    api.organization.unknown_outcome = 1
    exchange = claude.request("POST", "/v1/organizations/workspaces/wrkspc_01", json={"name": "B"}, yes=True)
    assert exchange.json["name"] == "B"
    assert exchange.retries == 1


@pytest.mark.parametrize(("told", "sent"), [("", 1), ("false", 1), ("true", 3)])
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_a_change_is_sent_again_only_if_the_api_says_so(
    status: int, told: str, sent: int, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_magic.api.transports.retry.backoff", lambda _: 0.0)
    headers = [("x-should-retry", told)] if told else []
    api.server.respond = lambda _: error(status, "api_error", "no", *headers)
    with pytest.raises(APIError):
        claude.request("POST", "/v1/messages/batches", json={"requests": []}, yes=True)
    assert len(api.calls) == sent


@pytest.mark.parametrize("status", [500, 529])
def test_reading_is_tried_again_as_messages_are(status: int, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_magic.api.transports.retry.backoff", lambda _: 0.0)
    api.server.respond = lambda _: error(status, "api_error", "no") if len(api.calls) < 3 else json_answer({"ok": 1})
    assert get("/v1/models").json == {"ok": 1}


def test_a_change_whose_answer_is_lost_is_not_sent_again_and_says_what_is_unknown(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: Answer(framing="raw", pieces=[])
    with pytest.raises(ConnectionFailed, match="may have been done all the same"):
        claude.request("POST", "/v1/messages/batches", json={"requests": []}, yes=True)
    assert len(api.calls) == 1


def test_a_file_is_uploaded_with_its_own_name_and_type(api: ScriptedAPI, tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / 'é"x.txt').write_bytes(b"hello\r\n--boundary")
    exchange = claude.request(
        "POST", "/v1/files", files={"file": folder / 'é"x.txt'}, json={"expires_in_seconds": 3600}, yes=True
    )
    first, second = api.files.parts
    assert (first.name, first.content, first.media_type) == ("expires_in_seconds", b"3600", "")
    assert second.head == (
        'Content-Disposition: form-data; name="file"; filename="é%22x.txt"\r\nContent-Type: text/plain'.encode()
    )
    assert second.content == b"hello\r\n--boundary"
    assert exchange.json["size_bytes"] == len(second.content)
    assert str(folder) not in api.server.last.body.decode()


def test_bytes_are_uploaded_without_a_name(api: ScriptedAPI) -> None:
    claude.request("POST", "/v1/files", files={"file": b"\x00\x01"}, yes=True)
    assert api.files.parts[0].filename is None
    assert b"filename" not in api.files.parts[0].head
    assert api.files.parts[0].media_type == "application/octet-stream"


def test_a_file_that_is_missing_is_an_error_before_anything_is_sent(api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match=r"cannot be read: missing\.txt"):
        claude.request("POST", "/v1/files", files={"file": "missing.txt"}, yes=True)
    assert api.calls == []


@pytest.mark.parametrize("name", ["../../evil", "/etc/x", "..\\x", "", "..", "a\u202eb\x1b[31m.txt"])
def test_a_download_stays_in_its_folder_whatever_the_server_names_it(
    name: str, api: ScriptedAPI, tmp_path: Path
) -> None:
    stored = api.files.add("x", b"bytes", downloadable=True)
    stored.filename = name.replace("\u202e", "")  # a header holds Latin-1
    folder = tmp_path / "downloads"
    folder.mkdir()
    exchange = get(f"/v1/files/{stored.id}/content", save=folder)
    (only,) = folder.iterdir()
    assert only.read_bytes() == b"bytes"
    assert exchange.answer is not None
    assert exchange.answer.path == str(only)
    assert only.name.isprintable()


def test_a_download_replaces_no_file_unless_told_to(api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("x.bin", b"new", downloadable=True)
    target = tmp_path / "x.bin"
    target.write_bytes(b"old")
    with pytest.raises(CellError, match="exists"):
        get(f"/v1/files/{stored.id}/content", save=target)
    assert (target.read_bytes(), api.calls) == (b"old", [])
    get(f"/v1/files/{stored.id}/content", save=target, yes=True)
    assert target.read_bytes() == b"new"


def test_half_a_download_leaves_no_file(api: ScriptedAPI, tmp_path: Path) -> None:
    api.server.respond = lambda _: Answer(
        headers=(("content-type", "application/pdf"),), pieces=[b"half"], ending="cut"
    )
    with pytest.raises(StreamError):
        get("/v1/files/file_1/content", save=tmp_path / "x.pdf")
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []


def lines(*pieces: bytes, ending: str = "clean") -> Answer:
    return Answer(headers=(("content-type", "application/x-jsonl"), *HEADERS), pieces=pieces, ending=ending)


def test_lines_are_split_at_line_feeds_only(api: ScriptedAPI) -> None:
    text = "a\u2028b\u0085c\u2029d"
    body = (json.dumps({"n": 1, "text": text}, ensure_ascii=False) + "\n\n" + json.dumps({"n": 2})).encode()
    api.server.respond = lambda _: lines(*(body[at : at + 1] for at in range(len(body))))
    exchange = get("/v1/messages/batches/msgbatch_1/results")
    assert exchange.json == [{"n": 1, "text": text}, {"n": 2}]
    assert exchange.answer is not None
    assert exchange.answer.count == 2


def test_lines_that_break_off_are_kept_and_the_error_says_so(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: lines(b'{"n": 1}\n{"n": 2}\n{"n"', ending="cut")
    with pytest.raises(StreamError, match="the stream ended early"):
        get("/v1/messages/batches/msgbatch_1/results")
    assert claude.last is not None
    assert claude.last.json == [{"n": 1}, {"n": 2}]


def test_errors_are_one_line_with_the_apis_words(api: ScriptedAPI) -> None:
    stored = api.files.add("report.pdf", b"x")
    with pytest.raises(APIError, match=rf"File '{stored.id}' is not downloadable \(HTTP 400, request-id req_011Test\)"):
        get(f"/v1/files/{stored.id}/content")
    with pytest.raises(APIError, match=r"File not found: file_9 \(HTTP 404, request-id req_011Test\)\.$"):
        get("/v1/files/file_9")
    with pytest.raises(APIError, match="No such endpoint is known"):
        get("/v1/filez")


def test_an_expired_file_keeps_its_metadata_for_thirty_days(api: ScriptedAPI) -> None:
    stored = api.files.add("x", b"1", downloadable=True, expires_in=3600)
    api.clock.advance(hours=2)
    with pytest.raises(APIError, match=r"has expired.*Upload it again"):
        get(f"/v1/files/{stored.id}/content")
    assert get(f"/v1/files/{stored.id}").json["id"] == stored.id
    api.clock.advance(days=31)
    with pytest.raises(APIError, match="not found"):
        get(f"/v1/files/{stored.id}")


def test_an_old_beta_header_selects_the_old_list_and_its_pages_are_followed(api: ScriptedAPI) -> None:
    for number in range(30):
        api.files.add(f"{number}.txt", b"x")
    exchange = get("/v1/files", headers={"anthropic-beta": "files-api-2025-04-14"}, all=True)
    assert len({each["id"] for each in exchange.json["data"]}) == 30


def test_a_call_costs_nothing_and_needs_no_budget(api: ScriptedAPI) -> None:
    claude.settings.budget_usd = 0.0001
    assert get("/v1/models").usd == 0.0
    assert repr(claude.usage).split()[-5:-3] == ["all", "0"]


def test_a_batch_that_is_posted_by_hand_does_not_pass_a_budget_unseen(api: ScriptedAPI) -> None:
    claude.settings.budget_usd = 5.0
    with pytest.raises(OverBudget, match=r"Use claude\.batch"):
        claude.request("POST", "/v1/messages/batches", json={"requests": []}, yes=True)
    assert api.calls == []
    api.server.respond = lambda _: json_answer({"id": "session_1"})
    exchange = claude.request("POST", "/v1/sessions", json={"agent": "agent_1"}, yes=True)
    assert exchange.notes == ("what this may cost is not counted in the budget",)


def test_the_journal_gives_the_call_back(api: ScriptedAPI) -> None:
    made = get("/v1/models?limit=2")
    found = claude.journal.exchange(made.entry)
    assert found.json == made.json
    assert found.request.url == made.request.url
    assert "GET /v1/models?limit=2" in repr(claude.journal.last())


def test_a_recording_answers_the_same_calls_without_a_network_or_a_key(
    api: ScriptedAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = api.files.add("x.bin", b"\x00\xff", downloadable=True)

    def run() -> list[Any]:
        return [
            get("/v1/models?limit=2").json,
            get("/v1/organizations/users", all=True).json,
            get(f"/v1/files/{stored.id}/content").answer.data,
            claude.request("POST", "/v1/files", files={"file": ("a.txt", b"hello")}, yes=True).json["filename"],
        ]

    claude.record(tmp_path / "calls.recording.txt")
    before = run()
    forget()
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_ADMIN_KEY"):
        monkeypatch.delenv(name)
    api.server.close()
    claude.replay(tmp_path / "calls.recording.txt")
    assert run() == before
    assert claude.last is not None
    assert claude.last.replayed
    with pytest.raises(NotRecorded, match="GET /v1/models\\?limit=3"):
        get("/v1/models?limit=3")


def test_a_change_is_never_answered_from_the_journal(api: ScriptedAPI) -> None:
    for _ in range(2):
        forget()  # as after a restart of the kernel
        claude.settings.replay = "on"
        get("/v1/models")
        claude.request("POST", "/v1/files", files={"file": ("a.txt", b"hello")}, yes=True)
    assert [call.split()[0] for call in api.calls] == ["GET", "POST", "POST"]


def test_a_beta_header_is_sent_where_the_endpoint_needs_it(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: json_answer({"data": [], "next_page": None})
    get("/v1/agents")
    assert api.server.last.headers["anthropic-beta"] == "managed-agents-2026-04-01"
    exchange = get("/v1/agents", headers={"anthropic-beta": "mine"})
    assert api.server.last.headers["anthropic-beta"] == "mine"
    assert exchange.notes == (
        "anthropic-beta is what you gave, without this endpoint's own: managed-agents-2026-04-01",
    )


def test_a_message_is_a_message_with_its_price(api: ScriptedAPI) -> None:
    from tests.server import whole

    api.server.answers(whole("hi"))
    body = {"model": "claude-opus-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    exchange = claude.request("POST", "/v1/messages", json=body)
    assert exchange.text == "hi"
    assert exchange.json["content"][0]["text"] == "hi"
    assert exchange.usd is not None
    assert exchange.usd > 0
    assert api.server.last.json == body


@pytest.mark.parametrize("body", [b"", b"<html><h1>Proxy</h1>", b'{"a": ', b"[" * 100_000])
def test_an_answer_that_is_no_json_is_one_line(body: bytes, server: Server, api: ScriptedAPI) -> None:
    server.respond = lambda _: Answer(headers=JSON, pieces=[body], framing="length")
    if not body:
        assert get("/v1/models").json is None
        return
    with pytest.raises(StreamError):
        get("/v1/models")


def test_a_body_that_json_cannot_say_is_refused(api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="not JSON"):
        claude.request("POST", "/v1/messages/count_tokens", json={"n": float("nan")})
    assert api.calls == []
