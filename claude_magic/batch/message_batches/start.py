"""Creates the batches that rows need, or attaches to those of earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ...concurrency import Lock
from ...errors import ClaudeError, Interrupted
from ...prompt.options.options import Options
from ...session.session import Session
from ...wire import Request
from ..runner import RowResult
from .access import Access, access
from .batch import Batch
from .creation import create_all
from .part import Part, part_of
from .plan import Plan, Resume, plan

Table = TypeVar("Table")
RowRequests = Callable[[Access], Iterable[Request | ClaudeError]]

_lock = Lock()  # one thread at a time makes batches: another one may need the same rows


def start(
    session: Session,
    options: Options,
    requests: RowRequests,
    resume: Resume,
    table: Callable[[Batch[Table]], Table],
    approve: Callable[[Plan], None] | None = None,
) -> Batch[Table]:
    """Rows answered by batches, which are created now unless they are under way.

    Args:
        requests: From the endpoint to the request of each row, or why there is none; taken one after another.
        table: Makes the result table.
        approve: Asks the user whether what is planned may be sent, and raises if not.

    Raises:
        CellError: It cannot be sent, or may not, such as for a budget; nothing was.
        ExchangeError: A batch was refused, or its answer is lost.
        Interrupted: You pressed stop; what may have been made is in the journal.
        SettingsError: There is no key or no journal.
    """
    context = access(session, options)
    try:
        with _lock:
            planned = plan(context, requests(context), resume)
            if planned.batches:
                _ask(context, planned, approve)
                create_all(context, planned)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped while batches were made: some may have been. Run it again: they are looked for first."
        ) from None
    parts = list(_parts(context, {*planned.earlier, *(batch.number for batch in planned.batches)}))
    return Batch(context, planned.sources, parts, table, failed_before=planned.failed)


def _ask(context: Access, planned: Plan, approve: Callable[[Plan], None] | None) -> None:
    """Asks the user; what was written to be sent is deleted if the answer is no."""
    try:
        if approve is not None:
            approve(planned)
    except BaseException:
        for batch in planned.batches:
            context.journal.delete(batch.number)
        raise


def known(results: Iterable[RowResult], table: Callable[[Batch[Table]], Table]) -> Batch[Table]:
    """Rows that are all known already, such as from a recording."""
    return Batch(None, list(results), (), table)


def _parts(context: Access, numbers: Iterable[int]) -> Iterator[Part]:
    for number in sorted(numbers):
        part = part_of(context, number)
        part.load(context)
        yield part
