"""HTTP headers: names compare without case; the order and the case in which they came are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..browser import in_browser

_CREDENTIAL = re.compile(r"cookie|auth|secret|credential|password|api[-_]?key|token$", re.IGNORECASE)
DIRECT_ACCESS = "anthropic-dangerous-direct-browser-access"
RANDOM_KEY = "(a random key)"  # shown instead of the local model's key
_PLACEHOLDER = re.compile(
    r"(?:Bearer )?\$[A-Z_]+|\(a random key\)|(?:Bearer )?\*\*\*"
    r"|AWS4-HMAC-SHA256 Credential=\*\*\*/[a-z0-9_/-]+, Signature=\*\*\*"
)
REQUEST_IDS = ("request-id", "x-amzn-requestid", "apim-request-id", "x-litellm-call-id")
"""The headers that name a request: of the API, and of platforms and gateways that may stand before it."""


def client_headers(accept: str = "application/json") -> dict[str, str]:
    """The headers of every request, as they are sent: a browser sets others itself, and the API asks a page for one.

    Source: https://github.com/anthropics/anthropic-sdk-typescript#requirements
    """
    if in_browser():
        return {"accept": accept, DIRECT_ACCESS: "true"}
    return {"accept": accept, "accept-encoding": "identity", "user-agent": "claude-magic"}


def is_credential_name(name: str) -> bool:
    """Whether a header of this name may hold a secret."""
    return _CREDENTIAL.search(name) is not None


def holds_credential(name: str, value: str) -> bool:
    """Whether a header may hold a secret itself, not only the name of its source."""
    return is_credential_name(name) and not _PLACEHOLDER.fullmatch(value)


def request_id(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """The name and value of the header that names the request; `None` if there is none.

    Args:
        headers: Names compare without case.
    """
    return next(((name, headers[name]) for name in REQUEST_IDS if headers.get(name)), None)


class Headers(Mapping[str, str]):
    """Names and values; several values of one name are joined by `, `."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            known = self._values.get(name.lower())
            self._values[name.lower()] = (known[0], f"{known[1]}, {value}") if known else (name, value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"
