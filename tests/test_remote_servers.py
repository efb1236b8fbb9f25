"""Remote MCP servers: what a request needs for them, and that only the wire ever sees a token."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from claude_magic.api.credentials import Secret
from claude_magic.api.mcp_tokens import Tokens
from claude_magic.api.stand_ins import StandIns
from claude_magic.errors import APIError, CellError, SettingsError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from claude_magic.tools.remote_mcp import BETA, RemoteServers, is_address, remote_servers
from claude_magic.wire import Exchange, Request
from tests.notebook_shell import Shell
from tests.server import JSON, STREAM, Answer, Server, event, failure, message, reply, text_events, whole

TOKEN = 'mcp"token\\with/odd~' + "characters-51f0"
URL = "https://mcp.linear.app/mcp"


def one(url: str, *variables: str) -> dict[str, Any]:
    found = remote_servers([url], variables)
    assert found.toolsets == ({"type": "mcp_toolset", "mcp_server_name": found.servers[0]["name"]},)
    return found.servers[0]


# What a request needs


def test_a_url_becomes_a_server_and_a_toolset_of_its_name() -> None:
    assert remote_servers([URL], ()) == RemoteServers(
        servers=({"type": "url", "url": URL, "name": "linear_app"},),
        toolsets=({"type": "mcp_toolset", "mcp_server_name": "linear_app"},),
    )


def test_the_token_is_only_named() -> None:
    assert one(URL, "MCP_TOKEN_LINEAR_APP", "MCP_TOKEN")["authorization_token"] == "$MCP_TOKEN_LINEAR_APP"
    assert one(URL, "MCP_TOKEN")["authorization_token"] == "$MCP_TOKEN"
    assert one(f"my-own={URL}", "MCP_TOKEN_MY_OWN")["authorization_token"] == "$MCP_TOKEN_MY_OWN"
    assert "authorization_token" not in one(URL, "TOKEN", "ANTHROPIC_API_KEY")


def test_a_token_for_any_server_goes_to_none_of_several() -> None:
    found = remote_servers([URL, "https://other.example/mcp"], ["MCP_TOKEN", "MCP_TOKEN_OTHER_EXAMPLE"])
    assert [server.get("authorization_token") for server in found.servers] == [None, "$MCP_TOKEN_OTHER_EXAMPLE"]


def test_a_reader_may_name_a_server() -> None:
    assert one(f"tickets={URL}") == {"type": "url", "url": URL, "name": "tickets"}


def test_the_same_address_twice_is_one_server() -> None:
    assert len(remote_servers([URL, URL], ()).servers) == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/a", "example_com"),
        ("https://www.example.com", "example_com"),
        ("https://MCP.Example.COM:8443/x", "example_com_8443"),
        ("https://mcp.com/", "mcp_com"),
        ("http://localhost:9000/mcp", "localhost_9000"),
        ("http://[::1]:9000/mcp", "1_9000"),
        ("http://127.0.0.1:9000/mcp", "127_0_0_1_9000"),
        ("https://münchen.de", "m_nchen_de"),
    ],
)
def test_the_name_is_that_of_the_host(url: str, name: str) -> None:
    assert one(url)["name"] == name


HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-zäß0-9]{1,20}){0,4}", fullmatch=True)
URLS = st.builds(
    "https://{}{}/{}".format,
    HOSTS,
    st.sampled_from(["", ":8080", ":443"]),
    st.from_regex(r"[a-z0-9/]{0,8}", fullmatch=True),
)


@given(st.lists(URLS, max_size=6))
def test_names_are_legal_and_unique(urls: list[str]) -> None:
    found = remote_servers(urls, ())
    names = [server["name"] for server in found.servers]
    assert len(set(names)) == len(set(urls))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
    assert [server["url"] for server in found.servers] == list(dict.fromkeys(urls))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/mcp", "must be at https://"),
        ("ftp://example.com/mcp", "must be at https://"),
        ("http://localhost.example.com/", "must be at https://"),
        ("http://127.0.0.1.example.com/", "must be at https://"),
        ("https://user:hush@example.com/", "holds a credential.*MCP_TOKEN_EXAMPLE_COM"),
        ("https://hush@example.com/", "holds a credential"),
        ("https://example.com/?api_key=hush", "holds a credential"),
        ("https://example.com/?a=1&access_token=hush", "holds a credential"),
        ("https://example.com/?sessionTOKEN=hush", "holds a credential"),
        ("https://", "names no host"),
        ("https:///hush", "names no host"),
        ("https://[hush", "cannot be read"),
        ("https://example.com:hush/", "cannot be read"),
        ("https://example.com/hush\n", "control character"),
        ("https://example.com/a b", "space"),
        ("https://example.com/\u202ehush", "control character"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_what_may_be_secret(url: str, why: str) -> None:
    with pytest.raises(CellError, match=why) as caught:
        remote_servers([url], ())
    assert "hush" not in str(caught.value)


def test_two_servers_of_one_name_are_refused() -> None:
    with pytest.raises(CellError, match="two MCP servers cannot be called 'a'"):
        remote_servers([f"a={URL}", "a=https://other.example"], ())


def test_an_address_is_told_from_a_variable() -> None:
    assert is_address(URL)
    assert is_address(f"tickets={URL}")
    assert is_address("http://x")
    assert not is_address("files")
    assert not is_address("servers[0]")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", BETA),
        ("files-api-2025-04-14", f"files-api-2025-04-14,{BETA}"),
        (f"a, {BETA} ,a", f"a,{BETA}"),
        ("mcp-client-2026-09-15", "mcp-client-2026-09-15"),
    ],
)
def test_the_beta_header_joins_what_the_reader_gave(given: str, sent: str) -> None:
    assert remote_servers([URL], ()).betas(given) == sent


def test_without_servers_the_beta_header_is_the_reader_s() -> None:
    assert RemoteServers().betas("a,b") == "a,b"
    assert RemoteServers().betas() == ""


# What the wire sees, and nobody else


@pytest.fixture
def claude(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeHandle]:
    """A handle of its own, and a token."""
    monkeypatch.setenv("MCP_TOKEN_LINEAR_APP", TOKEN)
    made = ClaudeHandle()
    made.settings.max_retries = 0
    yield made
    made.session.close()


def asked(claude: ClaudeHandle, **fields: Any) -> Exchange:
    found = remote_servers([URL], ["MCP_TOKEN_LINEAR_APP"])
    param = {"mcp_servers": list(found.servers), "tools": list(found.toolsets), **fields}
    return claude.session.ask(Prompt(options=Options(param=param, header={"anthropic-beta": found.betas()}), text="hi"))


def shows(exchange: Exchange) -> str:
    parts = [exchange, exchange.request.body, exchange.request.content, exchange.headers.items(), exchange.events]
    parts += [exchange.message.body, exchange.text, exchange.error, getattr(exchange.error, "body", None)]
    return "\n".join(f"{each!r} {each}" for each in parts)


def holds(text: str) -> bool:
    return any(form.decode() in text for form in Secret(TOKEN).encodings()) or repr(TOKEN)[1:-1] in text


def test_the_bytes_that_arrive_hold_the_token_and_the_exchange_does_not(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    exchange = asked(claude)
    assert exchange.error is None
    assert endpoint.last.json["mcp_servers"][0]["authorization_token"] == TOKEN
    assert endpoint.last.headers["anthropic-beta"] == BETA
    assert (exchange.request.body or {})["mcp_servers"][0]["authorization_token"] == "$MCP_TOKEN_LINEAR_APP"
    assert not holds(shows(exchange))


def test_nothing_else_of_the_body_changes(claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    exchange = asked(claude)
    text = endpoint.last.body.decode()
    assert text.replace(json.dumps(TOKEN), '"$MCP_TOKEN_LINEAR_APP"') == exchange.request.content.decode()


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_an_error_that_repeats_the_token_shows_it_nowhere(framing: str, claude: ClaudeHandle, endpoint: Server) -> None:
    text = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": f"bad: {TOKEN}!"}})
    endpoint.answers(
        Answer(status=400, headers=[*JSON, ("x-echo", f"a {TOKEN} b")], pieces=[text.encode()], framing=framing)
    )
    exchange = asked(claude)
    assert isinstance(exchange.error, APIError)
    assert "bad: ***!" in str(exchange.error)
    assert exchange.headers["x-echo"] == "a *** b"
    assert not holds(shows(exchange))


def test_an_error_that_is_no_json_and_one_inside_a_stream_show_it_nowhere(
    claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(Answer(status=502, pieces=[f"<h1>{TOKEN}</h1>".encode()]))
    assert not holds(shows(asked(claude)))
    inside = event({"type": "error", "error": {"type": "api_error", "message": f"bad: {TOKEN}"}})
    endpoint.answers(Answer(headers=STREAM, pieces=[event(next(text_events([]))), inside]))
    exchange = asked(claude)
    assert "bad: ***" in str(exchange.error)
    assert not holds(shows(exchange))
    endpoint.answers(whole(f"it is {TOKEN}"))
    assert asked(claude, stream=False).text == "it is ***"


def test_a_stream_that_repeats_the_token_in_single_bytes_shows_it_nowhere(
    claude: ClaudeHandle, endpoint: Server
) -> None:
    body = b"".join(event(each) for each in text_events(["it is ", TOKEN, TOKEN[:-1], "mcp"]))
    endpoint.answers(Answer(headers=STREAM, pieces=[bytes([byte]) for byte in body]))
    exchange = asked(claude)
    assert exchange.error is None
    assert exchange.text == f"it is ***{TOKEN[:-1]}mcp"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_one_line_and_nothing_is_sent(
    value: str | None, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("ok"))
    monkeypatch.delenv("MCP_TOKEN_LINEAR_APP")
    if value is not None:
        monkeypatch.setenv("MCP_TOKEN_LINEAR_APP", value)
    error = asked(claude).error
    assert isinstance(error, SettingsError)
    assert str(error) == ("no token for the MCP server: $MCP_TOKEN_LINEAR_APP is empty. Set it before Jupyter starts.")
    assert endpoint.received == []


def test_a_token_that_cannot_be_sent_is_refused_unseen(
    claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("ok"))
    monkeypatch.setenv("MCP_TOKEN_LINEAR_APP", "hush\u00e4hush")
    error = asked(claude).error
    assert isinstance(error, SettingsError)
    assert "hush" not in str(error)
    assert endpoint.received == []


@pytest.mark.parametrize("token", ["$OTHER", "a-token-itself"])
def test_a_token_itself_and_any_other_variable_are_refused(
    token: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "hush")
    with pytest.raises(CellError, match="MCP_TOKEN_NAME") as refused:
        asked(claude, mcp_servers=[{"type": "url", "url": URL, "name": "a", "authorization_token": token}])
    assert token not in str(refused.value)
    assert endpoint.received == []


@pytest.mark.parametrize("servers", [None, "x", 3, {}, [None], ["$MCP_TOKEN"], [{"authorization_token": {}}]])
def test_a_field_of_any_other_form_is_sent_as_given(servers: Any, claude: ClaudeHandle, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    assert asked(claude, mcp_servers=servers).error is None
    assert endpoint.last.json["mcp_servers"] == servers


@given(st.data())
def test_the_token_is_found_however_the_answer_is_cut(data: st.DataObject) -> None:
    token = data.draw(st.text('ab"\\', min_size=8, max_size=12))
    tokens = Tokens(by_name={"MCP_TOKEN": Secret(token)})
    assume(len(tokens.by_name["MCP_TOKEN"]) >= 8)  # quotes around a token are no part of it; shorter ones are any word
    forms = tokens.by_name["MCP_TOKEN"].encodings()
    body = b"".join(data.draw(st.lists(st.sampled_from([b"a", b"b", b'"', b"\\", *forms]), max_size=12)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    seen = b"".join(tokens.redact(iter(chunks)))
    assert not any(form in seen for form in forms)
    if not any(form in body for form in forms):
        assert seen == body


def test_an_answer_without_the_token_is_held_back_nowhere() -> None:
    tokens = Tokens(by_name={"MCP_TOKEN": Secret(TOKEN)})
    chunks = iter([b"data: {}\n\n", b"data: [1]\n\n"])
    assert next(tokens.redact(chunks)) == b"data: {}\n\n"


def test_the_body_that_goes_out_shows_itself_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TOKEN", TOKEN)
    body = {"mcp_servers": [{"authorization_token": "$MCP_TOKEN"}]}
    request = Request(method="POST", url="https://x.test/v1/messages", body=body)
    tokens = Tokens.from_request(request)
    stand_ins = StandIns()
    content = tokens.content(request, stand_ins)
    assert not holds(f"{content!r} {tokens!r} {request!r} {vars(stand_ins)!r}")
    filled = stand_ins.substitute(content)
    assert json.loads(filled)["mcp_servers"][0]["authorization_token"] == TOKEN
    assert len(filled) == stand_ins.length(content)


CELL = """
from claude_magic import claude
from claude_magic.prompt.options.options import Options
from claude_magic.tools.remote_mcp import remote_servers
claude.record("lesson.recording.txt")
found = remote_servers(["https://mcp.linear.app/mcp"], ["MCP_TOKEN_LINEAR_APP"])
exchange = claude("hi", param={"mcp_servers": list(found.servers), "tools": list(found.toolsets)})
exchange, exchange.request.body, vars(exchange)
"""


def test_no_file_and_no_output_holds_the_token(endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(
        reply("fine"),
        failure(400, "invalid_request_error", f"bad: {TOKEN}"),
        whole(f"it is {TOKEN}"),
        Answer(headers=STREAM, pieces=[event({"type": "message_start", "message": message()})], ending="cut"),
    )
    with Shell(MCP_TOKEN_LINEAR_APP=TOKEN) as kernel:
        assert kernel.run("%load_ext claude_magic\n%config Claude.max_retries = 0").error is None
        ran = [kernel.run(CELL) for _ in range(4)]
        ran.append(kernel.run("%xmode Verbose\n%tb"))
        journal = kernel.run("print(claude.journal.path)").stdout.strip()
    assert [received.json["mcp_servers"][0]["authorization_token"] for received in endpoint.received] == [TOKEN] * 4
    outputs = json.dumps([[each.outputs, each.error] for each in ran])
    assert not holds(outputs)
    assert not holds(json.dumps(outputs))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert Path(journal) in files
    assert tmp_path / "lesson.recording.txt" in files
    assert [path for path in files if any(form in path.read_bytes() for form in Secret(TOKEN).encodings())] == []
    with sqlite3.connect(journal) as database:
        rows = database.execute("select request, error from exchange").fetchall()
    database.close()
    assert all("$MCP_TOKEN_LINEAR_APP" in request for request, _ in rows)
    assert any("bad: ***" in (error or "") for _, error in rows)
