"""An ordinary exchange, as the panel is given one: for its tests, and for the cells of the browser tests."""

from __future__ import annotations

import json
from typing import Any

from claude_magic.wire import Exchange, Fold, Headers, Request, TimedEvent
from tests.exchange_fields import exchange_of

REQUEST_ID = "req_011CdeLUpakHYCG43qGLsdXo"
ORGANIZATION_ID = "9e1d0b7c-32a5-4f16-9f7e-6a6c3f8de111"
DATE = "Sun, 02 Aug 2026 17:43:55 GMT"

LIMITS = {
    "requests": (20_000, 19_999, "2026-08-02T17:43:55Z"),
    "tokens": (12_000_000, 11_400_000, "2026-08-02T17:43:58Z"),
    "input-tokens": (10_000_000, 1_900_000, "2026-08-02T17:44:44Z"),
    "output-tokens": (2_000_000, 130_000, "2026-08-02T20:03:55Z"),
}


def limit_headers() -> list[tuple[str, str]]:
    return [
        (f"anthropic-ratelimit-{kind}-{field}", str(value))
        for kind, values in LIMITS.items()
        for field, value in zip(("limit", "remaining", "reset"), values, strict=True)
    ]


def headers(*more: tuple[str, str]) -> Headers:
    """What the API sends with a streamed reply, in its order."""
    return Headers(
        [
            ("Date", DATE),
            ("Content-Type", "text/event-stream; charset=utf-8"),
            ("Transfer-Encoding", "chunked"),
            ("cache-control", "no-cache"),
            *limit_headers(),
            ("request-id", REQUEST_ID),
            ("anthropic-organization-id", ORGANIZATION_ID),
            ("anthropic-workspace-id", "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"),
            ("Server", "cloudflare"),
            ("CF-RAY", "98f3a1c2bd7e0a11-ZRH"),
            ("cf-cache-status", "DYNAMIC"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
            ("x-robots-tag", "none"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("vary", "Accept-Encoding"),
            ("server-timing", "proxy;dur=812"),
            ("set-cookie", "_cfuvid=a-cookie-that-nobody-sees; path=/; Secure; HttpOnly"),
            ("x-internal-thing", "7"),
            *more,
        ]
    )


def events(deltas: int) -> list[dict[str, Any]]:
    """A reply of about 8 tokens a delta."""
    usage = {
        "input_tokens": 46,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 1200,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 1,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    message: dict[str, Any] = {
        "model": "claude-opus-5-5",
        "id": "msg_011CXDhCpx9NiwDVDR1Yov9",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }
    last = {"input_tokens": 46, "output_tokens": 500, "output_tokens_details": {"thinking_tokens": 120}}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(_delta(f" {number}: a “list” may change, a tuple may not;") for number in range(deltas)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": last},
        {"type": "message_stop"},
    ]


def exchange(deltas: int = 54, **changes: Any) -> Exchange:
    """A streamed reply of 60 events, unless told otherwise."""
    fold = Fold()
    timed = []
    for number, event in enumerate(events(deltas)):
        fold.add(event)
        data = json.dumps(event, ensure_ascii=False)
        timed.append(TimedEvent(seconds=0.8 + number * 0.05, event=event["type"], data=data))
    values: dict[str, Any] = {
        "request": request(),
        "message": fold.message,
        "status": 200,
        "headers": headers(),
        "events": tuple(timed),
        "seconds": 4.21,
        "first_token_seconds": 0.93,
    }
    return exchange_of(**{**values, **changes})


def request(**body: Any) -> Request:
    asked = "Explain the difference between a list and a tuple. Žluťoučký kůň costs $5 and $10."
    return Request(
        method="POST",
        url="https://api.anthropic.com/v1/messages",
        headers=Headers(
            [
                ("x-api-key", "$ANTHROPIC_API_KEY"),
                ("anthropic-version", "2023-06-01"),
                ("content-type", "application/json"),
            ]
        ),
        body={
            "model": "claude-opus-5-5",
            "max_tokens": 4096,
            "stream": True,
            "messages": [{"role": "user", "content": asked}],
            **body,
        },
    )


def _delta(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
