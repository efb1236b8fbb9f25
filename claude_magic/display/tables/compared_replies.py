"""The table under replies that are compared: tokens, price and time of each."""

from __future__ import annotations

from collections.abc import Sequence

from ...wire import Exchange
from ...wire.short_text import dollars
from ..reply.summary import span
from .journal_entries import tokens
from .table import Kind, table, words

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("request", "reply"), "wrap"),
    **dict.fromkeys(("price", "seconds", "first token"), "number"),
}
_HEAD = ("request", "reply", "tokens", "price", "seconds", "first token", "stop_reason")


def compared_replies(names: Sequence[str], exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The mime bundle of the table."""
    title = f"{len(exchanges)} {'reply' if len(exchanges) == 1 else 'replies'}"
    rows = [[words(name, 60), *_facts(exchange)] for name, exchange in zip(names, exchanges, strict=True)]
    return table(title, _HEAD, rows, kinds=_KINDS)


def _facts(exchange: Exchange) -> list[str]:
    usage, error = exchange.message.usage, exchange.error
    first = exchange.first_token_seconds
    return [
        words(exchange.text or (f"{type(error).__name__}: {error}" if error else ""), 60),
        tokens([usage.get("input_tokens")], usage.get("output_tokens")),
        "unknown" if exchange.usd is None else dollars(exchange.usd),
        span(exchange.seconds),
        "" if first is None else span(first),
        words(exchange.message.stop_reason or (type(error).__name__ if error else ""), 40),
    ]
