"""What an exchange costs, and what a request can cost at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from ..api import platforms
from ..api.client import Client
from ..api.endpoints.count_tokens import count
from ..cost import prices
from ..cost.token_bounds import token_bound
from ..errors import APIError, ConnectionFailed, ExchangeError, OverBudget
from ..settings import Claude
from ..wire import Exchange, Message, Request
from ..wire.gateway import gateway_cost


def highest_cost(settings: Claude, request: Request, tokens: int, *, batch: bool = False) -> float | None:
    """The highest price of a request with so many input tokens, in US dollars; `None` if unknown."""
    model, corrections = priced(settings, request, str((request.body or {}).get("model", "")))
    body = {**(request.body or {}), "model": model}
    return prices.highest_cost(body, sent=tokens, corrections=corrections, batch=batch)


def worst_cases(settings: Claude, request: Request, client: Client, *, batch: bool = False) -> Iterator[float]:
    """The highest price of a request: by an upper bound of its tokens, then by the tokens that the endpoint counts.

    Raises:
        OverBudget: The price of its model is unknown.
    """
    if highest_cost(settings, request, 1) is None:
        if settings.unpriced == "refuse":
            model = str((request.body or {}).get("model"))
            raise OverBudget(
                f"the price of {model} is unknown, and there is a budget. Nothing was sent. Set Claude.prices = "
                f"{{{model!r}: {{'input': ..., 'output': ...}}}}, or Claude.unpriced = 'allow'."
            )
        yield 0.0
        return
    bound = token_bound(request.body or {})
    if bound is not None:
        yield highest_cost(settings, request, bound, batch=batch) or 0.0
    try:
        yield highest_cost(settings, request, count(client, request), batch=batch) or 0.0
    except ExchangeError:
        return


def cost(settings: Claude, exchange: Exchange) -> float | None:
    """The price of an exchange in US dollars, `None` if unknown; of an incomplete reply, of the part received.

    What a gateway says that it costs counts before any price list.
    """
    if not exchange.message.body:
        return 0.0 if isinstance(exchange.error, APIError | ConnectionFailed) else None
    named = gateway_cost(exchange)
    if named is not None:
        return named
    model = exchange.message.model or str((exchange.request.body or {}).get("model", ""))
    usage = exchange.message.usage
    if exchange.message.stop_reason is None:
        tokens = max(_estimate_output_tokens(exchange.message), usage.get("output_tokens") or 0)
        usage = {**usage, "output_tokens": tokens}
    model, corrections = priced(settings, exchange.request, model)
    return prices.cost_usd(model, usage, corrections=corrections)


def priced(settings: Claude, request: Request, model: str) -> tuple[str, prices.Corrections]:
    """The model whose price counts, and the prices that the user set.

    A platform has prices of its own, which also depend on where it is run: those that were set, else dated data.
    """
    if request.hosting is None:
        return model, settings.prices
    model = str((request.body or {}).get("model", ""))
    name = f"{request.hosting.platform}/{model}"
    known = settings.prices.get(name) or settings.prices.get(model)
    if known:
        return name, {name: known}
    data = platforms.data_of(request.hosting.platform)
    factor = None if data is None else data.price_factor(model, request.hosting.settings)
    listed = prices.rates(data.api_name(model)) if data is not None and factor is not None else {}
    return name, {name: _times(listed, factor or 1)} if listed else {}


def _times(rates: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Rates with a factor on what is a price of tokens, also on those of long prompts."""
    exact = Fraction(str(factor))
    return {
        name: _times(value, factor)
        if isinstance(value, Mapping)
        else float(Fraction(str(value)) * exact)
        if name in prices.TOKEN_RATES
        else value
        for name, value in rates.items()
    }


def _estimate_output_tokens(message: Message) -> int:
    """About how many tokens have arrived."""
    texts = (block.get(name) for block in message.content for name in ("text", "thinking"))
    return round(sum(len(text) for text in texts if isinstance(text, str)) / 4)
