"""HTTP with `requests`: one try, over connections that are reused.

Three defaults of `requests` are turned off: redirects would send the key to another host, a `~/.netrc` entry would
replace it, and a proxy of the environment would be used for this machine.
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
from ...wire import Request
from ..credentials import Signer
from ..interrupt import Interrupt
from ..mcp_tokens import Tokens
from ..stand_ins import StandIns
from .base import ResponseStream
from .connections import Attempt, Connection, SecureConnection, TimedHTTPResponse, current
from .opening_headers import opening_headers
from .pace import Pace
from .rate_limit import RateLimits
from .redaction import redacted_response

_READ_SIZE = 65_536
_EVENT_END = b"\n\n"
_LINGER = 0.05  # seconds to wait for the end of a body whose message is complete
_MAX_ERROR_WAIT = 10.0  # seconds to wait for the body of an error: the status is enough
_NO_PROXY = {"http": None, "https": None, "all": None}


class Pool(requests.Session):
    """Connections to reuse, and the rate limits of their endpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.rate_limit = RateLimits()
        self.pace = Pace()


def pool() -> Pool:
    """Creates a pool of connections, which keeps no cookies."""
    session = Pool()
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=64))
    return session


@dataclass(frozen=True, kw_only=True)
class HTTPTransport:
    """One try over the network.

    Attributes:
        credential: `None` if the endpoint needs none.
        timeout: Read timeout, in seconds; also for all headers of the response together.
        address: The setting that chooses the host, for messages.
    """

    pool: requests.Session
    credential: Signer | None
    connect_timeout: float
    timeout: float
    interrupt: Interrupt
    address: str = "Claude.base_url"

    def send(self, request: Request) -> ResponseStream:
        self.interrupt.check()
        tokens = Tokens.from_request(request)
        attempt = current.attempt = Attempt(self.interrupt, self.timeout)
        host = urlsplit(request.url).netloc
        with _ErrorTranslation(host, self, ConnectionFailed) as translation:
            response = self.pool.send(
                self._prepare(request, tokens.content(request, attempt.stand_ins), attempt.stand_ins),
                timeout=(self.connect_timeout, self.timeout),
                allow_redirects=False,
                **self._environment_settings(request.url),
            )
        translation.check()
        body = _body(response.raw, attempt.response)
        return redacted_response(
            response.status_code,
            [(str(name), str(value)) for name, value in response.raw.headers.iteritems()],
            self._chunks(body, attempt.response, host),
            lambda: _release(response, body, attempt),
            credential=self.credential,
            tokens=tokens,
        )

    def _prepare(self, request: Request, content: bytes, stand_ins: StandIns) -> requests.PreparedRequest:
        """The request with stand-ins for its secrets, and the length that it has with the secrets."""

        def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
            for name, value in opening_headers(self.credential, request, str(prepared.url), content, stand_ins):
                prepared.headers[name] = value
            return prepared

        body: Any = request.upload if request.upload is not None else content or None
        unprepared = requests.Request(request.method, request.url, data=body, headers=dict(request.headers), auth=sign)
        prepared = self.pool.prepare_request(unprepared)
        if content and request.upload is None:
            prepared.headers["Content-Length"] = str(stand_ins.length(content))
        return prepared

    def _environment_settings(self, url: str) -> dict[str, Any]:
        """The proxy and the certificates from the environment; neither for http:// to this machine."""
        parts = urlsplit(url)
        loopback = is_loopback(parts.hostname or "")
        if loopback and parts.scheme == "http":
            return {"stream": True, "verify": True, "cert": None, "proxies": {}}
        proxies: Any = _NO_PROXY if loopback else {}
        return dict(self.pool.merge_environment_settings(url, proxies, True, None, None))

    def _chunks(self, body: Iterator[bytes], http: TimedHTTPResponse, host: str) -> Iterator[bytes]:
        """The body as it is received; chunks that are available together are joined, which saves time per token."""
        ok = http.status < 400
        pending: list[bytes] = []
        with _ErrorTranslation(host, self, StreamError) as translation:
            http.set_time_limit(self.timeout if ok else min(self.timeout, _MAX_ERROR_WAIT))
            for chunk in body:
                pending.append(chunk)
                if _EVENT_END in http.available_bytes():  # the next read does not wait
                    continue
                yield b"".join(pending)
                pending.clear()
                if ok:
                    http.set_time_limit(self.timeout)
        if pending:
            yield b"".join(pending)
        translation.check()
        self.interrupt.check()


