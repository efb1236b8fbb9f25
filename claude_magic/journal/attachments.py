"""Images and documents of requests, each stored once however often it is sent.

In the stored request, their data is replaced by `attachment:` and a digest; small ones stay in the request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_MIN_LENGTH = 4_096  # characters of an attachment that is taken out of the request
_PREFIX = "attachment:"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """An attachment that was sent in base64.

    Attributes:
        digest: The SHA-256 of the data.
    """

    digest: str
    media_type: str
    data: bytes


def extract_attachments(content: bytes) -> tuple[str, list[Attachment]]:
    """The body of a request without its large attachments, and these."""
    if len(content) < _MIN_LENGTH or b'"base64"' not in content:
        return content.decode(), []
    attachments: dict[str, Attachment] = {}

    def extract(source: dict[str, Any]) -> dict[str, Any]:
        attachment = _extract(source)
        if attachment is None:
            return source
        attachments[attachment.digest] = attachment
        return {**source, "data": _PREFIX + attachment.digest}

    body = _map_sources(json.loads(content), extract)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")), list(attachments.values())


def restore_attachments(request: str, attachments: Mapping[str, bytes]) -> Any:
    """The body of a request as it was sent.

    Args:
        attachments: The data by digest.
    """

    def restore(source: dict[str, Any]) -> dict[str, Any]:
        name = source.get("data")
        if not isinstance(name, str) or not name.startswith(_PREFIX):
            return source
        data = attachments.get(name.removeprefix(_PREFIX))
        return source if data is None else {**source, "data": base64.b64encode(data).decode()}

    body = json.loads(request)
    return _map_sources(body, restore) if _PREFIX in request else body


def _extract(source: Mapping[str, Any]) -> Attachment | None:
    """The attachment of a `source`; `None` if it is small, or could not be restored exactly."""
    text = source.get("data")
    if source.get("type") != "base64" or not isinstance(text, str) or len(text) < _MIN_LENGTH:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.b64encode(data).decode() != text:
        return None
    return Attachment(digest=hashlib.sha256(data).hexdigest(), media_type=str(source.get("media_type", "")), data=data)


def _map_sources(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """`value` with `change` applied to every `source` object in it."""
    if isinstance(value, list):
        return [_map_sources(inner, change) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(inner) if name == "source" and isinstance(inner, dict) else _map_sources(inner, change)
        for name, inner in value.items()
    }
