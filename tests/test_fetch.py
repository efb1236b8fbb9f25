"""Requests from a web page, with a scripted `fetch` in place of the browser's."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("greenlet", reason="FETCH TESTS SKIPPED: no greenlet here")

from claude_magic.api.credentials import Credential, Secret
from claude_magic.api.endpoints.messages import messages
from claude_magic.api.interrupt import Interrupt
from claude_magic.errors import CellError, ConnectionFailed, Interrupted, StreamError, TimedOut
from claude_magic.wire import Headers, Request
from tests.page_python import JsException, PagePython

KEY = "sk-ant-api03-scripted-key-of-the-page"
URL = "https://api.example/v1/messages"


class Answer:
    """A response of `fetch`.

    Args:
        pieces: Bytes, or an exception with which the stream ends.
    """

    def __init__(self, *pieces: Any, status: int = 200, headers: dict[str, str] | None = None, type: str = "cors"):
        self.status, self.type = status, type
        self.headers = types.SimpleNamespace(entries=lambda: iter((headers or {}).items()))
        self._pieces = iter(pieces)
        self.body = types.SimpleNamespace(getReader=lambda: types.SimpleNamespace(read=self._read))

    async def _read(self) -> Any:
        piece = next(self._pieces, None)
        if isinstance(piece, Exception):
            raise piece
        return types.SimpleNamespace(done=piece is None, value=types.SimpleNamespace(to_bytes=lambda: piece))


class Page(PagePython):
    """A page whose `fetch` is scripted.

    Attributes:
        sent: The address and the options of each `fetch`.
        answer: What it returns, or raises.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, jspi: bool = True) -> None:
        super().__init__(monkeypatch, jspi=jspi)
        self.sent: list[tuple[str, Any]] = []
        self.answer: Any = Answer(b"{}")
        self.aborted: list[bool] = []
        js: Any = self.js
        js.fetch = self._fetch
        js.Headers = types.SimpleNamespace(new=JsHeaders)
        js.Object = types.SimpleNamespace(new=types.SimpleNamespace)
        js.navigator = types.SimpleNamespace(onLine=True)
        js.location = types.SimpleNamespace(protocol="https:")
        js.AbortController = types.SimpleNamespace(
            new=lambda: types.SimpleNamespace(signal="signal", abort=lambda: self.aborted.append(True))
        )

    async def _fetch(self, url: str, options: Any) -> Any:
        self.sent.append((url, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return await self.answer() if callable(self.answer) else self.answer

    def transport(self, **options: Any) -> Any:
        fetch = self.module("claude_magic.api.transports.fetch")
        credential = Credential(source="claude.login()", secret=Secret(KEY))
        fields = {"credential": credential, "connect_timeout": 1, "timeout": 60, "interrupt": Interrupt(), **options}
        return fetch.FetchTransport(pool=fetch.pool(), **fields)

    def send(self, request: Request, **options: Any) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer."""

        def cell() -> tuple[int, Headers, bytes]:
            with self.transport(**options).send(request) as response:
                return response.status, response.headers, b"".join(response.chunks)

        result: tuple[int, Headers, bytes] = self.run(cell)
        return result


class JsHeaders:
    """The `Headers` of JavaScript."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def set(self, name: str, value: str) -> None:
        if "\n" in value:
            raise JsException("Invalid value")
        self.values[name] = value

    def entries(self) -> Iterator[tuple[str, str]]:
        return iter(self.values.items())


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


@pytest.fixture
def request_of_a_page(monkeypatch: pytest.MonkeyPatch) -> Request:
    """A request as it is built in a web page."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    made = messages(
        base_url="https://api.example",
        api_version="2023-06-01",
        model="claude-haiku-4-5",
        max_tokens=9,
        messages=[{"role": "user", "content": "é"}],
        stream=True,
        fields={},
        headers={"x-api-key": "$ANTHROPIC_API_KEY"},
    )
    monkeypatch.undo()
    return made


def plain(**headers: str) -> Request:
    return Request(method="POST", url=URL, headers=Headers(headers.items()), body={"model": "m"})


def test_only_a_page_asks_for_direct_access_and_leaves_to_the_browser_what_is_the_browsers(
    request_of_a_page: Request,
) -> None:
    usual = messages(base_url="", api_version="1", model="m", max_tokens=1, messages=[], stream=True)
    names = {"accept-encoding", "user-agent", "anthropic-dangerous-direct-browser-access"}
    assert names & set(usual.headers) == {"accept-encoding", "user-agent"}
    assert names & set(request_of_a_page.headers) == {"anthropic-dangerous-direct-browser-access"}


def test_what_is_shown_is_sent_with_the_key_in_the_place_of_its_name(
    monkeypatch: pytest.MonkeyPatch, request_of_a_page: Request
) -> None:
    page = Page(monkeypatch)
    page.send(request_of_a_page)
    ((url, options),) = page.sent
    assert url == request_of_a_page.url
    assert options.headers.values == {**dict(request_of_a_page.headers.items()), "x-api-key": KEY}
    assert (options.method, options.body) == ("POST", request_of_a_page.content)
    assert (options.redirect, options.credentials, options.cache) == ("manual", "omit", "no-store")


def test_the_answer_arrives_in_its_pieces_without_the_key(page: Page) -> None:
    half = len(KEY) // 2
    page.answer = Answer(
        f"data: {KEY[:half]}".encode(),
        f"{KEY[half:]}\n\n".encode(),
        headers={"content-type": "text/event-stream", "request-id": "req_1", "echo": KEY},
    )
    status, headers, body = page.send(plain())
    assert (status, headers["request-id"], headers["echo"]) == (200, "req_1", "***")
    assert body == b"data: ***\n\n"


def test_a_token_of_an_mcp_server_is_sent_and_nowhere_kept(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TOKEN_DOCS", "token-of-the-server")
    servers = [{"type": "url", "url": "https://mcp.example", "authorization_token": "$MCP_TOKEN_DOCS"}]
    page.send(Request(method="POST", url=URL, body={"model": "m", "mcp_servers": servers}))
    (server,) = json.loads(page.sent[0][1].body)["mcp_servers"]
    assert server["authorization_token"] == "token-of-the-server"


def test_a_failure_says_what_a_page_can_know_and_that_a_key_in_a_page_can_be_read(page: Page) -> None:
    page.answer = JsException("Failed to fetch")
    with pytest.raises(ConnectionFailed) as caught:
        page.send(plain())
    said = str(caught.value)
    assert all(word in said for word in ("api.example", "Failed to fetch", "CORS", "organizations", "can be read"))
    assert not caught.value.unsent
    assert caught.value.__context__ is None  # a frame of it could show the key


def test_an_offline_browser_is_said_to_be_offline(page: Page) -> None:
    page.answer, page.js.navigator.onLine = JsException("Failed to fetch"), False  # type: ignore[attr-defined]
    with pytest.raises(ConnectionFailed, match=r"the browser is offline: nothing reached api\.example"):
        page.send(plain())


def test_a_secure_page_may_not_ask_an_insecure_address(page: Page) -> None:
    page.answer = JsException("Failed to fetch")
    with pytest.raises(ConnectionFailed, match=r"may not ask http://api\.example") as caught:
        page.send(Request(method="GET", url="http://api.example/v1/models"))
    assert not caught.value.retryable


def test_a_redirect_is_not_followed(page: Page) -> None:
    page.answer = Answer(status=0, type="opaqueredirect")
    with pytest.raises(ConnectionFailed, match="sends on to another address, which would get the key too"):
        page.send(plain())


@pytest.mark.parametrize("name", ["Cookie", "user-agent", "Sec-Fetch-Mode"])
def test_a_header_that_a_page_cannot_set_is_refused_and_not_dropped(page: Page, name: str) -> None:
    with pytest.raises(CellError, match=f"a web page cannot set the header {name}"):
        page.send(plain(**{name: "x"}))
    assert page.sent == []


def test_a_header_that_the_browser_refuses_is_named(page: Page) -> None:
    with pytest.raises(CellError, match="the browser refuses a header: Invalid value"):
        page.send(plain(odd="a\nb"))


def test_a_stream_that_breaks_off_is_incomplete(page: Page) -> None:
    page.answer = Answer(b"data: 1\n\n", JsException("network error"))
    with pytest.raises(StreamError, match="the stream ended early"):
        page.send(plain())


def test_silence_is_timed_out_and_the_request_ended(page: Page) -> None:
    page.answer = lambda: asyncio.sleep(60)
    with pytest.raises(TimedOut, match=r"no byte from api\.example for 0\.01 s"):
        page.send(plain(), timeout=0.01)
    assert page.aborted == [True]


def test_stop_ends_the_request(page: Page) -> None:
    interrupt = Interrupt()

    async def answer() -> Any:
        interrupt.set()
        await asyncio.sleep(60)

    page.answer = answer
    with pytest.raises(Interrupted):
        page.send(plain(), interrupt=interrupt)
    assert page.aborted == [True]


class Load:
    """An `XMLHttpRequest`."""

    def __init__(self, page: Page) -> None:
        self.page, self.headers, self.response, self.responseURL, self.status = page, {}, b'{"a": 1}', URL, 200

    def open(self, method: str, url: str, waits: bool) -> None:
        assert not waits

    def setRequestHeader(self, name: str, value: str) -> None:  # noqa: N802  # JavaScript's name
        self.headers[name] = value

    def getAllResponseHeaders(self) -> str:  # noqa: N802
        return "content-type: application/json\r\nrequest-id: req_2\r\n"

    def send(self, body: bytes | None) -> None:
        self.body = body
        if isinstance(self.page.answer, Exception):
            raise self.page.answer


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> tuple[Page, Load]:
    """A page without JSPI: nothing can be waited for."""
    page = Page(monkeypatch, jspi=False)
    load, js = Load(page), page.js
    js.XMLHttpRequest = types.SimpleNamespace(new=lambda: load)  # type: ignore[attr-defined]
    js.Uint8Array = types.SimpleNamespace(new=lambda data: types.SimpleNamespace(to_bytes=lambda: data))  # type: ignore[attr-defined]
    return page, load


def sent_by(page: Page) -> Callable[[Request], tuple[int, Headers, bytes]]:
    def send(request: Request) -> tuple[int, Headers, bytes]:
        with page.transport().send(request) as response:
            return response.status, response.headers, b"".join(response.chunks)

    return send


def test_without_jspi_the_whole_answer_is_loaded_at_once(bare: tuple[Page, Load]) -> None:
    page, load = bare
    status, headers, body = sent_by(page)(plain(accept="application/json"))
    assert (status, headers["request-id"], body) == (200, "req_2", b'{"a": 1}')
    assert load.headers == {"accept": "application/json", "x-api-key": KEY}
    assert json.loads(load.body or b"") == {"model": "m"}


def test_without_jspi_the_browser_follows_a_redirect_and_who_got_the_key_is_said(bare: tuple[Page, Load]) -> None:
    page, load = bare
    load.responseURL = "https://elsewhere.example/v1/messages"
    with pytest.raises(ConnectionFailed, match=r"followed: elsewhere\.example has got it, and the key") as caught:
        sent_by(page)(plain())
    assert not caught.value.retryable


def test_without_jspi_a_failure_has_the_same_words(bare: tuple[Page, Load]) -> None:
    page, _ = bare
    page.answer = JsException("Failed to execute 'send'", "NetworkError")
    with pytest.raises(ConnectionFailed, match="CORS"):
        sent_by(page)(plain())
    page.answer = JsException("timed out", "TimeoutError")
    with pytest.raises(TimedOut, match="no reply from"):
        sent_by(page)(plain())
