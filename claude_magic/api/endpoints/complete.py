"""`POST /v1/complete`: text completions, which the API had before messages, for servers that still answer them.

The fields stand in the order in which the official SDK sent them.
Source: https://docs.anthropic.com/en/api/complete
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wire import Request
from ...wire.completion import ENDPOINT
from .messages import json_headers

API_VERSION = "2023-06-01"  # no answer of this endpoint under a later version is known
_FIELDS = ("metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p")


def complete(
    *,
    base_url: str,
    api_version: str,
    model: str,
    prompt: str,
    max_tokens: int,
    stream: bool,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A request for a completion.

    Args:
        prompt: Sent as it is: its turns begin with two newlines and `Human:` or `Assistant:`.
        max_tokens: The longest completion; on the wire `max_tokens_to_sample`.
        fields: Further fields of the body, sent as given.
        headers: Further headers; they replace defaults of the same name.
    """
    given = {**(fields or {}), **({"stream": True} if stream else {})}
    body: dict[str, Any] = {"max_tokens_to_sample": max_tokens, "model": model, "prompt": prompt}
    body.update((name, given.pop(name)) for name in _FIELDS if name in given)
    return Request(
        method="POST",
        url=f"{base_url}{ENDPOINT}",
        headers=json_headers(api_version, headers),
        body={**body, **given},
    )
