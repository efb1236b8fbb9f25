"""What a gateway before the API, such as LiteLLM's proxy, says that a reply costs.

The model that it names need not be the one that answers, so its figure counts before any price list. A stream has the
figure in its last usage, if the proxy is set to write it; the other figures of cost among its headers are 0 then.

Source: https://docs.litellm.ai/docs/proxy/response_headers
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from .exchange import Exchange

NAMES = "x-litellm-call-id"
COST = "x-litellm-response-cost"
SHOWN = (COST, "x-litellm-model-name", "x-litellm-model-group", "x-litellm-attempted-fallbacks", "x-litellm-version")
"""The headers of the proxy that tell what became of a request; others name addresses, or what a key has spent."""

_FIGURE = re.compile(r"\d{1,12}(\.\d+)?([eE][-+]?\d{1,3})?", re.ASCII)


def is_gateway(exchange: Exchange) -> bool:
    """Whether a gateway answered that can name a price."""
    return NAMES in exchange.headers or COST in exchange.headers


def gateway_cost(exchange: Exchange) -> float | None:
    """The price that the gateway names, in US dollars; `None` if there is none, or it is no amount.

    Of a stream, 0 is none: LiteLLM writes it also for a model whose price it does not know.
    """
    if COST in exchange.headers:
        return _amount(exchange.headers[COST].strip())
    usage: object = exchange.message.body.get("usage")
    return _amount(str(usage.get("cost"))) or None if NAMES in exchange.headers and isinstance(usage, Mapping) else None


def cost_source(exchange: Exchange) -> str:
    """Whose figure the price is, in words; `""` where no gateway answered or there is no price."""
    if exchange.usd is None or not exchange.message.body or not is_gateway(exchange):
        return ""
    if gateway_cost(exchange) is not None:
        return "the gateway's figure"
    return "by list price: the gateway names none"


def _amount(text: str) -> float | None:
    value = float(text) if _FIGURE.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None
