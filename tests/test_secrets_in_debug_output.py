"""A key and the token of an MCP server are in no output, however much is printed of what goes on below us."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
import requests
import urllib3.connection

from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from claude_magic.session.prompt import Prompt
from claude_magic.wire import Exchange
from tests.notebook_kernel import Kernel
from tests.server import JSON, STREAM, Answer, Server, event, failure, reply, text_events

KEY = "sk-ant-api03-" + "QUJDREVGR0hJSktMTU5P" * 2
TOKEN = 'mcp-token-"\\-of-some-server'
FORMS = (KEY, TOKEN, json.dumps(TOKEN)[1:-1], repr(TOKEN)[1:-1], KEY.encode().hex())
SERVER = {"type": "url", "url": "https://mcp.example.com", "name": "a", "authorization_token": "$MCP_TOKEN"}


@pytest.fixture
def claude(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeHandle]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("MCP_TOKEN", TOKEN)
    endpoint.answers(reply("ok"))
    made = ClaudeHandle()
    made.settings.max_retries = 0
    yield made
    made.session.close()


def ask(claude: ClaudeHandle) -> Exchange:
    return claude.session.ask(Prompt(options=Options(param={"mcp_servers": [SERVER]}), text="hi"))


def assert_sent(endpoint: Server) -> None:
    assert endpoint.last.headers["x-api-key"] == KEY
    assert endpoint.last.json["mcp_servers"][0]["authorization_token"] == TOKEN


def assert_unseen(text: str) -> None:
    assert text != ""
    assert [line[:300] for line in text.split("\n") if any(form in line for form in FORMS)] == []


@contextlib.contextmanager
def debug_level(of: Any) -> Iterator[io.StringIO]:
    before = of.__dict__.get("debuglevel")
    of.debuglevel = 2
    try:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            yield said
    finally:
        del of.debuglevel
        if before is not None:
            of.debuglevel = before


@pytest.mark.parametrize(
    "of",
    [
        http.client.HTTPConnection,
        http.client.HTTPSConnection,
        urllib3.connection.HTTPConnection,
        urllib3.connection.HTTPSConnection,
    ],
)
def test_debug_output_of_http_client_is_left_out_and_the_reader_is_told(
    of: Any, claude: ClaudeHandle, endpoint: Server
) -> None:
    with debug_level(of) as said:
        exchange = ask(claude)
    assert_sent(endpoint)
    assert said.getvalue() == ""
    assert (of is http.client.HTTPSConnection) or any("debug output" in note for note in exchange.notes)


def test_without_debug_output_nothing_is_said_of_it(claude: ClaudeHandle) -> None:
    assert ask(claude).notes == ()


def test_a_log_of_everything_shows_no_secret(
    claude: ClaudeHandle, endpoint: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ask(claude)
    assert_sent(endpoint)
    assert "POST /v1/messages" in caplog.text
    assert_unseen(caplog.text)


@pytest.mark.parametrize("events", [("call",), ("line",), ("call", "line", "return", "exception")])
def test_a_trace_function_that_shows_every_variable_of_every_frame_shows_no_secret(
    events: tuple[str, ...], claude: ClaudeHandle, endpoint: Server
) -> None:
    seen: set[str] = set()

    def trace(frame: FrameType, kind: str, arg: object) -> Any:
        if frame.f_code.co_filename != __file__ and kind in events and is_ours():
            where = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
            seen.update(
                f"{where} {name}={value!r}"[:20_000] for name, value in list(frame.f_locals.items()) if is_text(value)
            )
            if is_text(arg):
                seen.add(f"{kind} {arg!r}")
        return trace

    threading.settrace(trace)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ask(claude)
    finally:
        sys.settrace(before)
        threading.settrace(None)  # type: ignore[arg-type]
    assert_sent(endpoint)
    assert any("stand-in-for-a-secret" in each for each in seen)
    assert_unseen("\n".join(seen))


def is_ours() -> bool:
    """Whether this is a thread of the client: the scripted API has its own in this process."""
    return "(_" not in threading.current_thread().name


def is_text(value: object) -> bool:
    """Whether its text is quickly written: a repr that asks for more would trace for ever."""
    return isinstance(value, str | bytes | dict | tuple | list)


def test_a_profile_function_that_shows_what_functions_return_shows_no_secret(claude: ClaudeHandle) -> None:
    seen: set[str] = set()

    def profile(frame: FrameType, kind: str, arg: object) -> None:
        if kind == "return" and is_text(arg) and is_ours():
            seen.add(repr(arg))

    threading.setprofile(profile)
    try:
        ask(claude)
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert_unseen("\n".join(seen))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (requests.Session, "send"),
        (requests.adapters.HTTPAdapter, "send"),
        (urllib3.connection.HTTPConnection, "request"),
        (http.client.HTTPConnection, "putheader"),
        (http.client.HTTPConnection, "endheaders"),
        (http.client.HTTPConnection, "_send_output"),
    ],
)
def test_whoever_looks_into_the_libraries_sees_no_secret(
    owner: Any, name: str, claude: ClaudeHandle, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    inner: Callable[..., Any] = getattr(owner, name)

    def look(*args: Any, **options: Any) -> Any:
        parts = [*args, *options.values()]
        headers = [(part.headers, part.body) for part in parts if isinstance(part, requests.PreparedRequest)]
        inside = [vars(part) for part in parts if isinstance(part, http.client.HTTPConnection)]
        seen.append(repr((parts, headers, inside)) + "".join(str.__str__(part) for part in parts if type(part) is str))
        return inner(*args, **options)

    monkeypatch.setattr(owner, name, look)
    ask(claude)
    assert_sent(endpoint)
    assert_unseen("\n".join(seen))


def test_the_audit_event_of_http_client_holds_no_secret(claude: ClaudeHandle, endpoint: Server) -> None:
    seen: list[str] = []
    listens = True

    def hear(name: str, args: tuple[Any, ...]) -> None:  # such a hook cannot be taken away again
        if listens and name == "http.client.send":
            seen.append(repr(args))

    sys.addaudithook(hear)
    ask(claude)
    listens = False
    assert_sent(endpoint)
    assert_unseen("\n".join(seen))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(framing="raw", pieces=[b""], ending="cut"),
        Answer(framing="raw", pieces=[b"nonsense\r\n\r\n"], ending="cut"),
        Answer(headers=STREAM, pieces=[event(next(text_events([])))], ending="cut"),
        Answer(status=401, headers=JSON, pieces=[json.dumps({"error": {"message": KEY + TOKEN}}).encode()]),
    ],
)
def test_an_error_keeps_no_frame_and_no_request_of_the_libraries(
    answer: Answer, claude: ClaudeHandle, endpoint: Server
) -> None:
    endpoint.answers(answer)
    error: BaseException | None = ask(claude).error
    assert error is not None
    assert error.__context__ is None
    assert error.__cause__ is None
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert_unseen(shown)


LOUD = """
import http.client, logging, sys, threading, urllib3
http.client.HTTPConnection.debuglevel = 1
urllib3.connection.HTTPConnection.debuglevel = 1
urllib3.add_stderr_logger()
logging.basicConfig(level=logging.DEBUG, force=True, stream=sys.stdout)
logging.captureWarnings(True)
def trace(frame, kind, arg):
    if frame.f_code.co_filename.endswith(("connections.py", "direct.py", "client.py", "credentials.py")):
        sys.__stdout__ and print(kind, {k: v for k, v in list(frame.f_locals.items()) if isinstance(v, (str, bytes))})
    return trace
