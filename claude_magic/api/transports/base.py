"""The seam between a request and the network; transports wrap transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ...wire import Headers, Request


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer whose body is still to be read.

    Attributes:
        chunks: The body, decompressed, as it arrives; raises an `ExchangeError` if it breaks off.
        close: Gives the connection back, or ends it if the body was not read to its end.
    """

    status: int
    headers: Headers
    chunks: Iterator[bytes]
    close: Callable[[], None]

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport(Protocol):
    """What carries a request."""

    def send(self, request: Request) -> Response:
        """Send `request` and return when the headers of the answer are there.

        Raises:
            ExchangeError: No answer came.
            Interrupted: The reader stopped it.
        """
        ...
