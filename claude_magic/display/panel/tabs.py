"""The tabs of the panel, as HTML: headers, usage, request, response, events, code.

Every name and value is untrusted, the model's and the server's alike: all of it passes `excerpt`,
nothing of it becomes an attribute that could fetch or run, and the size is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...errors import APIError, CellError, ClaudeError
from ...export import LANGUAGES
from ...wire import Exchange, TimedEvent
from ...wire.headers import holds_a_credential, names_a_credential
from ...wire.money import dollars
from ..text.excerpt import BODY_LIMIT, cut, one_line, safe_content
from .html_rows import group, json_block, note, row, table, text_block
from .rate_limits import bar, moment, rate_limits
from .timeline import timeline

_FIRST = ("request-id", "anthropic-organization-id")
_SHOWN = {
    *("content-type", "content-encoding", "content-length", "transfer-encoding", "cache-control", "vary", "date"),
    *("retry-after", "retry-after-ms", "x-should-retry", "server", "server-timing", "traceresponse", "via"),
    *("cf-ray", "cf-cache-status", "x-envoy-upstream-service-time", "x-cloud-trace-context", "x-robots-tag"),
    *("strict-transport-security", "content-security-policy"),
}
_CODE_LIMIT = 5_000  # characters of a program
_MOST_HEADERS = 100
_MOST_NUMBERS = 200
_EVENTS_AT_EACH_END = 100
_EVENT_LIMIT = 300


def tabs(exchange: Exchange) -> dict[str, str]:
    """Title and HTML of each tab, in order."""
    return {
        "Headers": _headers(exchange),
        "Usage": _usage(exchange),
        "Request": _request(exchange),
        "Response": _response(exchange),
        "Events": _events(exchange),
        **({} if exchange.program is None else {"Code": _code(exchange)}),
    }


def _headers(exchange: Exchange) -> str:
    headers = exchange.headers
    limits = rate_limits(headers)
    rows = [row(name, headers.get(name) or "not sent", absent=not headers.get(name)) for name in _FIRST]
    rows.append(row("HTTP status", "no answer" if exchange.status is None else str(exchange.status)))
    if limits:
        rows.append(group("Rate limits"))
        rows.extend(bar(limit, moment(headers)) for limit in limits)
        rows.append(group("Other headers"))
    told = {*_FIRST, *(name for limit in limits for name in limit.names)}
    others = [name for name in headers if name.lower() not in told]
    shown = sorted((name for name in others if _is_public_header(name)), key=str.lower)[:_MOST_HEADERS]
    rows.extend(row(name.lower(), headers[name]) for name in shown)
    hidden = len(others) - len(shown)
    return table(rows) + (note(f"{hidden} more not shown") if hidden else "")


def _is_public_header(name: str) -> bool:
    name = name.lower()
    return (name in _SHOWN or name.startswith("anthropic-")) and not names_a_credential(name)


def _usage(exchange: Exchange) -> str:
    usage = exchange.message.usage if isinstance(exchange.message.usage, Mapping) else {}
    rows = [
        *_stop_lines(exchange),
        group("Tokens"),
        *_tokens(usage),
        *_price(exchange),
        group("Time"),
        *_time(exchange, _count(usage, "output_tokens")),
    ]
    counted = [row(name, value) for name, value in islice(_flat(usage), _MOST_NUMBERS)]
    return table([*rows, *([group("Usage, as the API sent it"), *counted] if counted else [])])


def _stop_lines(exchange: Exchange) -> Iterator[str]:
    message = exchange.message
    yield row("model", " · ".join(filter(None, (str(message.model or "not told"), exchange.model_note))))
    yield row("stop reason", str(message.stop_reason or "none: the reply did not come to its end"))
    if message.stop_sequence:
        yield row("stop sequence", str(message.stop_sequence))
    details = message.body.get("stop_details")
    if isinstance(details, Mapping):
        yield from (row(f"stop details: {name}", value) for name, value in islice(_flat(details), _MOST_NUMBERS))


def _tokens(usage: Mapping[str, Any]) -> Iterator[str]:
    if not usage:
        yield row("tokens", "not told", absent=True)
        return
    plain_input, written, read = (
        _count(usage, name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    )
    cached = f" · {written:,} written to the cache, {read:,} read from it" if written or read else ""
    yield row("input", f"{plain_input + written + read:,}{cached}")
    yield row("output", f"{_count(usage, 'output_tokens'):,}")
    details = usage.get("output_tokens_details")
    if isinstance(details, Mapping) and "thinking_tokens" in details:
        yield row("thinking, in the output", f"{_count(details, 'thinking_tokens'):,}")
    if usage.get("service_tier"):
        yield row("service tier", str(usage["service_tier"]))


def _price(exchange: Exchange) -> Iterator[str]:
    """What it cost, if somebody has counted."""
    if exchange.replayed:
        yield row("replayed", f"recorded {exchange.replayed}; nothing was sent")
    if exchange.began and exchange.message.body:
        name = "it would have cost" if exchange.replayed else "price"
        told = "unknown" if exchange.usd is None else dollars(exchange.usd)
        yield row(name, told, absent=exchange.usd is None)


def _time(exchange: Exchange, output: int) -> Iterator[str]:
    first = exchange.first_token_seconds
    streaming = exchange.seconds - (first or 0.0)
    yield row("seconds", f"{exchange.seconds:.2f}")
    told = "none came" if first is None else f"{first:.2f}"
    yield row("seconds to the first token", told, absent=first is None)
    if output and streaming > 0:
        since = "since the first token" if first else "over the whole time"
        yield row("tokens per second", f"{output / streaming:,.1f} {since}")
    yield row("retries", str(exchange.retries))


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def _flat(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Leaf values under dotted names."""
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


