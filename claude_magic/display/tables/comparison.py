"""The table under replies that stand side by side: what differs between their requests, and what each took."""

from __future__ import annotations

from collections.abc import Sequence

from ...wire import Exchange
from .journal_entries import NUMBERS, price, seconds, tokens
from .table import Cell, Kind, table, words

_HEAD: tuple[str, ...] = (
    *("request", "reply", "error", "tokens in", "tokens out", "price, $", "seconds", "first token, s", "stop_reason"),
)
_KINDS: dict[str, Kind] = {
    **NUMBERS,
    **dict.fromkeys(("request", "reply", "error"), "wrap"),
    "first token, s": "number",
}


def comparison(labels: Sequence[str], exchanges: Sequence[Exchange], *, brief: bool = False) -> dict[str, str]:
    """The mime bundle of the table.

    Args:
        labels: What each request differs in.
        brief: Whether to leave out replies and errors, for a terminal, where they stand above in full.
    """
    rows = [[words(label, 60), *_facts(each)] for label, each in zip(labels, exchanges, strict=True)]
    head = _HEAD
    if brief:
        head, rows = (_HEAD[0], *_HEAD[3:]), [[row[0], *row[3:]] for row in rows]
    count = len(exchanges)
    return table(f"{count} {'reply' if count == 1 else 'replies'}", head, rows, kinds=_KINDS)


def _facts(exchange: Exchange) -> list[Cell]:
    usage, error = exchange.message.usage, exchange.error
    return [
        words(exchange.text, 60),
        "" if error is None else words(f"{type(error).__name__}: {error}", 120),
        tokens(usage.get("input_tokens")) or ("" if error else None),
        tokens(usage.get("output_tokens")) or ("" if error else None),
        price(exchange.usd),
        seconds(exchange.seconds),
        seconds(exchange.first_token_seconds) or "",
        words(exchange.message.stop_reason, 40),
    ]
