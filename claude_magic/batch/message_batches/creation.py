"""Creates a batch exactly once: one that may exist although no answer came is searched for before a retry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from ...api.endpoints import batches as endpoint
from ...api.endpoints.batches import MessageBatch
from ...api.transports.retry import backoff
from ...concurrency import sleep
from ...errors import (
    APIError,
    ClaudeError,
    ConnectionFailed,
    ExchangeError,
    OverBudget,
    SettingsError,
    StreamError,
    TimedOut,
)
from ...journal import Limit
from ...journal.deletion import parse_moment
from .access import Access
from .plan import NewBatch, Plan

LOOKS = (0.0, 1.0, 3.0)  # seconds to wait before each look for a batch whose answer was lost
_CLOCKS = timedelta(minutes=10)  # by which the clock here may differ from the API's
_REFUSED = (429, 529)  # nothing was made, and it may be tried again
_UNCLEAR = (408, 409)  # besides 5xx: it may have been made
_MOST_LISTED = 1_000  # batches that are looked through

_reserved: dict[tuple[str, int], float] = {}  # by journal and batch: US dollars that this kernel reserved


def create_all(access: Access, plan: Plan) -> None:
    """Creates the batches of a plan; none if together they could cost too much.

    Raises:
        OverBudget: They could.
        ExchangeError: One was refused, or its answer is lost; those before it go on.
    """
    made = 0
    try:
        _reserve(access, plan.batches)
        _set_ready(access, plan)
        for batch in plan.batches:
            make(access, batch.number)
            made += 1
    except BaseException as error:
        unclear = _is_unclear(error)
        for batch in plan.batches[made + unclear :]:  # one that may have been made stays
            access.journal.delete(batch.number)
            settle(access, batch.number, 0.0)
        if isinstance(error, ClaudeError):
            raise _with_others(error, made) from None
        raise


def settle(access: Access, number: int, usd: float) -> None:
    """Releases what this kernel reserved for a batch, and counts its cost."""
    access.ledger.budget.settle(_reserved.pop((str(access.journal.path), number), 0.0), usd)


def _reserve(access: Access, batches: Sequence[NewBatch]) -> None:
    """Reserves the highest cost of all of these.

    Raises:
        OverBudget: It is more than is left.
    """
    access.ledger.budget.reserve(sum(batch.usd for batch in batches), access.settings.budget_usd)
    _reserved.update({(str(access.journal.path), batch.number): batch.usd for batch in batches})


def make(access: Access, number: int, *, look_first: bool = False) -> MessageBatch:
    """Creates a batch that is ready in the journal.

    Args:
        look_first: Whether it may have been made before.

    Raises:
        ExchangeError: It was refused; or the answer is lost and the batch is not listed: then it stays in the journal,
            and is looked for the next time.
    """
    try:
        return (find(access, number) if look_first else None) or _create(access, number)
    except BaseException as error:
        if look_first or _is_unclear(error):
            with contextlib.suppress(SettingsError):  # a journal that cannot be written
                access.journal.set_unclear(number)
        raise


def _create(access: Access, number: int) -> MessageBatch:
    upload = access.journal.upload(number)
    for failed in range(access.settings.max_retries + 1):
        try:
            batch = endpoint.create(access.once, access.requests, upload)
            break
        except ExchangeError as error:
            if _is_unclear(error):
                found = find(access, number)
                if found is None:
                    raise _lost(error) from None
                return found
            if failed == access.settings.max_retries or not _retryable(error):
                raise
        sleep(backoff(failed))
    access.journal.set_sent(number, batch.id, batch.created, batch.expires)
    return batch


def find(access: Access, number: int) -> MessageBatch | None:
    """The batch that was made of this one, if the answer was lost; `None` if none is listed.

    It is known by its size and the time at which it was made; the custom ids of its results tell for certain.

    Raises:
        ExchangeError: The endpoint does not list batches.
    """
    row = access.journal.batch(number)
    if row is None:
        return None
    for seconds in LOOKS:
        sleep(seconds)
        for batch in candidates(access, row):
            if not batch.is_ended or _has_results_of(access, number, batch):
                access.journal.set_sent(number, batch.id, batch.created, batch.expires)
                return batch
    return None


def candidates(access: Access, row: Mapping[str, Any]) -> Iterator[MessageBatch]:
    """Batches that may have been made of the journal's one, the newest first."""
    began, others = datetime.fromisoformat(row["began"]) - _CLOCKS, access.journal.known_ids()
    excluded = {*others, *row["excluded"].split()}
    for number, batch in enumerate(endpoint.list_batches(access.client, access.requests)):
        created = when(batch.created)
        if number >= _MOST_LISTED or (created is not None and created < began):
            return
        if batch.id not in excluded and batch.counts.total == row["requests"]:
            yield batch


def when(text: str) -> datetime | None:
    """A time of the API; `None` if it cannot be read."""
    with contextlib.suppress(ValueError):
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    return None


def _has_results_of(access: Access, number: int, batch: MessageBatch) -> bool:
    """Whether the first result of a batch belongs to the journal's one."""
    first = next(endpoint.results(access.client, access.requests, batch.id), None)
    return first is not None and access.journal.holds(number, first.custom_id)


def _set_ready(access: Access, plan: Plan) -> None:
    limit = access.settings.budget_usd_per_day
    since = None if limit is None else Limit(usd=limit, since=parse_moment(date.today()))
    for batch in plan.batches:
        access.journal.set_ready(batch.number, batch.requests, batch.size, batch.usd, since)


def _retryable(error: ExchangeError) -> bool:
    """Whether nothing was created and a retry can help."""
    if isinstance(error, APIError):
        return error.status in _REFUSED
    return isinstance(error, ConnectionFailed | TimedOut) and error.unsent and error.retryable


def _is_unclear(error: BaseException) -> bool:
    """Whether the batch may have been made; a journal that cannot be written or a stop may come after that, too."""
    if not isinstance(error, ExchangeError):
        return not isinstance(error, OverBudget)
    if isinstance(error, APIError):
        return error.status in _UNCLEAR or (error.status >= 500 and error.status not in _REFUSED)
    return not getattr(error, "unsent", False)


def _lost(error: ExchangeError) -> ExchangeError:
    why = str(error).removesuffix(" Ask again.").rstrip(".")
    text = f"whether the batch was made is not known: {why}; it is not listed. Run it again: it is looked for first."
    if isinstance(error, APIError):
        return APIError(text, status=error.status, type=error.type, request_id=error.request_id, body=error.body)
    return StreamError(text)


def _with_others(error: ClaudeError, made: int) -> ClaudeError:
    """The error, with the batches that go on all the same."""
    if made:
        goes_on = f"{made:,} {'batch goes' if made == 1 else 'batches go'} on"
        error.args = (f"{error.args[0]} {goes_on} all the same; run it again for the rest.", *error.args[1:])
    return error
