"""The table under replies that are compared: tokens, price and time of each."""

from __future__ import annotations

from collections.abc import Sequence

from ...wire import Exchange
from ...wire.short_text import dollars, span
from .journal_entries import tokens
from .table import Kind, table, words

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("request", "reply", "error"), "wrap"),
    **dict.fromkeys(("price", "seconds", "first token"), "number"),
}
_HEAD = ("request", "reply", "tokens", "price", "seconds", "first token", "stop_reason")


def compared_replies(names: Sequence[str], exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The mime bundle of the table."""
    title = f"{len(exchanges)} {'reply' if len(exchanges) == 1 else 'replies'}"
    rows = [[words(name, 60), *_facts(exchange)] for name, exchange in zip(names, exchanges, strict=True)]
    if not any(exchange.error for exchange in exchanges):
        return table(title, _HEAD, rows, kinds=_KINDS)
    errors = [_error(exchange) for exchange in exchanges]
    rows = [[*row, error] for row, error in zip(rows, errors, strict=True)]
    return table(title, (*_HEAD, "error"), rows, kinds=_KINDS)


def _facts(exchange: Exchange) -> list[str]:
    usage, first = exchange.message.usage, exchange.first_token_seconds
    answered = bool(exchange.message.body)
    return [
        words(exchange.text, 60),
        tokens([usage.get("input_tokens")], usage.get("output_tokens")) if answered else "",
        "" if not answered else "unknown" if exchange.usd is None else dollars(exchange.usd),
        span(exchange.seconds) if answered or exchange.status is not None else "",
        "" if first is None else span(first),
        words(exchange.message.stop_reason or "", 40),
    ]


def _error(exchange: Exchange) -> str:
    error = exchange.error
    return "" if error is None else words(f"{type(error).__name__}: {error}", 200)
