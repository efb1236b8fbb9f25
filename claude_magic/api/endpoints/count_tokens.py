"""`POST /v1/messages/count_tokens`: the input tokens that a request would use; free, and no model answers.

Source: https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

from ...errors import APIError, ExchangeError
from ...wire import Headers, Request
from ...wire.chat_completion import ENDPOINT as CHAT
from ...wire.completion import ENDPOINT
from ...wire.short_text import shorten
from ..client import Client

COUNT_PATH = "/v1/messages/count_tokens"
_NO_ENDPOINT = (404, 405, 501)  # of a server that is like the API, and does not count
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


def count_tokens(request: Request) -> Request:
    """The request that counts the input tokens of `request`, a request to `/v1/messages`."""
    body = {name: value for name, value in (request.body or {}).items() if name in _FIELDS}
    headers = Headers(item for item in request.headers.items() if item[0].lower() != "content-length")
    return Request(method="POST", url=f"{request.url}/count_tokens", headers=headers, body=body)


def input_tokens(answer: object) -> int:
    """The number of tokens in the endpoint's answer.

    Raises:
        ExchangeError: The endpoint does not count.
    """
    try:
        return int(answer["input_tokens"])  # type: ignore[index]  # a wrong type raises TypeError
    except (ValueError, TypeError, KeyError):
        raise ExchangeError(
            f"the endpoint does not count tokens: it answered {shorten(str(answer))!r}. Is Claude.base_url right?"
        ) from None


def count(client: Client, request: Request) -> int:
    """The input tokens of `request`.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
        Interrupted: The user stopped it.
    """
    if request.endpoint == CHAT:
        raise ExchangeError(f"the API counts no tokens of {CHAT}.")
    if request.endpoint == ENDPOINT:
        raise ExchangeError(f"the API counts no tokens of {ENDPOINT}: leave --legacy out to count them as messages.")
    try:
        answer = client.json(count_tokens(request))
    except APIError as error:
        is_of_api = error.type == "not_found_error" or "model" in str(error.body)
        if error.status not in _NO_ENDPOINT or is_of_api:
            raise
        raise ExchangeError(
            f"the server has no count_tokens: {COUNT_PATH} was answered with HTTP {error.status}. "
            "If Claude.base_url is right, cells work without it, and a budget bounds their tokens instead."
        ) from None
    return input_tokens(answer)
