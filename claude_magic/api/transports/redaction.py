"""Responses without the key and the tokens of their request, which a server may repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...wire import Headers
from ..credentials import Signer
from ..mcp_tokens import Tokens, redact_chunks
from .base import ResponseStream

_LONG_KEY = 16  # characters


def redacted_response(
    status: int,
    headers: Iterable[tuple[str, str]],
    chunks: Iterator[bytes],
    close: Callable[[], None],
    *,
    credential: Signer | None,
    tokens: Tokens,
) -> ResponseStream:
    """The response, redacted: headers at once, the body as it is read."""
    redact = credential.redact if credential else str
    all_headers = Headers((name, tokens.redact_json(redact(value))) for name, value in headers)
    kind = all_headers.get("content-type", "").lower()
    secrets = [] if credential is None else [each for each in credential.secrets if len(each) >= _LONG_KEY]
    if secrets and _is_text_of_api(kind):
        chunks = redact_chunks(chunks, secrets)  # a short key may be an ordinary word
    return ResponseStream(status=status, headers=all_headers, chunks=tokens.redact(chunks), close=close)


def _is_text_of_api(content_type: str) -> bool:
    return "json" in content_type or content_type.startswith("text/event-stream")
