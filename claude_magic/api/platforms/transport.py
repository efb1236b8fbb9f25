"""The transport of a platform: around HTTP, and inside the retries, so that each try is signed anew.

A credential that has ended before it said so is renewed once, and the request sent again: nothing was done with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from ...wire import Request
from ..credentials import Signer
from ..error_bodies import kind_and_text
from ..error_responses import read_body
from ..mcp_tokens import redact_chunks
from ..transports.base import ResponseStream, Transport
from .platform import Platform, Refusal

_REFUSED = (400, 401, 403)


@runtime_checkable
class Renewable(Protocol):
    """A credential that ends.

    Attributes:
        version: Tells what it was when a request was sent from what it is now.
    """

    version: int

    def renew(self, version: int) -> bool:
        """Looks for another one, unless that was done since `version`; whether there is another one."""
        ...


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
        received = self._send(self.platform.rewrite(request))
        response = self.platform.read(received)
        if response is received or self.credential is None:
            return response
        return replace(response, chunks=redact_chunks(response.chunks, self.credential.secrets))

    def _send(self, request: Request) -> ResponseStream:
        """Sends it, and once more if the credential had ended and there is another one."""
        credential = self.credential
        if not isinstance(credential, Renewable):
            return self.inner.send(request)
        version = credential.version
        response = self.inner.send(request)
        if response.status not in _REFUSED:
            return response
        with response:
            text = read_body(response)
        if self.platform.has_ended(self._refusal(response, text)) and credential.renew(version):
            return self.inner.send(request)
        return replace(response, chunks=iter((text.encode(),)), close=_nothing)

    def _refusal(self, response: ResponseStream, text: str) -> Refusal:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        kind, message = kind_and_text(value, response.headers)
        return Refusal(status=response.status, kind=kind, message=message, model="", credential=self.credential)


def _nothing() -> None:
    """Closes what is closed."""
