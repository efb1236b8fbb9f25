"""HTTP in a web page: the browser's `fetch`; without JSPI a synchronous `XMLHttpRequest`, which blocks the kernel only.

A page may set few headers of its own, sees only the headers of a response that the server exposes to pages, and is not
told why a request failed.
Source: https://fetch.spec.whatwg.org/
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import js
from pyodide.ffi import JsException, can_run_sync, to_js

from ...browser import KEY_RISK
from ...concurrency.coroutines import wait_for
from ...errors import CellError, ConnectionFailed, StreamError, TimedOut
from ...hosts import is_loopback
from ...wire import Request
from ..credentials import Signer
from ..interrupt import Interrupt
from ..mcp_tokens import Tokens
from ..stand_ins import StandIns, without_tracing
from .base import ResponseStream
from .opening_headers import opening_headers
from .pace import Pace
from .rate_limit import RateLimits
from .redaction import redacted_response

_TICK = 0.1  # seconds between two looks at whether the user pressed stop
_FORBIDDEN = {  # https://fetch.spec.whatwg.org/#forbidden-request-header
    *("accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method"),
    *("connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin"),
    *("referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"),
}

Sent = tuple[int, list[tuple[str, str]], Iterator[bytes]]


class Pool:
    """The rate limits of the endpoints; the browser keeps the connections."""

    def __init__(self) -> None:
        self.rate_limit = RateLimits()
        self.pace = Pace()

    def close(self) -> None:
        """There is nothing to close."""


pool = Pool


def is_debugging() -> bool:
    """Whether requests are printed: never."""
    return False


@dataclass(frozen=True, kw_only=True)
class FetchTransport:
    """One try, by the browser.

    Attributes:
        credential: `None` if the endpoint needs none.
        connect_timeout: Not used: the browser connects.
        timeout: The longest wait for the headers of the response, and between two of its bytes, in seconds.
        address: The setting that chooses the host; no message of a page needs it.
    """

    pool: Pool
    credential: Signer | None
    connect_timeout: float
    timeout: float
    interrupt: Interrupt
    address: str = "Claude.base_url"

    def send(self, request: Request) -> ResponseStream:
        self.interrupt.check()
        for name in request.headers:
            if name.lower() in _FORBIDDEN or name.lower().startswith(("sec-", "proxy-")):
                raise CellError(f"a web page cannot set the header {name}: the browser does. Leave it out.")
        tokens, stand_ins = Tokens.from_request(request), StandIns()
        content = b"".join(request.upload) if request.upload is not None else tokens.content(request, stand_ins)
        abort = js.AbortController.new()
        send = self._fetch if can_run_sync() else self._load
        status, headers, chunks = send(request, content, stand_ins, abort)
        return redacted_response(
            status, headers, chunks, lambda: abort.abort(), credential=self.credential, tokens=tokens
        )

    def _headers(self, request: Request, content: bytes, stand_ins: StandIns) -> Any:
        """The headers as an object of JavaScript, with the key."""
        headers = js.Headers.new()
        with _Failure() as failure:
            for name, value in request.headers.items():
                headers.set(name, value)
        if failure.name:
            raise CellError(f"the browser refuses a header: {failure.reason}. Nothing was sent.")
        for name, value in opening_headers(self.credential, request, request.url, content, stand_ins):
            with without_tracing():
                headers.set(name, stand_ins.substitute(value.encode()).decode())
        return headers

    def _fetch(self, request: Request, content: bytes, stand_ins: StandIns, abort: Any) -> Sent:
        options = js.Object.new()
        options.method, options.signal = request.method, abort.signal
        options.redirect, options.credentials, options.cache = "manual", "omit", "no-store"
        options.headers = self._headers(request, content, stand_ins)
        if content:
            with without_tracing():
                options.body = to_js(stand_ins.substitute(content))
        host = urlsplit(request.url).netloc
        with _Failure() as failure:
            answer = self._wait(js.fetch(request.url, options), abort, host)
        if failure.name:
            raise _no_answer(request.url, failure.reason)
        if answer.type == "opaqueredirect":
            raise _redirected(host)
        headers = [(str(name), str(value)) for name, value in answer.headers.entries()]
        return answer.status, headers, self._chunks(answer, abort, host)

    def _chunks(self, answer: Any, abort: Any, host: str) -> Iterator[bytes]:
        """The body as it is received."""
        if answer.body is None:
            return
        reader = answer.body.getReader()
        while True:
            with _Failure() as failure:
                step = self._wait(reader.read(), abort, host)
            if failure.name:
                raise StreamError(
                    f"the reply is incomplete: the stream ended early ({host} closed the connection, or the network "
                    "is gone). The part received is kept; try again."
                )
            if step.done:
                break
            yield step.value.to_bytes()
        self.interrupt.check()

    def _wait(self, promise: Any, abort: Any, host: str) -> Any:
        """The result of a promise; meanwhile everything else in the page goes on."""
        try:
            return wait_for(self._result(promise, host))
        except BaseException:
            abort.abort()
            raise

    async def _result(self, promise: Any, host: str) -> Any:
        future, end = asyncio.ensure_future(promise), time.monotonic() + self.timeout
        while not future.done():
            await asyncio.wait({future}, timeout=_TICK)
            self.interrupt.check()
            if time.monotonic() > end and not future.done():
                raise TimedOut(f"no byte from {host} for {self.timeout:g} s. Try again, or raise Claude.timeout.")
        return future.result()

    def _load(self, request: Request, content: bytes, stand_ins: StandIns, abort: Any) -> Sent:
        """The whole response at once: without JSPI nothing else can be waited for."""
        load = js.XMLHttpRequest.new()
        load.open(request.method, request.url, False)
        load.responseType, load.timeout = "arraybuffer", round(self.timeout * 1000)
        for name, value in self._headers(request, content, stand_ins).entries():
            load.setRequestHeader(name, value)
        with _Failure() as failure, without_tracing():
            load.send(to_js(stand_ins.substitute(content)) if content else None)
        if failure.name == "TimeoutError":
            host = urlsplit(request.url).netloc
            raise TimedOut(f"no reply from {host} within {self.timeout:g} s. Try again, or raise Claude.timeout.")
        if failure.name:
            raise _no_answer(request.url, failure.reason)
        if load.responseURL and urlsplit(load.responseURL).netloc != urlsplit(request.url).netloc:
            raise _followed(urlsplit(request.url).netloc, urlsplit(load.responseURL).netloc)
        lines = str(load.getAllResponseHeaders() or "").split("\r\n")
        headers = [(name, value) for name, mark, value in (line.partition(": ") for line in lines) if mark]
        body = b"" if load.response is None else js.Uint8Array.new(load.response).to_bytes()
        return load.status, headers, iter([body] if body else [])


class _Failure:
    """Takes an exception of JavaScript; what it means is raised after it, so that no frame with the key hangs on it.

    Attributes:
        name: As `TypeError`; `""` if there was none.
        reason: What the browser says.
    """

    name = reason = ""

    def __enter__(self) -> _Failure:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> bool:
        if not isinstance(error, JsException):
            return False
        self.name, self.reason = str(error.name), str(error.message)
        return True


def _redirected(host: str) -> ConnectionFailed:
    return ConnectionFailed(
        f"{host} sends on to another address, which would get the key too. Set Claude.base_url to that address.",
        retryable=False,
    )


def _followed(host: str, other: str) -> ConnectionFailed:
    """Without JSPI the browser follows by itself, and tells only afterwards."""
    return ConnectionFailed(
        f"{host} sent the request on to {other}, and this browser followed: {other} has got it, and the key if one was "
        "sent. Make a new key then, and set Claude.base_url to an address that sends nothing on.",
        retryable=False,
    )


def _no_answer(url: str, reason: str) -> ConnectionFailed:
    """Why a request failed, as far as a page can know."""
    parts = urlsplit(url)
    if getattr(getattr(js, "navigator", None), "onLine", True) is False:
        return ConnectionFailed(
            f"the browser is offline: nothing reached {parts.netloc}. Connect, and run the cell again.", unsent=True
        )
    page = str(getattr(getattr(js, "location", None), "protocol", ""))
    if page == "https:" and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return ConnectionFailed(
            f"a page from https:// may not ask {url.partition('/v1/')[0]}. Use an address with https://.",
            retryable=False,
        )
    return ConnectionFailed(
        f"the browser got no answer from {parts.netloc} and does not say why ({reason}): there is no such host, it is "
        "down, or it lets no web page ask (CORS; some organizations turn that off). Check Claude.base_url; the "
        f"browser's console names the reason. Remember: {KEY_RISK}."
    )
