"""`POST /v1/messages`: a request with the given fields and no others.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...wire import Headers, Request
from ...wire.headers import client_headers


def messages(
    *,
    base_url: str,
    api_version: str,
    model: str,
    max_tokens: int,
    messages: Sequence[Mapping[str, Any]],
    stream: bool,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A request for a message.

    Args:
        fields: Further fields of the body, sent as given.
        headers: Further headers; they replace defaults of the same name.
    """
    body: dict[str, Any] = {"model": model, "max_tokens": max_tokens}
    body.update(fields or {})
    body["messages"] = list(messages)
    if stream:
        body["stream"] = True
    return Request(method="POST", url=f"{base_url}/v1/messages", headers=json_headers(api_version, headers), body=body)


def json_headers(api_version: str, headers: Mapping[str, str] | None = None) -> Headers:
    """The headers of a request whose body is JSON.

    Args:
        headers: Further headers; they replace defaults of the same name.
    """
    all_headers = {
        "anthropic-version": api_version,
        "content-type": "application/json",
        **client_headers(),
    }
    all_headers.update({name.lower(): value for name, value in (headers or {}).items()})
    return Headers(all_headers.items())
