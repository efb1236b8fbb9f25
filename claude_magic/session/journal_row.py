"""The row of one request in the journal: begun before it is sent, ended with its exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from ..wire import Exchange, Request

if TYPE_CHECKING:
    from ..api.accumulator import Accumulator
    from ..api.client import Client
    from ..journal import Entry, Journal
    from .ledger import Caller


@dataclass(frozen=True, kw_only=True)
class JournalRow:
    """A row, and the journal that holds it."""

    journal: Journal
    entry: Entry

    def begin(self, reserved_usd: float, usd_per_day: float | None) -> None:
        """Writes what is known before the request is sent.

        Raises:
            OverBudget: Together with today's other requests it could cost more than `usd_per_day`.
        """
        from ..journal import Limit
        from ..journal.deletion import parse_moment

        limit = None if usd_per_day is None else Limit(usd=usd_per_day, since=parse_moment(date.today()))
        self.journal.writer.begin(self.entry, reserved_usd, limit)

    def end(self, exchange: Exchange) -> Exchange:
        """Writes the exchange; returns it with its journal entry, and a note if it could not be written."""
        from ..journal.rows import end_columns

        note = self.journal.writer.end(self.entry, end_columns(exchange, now()))
        return exchange.with_record(entry=self.entry.id).with_notes(note)


def new_row(
    journal: Journal,
    session: str,
    request: Request,
    caller: Caller,
    *,
    provider: str,
    began: str,
    client: Client,
    accumulator: Accumulator,
) -> JournalRow:
    """The row of a request; nothing is written yet.

    Args:
        session: The id of this kernel in the journal.
        provider: The name of the provider that answers.
        client: Redacts its key.
        accumulator: What has arrived, to be written down if the process ends.
    """
    from ..journal import Entry, Origin
    from ..journal.rows import start_columns

    origin = Origin(
        session=session,
        notebook=caller.notebook,
        cell=caller.cell,
        place=caller.cell,
        conversation=caller.conversation,
        provider=provider,
    )
    columns, attachments = start_columns(request, origin, began)
    entry = Entry(columns=columns, attachments=attachments, source=accumulator.events_since, hide=client.redact)
    return JournalRow(journal=journal, entry=entry)


def now() -> str:
    """The time, as the journal writes it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
