"""Stops an exchange from another thread, at any point: connecting, waiting, reading."""

from __future__ import annotations

import contextlib
import socket

from ..concurrency import Event, Lock
from ..errors import Interrupted


class Interrupt:
    """Set when the user stops the reply; then every wait of its exchange ends at once."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._sockets: list[socket.socket] = []

    def set(self) -> None:
        """Stops the exchange: reads and writes on its sockets fail from now on."""
        with self._lock:
            self._event.set()
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises `Interrupted` if the user has stopped the reply."""
        if self._event.is_set():
            raise Interrupted("the reply was interrupted.")

    def sleep(self, seconds: float) -> None:
        """Waits, and raises `Interrupted` as soon as the user stops the reply."""
        self._event.wait(seconds)
        self.check()

    def watch(self, sock: socket.socket) -> None:
        """Shuts `sock` down when the user stops the reply."""
        with self._lock:
            self.check()
            self._sockets.append(sock)

    def release(self) -> None:
        """Forgets the sockets: another exchange may use them now."""
        with self._lock:
            self._sockets.clear()
