"""Connections that Stop can end at any point, and whose timeout a slow server cannot extend.

`urllib3` creates, reuses and reads them. This module adds what it does not offer, by subclassing, as there is no
other way: `urllib3` has no public hook for a socket that is still connecting (hence `_new_conn`), none between a
request and its socket (where the keys replace their stand-ins, below all debug output), and its timeout starts again
with every byte.
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
from ..stand_ins import StandIns, without_tracing


class Attempt:
    """The data of one try of a request that its connection needs.

    Attributes:
        timeout: The longest time to send the request, and then to receive the headers of the response, in seconds.
        stand_ins: The secrets, and their stand-ins in the request.
        response: The response, set by the connection.
    """

    response: TimedHTTPResponse

    def __init__(self, interrupt: Interrupt, timeout: float) -> None:
        self.interrupt = interrupt
        self.timeout = timeout
        self.stand_ins = StandIns()


class _Current(ThreadLocal):
    """The attempt of this thread: `urllib3` cannot pass arguments to a connection."""

    attempt: Attempt


current = _Current()


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until a deadline, which received bytes do not extend.

    Attributes:
        deadline: By `time.monotonic()`.
        may_wait: Whether a read waits for the socket; else it returns `None` at once.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.may_wait = True
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Returns a buffered reader; `http.client` calls it as it would call the method of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self.may_wait:
            return None
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class TimedHTTPResponse(http.client.HTTPResponse):
    """A response with a deadline; informational responses before it, such as early hints, are skipped."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._reader = _DeadlineReader(sock, current.attempt.timeout)
        super().__init__(self._reader, *args, **kwargs)  # type: ignore[arg-type]  # it calls `makefile`
        current.attempt.response = self

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # else `begin` does nothing
            super().begin()

    def set_time_limit(self, seconds: float) -> None:
        """Sets the deadline to `seconds` from now."""
        self._reader.deadline = time.monotonic() + seconds

    def available_bytes(self) -> bytes:
        """The bytes in the buffer, including chunk headers of HTTP; they are not consumed."""
        if self.isclosed():
            return b""
        self._reader.may_wait = False
        try:
            return self.fp.peek(1)
        finally:
            self._reader.may_wait = True


def is_debugging() -> bool:
    """Whether `http.client` is set to print what is sent and received."""
    return bool(http.client.HTTPConnection.debuglevel or HTTPConnection.debuglevel or HTTPSConnection.debuglevel)


class Connection(HTTPConnection):
    """Registers its socket with the interrupt of the current attempt, and replaces stand-ins by secrets.

    Attributes:
        debuglevel: Always 0: a response may repeat the key, and `http.client` would print it.
    """

    debuglevel = 0
    response_class = TimedHTTPResponse

    def _new_conn(self) -> socket.socket:
        """Connects a socket; the interrupt can shut it down meanwhile."""
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
        """Sends bytes; stand-ins are replaced by secrets here, below everything but the socket."""
        if not isinstance(data, bytes) or self.sock is None or not current.attempt.stand_ins.occur_in(data):
            super().send(data)
            return
        sys.audit("http.client.send", self, data)
        with without_tracing():
            self.sock.sendall(current.attempt.stand_ins.substitute(data))

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