def _request(exchange: Exchange) -> str:
    request = exchange.request
    first = note(f"{request.method} {_without_login(request.url)}", "cm-url")
    sent = table(row(name, _sent_header(name, request.headers[name])) for name in list(request.headers)[:_MOST_HEADERS])
    return first + sent + ("" if request.body is None else json_block(request.body))


def _sent_header(name: str, value: str) -> str:
    """A credential is shown by where it came from, as in `$ANTHROPIC_API_KEY`, or not at all."""
    return "not shown" if holds_a_credential(name, value) else value


def _without_login(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2]))


def _response(exchange: Exchange) -> str:
    error = "" if exchange.error is None else _error(exchange.error)
    if exchange.message.body:
        return error + json_block(exchange.message.body)
    return error or note("The answer holds no message.")


def _code(exchange: Exchange) -> str:
    """The request as programs, each folded."""
    return "".join(
        f"<details><summary>{language.title}</summary>{_program(exchange, name)}</details>"
        for name, language in LANGUAGES.items()
    )


def _program(exchange: Exchange, language: str) -> str:
    try:
        text = str(exchange.code(language))
    except CellError as error:
        return note(str(error))
    whole = "" if len(text) <= _CODE_LIMIT else note(f"cut: claude.last.code({language!r}) gives all of it")
    return text_block(cut(text, _CODE_LIMIT)) + whole


def _error(error: ClaudeError) -> str:
    rows = [row("error", f"{type(error).__name__}: {error}")]
    if not isinstance(error, APIError):
        return table(rows)
    rows.append(row("HTTP status", str(error.status)))
    rows.append(row("type", error.type or "not told", absent=not error.type))
    if error.body is None or error.body == "":
        return table(rows)
    body = error.body
    return table(rows) + (text_block(cut(body, BODY_LIMIT)) if isinstance(body, str) else json_block(body))


def _events(exchange: Exchange) -> str:
    events = exchange.events
    if not events:
        return note("No answer came." if exchange.status is None else "The answer came whole, not as a stream.")
    shown = [_event(event) for event in events[:_EVENTS_AT_EACH_END]]
    left = len(events) - 2 * _EVENTS_AT_EACH_END
    if left > 0:
        shown.append(f'<tr><td></td><td colspan="2" class="cm-absent">… {left:,} more</td></tr>')
    shown.extend(_event(event) for event in events[_EVENTS_AT_EACH_END:][-_EVENTS_AT_EACH_END:])
    head = '<tr><th scope="col">ms</th><th scope="col">event</th><th scope="col">data</th></tr>'
    return timeline(exchange) + f'<table class="cm-events"><thead>{head}</thead><tbody>{"".join(shown)}</tbody></table>'


def _event(event: TimedEvent) -> str:
    """One row; the padding before the closing brace, which the API adds, is left out."""
    data = event.data if len(event.data) > 4 * _EVENT_LIMIT else re.sub(r"\s+\}$", "}", event.data.strip())
    name, shown = one_line(event.event, 60), safe_content(data, _EVENT_LIMIT)
    return f"<tr><td>{event.seconds * 1000:,.0f}</td><td>{name}</td><td>{shown}</td></tr>"
