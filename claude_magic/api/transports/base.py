"""The interface between a request and the network; transports wrap transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ...wire import Headers, Request


@dataclass(frozen=True, kw_only=True)
class ResponseStream:
    """A response whose body is still to be read.

    Attributes:
        chunks: The body, decompressed, as it is received; raises an `ExchangeError` if it ends early.
        close: Returns the connection to the pool, or closes it if the body was not read to its end.
        tries: How often the request was sent; 0 if nobody counted.
        seconds: How long all tries took, the waits between them included.
    """

    status: int
    headers: Headers
    chunks: Iterator[bytes]
    close: Callable[[], None]
    tries: int = 0
    seconds: float = 0.0

    def __enter__(self) -> ResponseStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport(Protocol):
    """Sends requests."""

    def send(self, request: Request) -> ResponseStream:
        """Sends `request` and returns when the headers of the response are received.

        Raises:
            ExchangeError: There was no response.
            Interrupted: The user stopped it.
        """
        ...
