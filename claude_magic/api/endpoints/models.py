"""`GET /v1/models`: the models of an endpoint.

Every field but the id may be missing: the API has added some over time, and other servers with the Messages API list
their models as OpenAI does, with little more than a name.

Source: https://docs.anthropic.com/en/api/models-list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from ...errors import StreamError
from ...wire import Headers, Request
from ...wire.headers import client_headers
from ...wire.short_text import shorten
from ..client import Client

_PAGE_SIZE = 1000  # the maximum of the API
_MAX_PAGES = 50


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model, as the endpoint describes it.

    Attributes:
        created: Release date, in ISO 8601; like the other strings, `""` if unknown.
        max_input_tokens: The size of its context; `None` if unknown.
        max_tokens: Its longest reply, in tokens; `None` if unknown.
        capabilities: The API's JSON, such as `{"thinking": {"supported": true, "types": ...}}`; `{}` if unknown.
        deprecated: Date of deprecation, past or planned, in ISO 8601.
        retires: Date from which it no longer answers, in ISO 8601.
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


def models(*, base_url: str, api_version: str, limit: int, after_id: str = "") -> Request:
    """A request for a page of models.

    Args:
        limit: Models per page, 1 to 1000.
        after_id: The last model of the previous page; `""` for the first page.
    """
    query = {"limit": str(limit), **({"after_id": after_id} if after_id else {})}
    headers = {
        "anthropic-version": api_version,
        **client_headers(),
    }
    return Request(method="GET", url=f"{base_url}/v1/models?{urlencode(query)}", headers=Headers(headers.items()))


def page_models(answer: object) -> list[Model]:
    """The models of a page; entries without an id are skipped.

    Raises:
        StreamError: It is not a list of models.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise StreamError(
            f"the answer is not the Messages API's list of models: {shorten(str(answer))!r}. Is Claude.base_url right?"
        )
    return list(_models(data))


def list_models(client: Client, *, base_url: str, api_version: str) -> list[Model]:
    """All models, in the order of the endpoint, which is newest first.

    Raises:
        ExchangeError: The endpoint does not list models, or does not answer.
        Interrupted: The user stopped it.
    """
    result: dict[str, Model] = {}
    after = ""
    for _ in range(_MAX_PAGES):
        page = client.json(models(base_url=base_url, api_version=api_version, limit=_PAGE_SIZE, after_id=after))
        before = len(result)
        for model in page_models(page):
            result.setdefault(model.id, model)
        after = _text(page.get("last_id")) or next(reversed(result), "")
        if page.get("has_more") is not True or len(result) == before:  # a page that repeats would never end
            break
    return list(result.values())


def _models(data: Sequence[object]) -> Iterator[Model]:
    for entry in data:
        if not isinstance(entry, dict) or not _text(entry.get("id")):
            continue
        capabilities = entry.get("capabilities")
        yield Model(
            id=entry["id"],
            display_name=_text(entry.get("display_name")),
            created=_text(entry.get("created_at")) or _iso_date(entry.get("created")),
            max_input_tokens=_number(entry.get("max_input_tokens")),
            max_tokens=_number(entry.get("max_tokens")),
            capabilities=capabilities if isinstance(capabilities, dict) else {},
            deprecated=_text(entry.get("deprecated_at")),
            retires=_text(entry.get("retires_at")),
            lifecycle=_text(entry.get("lifecycle")),
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _iso_date(value: object) -> str:
    """Converts seconds since 1970, as in OpenAI's lists, to ISO 8601; `""` if unknown."""
    seconds = _number(value)
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    except (ValueError, OverflowError, OSError):
        return ""
