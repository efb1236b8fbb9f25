"""How many tokens a request would send, asked of the endpoint; it costs nothing and answers nothing.

Source: https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

import json

from ...errors import ExchangeError
from ...wire import Headers, Request
from .. import error_responses
from ..credentials import Credential
from ..transports.base import Transport

_FIELDS = (
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
    "mcp_servers",
)


def count_tokens(transport: Transport, request: Request, credential: Credential | None) -> int:
    """The input tokens of `request`.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
        Interrupted: The reader stopped it.
    """
    body = {name: value for name, value in (request.body or {}).items() if name in _FIELDS}
    headers = Headers(item for item in request.headers.items() if item[0].lower() != "content-length")
    question = Request(method="POST", url=f"{request.url}/count_tokens", headers=headers, body=body)
    with transport.send(question) as response:
        if response.status >= 300:
            raise error_responses.response_error(response, model=str(body.get("model", "")), credential=credential)
        try:
            return int(json.loads(b"".join(response.chunks))["input_tokens"])
        except (ValueError, TypeError, KeyError):
            raise ExchangeError("the endpoint does not count tokens.") from None
