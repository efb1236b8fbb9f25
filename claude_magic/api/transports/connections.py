"""Connections that are kept and reused, that an interrupt reaches, and that a trickle of bytes does not hold.

`urllib3` makes them; what stands here is what it does not do.
"""

from __future__ import annotations

import http.client
import io
import socket
import sys
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from ...concurrency import ThreadLocal
from ..interrupt import Interrupt
from ..stand_ins import StandIns, untraced
from .chunked import Dechunker

READ = 65_536


class _CurrentExchange(ThreadLocal):
    """The exchange that this thread is about: `urllib3` has no way to tell a connection.

    Attributes:
        timeout: Longest time to send the request, in seconds.
        stand_ins: What the socket gets instead of them.
    """

    interrupt: Interrupt
    timeout: float
    stand_ins: StandIns


asking = _CurrentExchange()


class _Timely(io.RawIOBase):
    """What a socket brings before a deadline: a trickle of bytes does not put it off."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self.deadline = time.monotonic() + (sock.gettimeout() or 0)
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """Hands over all chunks that are there at once; a chunk per token is common, and dear one by one."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._dechunker = Dechunker()
        self._timely = _Timely(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._timely)

    def allow(self, seconds: float) -> None:
        """Wait so long for the next bytes of the body."""
        self._timely.deadline = time.monotonic() + seconds

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the answer: what comes before it, such as early hints, is passed over."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
            if not 100 <= status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def read1(self, n: int = -1) -> bytes:
        if not self.chunked:
            return super().read1(n)
        if self.fp is None:
            return b""
        while True:
            data = self._dechunker.feed(self.fp.read1(READ))
            if self._dechunker.ended:
                self._close_conn()  # type: ignore[attr-defined]  # not in typeshed
                return data
            if data:
                return data


def is_debugging() -> bool:
    """Whether `http.client` is told to print what is sent and received."""
    return bool(http.client.HTTPConnection.debuglevel or HTTPConnection.debuglevel or HTTPSConnection.debuglevel)


class Connection(HTTPConnection):
    """Hands its socket to the interrupt of the exchange that uses it, and puts in the key.

    Attributes:
        debuglevel: Always 0: an answer may repeat the key, and `http.client` would print it.
    """

    debuglevel = 0
    response_class = Answer

    def _new_conn(self) -> socket.socket:
        """A connected socket; the interrupt has it before, so that it need not wait for the network."""
        try:
            return _connect(self._dns_host, self.port or self.default_port, self.timeout, self.socket_options or ())
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(self, "timed out") from error

    def connect(self) -> None:
        super().connect()
        self._watch()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._watch()
        self.timeout = asking.timeout  # sending a long body may take longer than connecting
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send bytes; the secrets are put in here, where nothing but the socket sees them."""
        if not isinstance(data, bytes) or self.sock is None or not asking.stand_ins.are_in(data):
            super().send(data)
            return
        sys.audit("http.client.send", self, data)
        with untraced():
            self.sock.sendall(asking.stand_ins.filled(data))

    def _watch(self) -> None:
        asking.interrupt.check()
        if self.sock is not None:
            asking.interrupt.watch(self.sock)


def _connect(host: str, port: int, timeout: Any, options: Any) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except UnicodeError:  # an empty or too long label
        raise socket.gaierror(socket.EAI_NONAME, "no name of a host") from None
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        try:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in options:
                    sock.setsockopt(*option)
                sock.settimeout(timeout)
                asking.interrupt.watch(sock)
                sock.connect(address)
            except BaseException:
                sock.close()
                raise
            return sock
        except OSError as error:
            failure = error
    raise failure or OSError("the name has no address")


class SecureConnection(Connection, HTTPSConnection): ...
