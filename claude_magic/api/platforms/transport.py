"""The transport of a platform: around HTTP, and inside the retries, so that each try is signed anew."""

from __future__ import annotations

from dataclasses import dataclass

from ...wire import Request
from ..transports.base import ResponseStream, Transport
from .platform import Platform


@dataclass(frozen=True, kw_only=True)
class PlatformTransport:
    """Sends requests in the form of a platform, and returns its answers in the form of the API."""

    inner: Transport
    platform: Platform

    def send(self, request: Request) -> ResponseStream:
        """Sends `request`, if the platform has what it asks for.

        Raises:
            Unsupported: It has not; nothing was sent.
        """
        self.platform.check(request)
        return self.platform.read(self.inner.send(self.platform.rewrite(request)))
