"""A request that is not sent: what it would be, how many tokens, and what it would cost."""

from __future__ import annotations

import json
from typing import Any

from ...wire import Request
from ...wire.short_text import dollars
from ..text.media import media_note
from ..text.plain import plain

_LONGEST = 2_000  # characters of one text in the body; images and documents are longer


def preview(request: Request, tokens: int | str, cost: float | None, *, as_of: str, note: str = "") -> str:
    """What sending the request would mean, then the request as text.

    Args:
        tokens: Of the input, or why they are unknown.
        cost: US dollars with the longest reply; `None` if unknown.
        as_of: The day that the prices are of.
        note: What else a reader must know, a line.
    """
    request = request.on_wire
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    body = json.dumps(_shorten(request.body), indent=2, ensure_ascii=False)
    whole = f"\n{request.method} {request.url}\n{headers}\n\n{body}"
    return plain("\n".join(filter(None, (_facts(request, tokens, cost, as_of), note, whole))))


def _facts(request: Request, tokens: int | str, cost: float | None, as_of: str) -> str:
    counted = f"{tokens:,} tokens in" if isinstance(tokens, int) else f"tokens not counted: {tokens.rstrip('.')}"
    price = "price unknown" if cost is None else "free"
    if cost:
        price = f"at most {dollars(cost)} with the longest reply (prices of {as_of})"
    return f"Not sent. {len(request.content):,} bytes, {counted}, {price}."


def _shorten(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value) - _LONGEST:,} characters more)"
    if isinstance(value, dict):
        media = media_note(value)
        value = {**value, "data": f"({media})"} if media else value
        return {name: _shorten(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten(inner) for inner in value]
    return value
