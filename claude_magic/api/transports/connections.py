"""Connections that Stop reaches and that a slow server does not hold for longer than the timeout.

`urllib3` makes, keeps and reads them. What it does not do stands here, and its subclassing of `http.client` is the
only way in: it has no hook for a socket that is still connecting (`_new_conn`), none between a request and its socket
(the keys are put in there, below all debug output), and its timeout starts anew with every byte.
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


class Attempt:
    """One try of a request: what its connection must know.

    Attributes:
        timeout: The longest time to send the request, and then to receive the headers of the answer, in seconds.
        stand_ins: The secrets, and what the request holds instead of them.
        response: The answer, as `http.client` reads it.
    """

    response: TimedResponse

    def __init__(self, interrupt: Interrupt, timeout: float) -> None:
        self.interrupt = interrupt
        self.timeout = timeout
        self.stand_ins = StandIns()


class _Current(ThreadLocal):
    """The attempt of this thread: `urllib3` cannot pass anything to a connection."""

    attempt: Attempt


current = _Current()


class _TimedReader(io.RawIOBase):
    """Reads a socket until a deadline; single bytes do not put it off.

    Attributes:
        deadline: By `time.monotonic()`.
        may_wait: Whether reading waits for the socket; else it returns `None` at once.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.may_wait = True
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `http.client` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self.may_wait:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """An answer that is read until a deadline; informational answers before it, such as early hints, are skipped."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._reader = _TimedReader(sock, current.attempt.timeout)
        super().__init__(self._reader, *args, **kwargs)  # type: ignore[arg-type]  # it calls `makefile`
        current.attempt.response = self

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # as if nothing had been read
            super().begin()

    def allow(self, seconds: float) -> None:
        """Lets the next bytes take so long, all together."""
        self._reader.deadline = time.monotonic() + seconds

    def buffered(self) -> bytes:
        """The bytes that are here already, with HTTP's framing; they stay to be read."""
        if self.isclosed():
            return b""
        self._reader.may_wait = False
        try:
            return self.fp.peek(1)
        finally:
            self._reader.may_wait = True


def is_debugging() -> bool:
    """Whether `http.client` is told to print what is sent and received."""
    return bool(http.client.HTTPConnection.debuglevel or HTTPConnection.debuglevel or HTTPSConnection.debuglevel)


class Connection(HTTPConnection):
    """Hands its socket to the interrupt of the attempt that uses it, and puts in the key.

    Attributes:
        debuglevel: Always 0: an answer may repeat the key, and `http.client` would print it.
    """

    debuglevel = 0
    response_class = TimedResponse

    def _new_conn(self) -> socket.socket:
        """Connects a socket that the interrupt can shut down meanwhile."""
        try:
            return _connect(self.host, self.port or self.default_port, self.timeout, self.socket_options or ())
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(self, "timed out") from error

    def connect(self) -> None:
        super().connect()
        self._watch()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._watch()
        self.timeout = current.attempt.timeout  # sending a long body may take longer than connecting
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Sends bytes; the secrets are put in here, where nothing but the socket sees them."""
        if not isinstance(data, bytes) or self.sock is None or not current.attempt.stand_ins.are_in(data):
            super().send(data)
            return
        sys.audit("http.client.send", self, data)
        with untraced():
            self.sock.sendall(current.attempt.stand_ins.filled(data))

    def _watch(self) -> None:
        current.attempt.interrupt.check()
        if self.sock is not None:
            current.attempt.interrupt.watch(self.sock)


def _connect(host: str, port: int, timeout: Any, options: Any) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except UnicodeError:  # an empty or too long label
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        try:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in options:
                    sock.setsockopt(*option)
                sock.settimeout(timeout)
                current.attempt.interrupt.watch(sock)
                sock.connect(address)
            except BaseException:
                sock.close()
                raise
            return sock
        except OSError as error:
            failure = error
    raise failure or OSError("the name has no address")


class SecureConnection(Connection, HTTPSConnection): ...
