"""The transport of a platform: around HTTP, and inside the retries, so that each try is signed anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...wire import Request
from ..credentials import Signer
from ..mcp_tokens import redact_chunks
from ..transports.base import ResponseStream, Transport
from .platform import Platform


@dataclass(frozen=True, kw_only=True)
class PlatformTransport:
    """Sends requests in the form of a platform, and returns its answers in the form of the API.

    Attributes:
        credential: What is redacted in an answer that had another form on the wire.
    """

    inner: Transport
    platform: Platform
    credential: Signer | None

    def send(self, request: Request) -> ResponseStream:
        """Sends `request`, if the platform has what it asks for.

        Raises:
            Unsupported: It has not; nothing was sent.
        """
        self.platform.check(request)
        received = self.inner.send(self.platform.rewrite(request))
        response = self.platform.read(received)
        if response is received or self.credential is None:
            return response
        return replace(response, chunks=redact_chunks(response.chunks, self.credential.secrets))
