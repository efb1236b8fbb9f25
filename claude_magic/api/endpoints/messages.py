"""`POST /v1/messages`: what was asked for, and nothing else, as a request.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...wire import Headers, Request


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
        headers: Further headers; one of the same name replaces ours.
    """
    body: dict[str, Any] = {"model": model, "max_tokens": max_tokens}
    body.update(fields or {})
    body["messages"] = list(messages)
    if stream:
        body["stream"] = True
    ours = {
        "anthropic-version": api_version,
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "claude-magic",
    }
    ours.update({name.lower(): value for name, value in (headers or {}).items()})
    return Request(method="POST", url=f"{base_url}/v1/messages", headers=Headers(ours.items()), body=body)
