"""The models that can be asked now, as the endpoint lists them.

Every field but the id may be missing: the API has added some over time, and other servers that speak
the Messages API list their models as OpenAI does, with hardly more than a name.

Source: https://docs.anthropic.com/en/api/models-list
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import error_responses
from .credentials import Credential
from .endpoints.models import models
from .known_models import nearest
from .transports.base import Response, Transport

_A_PAGE = 1000
_MOST_PAGES = 50
_LARGEST_PAGE = 16_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model, as the endpoint told it.

    Attributes:
        created: When it came out, in ISO 8601; `""` if unknown, as are the other texts.
        max_input_tokens: Its context; `None` if unknown.
        max_tokens: Its longest reply, in tokens; `None` if unknown.
        capabilities: The API's JSON, such as `{"thinking": {"supported": true, "types": ...}}`; `{}` if unknown.
        deprecated: Since when, or from when on, it is deprecated, in ISO 8601.
        retires: When it stops answering, in ISO 8601.
        lifecycle: `active`, `deprecated` or `retired`.
    """

    id: str
    display_name: str = ""
    created: str = ""
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    deprecated: str = ""
    retires: str = ""
    lifecycle: str = ""


def list_models(transport: Transport, *, base_url: str, api_version: str, credential: Credential | None) -> list[Model]:
    """All models, in the order of the endpoint, which is newest first.

    Raises:
        ExchangeError: The endpoint does not list models, or does not answer.
        Interrupted: The reader stopped it.
    """
    found: dict[str, Model] = {}
    after = ""
    for _ in range(_MOST_PAGES):
        request = models(base_url=base_url, api_version=api_version, limit=_A_PAGE, after_id=after)
        with transport.send(request) as response:
            page = _page(response, credential)
        before = len(found)
        for model in _models(page["data"]):
            found.setdefault(model.id, model)
        after = _text(page.get("last_id")) or next(reversed(found), "")
        if page.get("has_more") is not True or len(found) == before:  # a page that repeats would never end
            break
    return list(found.values())


def _page(response: Response, credential: Credential | None) -> Mapping[str, Any]:
    """A page of the list: a JSON object whose `data` is a list."""
    if response.status >= 300:
        raise error_responses.response_error(response, model="/v1/models", credential=credential)
    body = bytearray()
    for chunk in response.chunks:
        body += chunk
        if len(body) > _LARGEST_PAGE:
            break
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise error_responses.unexpected_response(response, bytes(body[:_LARGEST_PAGE]), credential=credential)
    return page


def _models(data: Sequence[object]) -> Iterator[Model]:
    for each in data:
        if not isinstance(each, dict) or not _text(each.get("id")):
            continue
        capabilities = each.get("capabilities")
        yield Model(
            id=each["id"],
            display_name=_text(each.get("display_name")),
            created=_text(each.get("created_at")) or _moment(each.get("created")),
            max_input_tokens=_number(each.get("max_input_tokens")),
            max_tokens=_number(each.get("max_tokens")),
            capabilities=capabilities if isinstance(capabilities, dict) else {},
            deprecated=_text(each.get("deprecated_at")),
            retires=_text(each.get("retires_at")),
            lifecycle=_text(each.get("lifecycle")),
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _moment(value: object) -> str:
    """Seconds since 1970, as OpenAI's lists have them, in ISO 8601; other servers put 0 there, or now."""
    seconds = _number(value)
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


__all__ = ["Model", "list_models", "nearest"]
