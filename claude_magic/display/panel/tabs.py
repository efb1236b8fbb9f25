"""The tabs of the panel, as HTML. To add one, write a function and name it in `TABS`.

`TABS` is what is saved with the notebook, so it is brief: no headers about caching and security, a
row for all events of one name in a run, long texts cut, one program. The live panel
shows all of it: see `LIVE_TABS` and `programs`.

Every name and value is untrusted, whether it comes from the model or the server: each passes `text.excerpt`,
none becomes an attribute that could load or run something, and the size of a tab is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit, urlunsplit

from ...errors import APIError, ClaudeError
from ...wire import Exchange, Headers, Request
from ...wire.gateway import SHOWN as GATEWAY_HEADERS
from ...wire.headers import REQUEST_IDS, holds_credential, is_credential_name, request_id
from ...wire.rate_limits import moment, rate_limits
from ...wire.retry_after import retry_after, try_again
from ..text.excerpt import BODY_LIMIT, STRING_LIMIT, cut, plain_line
from .events import EVENTS_AT_EACH_END, NOT_STREAMED, event_table, run_table
from .html_rows import group, json_block, note, row, table, text_block
from .programs import saved_program
from .rate_limits import bar
from .timeline import timeline
from .usage import live_usage_tab, usage_tab

_WAITS = ("retry-after", "retry-after-ms")
_FIRST = (*REQUEST_IDS, "anthropic-organization-id")
_SAVED = {
    *("content-type", "content-encoding", "content-length", "date", "retry-after", "retry-after-ms", "x-should-retry"),
    *("traceresponse", "via", "cf-ray", "x-envoy-upstream-service-time", "x-cloud-trace-context"),
    *GATEWAY_HEADERS,
}
_LIVE_ONLY = {
    *("transfer-encoding", "cache-control", "vary", "server", "server-timing", "cf-cache-status", "x-robots-tag"),
    *("strict-transport-security", "content-security-policy"),
}
_CLIENT = {"accept", "accept-encoding", "user-agent"}  # headers of any request: only the live panel shows them
_MOST_HEADERS = 100
_SAVED_BODY = 6_000  # characters of JSON
_SAVED_PROMPT = 2_000  # characters of a string in the request
_SAVED_REPLY = 300  # characters of a string in the response: the reply stands above


def tabs(exchange: Exchange) -> dict[str, str]:
    """Title and HTML of each tab, in order, as saved with the notebook."""
    return {title: html for title, tab in TABS.items() if (html := tab(exchange))}


def live_tabs(exchange: Exchange, saved: dict[str, str]) -> dict[str, str]:
    """Title and HTML of each tab of a live panel, in order.

    Args:
        saved: What `tabs` returned for the exchange.
    """
    return {title: LIVE_TABS[title](exchange) if title in LIVE_TABS else html for title, html in saved.items()}


def _headers(exchange: Exchange, allowed: Collection[str] = _SAVED, copy: str = "") -> str:
    headers = exchange.headers
    limits = rate_limits(headers)
    rows = [row(name, headers.get(name) or "not sent", absent=not headers.get(name)) for name in _first(headers)]
    rows.append(row("HTTP status", "no response" if exchange.status is None else str(exchange.status)))
    waits = _WAITS if (exchange.status or 0) >= 400 else ()  # a good answer may have them too, and means nothing by it
    rows[:0] = [row(name, _wait(headers, name)) for name in waits if name in headers]
    if limits:
        rows.append(group("Rate limits"))
        rows.extend(bar(limit, moment(headers)) for limit in limits)
        rows.append(group("Other headers"))
    known = {*_FIRST, *waits, *(name for limit in limits for name in limit.names)}
    others = [name for name in headers if name.lower() not in known]
    public = sorted((name for name in others if _is_public_header(name, allowed)), key=str.lower)[:_MOST_HEADERS]
    rows.extend(row(name.lower(), headers[name]) for name in public)
    hidden = len(others) - len(public)
    sent = (name for name in headers if name.lower() in _FIRST or _is_public_header(name, allowed))
    whole = "\n".join(plain_line(f"{name.lower()}: {headers[name]}") for name in sent)
    return table(rows, copy if whole else "", whole) + (note(f"{hidden} more not shown") if hidden else "")


def _wait(headers: Headers, name: str) -> str:
    """The value of a header that asks to wait, and until when, by this machine's clock."""
    seconds, sent = retry_after(Headers([(name, headers[name])])), moment(headers)
    when = "" if seconds is None or sent is None else try_again(seconds, sent.timestamp())
    return " · ".join(filter(None, (headers[name], when)))