threading.settrace(trace)
"""


CELLS = ("%%claude\nhi", "claude('hi')", "claude.map(['a'], 'Say {{row}}')", "claude.models", "claude.count('hi')")


@pytest.mark.kernel
def test_a_kernel_in_which_everything_is_switched_on_shows_no_key(endpoint: Server) -> None:
    endpoint.answers(*[reply("ok")] * 3, failure(401, "authentication_error", "no such key"))
    with Kernel(ANTHROPIC_API_KEY=KEY) as kernel:
        assert kernel.run("%load_ext claude_magic\nfrom claude_magic import claude\n%xmode Verbose").error is None
        assert kernel.run(LOUD).error is None
        ran = [kernel.run(cell) for cell in (*CELLS, "%tb", *CELLS, "%tb")]
        ran += [kernel.run(cell) for cell in ("%config Claude.base_url = 'http://127.0.0.1:9'", *CELLS, "%tb")]
        ran.append(kernel.run("claude.last, vars(claude), claude.last and vars(claude.last)"))
    assert len(endpoint.received) > len(CELLS)
    assert {received.headers["x-api-key"] for received in endpoint.received} == {KEY}
    shown = json.dumps([[each.outputs, each.error, [m for _, m in each.messages]] for each in ran], default=str)
    assert "call {" in shown
    assert_unseen(shown)
