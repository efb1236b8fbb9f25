"""HTTP with `requests`: one try, over connections that are kept and reused.

Three of its habits are not wanted here: redirects would carry the key to another host, a
`~/.netrc` entry would replace it, and a proxy of the environment would be asked for loopback.
"""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ...errors import ClaudeError, ConnectionFailed, StreamError, TimedOut
from ...hosts import is_loopback
from ...wire import Headers, Request
from ..credentials import Credential
from ..interrupt import Interrupt
from ..mcp_tokens import Tokens
from ..stand_ins import StandIns
from .base import Response
from .connections import Attempt, Connection, SecureConnection, TimedResponse, current
from .pace import Pace
from .rate_limit import RetryAfter

_READ_SIZE = 65_536
_EVENT_END = b"\n\n"
_LINGER = 0.05  # seconds to wait for the end of a body whose message has already ended
_LONGEST_ERROR = 10.0  # seconds to wait for the body of an error: the status says what matters
_NO_PROXY = {"http": None, "https": None, "all": None}


class Pool(requests.Session):
    """Connections to keep and reuse, and what their endpoints asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.rate_limit = RetryAfter()
        self.pace = Pace()


def pool() -> Pool:
    """Connections; cookies are not kept."""
    session = Pool()
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=64))
    return session


@dataclass(frozen=True, kw_only=True)
class HTTPTransport:
    """One try over the network.

    Attributes:
        credential: `None` where the endpoint asks for none.
        timeout: Longest silence, in seconds; the headers of the answer must all come within it.
    """

    pool: requests.Session
    credential: Credential | None
    connect_timeout: float
    timeout: float
    interrupt: Interrupt

    def send(self, request: Request) -> Response:
        self.interrupt.check()
        tokens = Tokens.of(request)
        attempt = current.attempt = Attempt(self.interrupt, self.timeout)
        host = urlsplit(request.url).netloc
        with _Translated(host, self, ConnectionFailed) as failed:
            response = self.pool.send(
                self._prepared(request, tokens.content(request, attempt.stand_ins), attempt.stand_ins),
                timeout=(self.connect_timeout, self.timeout),
                allow_redirects=False,
                **self._of_environment(request.url),
            )
        failed.check()
        body = _body(response.raw, attempt.response)
        return Response(
            status=response.status_code,
            headers=Headers(
                (str(n), tokens.redact_json(self._redacted_headers(str(v))))
                for n, v in response.raw.headers.iteritems()
            ),
            chunks=tokens.redact(self._chunks(body, attempt.response, host)),
            close=lambda: _release(response, body, attempt),
        )

    def _prepared(self, request: Request, content: bytes, stand_ins: StandIns) -> requests.PreparedRequest:
        """The request with stand-ins for its secrets, and the length that it has with them."""

        def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
            if self.credential is not None:
                name, value = self.credential.header(stand_ins.add(self.credential.secret))
                prepared.headers[name] = value
            return prepared

        asked = requests.Request(
            request.method, request.url, data=content or None, headers=dict(request.headers), auth=sign
        )
        prepared = self.pool.prepare_request(asked)
        if content:
            prepared.headers["Content-Length"] = str(stand_ins.length(content))
        return prepared

    def _of_environment(self, url: str) -> dict[str, Any]:
        """The proxy and the certificates that the environment names; plain loopback needs neither."""
        parts = urlsplit(url)
        loopback = is_loopback(parts.hostname or "")
        if loopback and parts.scheme == "http":
            return {"stream": True, "verify": True, "cert": None, "proxies": {}}
        proxies: Any = _NO_PROXY if loopback else {}
        return dict(self.pool.merge_environment_settings(url, proxies, True, None, None))

    def _redacted_headers(self, value: str) -> str:
        """`value` without the key, which an answer may repeat."""
        return self.credential.redact(value) if self.credential else value

    def _chunks(self, body: Iterator[bytes], http: TimedResponse, host: str) -> Iterator[bytes]:
        """The body as it arrives; what is here already comes in one piece, as a chunk for each token costs time."""
        ok = http.status < 400
        pending: list[bytes] = []
        with _Translated(host, self, StreamError) as failed:
            http.allow(self.timeout if ok else min(self.timeout, _LONGEST_ERROR))
            for chunk in body:
                pending.append(chunk)
                if _EVENT_END in http.buffered():  # then reading on does not wait
                    continue
                yield b"".join(pending)
                pending.clear()
                if ok:
                    http.allow(self.timeout)
        if pending:
            yield b"".join(pending)
        failed.check()
        self.interrupt.check()


def _body(raw: Any, http: TimedResponse) -> Iterator[bytes]:
    """The body, decompressed, as it arrives: `read1` never waits for more than there is, in a chunk or out of one."""
    if raw.chunked and "content-encoding" not in raw.headers:  # `urllib3` adds nothing, but triples the cost of a chunk
        read = http.read1
    else:
        read = partial(raw.read1, decode_content=True)
    try:
        while chunk := read(_READ_SIZE):
            yield chunk
    except BaseException:
        raw.close()
        raise
    finally:
        raw.release_conn()


def _release(response: requests.Response, body: Iterator[bytes], attempt: Attempt) -> None:
    """Gives the connection back if the body is at its end, or comes to it at once; else ends it.

    Some servers keep the connection open after the last event: nobody waits for that.
    """
    attempt.interrupt.release()
    with contextlib.suppress(Exception):
        attempt.response.allow(_LINGER)
        if next(body, None) is None:
            return
    response.close()


class _Translated:
    """Turns what `requests`, `urllib3` and the sockets raise into one of our errors, which `check` raises.

    It is raised after the handling, not in it: so it holds no frames or requests of theirs as its context.
    """

    def __init__(self, host: str, direct: HTTPTransport, otherwise: type[ConnectionFailed] | type[StreamError]) -> None:
        self._host = host
        self._direct = direct
        self._otherwise = otherwise
        self._error: ClaudeError | None = None

    def __enter__(self) -> _Translated:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> bool:
        foreign = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, http.client.HTTPException)
        if isinstance(error, ClaudeError) or not isinstance(error, foreign):
            return False
        self._error = _error(error, self._host, self._direct, self._otherwise)
        return True

    def check(self) -> None:
        """Raise what was translated."""
        if self._error is not None:
            self._direct.interrupt.check()
            raise self._error


def _error(
    error: Exception, host: str, direct: HTTPTransport, otherwise: type[ConnectionFailed] | type[StreamError]
) -> ClaudeError:
    causes = list(_causes(error))
    kinds = tuple(type(cause).__name__ for cause in causes)
    handshake = any("handshake" in str(cause) for cause in causes)
    if "ConnectTimeout" in kinds or "ConnectTimeoutError" in kinds or (handshake and "ReadTimeoutError" in kinds):
        return TimedOut(
            f"no connection to {host} within {direct.connect_timeout:g} s. Is the network up?", may_pass=True
        )
    if "ReadTimeout" in kinds or "ReadTimeoutError" in kinds or any(isinstance(c, TimeoutError) for c in causes):
        return TimedOut(f"no byte from {host} for {direct.timeout:g} s. Ask again, or raise Claude.timeout.")
    if otherwise is StreamError:
        reason = "it cannot be decoded" if _is_no_http(causes) else f"{host} closed the connection"
        return StreamError(f"the reply broke off: {reason}. What had arrived is kept; ask again.")
    return _no_connection(causes, kinds, host)


def _no_connection(causes: list[BaseException], kinds: tuple[str, ...], host: str) -> ClaudeError:
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "SSLError" in kinds:
        reason = next((c.reason for c in causes if isinstance(c, ssl.SSLError) and c.reason), "the handshake failed")
        return ConnectionFailed(
            f"no secure connection to {host}: {str(reason).replace('_', ' ').lower()}. "
            "Behind a proxy that opens TLS, set REQUESTS_CA_BUNDLE to its certificate.",
            may_pass=False,
        )
    if "NameResolutionError" in kinds or any(isinstance(cause, socket.gaierror) for cause in causes):
        return ConnectionFailed(f"no such host: {host}. Is the network up, and Claude.base_url right?")
    if "ProxyError" in kinds:
        return ConnectionFailed(f"the proxy does not let us reach {host}. Look at HTTPS_PROXY and NO_PROXY.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return ConnectionFailed(f"nothing answers at {host}: connection refused. Is Claude.base_url right?")
    if {"InvalidURL", "LocationParseError", "InvalidSchema", "InvalidHeader", "InvalidProxyURL"} & set(kinds):
        return ConnectionFailed(
            f"the request to {host} cannot be made: {kinds[0]}. Look at Claude.base_url.", may_pass=False
        )
    if _is_no_http(causes):
        return ConnectionFailed(f"{host} does not answer in HTTP. Is Claude.base_url right?", may_pass=False)
    return ConnectionFailed(f"{host} closed the connection before it answered. Ask again.")


def _is_no_http(causes: list[BaseException]) -> bool:
    fine = (http.client.IncompleteRead, http.client.RemoteDisconnected)
    broken = (http.client.HTTPException, urllib3.exceptions.DecodeError)
    return any(isinstance(cause, broken) and not isinstance(cause, fine) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and what led to it; urllib3 and requests wrap it in arguments and attributes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        wrapped = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((w for w in wrapped if isinstance(w, BaseException) and id(w) not in seen), None)


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
