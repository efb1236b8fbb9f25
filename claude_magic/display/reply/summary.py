"""The summary line of a reply: model, tokens, price, time, request-id; and a warning when it is incomplete.

Plain text without control characters; the caller escapes it for a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import Interrupted
from ...wire import Exchange, Message
from ...wire.gateway import cost_source
from ...wire.rate_limits import low_limits, moment
from ...wire.short_text import dollars, span
from ..text.plain import plain

_WHOLE = ("end_turn", "stop_sequence")
_VERSION = re.compile(r"(?:-latest|-0|[-@]\d{8})$")
_NAME_LIMIT = 100
_MOST_LIMITS, _LIMITS_LIMIT = 3, 300
_EXPLANATION_LIMIT = 1_000


def summary(exchange: Exchange) -> str:
    """The line of facts, and a line for each note and each warning."""
    return "\n".join([facts(exchange), *map(plain, exchange.notes), *warnings(exchange)])


def facts(exchange: Exchange) -> str:
    """Model · tokens in and out · price · seconds · request-id, as far as they are known."""
    replayed = bool(exchange.replayed)
    known = (
        _model(exchange),
        _tokens(exchange),
        "" if replayed else _price(exchange),
        duration(exchange),
        _retries(exchange),
    )
    last = (_request_id(exchange), _replay_note(exchange) if replayed else "")
    lines = [*map(_line, filter(None, known)), low_limits_warning(exchange), *map(_line, filter(None, last))]
    return " · ".join(filter(None, lines))


def _request_id(exchange: Exchange) -> str:
    """The request-id; `""` if the error, which is shown too, says it."""
    found = exchange.request_id or ""
    return "" if exchange.error is not None and found in str(exchange.error) else found


def warnings(exchange: Exchange) -> list[str]:
    """Why the reply is not a complete answer, a sentence each; empty if it is one, or if its calls say it."""
    if exchange.error is not None:  # why, and what to do, is in the error, which the cell shows too
        kind = "interrupted" if isinstance(exchange.error, Interrupted) else "incomplete"
        return [f"{kind}: it breaks off here."]
    if exchange.message.stop_reason in _WHOLE or (exchange.calls and exchange.message.stop_reason == "tool_use"):
        return []
    return [_line(_stop_note(exchange), _EXPLANATION_LIMIT)]


def duration(exchange: Exchange) -> str:
    """The total seconds, and the seconds to the first token."""
    whole = span(exchange.seconds)
    first = exchange.first_token_seconds
    return whole if first is None else f"{whole}, first token {span(first)}"


def requested_model(exchange: Exchange) -> str:
    """The model of the request; `""` if it names none."""
    body = exchange.request.body
    name = body.get("model") if body is not None else None
    return _line(name) if isinstance(name, str) else ""


def estimate_tokens(characters: int) -> int:
    """An estimate of the tokens in a number of characters; the API reports the count only at the end."""
    return round(characters / 4)


def _model(exchange: Exchange) -> str:
    requested = requested_model(exchange)
    answered = exchange.message.model
    name = answered if isinstance(answered, str) and answered else requested
    notes = [exchange.model_note] if exchange.model_note else []
    if name and requested and not _same_model(name, requested):
        notes.append(f"asked for {requested}")
    return f"{name} ({'; '.join(notes)})" if notes else name


def _same_model(one: str, other: str) -> bool:
    """Whether two ids are the same, or an alias and its dated id."""
    return _VERSION.sub("", one) == _VERSION.sub("", other)


def _tokens(exchange: Exchange) -> str:
    usage = exchange.message.usage
    if not exchange.message.body:
        return ""
    sent, received = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    cached, cache_writes = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    apart = [f"+{cached:,} cached"] if cached else []
    if cache_writes:
        apart.append(f"+{cache_writes:,} written to the cache")
    into = f"{sent:,} in" if sent is not None else "unknown in"
    out = f"{received:,} out" if received is not None else "unknown out"
    if exchange.message.stop_reason is None:
        out = f"about {estimate_tokens(_size(exchange.message)):,} out"
    return f"{into}{' (' + ', '.join(apart) + ')' if apart else ''} / {out} tokens"


def _size(message: Message) -> int:
    texts = (block.get(name) for block in message.content for name in ("text", "thinking"))
    return sum(len(text) for text in texts if isinstance(text, str))


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) else None


def _price(exchange: Exchange) -> str:
    """The price, and whose figure it is if not ours; `""` if it is 0 or was not computed."""
    source = cost_source(exchange)
    if not exchange.began or not exchange.message.body or (exchange.usd == 0 and not source):
        return ""
    if exchange.usd is None:
        return "price unknown"
    about = "" if exchange.message.stop_reason else "about "
    return f"{about}{dollars(exchange.usd)}{f' ({source})' if source else ''}"


def low_limits_warning(exchange: Exchange) -> str:
    """What is left of the limits of which less than 10 % is left; `""` if there are none."""
    if exchange.replayed:
        return ""
    sent, low = moment(exchange.headers), low_limits(exchange.headers)
    lines = [limit.line(limit.reset_in_words(sent)) for limit in low[:_MOST_LIMITS]]
    more = [f"{len(low) - len(lines)} more limits are low"] if len(low) > len(lines) else []
    return _line(f"only {'; '.join([*lines, *more])}", _LIMITS_LIMIT) if low else ""


def _replay_note(exchange: Exchange) -> str:
    """That the answer was recorded, and the price it would have had."""
    would = f", would have cost {dollars(exchange.usd)}" if exchange.usd else ""
    return f"replayed, recorded {exchange.replayed[:10]}{would}"


def _retries(exchange: Exchange) -> str:
    if exchange.retries <= 0:
        return ""
    return "after 1 retry" if exchange.retries == 1 else f"after {exchange.retries} retries"


def _stop_note(exchange: Exchange) -> str:
    """What its `stop_reason` means for the user."""
    reason = exchange.message.stop_reason
    if reason == "max_tokens":
        goes_on = _ends_in_text(exchange.message) and "prompt" not in (exchange.request.body or {})
        way = "Raise -t, or ask for the rest with --finish." if goes_on else "Raise -t."
        return f"cut off (max_tokens): the reply reached {_limit(exchange)}. {way}"
    if reason == "repetition":
        return "stopped (repetition): the model repeated itself. The part received is kept; rephrase the prompt."
    if reason == "refusal":
        return _refusal_note(exchange.message.body.get("stop_details"))
    if reason == "pause_turn":
        return "paused (pause_turn): the API stopped a long turn; send this reply back to let it go on."
    if reason == "model_context_window_exceeded":
        return "cut off (model_context_window_exceeded): the model's context window is full."
    if reason == "tool_use":
        return f"waiting for a tool (tool_use): the model asks for {_requested_tools(exchange.message)}."
    return "ended without a stop reason." if reason is None else f"stopped: {reason}."


def _ends_in_text(message: Message) -> bool:
    """Whether the reply ends in text, so that it can be continued."""
    last = message.content[-1] if message.content else {}
    return last.get("type") == "text" and bool(str(last.get("text") or "").strip())


def _limit(exchange: Exchange) -> str:
    body = exchange.request.body or {}
    limit = body.get("max_tokens", body.get("max_tokens_to_sample"))
    return f"its limit of {limit:,} tokens" if isinstance(limit, int) else "its limit of tokens"


def _refusal_note(details: object) -> str:
    known: Mapping[str, Any] = details if isinstance(details, Mapping) else {}
    category, explanation = known.get("category"), known.get("explanation")
    suffix = f", {category}" if isinstance(category, str) and category else ""
    reason = explanation if isinstance(explanation, str) and explanation else "the model declined to answer."
    return f"refused (refusal{suffix}): {reason}"


def _requested_tools(message: Message) -> str:
    names = [str(block.get("name")) for block in message.content if block.get("type") == "tool_use"]
    return ", ".join(names) or "a tool"


def _line(text: object, limit: int = _NAME_LIMIT) -> str:
    """`text` on one line, stripped of controls and of bounded length."""
    line = " ".join(plain(str(text)[: 2 * limit]).split())
    return line if len(line) <= limit else f"{line[:limit]}…"
