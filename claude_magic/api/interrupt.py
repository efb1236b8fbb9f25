"""Stopping an exchange from another thread, wherever it is: connecting, waiting, reading."""

from __future__ import annotations

import contextlib
import socket

from ..concurrency import Event, Lock
from ..errors import Interrupted


class Interrupt:
    """Unset until the reader stops the reply; then every wait of its exchange ends at once."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._sockets: list[socket.socket] = []

    def set(self) -> None:
        """Stop: reads and writes on the sockets in use fail from now on."""
        with self._lock:
            self._event.set()
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Interrupted` if the reader has stopped the reply."""
        if self._event.is_set():
            raise Interrupted("the reply was interrupted.")

    def sleep(self, seconds: float) -> None:
        """Wait, but raise `Interrupted` as soon as the reader stops the reply."""
        self._event.wait(seconds)
        self.check()

    def watch(self, sock: socket.socket) -> None:
        """Shut `sock` down when the reader stops the reply."""
        with self._lock:
            self.check()
            self._sockets.append(sock)

    def release(self) -> None:
        """Watch no socket any more: another exchange may use them now."""
        with self._lock:
            self._sockets.clear()
