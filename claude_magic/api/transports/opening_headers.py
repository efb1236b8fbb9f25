"""The headers that open an endpoint, with stand-ins for their secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ...wire import Request
from ..credentials import Signer, UnsignedRequest
from ..stand_ins import StandIns, without_tracing


def opening_headers(
    credential: Signer | None, request: Request, url: str, content: bytes, stand_ins: StandIns
) -> Iterator[tuple[str, str]]:
    """The names and values of the headers of a credential; none if there is no credential.

    Args:
        url: As it is sent.
        content: The body, with stand-ins for its secrets; that of an upload is read from `request`.
    """

    def digest() -> str:
        if request.upload is None:
            with without_tracing():
                return hashlib.sha256(stand_ins.substitute(content)).hexdigest()
        whole = hashlib.sha256()
        for piece in request.upload:
            whole.update(piece)
        return whole.hexdigest()

    if credential is not None:
        unsigned = UnsignedRequest(method=request.method, url=url, headers=request.headers, digest=digest)
        for name, text, secret in credential.headers(unsigned):
            yield name, text if secret is None else text + stand_ins.add(secret)