def _first(headers: Headers) -> list[str]:
    """The names of the rows at the top: all that name the request, and the organization where the API answered."""
    found = request_id(headers)
    named = [name for name in REQUEST_IDS if headers.get(name)] or ["request-id"]
    return named if found is not None and found[0] != "request-id" else [*named, "anthropic-organization-id"]


def _live_headers(exchange: Exchange) -> str:
    return _headers(exchange, _SAVED | _LIVE_ONLY, "Copy response headers")


def _is_public_header(name: str, allowed: Collection[str]) -> bool:
    name = name.lower()
    return (name in allowed or name.startswith("anthropic-")) and not is_credential_name(name)


def _request(exchange: Exchange) -> str:
    request = exchange.request.on_wire
    headers = [name for name in request.headers if name.lower() not in _CLIENT]
    return _request_html(request, headers, _SAVED_BODY, _SAVED_PROMPT)


def _live_request(exchange: Exchange) -> str:
    request = exchange.request.on_wire
    return _request_html(request, list(request.headers), BODY_LIMIT, STRING_LIMIT, "Copy request JSON")


def _request_html(request: Request, headers: list[str], limit: int, strings: int, copy: str = "") -> str:
    head = text_block(f"{request.method} {_without_login(request.url)}")
    sent = table(row(name, _request_header(name, request.headers[name])) for name in headers[:_MOST_HEADERS])
    return head + sent + ("" if request.body is None else json_block(request.body, limit, strings, copy))


def _request_header(name: str, value: str) -> str:
    """The value of a request header; for a credential its source, such as `$ANTHROPIC_API_KEY`, or nothing."""
    return "not shown" if holds_credential(name, value) else value


def _without_login(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2]))


def _response(exchange: Exchange, limit: int = _SAVED_BODY, strings: int = _SAVED_REPLY, copy: str = "") -> str:
    error = "" if exchange.error is None else _error(exchange.error, copy)
    if exchange.message.body:
        return error + json_block(exchange.message.body, limit, strings, copy)
    if exchange.answer is not None and exchange.answer.value is not None:
        return error + json_block(exchange.answer.value, limit, strings, copy)
    return error or note("The response holds no message." if exchange.answer is None else "The response holds no JSON.")


def _live_response(exchange: Exchange) -> str:
    return _response(exchange, BODY_LIMIT, STRING_LIMIT, "Copy response JSON")


def _error(error: ClaudeError, copy: str) -> str:
    rows = [row("error", f"{type(error).__name__}: {error}")]
    if not isinstance(error, APIError):
        return table(rows)
    rows.append(row("HTTP status", str(error.status)))
    rows.append(row("type", error.type or "not reported", absent=not error.type))
    if error.body is None or error.body == "":
        return table(rows)
    body = error.body
    if isinstance(body, str):
        return table(rows) + text_block(cut(body, BODY_LIMIT), copy and "Copy response body", body)
    return table(rows) + json_block(body, copy=copy)


def _events(exchange: Exchange) -> str:
    return timeline(exchange, brief=True) + run_table(exchange.events) if exchange.events else _no_events(exchange)


def _live_events(exchange: Exchange) -> str:
    events = exchange.events
    if not events:
        return _no_events(exchange)
    first, rest = events[:EVENTS_AT_EACH_END], events[EVENTS_AT_EACH_END:]
    last = rest[-EVENTS_AT_EACH_END:]
    return timeline(exchange) + event_table(first, then=last, between=len(rest) - len(last))


def _no_events(exchange: Exchange) -> str:
    if exchange.answer is not None:
        return ""
    return note("No response." if exchange.status is None else NOT_STREAMED)


def _code(exchange: Exchange) -> str:
    return saved_program(exchange)


TABS: dict[str, Callable[[Exchange], str]] = {
    "Headers": _headers,
    "Usage": usage_tab,
    "Request": _request,
    "Response": _response,
    "Events": _events,
    "Code": _code,
}
"""Each tab by its title, in order: a function that returns its HTML, or `""` to leave the tab out."""

LIVE_TABS = {
    "Headers": _live_headers,
    "Usage": live_usage_tab,
    "Request": _live_request,
    "Response": _live_response,
    "Events": _live_events,
}
"""The tabs that a live panel shows at greater length, by title."""
