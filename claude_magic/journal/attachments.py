"""Images and documents of a request, kept once however often they are sent.

In the request their data is replaced by a name, `attachment:` and a digest; what is small stays where it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SMALL = 4_096  # characters
_NAME = "attachment:"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """What was sent in base64.

    Attributes:
        digest: SHA-256 of the data.
    """

    digest: str
    media_type: str
    data: bytes


def extract_attachments(content: bytes) -> tuple[str, list[Attachment]]:
    """A request's body without its large attachments, and those."""
    if len(content) < _SMALL or b'"base64"' not in content:
        return content.decode(), []
    found: dict[str, Attachment] = {}

    def reference(source: dict[str, Any]) -> dict[str, Any]:
        made = _attachment(source)
        if made is None:
            return source
        found[made.digest] = made
        return {**source, "data": _NAME + made.digest}

    body = _with_sources(json.loads(content), reference)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")), list(found.values())


def restore_attachments(request: str, data: Callable[[str], bytes | None]) -> Any:
    """The body as it was sent.

    Args:
        data: From a digest to the attachment; `None` if it is gone.
    """

    def restore(source: dict[str, Any]) -> dict[str, Any]:
        name = source.get("data")
        found = data(name.removeprefix(_NAME)) if isinstance(name, str) and name.startswith(_NAME) else None
        return source if found is None else {**source, "data": base64.b64encode(found).decode()}

    body = json.loads(request)
    return _with_sources(body, restore) if _NAME in request else body


def _attachment(source: Mapping[str, Any]) -> Attachment | None:
    """`None` if it is small, or would not come back the same."""
    data = source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str) or len(data) < _SMALL:
        return None
    try:
        plain = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.b64encode(plain).decode() != data:
        return None
    return Attachment(
        digest=hashlib.sha256(plain).hexdigest(), media_type=str(source.get("media_type", "")), data=plain
    )


def _with_sources(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """`value` with `change` made to every `source` in it."""
    if isinstance(value, list):
        return [_with_sources(inner, change) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(inner) if name == "source" and isinstance(inner, dict) else _with_sources(inner, change)
        for name, inner in value.items()
    }
