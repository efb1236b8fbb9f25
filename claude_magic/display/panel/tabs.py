"""The tabs of the panel, as HTML. To add one, write a function and name it in `TABS`.

Every name and value is untrusted, whether it comes from the model or the server: each passes `text.excerpt`,
none becomes an attribute that could load or run something, and the size of a tab is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from ...errors import APIError, CellError, ClaudeError
from ...export import LANGUAGES
from ...wire import Exchange
from ...wire.headers import holds_credential, is_credential_name
from ..text.excerpt import BODY_LIMIT, cut
from .events import EVENTS_AT_EACH_END, NOT_STREAMED, event_table
from .html_rows import group, json_block, note, row, table, text_block
from .rate_limits import bar, moment, rate_limits
from .timeline import timeline
from .usage import usage_tab

_FIRST = ("request-id", "anthropic-organization-id")
_SHOWN = {
    *("content-type", "content-encoding", "content-length", "transfer-encoding", "cache-control", "vary", "date"),
    *("retry-after", "retry-after-ms", "x-should-retry", "server", "server-timing", "traceresponse", "via"),
    *("cf-ray", "cf-cache-status", "x-envoy-upstream-service-time", "x-cloud-trace-context", "x-robots-tag"),
    *("strict-transport-security", "content-security-policy"),
}
_CODE_LIMIT = 5_000  # characters of a program
_MOST_HEADERS = 100


def tabs(exchange: Exchange) -> dict[str, str]:
    """Title and HTML of each tab, in order."""
    return {title: html for title, tab in TABS.items() if (html := tab(exchange))}


def _headers(exchange: Exchange) -> str:
    headers = exchange.headers
    limits = rate_limits(headers)
    rows = [row(name, headers.get(name) or "not sent", absent=not headers.get(name)) for name in _FIRST]
    rows.append(row("HTTP status", "no response" if exchange.status is None else str(exchange.status)))
    if limits:
        rows.append(group("Rate limits"))
        rows.extend(bar(limit, moment(headers)) for limit in limits)
        rows.append(group("Other headers"))
    known = {*_FIRST, *(name for limit in limits for name in limit.names)}
    others = [name for name in headers if name.lower() not in known]
    shown = sorted((name for name in others if _is_public_header(name)), key=str.lower)[:_MOST_HEADERS]
    rows.extend(row(name.lower(), headers[name]) for name in shown)
    hidden = len(others) - len(shown)
    return table(rows) + (note(f"{hidden} more not shown") if hidden else "")


def _is_public_header(name: str) -> bool:
    name = name.lower()
    return (name in _SHOWN or name.startswith("anthropic-")) and not is_credential_name(name)


def _request(exchange: Exchange) -> str:
    request = exchange.request
    first = note(f"{request.method} {_without_login(request.url)}", "cm-url")
    sent = table(row(name, _sent_header(name, request.headers[name])) for name in list(request.headers)[:_MOST_HEADERS])
    return first + sent + ("" if request.body is None else json_block(request.body))


def _sent_header(name: str, value: str) -> str:
    """The value of a request header; for a credential its source, such as `$ANTHROPIC_API_KEY`, or nothing."""
    return "not shown" if holds_credential(name, value) else value


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
    return error or note("The response holds no message.")


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
    rows.append(row("type", error.type or "not reported", absent=not error.type))
    if error.body is None or error.body == "":
        return table(rows)
    body = error.body
    return table(rows) + (text_block(cut(body, BODY_LIMIT)) if isinstance(body, str) else json_block(body))


def _events(exchange: Exchange) -> str:
    events = exchange.events
    if not events:
        return note("No response." if exchange.status is None else NOT_STREAMED)
    first, rest = events[:EVENTS_AT_EACH_END], events[EVENTS_AT_EACH_END:]
    last = rest[-EVENTS_AT_EACH_END:]
    return timeline(exchange) + event_table(first, then=last, between=len(rest) - len(last))


TABS: dict[str, Callable[[Exchange], str]] = {
    "Headers": _headers,
    "Usage": usage_tab,
    "Request": _request,
    "Response": _response,
    "Events": _events,
    "Code": _code,
}
"""Each tab by its title, in order: a function that returns its HTML, or `""` to leave the tab out."""
