"""AWS Signature Version 4, by botocore; nothing of it is logged here, and only what says something is signed.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from ..credentials import Secret, UnsignedRequest
from .quiet_logs import quiet

_UNSIGNED = {"accept-encoding", "user-agent", "connection", "authorization", "x-amz-security-token", "x-amz-date"}
_SCHEME = "AWS4-HMAC-SHA256 "


class _Signer(SigV4Auth):  # type: ignore[misc]  # botocore is untyped
    """Signs a body of which only the digest is known."""

    def __init__(self, credentials: Any, service: str, region: str, digest: Callable[[], str]) -> None:
        super().__init__(credentials, service, region)
        self._digest = digest

    def payload(self, request: Any) -> str:
        """The digest of the body."""
        return self._digest()


def sign(
    request: UnsignedRequest, credentials: Any, *, service: str, region: str
) -> list[tuple[str, str, Secret | None]]:
    """The headers that sign a request. Call it inside `without_tracing()`.

    Args:
        credentials: Those of botocore.
    """
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _UNSIGNED}
    signed = AWSRequest(method=request.method, url=request.url, headers=headers)
    with quiet():
        _Signer(credentials, service, region, request.digest).add_auth(signed)
    token = signed.headers.get("X-Amz-Security-Token")
    security: list[tuple[str, str, Secret | None]] = (
        [("X-Amz-Security-Token", "", Secret(token, pasted=False))] if token else []
    )
    authorization = Secret(signed.headers["Authorization"].removeprefix(_SCHEME), pasted=False)
    return [
        ("X-Amz-Date", str(signed.headers["X-Amz-Date"]), None),
        *security,
        ("Authorization", _SCHEME, authorization),
    ]
