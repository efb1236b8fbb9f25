"""A report of usage or cost, from the first endpoint that this key may use; which one it was is said.

report = cost_report(session, "day", begin, end)  # UTC days, `end` not included
report.rows  # also what the journal counted, by day and by model
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from ..api.endpoints.reports import COST, EXACT, USAGE, Source, Sums, cost_sums, shortest, usage_sums, windows
from ..errors import APIError, ExchangeError, SettingsError
from ..prompt.options.options import Options
from ..wire import Exchange
from .endpoint_call import endpoint_call
from .endpoint_pages import list_notes
from .provider import base_url

if TYPE_CHECKING:
    from .session import Session

_REFUSED = (400, 403, 404)  # this endpoint is not for this key or organization: an older one may be


@dataclass(frozen=True, kw_only=True)
class Report:
    """Sums over some days.

    Attributes:
        rows: Each with the group under the name `by`.
        notes: Which endpoint answered, and what is missing or differs.
    """

    rows: Sequence[Mapping[str, Any]]
    by: str
    notes: Sequence[str]


def usage_report(session: Session, by: str, begin: date, end: date) -> Report:
    """Tokens and requests from `begin` to before `end`.

    Raises:
        ClaudeError: No endpoint reports them to this key.
    """
    return _report(session, "usage", USAGE, usage_sums, by, begin, end)


def cost_report(session: Session, by: str, begin: date, end: date) -> Report:
    """Dollars from `begin` to before `end`, beside those that the journal counted, as far as it knows the groups.

    Raises:
        ClaudeError: No endpoint reports them to this key.
    """
    report = _report(session, "cost", COST, cost_sums, by, begin, end)
    return _with_journal(session, report, begin, end) if by in ("day", "model") else report


def _report(
    session: Session,
    what: str,
    sources: Sequence[Source],
    sums: Callable[[Sequence[object], str, Sequence[date]], Sums],
    by: str,
    begin: date,
    end: date,
) -> Report:
    source, exchanges, refusals = _first_answer(session, what, sources, by, begin, end)
    items = [item for exchange in exchanges for item in _items(exchange)]
    days = [begin + timedelta(days=number) for number in range((end - begin).days)]
    found = sums(items, by, days)
    refreshed = [_refreshed(exchange.json) for exchange in exchanges]
    notes = (
        f"answered by {source.path}, {begin} to {end - timedelta(days=1)}, days in UTC",
        *refusals,
        f"as of {refreshed[-1]}" if refreshed[-1] else "",
        *(note for exchange in exchanges for note in list_notes(exchange)),
        f"not counted: {found.left_out:,} rows that cannot be read or are not in USD" if found.left_out else "",
    )
    return Report(rows=found.rows, by=by, notes=tuple(filter(None, notes)))


def _first_answer(
    session: Session, what: str, sources: Sequence[Source], by: str, begin: date, end: date
) -> tuple[Source, list[Exchange], list[str]]:
    """The first source that answers, its answers, and why those before did not."""
    refusals: list[str] = []
    for source in sources:
        if not source.knows(by):
            refusals.append(f"{source.path} does not report {what} by {by}")
            continue
        try:
            exchanges = [_send(session, source, by, *window) for window in windows(begin, end)]
        except APIError as error:
            if error.status not in _REFUSED:
                raise
            refusals.append(f"{source.path} refused with HTTP {error.status}: {_reason(error)}")
            continue
        return source, exchanges, refusals
    raise ExchangeError(
        f"no report of {what} by {by}: {'; '.join(refusals)}. Use another group, or a key that may read them."
    )


def _send(session: Session, source: Source, by: str, begin: date, end: date) -> Exchange:
    address = base_url(session.settings_for(Options()))
    call = endpoint_call("GET", source.path, base_url=address, query=source.query(by, begin, end))
    exchange = session.request(call, all_pages=True)
    if exchange.error is not None:
        raise exchange.error
    return exchange


def _items(exchange: Exchange) -> Sequence[object]:
    return exchange.answer.items or () if exchange.answer is not None else ()


def _refreshed(body: object) -> str:
    moment = body.get("data_refreshed_at") if isinstance(body, Mapping) else None
    return moment[:40] if isinstance(moment, str) else ""


def _reason(error: APIError) -> str:
    body = error.body.get("error") if isinstance(error.body, Mapping) else None
    message = body.get("message") if isinstance(body, Mapping) else None
    return str(message or error.type or "no reason given")[:200].rstrip(".")


def _with_journal(session: Session, report: Report, begin: date, end: date) -> Report:
    """The report, with columns of what the journal counted in the same days."""
    settings = session.settings_for(Options())
    journal = session.ledger.journal(settings)
    if journal is None:
        return replace(report, notes=(*report.notes, "no journal is kept, so there is nothing to compare with"))
    try:
        counted = journal.spend_between(begin, end, report.by, base_url(settings))
    except SettingsError as error:
        return replace(report, notes=(*report.notes, str(error)))
    with localcontext(EXACT):
        return _compared(report, counted, base_url(settings))


def _compared(report: Report, counted: Sequence[Mapping[str, Any]], address: str) -> Report:
    by = report.by
    ours = {str(row[by] or ""): shortest(Decimal(f"{row['usd']:.8f}")) for row in counted}
    theirs = {row[by]: row for row in report.rows}
    columns = {name: Decimal(0) for name in ("usd", "list_usd") if any(name in row for row in report.rows)}
    missing = sorted(set(ours) - set(theirs)) if by == "day" else [name for name in ours if name not in theirs]
    rows = [*report.rows, *({by: name, **(columns or {"usd": Decimal(0)})} for name in missing)]
    compared = [_beside(row, ours.get(row[by], Decimal(0))) for row in rows]
    if by == "day":
        compared.sort(key=lambda row: str(row[by]))
    total, journal = sum((row["usd"] for row in compared), Decimal(0)), sum(ours.values(), Decimal(0))
    unpriced = sum(row["unpriced"] for row in counted)
    note = f"journal_usd is what this journal counted at {address}: {shortest(journal):f} of {shortest(total):f} USD"
    without = f", and {unpriced:,} exchanges of unknown price" if unpriced else ""
    return replace(report, rows=compared, notes=(*report.notes, note + without))


def _beside(row: Mapping[str, Any], counted: Decimal) -> dict[str, Any]:
    place = {"journal_usd": counted, "difference_usd": shortest(row["usd"] - counted)}
    names = list(row)
    after = names.index("usd") + 1
    return {**{name: row[name] for name in names[:after]}, **place, **{name: row[name] for name in names[after:]}}
