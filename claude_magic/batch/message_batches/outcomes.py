"""Converts the result of a batch request to an exchange of the journal, and to the result of a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...api.accumulator import Accumulator
from ...api.endpoints.batches import CANCELED, ERRORED, EXPIRED, SUCCEEDED, MessageBatch, Outcome
from ...cost import prices
from ...errors import APIError, BatchCanceled, BatchExpired, ClaudeError, ExchangeError, SettingsError, StreamError
from ...journal import rows
from ...journal.batch_rows import WAITING, Ended
from ...journal.rows import end_columns, start_columns
from ...wire import Exchange, Headers, Request, Timing
from ...wire.short_text import one_line
from ..runner import RowResult
from .access import Access

LOST = "lost"  # the state of a request without a result
_CANCELED = "canceled before its turn came; it costs nothing."
_EXPIRED = "its turn did not come within 24 hours; it costs nothing."
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def exchange_of(access: Access, request: Request, outcome: Outcome, batch: MessageBatch) -> Exchange | None:
    """The exchange of a result; `None` if the request was not processed."""
    accumulator = Accumulator(request)
    accumulator.set_response(200, Headers())
    error: ClaudeError | None = None
    if outcome.kind == ERRORED:
        error = api_error(outcome.error)
        named = [] if error.request_id is None else [("request-id", error.request_id)]
        accumulator.set_response(error.status, Headers(named))
    elif outcome.kind == SUCCEEDED:
        accumulator.add_json(dict(outcome.message))
        try:
            accumulator.check()
        except ClaudeError as incomplete:
            error = incomplete
    elif outcome.kind in (CANCELED, EXPIRED):
        return None
    else:
        error = StreamError(f"a result of a kind that is not known: {one_line(outcome.kind, 80)!r}.")
    exchange = replace(accumulator.exchange(error), timing=Timing(began=batch.created))
    return exchange.with_record(usd=_usd(access, request, outcome))


def ended(
    access: Access, row: Mapping[str, Any], outcome: Outcome, batch: MessageBatch, ends: str
) -> tuple[Ended, Exchange | None]:
    """What is written of a result, and its exchange, if there was one.

    Args:
        row: The request in the journal.
        ends: The time, as the journal writes it.
    """
    request = request_of(access, row["request"])
    exchange = exchange_of(access, request, outcome, batch)
    if exchange is None:
        why = canceled_or_expired(outcome.kind)
        return Ended(custom_id=outcome.custom_id, state=outcome.kind, error=why), None
    caller = access.caller.part(f"/{row['row']}")
    place = rows.Origin(
        session=access.ledger.session,
        notebook=caller.notebook,
        cell=caller.cell,
        place=caller.cell,
        provider=access.provider.name,
    )
    end = Ended(
        custom_id=outcome.custom_id,
        state=SUCCEEDED if exchange.error is None else ERRORED,
        begin=start_columns(request, place, batch.created or ends),
        end={**end_columns(exchange, ends), "seconds": None},
    )
    return end, exchange


def canceled_or_expired(kind: str) -> str:
    """Why a request was not processed."""
    return _CANCELED if kind == CANCELED else _EXPIRED


def request_of(access: Access, content: str) -> Request:
    """The request for a message that became part of a batch."""
    headers = Headers([("anthropic-version", access.requests.api_version), ("content-type", "application/json")])
    return Request(
        method="POST", url=f"{access.provider.base_url}/v1/messages", headers=headers, body=json.loads(content)
    )


def row_result(row: Mapping[str, Any], *, known: bool) -> RowResult:
    """The result of a row, from the journal.

    Args:
        row: Of `BatchJournal.results`; empty if it is not there any more.
        known: Whether it was there before.
    """
    if not row:
        return RowResult(reply=SettingsError("its exchange was deleted from the journal."))
    state, why = row["state"], str(row["why"] or "")
    if state == WAITING:
        return RowResult(reply=ExchangeError("not answered yet: its batch goes on."))
    if state in (CANCELED, EXPIRED, LOST):
        return RowResult(reply=(BatchCanceled if state == CANCELED else BatchExpired)(why), known=known)
    return RowResult(
        reply=rows.error_of(row) or row["reply"],
        stop_reason=row["stop_reason"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        usd=row["usd"],
        entry=row["entry"],
        known=known,
    )


def api_error(envelope: Mapping[str, Any]) -> APIError:
    """The error of a row: its type is one level below that of the envelope."""
    inner = envelope.get("error")
    inner = inner if isinstance(inner, Mapping) else envelope
    kind, message = str(inner.get("type") or "error"), one_line(str(inner.get("message") or "no reason given"), 2_000)
    request_id = envelope.get("request_id")
    facts = f" (in a batch, request-id {one_line(request_id, 80)})" if isinstance(request_id, str) else " (in a batch)"
    return APIError(
        f"{one_line(kind, 80)}: {message.rstrip('.')}{facts}.",
        status=_STATUS.get(kind, 500),
        type=kind,
        request_id=request_id if isinstance(request_id, str) else None,
        body=dict(envelope),
    )


def _usd(access: Access, request: Request, outcome: Outcome) -> float | None:
    """The cost of a result, at the price of batches; nothing without a reply."""
    usage = outcome.message.get("usage")
    if outcome.kind != SUCCEEDED or not isinstance(usage, Mapping):
        return 0.0 if outcome.kind != SUCCEEDED else None
    model = str(outcome.message.get("model") or (request.body or {}).get("model", ""))
    return prices.cost_usd(model, usage, corrections=access.settings.prices, batch=True)