def _body(raw: Any, http: TimedHTTPResponse) -> Iterator[bytes]:
    """The body, decompressed, as it is received: `read1` returns what is available, chunked or not."""
    if raw.chunked and "content-encoding" not in raw.headers:  # here `urllib3` only triples the cost of a chunk
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
    """Returns the connection to the pool if the body is at its end, or ends at once; else closes it.

    Some servers keep the connection open after the last event; this does not wait for them.
    """
    attempt.interrupt.release()
    with contextlib.suppress(Exception):
        attempt.response.set_time_limit(_LINGER)
        if next(body, None) is None:
            return
    response.close()


class _ErrorTranslation:
    """Turns exceptions of `requests`, `urllib3` and the sockets into a `ClaudeError`, which `check` raises.

    It is raised outside the exception handling, so that its context holds no frames and requests of the libraries.
    """

    def __init__(self, host: str, transport: HTTPTransport, default: type[ConnectionFailed | StreamError]) -> None:
        self._host = host
        self._transport = transport
        self._default = default
        self._error: ClaudeError | None = None

    def __enter__(self) -> _ErrorTranslation:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> bool:
        foreign = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, http.client.HTTPException)
        if isinstance(error, ClaudeError) or not isinstance(error, foreign):
            return False
        self._error = _error(error, self._host, self._transport, self._default)
        return True

    def check(self) -> None:
        """Raises the error, if there was one."""
        if self._error is not None:
            self._transport.interrupt.check()
            raise self._error


def _error(
    error: Exception, host: str, transport: HTTPTransport, default: type[ConnectionFailed | StreamError]
) -> ClaudeError:
    causes = list(_causes(error))
    kinds = tuple(type(cause).__name__ for cause in causes)
    handshake = any("handshake" in str(cause) for cause in causes)
    if "ConnectTimeout" in kinds or "ConnectTimeoutError" in kinds or (handshake and "ReadTimeoutError" in kinds):
        return TimedOut(
            f"no connection to {host} within {transport.connect_timeout:g} s. Is the network up?", retryable=True
        )
    if "ReadTimeout" in kinds or "ReadTimeoutError" in kinds or any(isinstance(c, TimeoutError) for c in causes):
        return TimedOut(f"no byte from {host} for {transport.timeout:g} s. Try again, or raise Claude.timeout.")
    if default is StreamError:
        reason = "it cannot be decoded" if _is_protocol_error(causes) else f"{host} closed the connection"
        return StreamError(f"the stream ended early ({reason}). The part received is kept; try again.")
    return _no_connection(causes, kinds, host, transport.address)


def _no_connection(causes: list[BaseException], kinds: tuple[str, ...], host: str, address: str) -> ClaudeError:
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "SSLError" in kinds:
        reason = next((c.reason for c in causes if isinstance(c, ssl.SSLError) and c.reason), "the handshake failed")
        return ConnectionFailed(
            f"no secure connection to {host}: {str(reason).replace('_', ' ').lower()}. "
            "Behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its certificate.",
            retryable=False,
        )
    if "NameResolutionError" in kinds or any(isinstance(cause, socket.gaierror) for cause in causes):
        return ConnectionFailed(f"no such host: {host}. Is the network up, and {address} right?", unsent=True)
    if "ProxyError" in kinds:
        return ConnectionFailed(f"the proxy did not connect to {host}. Check HTTPS_PROXY and NO_PROXY.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return ConnectionFailed(f"nothing answers at {host}: connection refused. Is {address} right?", unsent=True)
    if {"InvalidURL", "LocationParseError", "InvalidSchema", "InvalidHeader", "InvalidProxyURL"} & set(kinds):
        return ConnectionFailed(f"the request to {host} cannot be sent: {kinds[0]}. Check {address}.", retryable=False)
    if _is_protocol_error(causes):
        return ConnectionFailed(f"{host} does not answer in HTTP. Is {address} right?", retryable=False)
    return ConnectionFailed(f"{host} closed the connection before it answered. Try again.")


def _is_protocol_error(causes: list[BaseException]) -> bool:
    disconnected = (http.client.IncompleteRead, http.client.RemoteDisconnected)
    invalid = (http.client.HTTPException, urllib3.exceptions.DecodeError)
    return any(isinstance(cause, invalid) and not isinstance(cause, disconnected) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and its causes, which urllib3 and requests also put into arguments and attributes."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        yield error
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((each for each in inner if isinstance(each, BaseException) and id(each) not in visited), None)


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


class _Adapter(HTTPAdapter):
    """Uses connections that Stop can end."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
