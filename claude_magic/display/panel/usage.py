"""The Usage tab: stop reason, tokens, price, time, and the API's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ...wire import Exchange
from ...wire.gateway import cost_source
from ...wire.short_text import dollars
from .html_rows import group, row, table

_MOST_NUMBERS = 200


def usage_tab(exchange: Exchange) -> str:
    """HTML of the tab; the API's own numbers are not in it. `""` where no model answered."""
    return "" if exchange.answer is not None else table(_rows(exchange, _usage(exchange)))


def live_usage_tab(exchange: Exchange) -> str:
    """HTML of the tab with the API's own numbers."""
    usage = _usage(exchange)
    counted = [row(name, value) for name, value in islice(_flat(usage), _MOST_NUMBERS)]
    return table([*_rows(exchange, usage), *([group("Usage, as the API sent it"), *counted] if counted else [])])


def _usage(exchange: Exchange) -> Mapping[str, Any]:
    return exchange.message.usage if isinstance(exchange.message.usage, Mapping) else {}


def _rows(exchange: Exchange, usage: Mapping[str, Any]) -> list[str]:
    return [
        *_stop_lines(exchange),
        group("Tokens"),
        *_tokens(usage),
        *_price(exchange),
        group("Time"),
        *_time(exchange, _count(usage, "output_tokens")),
    ]


def _stop_lines(exchange: Exchange) -> Iterator[str]:
    message = exchange.message
    yield row("model", " · ".join(filter(None, (str(message.model or "not reported"), exchange.model_note))))
    missing = "none: there is no reply" if (exchange.status or 0) >= 300 else "none: the stream ended early"
    yield row("stop reason", str(message.stop_reason or missing))
    if message.stop_sequence:
        yield row("stop sequence", str(message.stop_sequence))
    details = message.body.get("stop_details")
    if isinstance(details, Mapping):
        yield from (row(f"stop details: {name}", value) for name, value in islice(_flat(details), _MOST_NUMBERS))


def _tokens(usage: Mapping[str, Any]) -> Iterator[str]:
    if not usage:
        yield row("tokens", "not reported", absent=True)
        return
    plain_input, cache_writes, cache_reads = (
        _count(usage, name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    )
    cached = (
        f" · {cache_writes:,} written to the cache, {cache_reads:,} read from it" if cache_writes or cache_reads else ""
    )
    yield row("input", f"{plain_input + cache_writes + cache_reads:,}{cached}")
    yield row("output", f"{_count(usage, 'output_tokens'):,}")
    details = usage.get("output_tokens_details")
    if isinstance(details, Mapping) and "thinking_tokens" in details:
        yield row("thinking, in the output", f"{_count(details, 'thinking_tokens'):,}")
    if usage.get("service_tier"):
        yield row("service tier", str(usage["service_tier"]))


def _price(exchange: Exchange) -> Iterator[str]:
    """The price, if it was computed."""
    if exchange.replayed:
        yield row("replayed", f"recorded {exchange.replayed}; nothing was sent")
    if exchange.began and exchange.message.body:
        name = "price without replay" if exchange.replayed else "price"
        text = (
            "unknown"
            if exchange.usd is None
            else " · ".join(filter(None, [dollars(exchange.usd), cost_source(exchange)]))
        )
        yield row(name, text, absent=exchange.usd is None)


def _time(exchange: Exchange, output: int) -> Iterator[str]:
    first = exchange.first_token_seconds
    streaming = exchange.seconds - (first or 0.0)
    yield row("seconds", f"{exchange.seconds:.2f}")
    text = "none received" if first is None else f"{first:.2f}"
    yield row("seconds to the first token", text, absent=first is None)
    if output and streaming > 0:
        since = "since the first token" if first else "over the whole time"
        yield row("tokens per second", f"{output / streaming:,.1f} {since}")
    yield row("retries", str(exchange.retries))


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def _flat(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The leaf values of nested JSON, each with its dotted name."""
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, f"{value:,}" if abs(value) < 10**18 else "a number too large"
    elif value is not None:
        yield name, str(value)
    if depth < 8:
        for inner, item in list(items)[:50]:
            yield from _flat(item, f"{name}.{inner}" if name else str(inner), depth + 1)
